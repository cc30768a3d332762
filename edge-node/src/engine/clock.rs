//! The terminal's own idea of the time: never behind the newest signed time, never ahead of what
//! it can know.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::io::Now;

/// `at` plus `pause`, at most the end of the calendar.
pub(crate) fn later(at: Timestamp, pause: Duration) -> Timestamp {
    let pause = SignedDuration::try_from(pause).unwrap_or(SignedDuration::MAX);
    at.checked_add(pause).unwrap_or(Timestamp::MAX)
}

/// From `earlier` to `at`; zero when it lies behind.
pub(crate) fn since(at: Timestamp, earlier: Timestamp) -> Duration {
    Duration::try_from(at.duration_since(earlier)).unwrap_or(Duration::ZERO)
}

/// max(system clock, floor), the floor running on with monotonic time. While the system clock is
/// not trusted it counts for nothing: the floor alone speaks, as a lower bound of the time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    is_system_trusted: bool,
    is_unsure: bool,
    floor: Timestamp,
    floor_uptime: Duration,
}

impl Clock {
    pub(crate) const fn new() -> Self {
        Self {
            is_system_trusted: false,
            is_unsure: true,
            floor: Timestamp::UNIX_EPOCH,
            floor_uptime: Duration::ZERO,
        }
    }

    /// Sets out from the journal's floor. A wiped journal is unsure even with a good clock: it has
    /// forgotten what was cancelled and what was heard.
    pub(crate) fn boot(&mut self, now: Now, floor: Timestamp, is_trusted: bool, is_wiped: bool) {
        self.is_system_trusted = is_trusted;
        self.is_unsure = is_wiped || !is_trusted;
        self.floor = floor;
        self.floor_uptime = now.uptime;
    }

    pub(crate) fn time(&self, now: Now) -> Timestamp {
        let own = self.floor(now);
        if self.is_system_trusted { own.max(now.clock) } else { own }
    }

    /// The newest signed time, carried on by monotonic time.
    pub(crate) fn floor(&self, now: Now) -> Timestamp {
        later(self.floor, now.uptime.saturating_sub(self.floor_uptime))
    }

    /// A verified message was made at this time.
    pub(crate) fn raise(&mut self, now: Now, signed_at: Timestamp) {
        if signed_at > self.floor(now) {
            self.floor = signed_at;
            self.floor_uptime = now.uptime;
        }
    }

    /// The dispatcher answered our nonce with its time.
    pub(crate) fn answered(&mut self, now: Now, at: Timestamp) {
        self.raise(now, at);
        self.is_unsure = false;
    }

    pub(crate) const fn is_unsure(&self) -> bool {
        self.is_unsure
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("in the calendar")
    }

    fn now(clock: i64, uptime: u64) -> Now {
        Now { clock: at(clock), uptime: Duration::from_secs(uptime) }
    }

    #[test]
    fn a_clock_set_back_does_not_pass_below_the_floor() {
        let mut clock = Clock::new();
        clock.boot(now(0, 5), at(1_000), true, false);
        assert_eq!(clock.time(now(10, 15)), at(1_010));
        assert_eq!(clock.time(now(5_000, 15)), at(5_000));
    }

    #[test]
    fn an_untrusted_clock_counts_for_nothing_until_the_dispatcher_answers() {
        let mut clock = Clock::new();
        clock.boot(now(9_000, 0), at(1_000), false, false);
        assert!(clock.is_unsure());
        assert_eq!(clock.time(now(9_000, 1)), at(1_001));
        clock.answered(now(9_000, 2), at(2_000));
        assert!(!clock.is_unsure());
        assert_eq!(clock.time(now(9_000, 3)), at(2_001));
    }
}
