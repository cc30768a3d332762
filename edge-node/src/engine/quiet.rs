//! What may sound when: a table of colour × kind × hour, and how loud.
//!
//! Hours are those of Beijing time, a fixed +08:00 without daylight saving, so that the table
//! needs no zone database. The table can't be made to silence an Actual red or orange alert.

use jiff::Timestamp;
use protocols::alert::{AlertColor, BroadcastKind};

/// Seconds by which Beijing time is ahead of UTC.
const BEIJING_OFFSET_S: i64 = 8 * 3_600;

/// Hours of one day, bit `h` for the hour that begins at `h:00`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Hours(u32);

impl Hours {
    /// No hour.
    pub const NONE: Self = Self(0);

    /// From `first` to before `end`, across midnight where `end <= first`; hours above 23 are cut.
    pub fn between(first: u8, end: u8) -> Self {
        let mut bits = 0;
        let mut hour = first % 24;
        while hour != end % 24 {
            bits |= 1 << hour;
            hour = (hour + 1) % 24;
        }
        Self(bits)
    }

    const fn holds(self, hour: u8) -> bool {
        self.0 & (1 << hour) != 0
    }
}

/// A rule that the table refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum QuietError {
    /// Actual red or orange, or live talk.
    #[error("quiet hours: nothing silences live talk, or an Actual red or orange alert")]
    MayNotBeSilenced,
}

/// The table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuietTable {
    /// Hours in which drills, tests and routine never start.
    quiet: Hours,
    /// Further rules: in these hours this kind and colour may not start either.
    rules: Vec<(BroadcastKind, Option<AlertColor>, Hours)>,
}

impl Default for QuietTable {
    /// Quiet from 22:00 to 06:00 and at noon rest, 12:00 to 14:00; Actual alerts at any hour.
    fn default() -> Self {
        let Hours(night) = Hours::between(22, 6);
        let Hours(noon) = Hours::between(12, 14);
        Self::new(Hours(night | noon))
    }
}

impl QuietTable {
    /// A table with these quiet hours and no further rule.
    pub const fn new(quiet: Hours) -> Self {
        Self { quiet, rules: Vec::new() }
    }

    /// Adds a rule.
    pub fn forbid(
        &mut self,
        kind: BroadcastKind,
        color: Option<AlertColor>,
        hours: Hours,
    ) -> Result<(), QuietError> {
        if is_never_silenced(kind, color) {
            return Err(QuietError::MayNotBeSilenced);
        }
        self.rules.push((kind, color, hours));
        Ok(())
    }

    /// Whether a sounding may start at this instant.
    pub fn may_start(&self, kind: BroadcastKind, color: Option<AlertColor>, at: Timestamp) -> bool {
        if is_never_silenced(kind, color) {
            return true;
        }
        let hour = hour_of(at);
        let is_bound_to_quiet_hours = match kind {
            BroadcastKind::Routine | BroadcastKind::Test | BroadcastKind::Exercise => true,
            BroadcastKind::Actual | BroadcastKind::LiveTalk => false,
        };
        if is_bound_to_quiet_hours && self.quiet.holds(hour) {
            return false;
        }
        !self.rules.iter().any(|(k, c, hours)| *k == kind && *c == color && hours.holds(hour))
    }

    /// The first full hour after `at` in which it may start; `None` if there is none in a day.
    pub fn next_start(
        &self,
        kind: BroadcastKind,
        color: Option<AlertColor>,
        at: Timestamp,
    ) -> Option<Timestamp> {
        let hour = at.as_second().div_euclid(3_600);
        (1..=24)
            .filter_map(|ahead| Timestamp::from_second((hour + ahead) * 3_600).ok())
            .find(|candidate| self.may_start(kind, color, *candidate))
    }
}

fn is_never_silenced(kind: BroadcastKind, color: Option<AlertColor>) -> bool {
    kind == BroadcastKind::LiveTalk
        || (kind == BroadcastKind::Actual && color >= Some(AlertColor::Orange))
}

fn hour_of(at: Timestamp) -> u8 {
    ((at.as_second() + BEIJING_OFFSET_S).rem_euclid(86_400) / 3_600) as u8
}

/// Loudness of Actual alerts never goes below this share of full volume: a dial turned down for a
/// quiet festival must not make a typhoon warning inaudible.
pub const EMERGENCY_PERCENT_MIN: u8 = 70;

/// How loud, apart for routine and for emergencies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Volume {
    routine_percent: u8,
    emergency_percent: u8,
}

impl Default for Volume {
    fn default() -> Self {
        Self::new(60, 100)
    }
}

impl Volume {
    /// These shares of full volume, each at most 100; the second at least
    /// [`EMERGENCY_PERCENT_MIN`].
    pub fn new(routine_percent: u8, emergency_percent: u8) -> Self {
        Self {
            routine_percent: routine_percent.min(100),
            emergency_percent: emergency_percent.clamp(EMERGENCY_PERCENT_MIN, 100),
        }
    }

    /// The volume for a kind. A drill is as loud as what it rehearses.
    pub const fn percent(self, kind: BroadcastKind) -> u8 {
        match kind {
            BroadcastKind::Routine | BroadcastKind::Test => self.routine_percent,
            BroadcastKind::Exercise | BroadcastKind::Actual | BroadcastKind::LiveTalk => {
                self.emergency_percent
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a timestamp")
    }

    #[test]
    fn routine_does_not_start_at_night_by_beijing_time() {
        let table = QuietTable::default();
        let night = at("2026-08-01T15:30:00Z");
        assert!(!table.may_start(BroadcastKind::Routine, None, night));
        assert!(!table.may_start(BroadcastKind::Exercise, Some(AlertColor::Red), night));
        assert!(table.may_start(BroadcastKind::Actual, Some(AlertColor::Blue), night));
        assert_eq!(
            table.next_start(BroadcastKind::Routine, None, night),
            Some(at("2026-08-01T22:00:00Z"))
        );
    }

    #[test]
    fn nothing_silences_actual_red_or_orange() {
        let mut table = QuietTable::default();
        let all_day = Hours::between(0, 23);
        for color in [AlertColor::Red, AlertColor::Orange] {
            assert_eq!(
                table.forbid(BroadcastKind::Actual, Some(color), all_day),
                Err(QuietError::MayNotBeSilenced)
            );
        }
        assert_eq!(table.forbid(BroadcastKind::Actual, Some(AlertColor::Yellow), all_day), Ok(()));
        assert!(!table.may_start(
            BroadcastKind::Actual,
            Some(AlertColor::Yellow),
            at("2026-08-01T04:00:00Z")
        ));
    }

    #[test]
    fn emergency_volume_has_a_floor_of_its_own() {
        let volume = Volume::new(10, 10);
        assert_eq!(volume.percent(BroadcastKind::Routine), 10);
        assert_eq!(volume.percent(BroadcastKind::Actual), EMERGENCY_PERCENT_MIN);
    }
}
