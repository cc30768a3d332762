//! Who acts: a person, a machine with a token, or the dispatcher itself, and what they may.

use std::fmt;
use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};
use protocols::alert::AlertColor;
use protocols::region::RegionCode;
use uuid::Uuid;

use crate::domain::authority::{self, Action, Ceiling, Role};

/// How long a step-up proof counts. Long enough to read an alert once more, short enough that a
/// desk left alone issues nothing.
pub const STEP_UP_FRESH: SignedDuration = SignedDuration::from_mins(5);

/// Who acts, as it stands in the record: `account:<uuid>`, `token:<uuid>` or `system`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ActorId {
    /// A person.
    Account(Uuid),
    /// A machine.
    Token(Uuid),
    /// The dispatcher itself.
    System,
}

/// 授权: a role in a region and everything below it.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub struct Grant {
    /// As what.
    pub role: Role,
    /// Where.
    pub region: RegionCode,
}

/// 操作者: who acts, with what was granted and whether it was proven freshly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// Who.
    pub id: ActorId,
    /// The name for people.
    pub name: String,
    /// What was granted.
    pub grants: Vec<Grant>,
    /// When a second factor was last shown in this session.
    pub stepped_up_at: Option<Timestamp>,
}

/// Why an actor may not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// No grant covers it.
    #[error("no grant allows {action} in {region}")]
    NotGranted {
        /// What.
        action: Action,
        /// Where.
        region: RegionCode,
    },
    /// A grant covers it, and a fresh second factor is needed.
    #[error("{action} asks for a second factor shown within five minutes")]
    StepUp {
        /// What.
        action: Action,
    },
}

impl Actor {
    /// The dispatcher itself: no grants, so that every [`Actor::may`] refuses it. What it does on
    /// its own it does by rule, not by grant.
    pub fn system() -> Self {
        Self {
            id: ActorId::System,
            name: "system".to_owned(),
            grants: Vec::new(),
            stepped_up_at: None,
        }
    }

    /// Whether this actor may do `action` in `region` now; `color` is the alert's, `None` for acts
    /// and notices without one.
    pub fn may(
        &self,
        action: Action,
        region: RegionCode,
        color: Option<AlertColor>,
        now: Timestamp,
    ) -> Result<(), Denied> {
        if !self.is_granted(action, region, color) {
            return Err(Denied::NotGranted { action, region });
        }
        if action.needs_step_up() && !self.is_stepped_up(now) {
            return Err(Denied::StepUp { action });
        }
        Ok(())
    }

    /// As [`Actor::may`], whatever the second factor: what a page offers.
    pub fn is_granted(
        &self,
        action: Action,
        region: RegionCode,
        color: Option<AlertColor>,
    ) -> bool {
        let needed = Ceiling::of(color);
        self.grants.iter().any(|grant| {
            // What is issued above concerns those below: it is read upward, and only read.
            let covers = grant.region.contains(region)
                || (action.is_read_upward() && region.contains(grant.region));
            covers && authority::ceiling(action, grant.role, region.level()) >= needed
        })
    }

    /// Whether a second factor was shown freshly.
    pub fn is_stepped_up(&self, now: Timestamp) -> bool {
        self.stepped_up_at.is_some_and(|at| now.duration_since(at) <= STEP_UP_FRESH)
    }

    /// The regions in whose subtrees this actor may do `action` at all: what lists are cut to.
    pub fn scope(&self, action: Action) -> RegionScope {
        let granted = self.grants.iter().filter(|grant| {
            protocols::region::RegionLevel::ALL
                .into_iter()
                .any(|level| authority::ceiling(action, grant.role, level) > Ceiling::Never)
        });
        RegionScope::new(granted.map(|grant| grant.region), action.is_read_upward())
    }
}

/// Subtrees that a list is cut to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegionScope {
    regions: Vec<RegionCode>,
    is_upward: bool,
}

impl RegionScope {
    fn new(regions: impl Iterator<Item = RegionCode>, is_upward: bool) -> Self {
        let mut regions = regions.collect::<Vec<_>>();
        regions.sort_unstable();
        regions.dedup();
        Self { regions, is_upward }
    }

