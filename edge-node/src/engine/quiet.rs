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

    /// From `first` to before `end`, across midnight where `end <= first`: 0 to 24 is all day, and
    /// so is an hour to itself.
    pub fn between(first: u8, end: u8) -> Self {
        let (first, end) = (u32::from(first.min(24)), u32::from(end.min(24)));
        let n_hours = if end > first { end - first } else { 24 - first + end };
        Self((0..n_hours).fold(0, |bits, ahead| bits | 1 << ((first + ahead) % 24)))
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

/// Midnight by Beijing time, of the day of `at`.
pub(super) fn beijing_day_start(at: Timestamp) -> Timestamp {
    let day = (at.as_second() + BEIJING_OFFSET_S).div_euclid(86_400);
    Timestamp::from_second(day * 86_400 - BEIJING_OFFSET_S).unwrap_or(at)
}

/// 1 for Monday to 7 for Sunday, by Beijing time.
pub(super) fn beijing_weekday(at: Timestamp) -> u8 {
    // The first day of 1970 was a Thursday.
    ((at.as_second() + BEIJING_OFFSET_S).div_euclid(86_400) + 3).rem_euclid(7) as u8 + 1
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
    fn hours_run_across_midnight_and_a_whole_day_is_one() {
        let held = |first, end| (0..24).filter(|h| Hours::between(first, end).holds(*h)).count();
        assert_eq!(
            [held(22, 6), held(12, 14), held(0, 24), held(22, 24), held(23, 0)],
            [8, 2, 24, 2, 1]
        );
        let night = Hours::between(22, 6);
        assert!(night.holds(22) && night.holds(5) && !night.holds(6) && !night.holds(21));
    }

    #[test]
    fn every_kind_color_and_hour_is_as_the_rule_says() {
        let mut table = QuietTable::default();
        let all_day = Hours::between(0, 24);
        let kinds = [
            BroadcastKind::Routine,
            BroadcastKind::Test,
            BroadcastKind::Exercise,
            BroadcastKind::Actual,
            BroadcastKind::LiveTalk,
        ];
        let colors = || AlertColor::ALL.map(Some).into_iter().chain([None]);
        for hour in 0..24_i64 {
            let at = at("2026-07-31T16:00:00Z") + jiff::SignedDuration::from_hours(hour);
            let is_quiet = !(6..22).contains(&hour) || (12..14).contains(&hour);
            for (kind, color) in kinds.iter().flat_map(|kind| colors().map(|color| (*kind, color)))
            {
                let is_free = matches!(kind, BroadcastKind::Actual | BroadcastKind::LiveTalk);
                assert_eq!(
                    table.may_start(kind, color, at),
                    is_free || !is_quiet,
                    "{kind:?} {hour}"
                );
            }
        }
        for (kind, color) in kinds.iter().flat_map(|kind| colors().map(|color| (*kind, color))) {
            let is_guarded = kind == BroadcastKind::LiveTalk
                || kind == BroadcastKind::Actual
                    && matches!(color, Some(AlertColor::Red | AlertColor::Orange));
            assert_eq!(table.forbid(kind, color, all_day).is_err(), is_guarded);
            let may = table.may_start(kind, color, at("2026-08-01T02:00:00Z"));
            assert_eq!(may, is_guarded, "{kind:?} {color:?}");
        }
    }

    #[test]
    fn the_day_begins_and_is_named_by_beijing_time() {
        let late = at("2026-08-04T16:30:00Z");
        assert_eq!(beijing_day_start(late), at("2026-08-04T16:00:00Z"));
        assert_eq!(beijing_weekday(late), 3, "a Wednesday, half past midnight");
        assert_eq!(beijing_weekday(at("2026-08-04T15:59:59Z")), 2);
    }

    #[test]
    fn nothing_silences_actual_red_or_orange() {
        let mut table = QuietTable::default();
        let all_day = Hours::between(0, 24);
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
