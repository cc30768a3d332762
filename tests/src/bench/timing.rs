//! How long a body of work takes, in turns with that of a peer.

use std::time::Duration;

use crate::harness::clock;

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
    let begun = clock::instant();
    work();
    begun.elapsed()
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
