//! Refusals in the log: the first of each reason a minute, the others as a number. Whoever sends
//! forgeries by the thousand must not fill the village's SD card with lines about them.

use std::collections::BTreeMap;
use std::time::Duration;

use protocols::receipt::Reason;

/// One line for each reason in this time.
const LINE_EVERY: Duration = Duration::from_mins(1);

/// What was said and what was not.
#[derive(Debug, Default)]
pub(super) struct Quench {
    /// When a line was last written, and how often it was not since.
    reasons: BTreeMap<Reason, (Duration, u64)>,
}

impl Quench {
    /// One more refusal. `None`: nothing is written; otherwise a line that says how many went
    /// without one before it.
    pub(super) fn refused(&mut self, reason: Reason, uptime: Duration) -> Option<u64> {
        let Some((said_at, unsaid)) = self.reasons.get_mut(&reason) else {
            self.reasons.insert(reason, (uptime, 0));
            return Some(0);
        };
        if uptime < said_at.saturating_add(LINE_EVERY) {
            *unsaid += 1;
            return None;
        }
        *said_at = uptime;
        Some(std::mem::take(unsaid))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_a_reason_is_written_and_the_rest_is_a_number() {
        let mut quench = Quench::default();
        let mut at = |reason, seconds| quench.refused(reason, Duration::from_secs(seconds));
        assert_eq!(at(Reason::Malformed, 5), Some(0));
        assert_eq!(at(Reason::Malformed, 6), None);
        assert_eq!(at(Reason::BadSignature, 6), Some(0));
        assert_eq!(at(Reason::Malformed, 64), None);
        assert_eq!(at(Reason::Malformed, 65), Some(2));
        assert_eq!(at(Reason::Malformed, 130), Some(0));
    }
}
