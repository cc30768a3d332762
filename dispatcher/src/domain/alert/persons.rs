//! How many persons an alert takes: by kind, colour, move-out and reach, and by nothing else.

use protocols::alert::{AlertColor, BroadcastKind};
use protocols::region::{RegionCode, RegionLevel};

use crate::domain::alert::content::AlertContent;

/// How far an alert reaches. Read from the smallest single region that holds everything it names,
/// so that a whole district counts as more than one town even where it has only one.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    serde::Serialize,
    serde::Deserialize,
    utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// Inside one town.
    OneTown,
    /// More than one town of one district.
    OneDistrict,
    /// More than one district.
    ManyDistricts,
}

impl Reach {
    /// The reach of these regions; nothing at all, or two cities, counts as the widest: unknown is
    /// the dangerous value.
    pub fn of(regions: impl IntoIterator<Item = RegionCode>) -> Self {
        let common =
            regions.into_iter().map(Some).reduce(|held, region| held?.common(region?)).flatten();
        match common.map(RegionCode::level) {
            Some(RegionLevel::Village | RegionLevel::Town) => Self::OneTown,
            Some(RegionLevel::District) => Self::OneDistrict,
            Some(RegionLevel::City) | None => Self::ManyDistricts,
        }
    }
}

/// The persons who must have acted before an alert is issued. `Ord`: more persons are greater.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    serde::Serialize,
    serde::Deserialize,
    utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum PersonsNeeded {
    /// One authorised officer.
    One,
    /// Author and one approver.
    AuthorAndOne,
    /// Author and two approvers.
    AuthorAndTwo,
}

impl PersonsNeeded {
    /// What `content` takes when it reaches this far.
    ///
    /// A drill and a technical test always take an approver, whatever their colour: it was drills
    /// that reached the public by one person's mistake. A routine broadcast goes by its reach, as
    /// a notice of one's own does.
    pub fn of(content: &AlertContent, reach: Reach) -> Self {
        let by_reach = match reach {
            Reach::OneTown => Self::One,
            Reach::OneDistrict => Self::AuthorAndOne,
            Reach::ManyDistricts => Self::AuthorAndTwo,
        };
        let by_color = match content.color {
            Some(AlertColor::Red | AlertColor::Orange) => Self::AuthorAndOne,
            Some(AlertColor::Yellow | AlertColor::Blue) | None => Self::One,
        };
        let by_move_out = if content.does_move_out() { Self::AuthorAndOne } else { Self::One };
        let by_kind = match content.kind {
            BroadcastKind::Exercise | BroadcastKind::Test => Self::AuthorAndOne,
            BroadcastKind::Actual | BroadcastKind::Routine => Self::One,
            // Refused at submit; it is spoken on site, not written.
            BroadcastKind::LiveTalk => Self::AuthorAndTwo,
        };
        by_reach.max(by_color).max(by_move_out).max(by_kind)
    }

    /// Approvals by persons other than the authors.
    pub const fn approvals(self) -> usize {
        match self {
            Self::One => 0,
            Self::AuthorAndOne => 1,
            Self::AuthorAndTwo => 2,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::alert::content::REPEATS_DEFAULT;
    use crate::domain::targeting::RequestedArea;

    fn content(kind: BroadcastKind, color: Option<AlertColor>, is_move_out: bool) -> AlertContent {
        AlertContent {
            kind,
            color,
            event: None,
            is_move_out,
            texts: Vec::new(),
            area: RequestedArea::default(),
            expires_at: None,
            repeats: REPEATS_DEFAULT,
            play_at: None,
            wants_out_of_area: false,
            drill: None,
            is_minor: false,
        }
    }

    #[test]
    fn the_whole_table_of_actual_alerts_is_as_the_rule_says() {
        use AlertColor::{Blue, Orange, Red, Yellow};
        use PersonsNeeded::{AuthorAndOne, AuthorAndTwo, One};
        for (color, is_move_out, town, district, city) in [
            (None, false, One, AuthorAndOne, AuthorAndTwo),
            (Some(Blue), false, One, AuthorAndOne, AuthorAndTwo),
            (Some(Yellow), false, One, AuthorAndOne, AuthorAndTwo),
            (Some(Orange), false, AuthorAndOne, AuthorAndOne, AuthorAndTwo),
            (Some(Red), false, AuthorAndOne, AuthorAndOne, AuthorAndTwo),
            (None, true, AuthorAndOne, AuthorAndOne, AuthorAndTwo),
            (Some(Blue), true, AuthorAndOne, AuthorAndOne, AuthorAndTwo),
            (Some(Red), true, AuthorAndOne, AuthorAndOne, AuthorAndTwo),
        ] {
            let content = content(BroadcastKind::Actual, color, is_move_out);
            assert_eq!(PersonsNeeded::of(&content, Reach::OneTown), town, "{color:?}");
            assert_eq!(PersonsNeeded::of(&content, Reach::OneDistrict), district, "{color:?}");
            assert_eq!(PersonsNeeded::of(&content, Reach::ManyDistricts), city, "{color:?}");
        }
    }

    #[test]
    fn a_move_out_is_one_by_the_code_of_its_hazard_as_well() {
        let mut content = content(BroadcastKind::Actual, None, false);
        content.event = protocols::hazard::MOVING_OUT_CODE.parse().ok();
        assert!(content.event.is_some());
        assert_eq!(PersonsNeeded::of(&content, Reach::OneTown), PersonsNeeded::AuthorAndOne);
    }

    #[test]
    fn a_drill_and_a_test_take_an_approver_even_in_one_village() {
        for kind in [BroadcastKind::Exercise, BroadcastKind::Test] {
            let content = content(kind, Some(AlertColor::Blue), false);
            assert_eq!(PersonsNeeded::of(&content, Reach::OneTown), PersonsNeeded::AuthorAndOne);
        }
    }

    #[test]
    fn reach_is_read_from_the_smallest_region_that_holds_all() {
        let reach = |codes: &[&str]| {
            Reach::of(codes.iter().map(|code| code.parse().expect("a region code")))
        };
        assert_eq!(reach(&["350212110201", "350212110202"]), Reach::OneTown);
        assert_eq!(reach(&["350212110000"]), Reach::OneTown);
        assert_eq!(reach(&["350212110000", "350212111201"]), Reach::OneDistrict);
        assert_eq!(reach(&["350212000000"]), Reach::OneDistrict);
        assert_eq!(reach(&["350212110000", "350213001000"]), Reach::ManyDistricts);
        assert_eq!(reach(&["350200000000"]), Reach::ManyDistricts);
        assert_eq!(reach(&["350212110000", "350602001000"]), Reach::ManyDistricts);
        assert_eq!(reach(&[]), Reach::ManyDistricts);
    }
}