    /// Whether `region` may be shown.
    pub fn covers(&self, region: RegionCode) -> bool {
        self.regions
            .iter()
            .any(|own| own.contains(region) || (self.is_upward && region.contains(*own)))
    }

    /// Nothing at all may be shown.
    pub fn is_empty(&self) -> bool {
        self.regions.is_empty()
    }

    /// One index range that holds every region that [`RegionScope::covers`] admits (and maybe
    /// more: rows are still checked one by one). `None` when nothing may be shown.
    pub fn hull(&self) -> Option<(String, String)> {
        let (first, rest) = self.regions.split_first()?;
        let (from, mut until) = first.range();
        for region in rest {
            until = until.max(region.range().1);
        }
        // The regions above begin with the city's own code.
        let city = first.lineage().last().unwrap_or(*first);
        let from = if self.is_upward { city.to_string() } else { from };
        Some((from, until))
    }
}

impl fmt::Display for ActorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account(id) => write!(f, "account:{id}"),
            Self::Token(id) => write!(f, "token:{id}"),
            Self::System => f.write_str("system"),
        }
    }
}

/// A text names no actor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an actor is account:<uuid>, token:<uuid> or system")]
pub struct ParseActorError;

impl FromStr for ActorId {
    type Err = ParseActorError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "system" {
            return Ok(Self::System);
        }
        let (kind, id) = text.split_once(':').ok_or(ParseActorError)?;
        let id = id.parse().map_err(|_| ParseActorError)?;
        match kind {
            "account" => Ok(Self::Account(id)),
            "token" => Ok(Self::Token(id)),
            _ => Err(ParseActorError),
        }
    }
}

impl serde::Serialize for ActorId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for ActorId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn region(code: &str) -> RegionCode {
        code.parse().expect("a code")
    }

    fn actor(role: Role, code: &str) -> Actor {
        Actor { grants: vec![Grant { role, region: region(code) }], ..Actor::system() }
    }

    #[test]
    fn a_grant_covers_its_subtree_and_nothing_beside_it() {
        let composer = actor(Role::Composer, "350212110000");
        let may = |code| composer.is_granted(Action::DraftAlert, region(code), None);
        assert!(may("350212110000"));
        assert!(may("350212110201"));
        assert!(!may("350212111000"));
        assert!(!may("350212000000"));
    }

    #[test]
    fn what_is_issued_above_is_read_below_and_only_read() {
        let town = actor(Role::Composer, "350212110000");
        assert!(town.is_granted(Action::ReadAlerts, region("350200000000"), None));
        assert!(!town.is_granted(Action::EditAlert, region("350200000000"), None));
        assert!(!town.is_granted(Action::ReadAlerts, region("350213000000"), None));
    }

    #[test]
    fn a_stale_second_factor_is_asked_for_again() {
        let now = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(1);
        let mut chief = actor(Role::Commander, "350200000000");
        let issue = |chief: &Actor, now| {
            chief.may(Action::IssueAlert, region("350212110000"), Some(AlertColor::Red), now)
        };
        assert_eq!(issue(&chief, now), Err(Denied::StepUp { action: Action::IssueAlert }));
        chief.stepped_up_at = Some(now);
        assert_eq!(issue(&chief, now + STEP_UP_FRESH), Ok(()));
        let later = now + STEP_UP_FRESH + SignedDuration::from_micros(1);
        assert!(issue(&chief, later).is_err());
    }

    #[test]
    fn the_hull_holds_every_region_in_scope() {
        let mut two = actor(Role::Viewer, "350212110000");
        two.grants.push(Grant { role: Role::Viewer, region: region("350206000000") });
        let scope = two.scope(Action::ReadAlerts);
        let (from, until) = scope.hull().expect("something");
        for code in ["350200000000", "350206001001", "350212110201", "350212110000"] {
            assert!(scope.covers(region(code)), "{code}");
            assert!((from.as_str()..until.as_str()).contains(&code), "{code}");
        }
        assert!(!scope.covers(region("350213001000")));
    }

    #[test]
    fn an_actor_id_survives_its_text() {
        for id in [ActorId::System, ActorId::Account(Uuid::nil()), ActorId::Token(Uuid::max())] {
            assert_eq!(id.to_string().parse(), Ok(id));
        }
    }
}
