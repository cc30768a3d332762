//! How long to wait before the next attempt to connect: doubling, bounded, and jittered so that
//! dispatchers that lost one broker together do not come back together.

use std::time::Duration;

/// The first wait.
const FIRST: Duration = Duration::from_millis(100);

/// The longest wait: an order waits at most this long for a broker that came back.
const LONGEST: Duration = Duration::from_secs(5);

/// The waits of one connection.
#[derive(Debug, Default)]
pub struct Backoff {
    failures: u32,
}

impl Backoff {
    /// The connection worked: the next wait is the first one again.
    pub fn reset(&mut self) {
        self.failures = 0;
    }

    /// The wait after one more failure: between half and all of the doubled bound. `random` is
    /// uniform.
    pub fn next(&mut self, random: u32) -> Duration {
        let bound = FIRST.saturating_mul(1 << self.failures.min(16)).min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        let half = bound / 2;
        half + half.mul_f64(f64::from(random) / f64::from(u32::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_bound_and_begin_again_after_success() {
        let mut backoff = Backoff::default();
        let waits = [0; 8].map(|random| backoff.next(random).as_millis());
        assert_eq!(waits, [50, 100, 200, 400, 800, 1600, 2500, 2500]);
        assert_eq!(backoff.next(u32::MAX), LONGEST);
        backoff.reset();
        assert_eq!(backoff.next(u32::MAX), FIRST);
    }
}
