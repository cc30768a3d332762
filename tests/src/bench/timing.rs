//! How long a body of work takes, in turns with that of a peer: by the clock of the processor, which
//! stands still while others have it.

use std::time::Duration;

/// Milliseconds, as figures have them.
pub(super) fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

/// Microseconds.
pub(super) fn us(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000_000.0
}

/// How long one body of work takes.
pub(super) fn timed(work: impl FnOnce()) -> Duration {
    let begun = processor_time();
    work();
    processor_time().saturating_sub(begun)
}

/// What this thread has had of the processor.
#[cfg(feature = "figures")]
fn processor_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    let (seconds, nanos) = (time.tv_sec.unsigned_abs(), time.tv_nsec.unsigned_abs());
    Duration::from_secs(seconds) + Duration::from_nanos(nanos)
}

/// Built without it: the clock on the wall.
#[cfg(not(feature = "figures"))]
fn processor_time() -> Duration {
    use std::sync::LazyLock;
    static BEGAN: LazyLock<std::time::Instant> = LazyLock::new(crate::harness::clock::instant);
    BEGAN.elapsed()
}

/// How long two bodies of work take that take turns, so that both meet the same noise. Each is
/// done once before, for caches and lazy tables.
pub(super) fn side_by_side(
    runs: usize,
    mut ours: impl FnMut(),
    mut peer: impl FnMut(),
) -> (Vec<Duration>, Vec<Duration>) {
    ours();
    peer();
    (0..runs).map(|_| (timed(&mut ours), timed(&mut peer))).unzip()
}

/// All of them in a unit.
pub(super) fn each(times: &[Duration], unit: fn(Duration) -> f64) -> Vec<f64> {
    times.iter().map(|time| unit(*time)).collect()
}
