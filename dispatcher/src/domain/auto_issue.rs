//! By which limits an incoming alert may be issued without a person: a rule that an author and an
//! approver made beforehand. Whatever lies outside becomes a draft.

use jiff::Timestamp;
use protocols::alert::{AlertColor, BroadcastKind, EventCode};
use protocols::region::RegionCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::alert::PersonId;
use crate::domain::fault::Fault;

/// Days a rule may last: a flood season. Afterwards somebody must want it again.
pub const RULE_DAYS_MAX: i64 = 200;

/// Alerts an hour that a rule may ask for.
pub const PER_HOUR_MAX: u32 = 60;

/// Everything a rule fixes. No limit is optional: a rule without one would have no end there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// The token under which it must come.
    pub token: String,
    /// CAP sender, compared literally.
    pub sender: String,
    /// Everything it reaches lies in this region.
    #[schema(value_type = String)]
    pub region: RegionCode,
    /// Hazards of GB/T 35561.
    #[schema(value_type = Vec<String>)]
    pub events: Vec<EventCode>,
    /// Nothing above this colour.
    #[schema(value_type = String)]
    pub highest_color: AlertColor,
    /// Most loudspeakers one alert may reach.
    pub terminals_max: u32,
    /// Most alerts in any sixty minutes.
    pub alerts_per_hour: u32,
    /// Not at or after this.
    #[schema(value_type = String, format = DateTime)]
    pub ends_at: Timestamp,
}

impl Limits {
    /// What is wrong with them.
    pub fn faults(&self, now: Timestamp) -> Vec<Fault> {
        let mut faults = Vec::new();
        let mut fault = |pointer: &str, rule: &str, zh: &str, en: &str| {
            faults.push(Fault::new(pointer, rule, zh, en));
        };
        if self.token.trim().is_empty() {
            fault("/token", "token-missing", "必须指定令牌", "the token is missing");
        }
        if self.sender.trim().is_empty() {
            fault(
                "/sender",
                "sender-missing",
                "必须指定发布单位（sender）",
                "the sender is missing",
            );
        }
        if self.events.is_empty() {
            fault("/events", "events-missing", "必须列出事件代码", "no event code is listed");
        }
        if self.terminals_max == 0 {
            fault(
                "/terminals_max",
                "terminals-zero",
                "终端数上限不能为零",
                "the most terminals are one or more",
            );
        }
        if self.alerts_per_hour == 0 || self.alerts_per_hour > PER_HOUR_MAX {
            fault(
                "/alerts_per_hour",
                "rate-range",
                "每小时条数为 1 至 60",
                "alerts an hour are 1 to 60",
            );
        }
        let days = jiff::SignedDuration::from_hours(24 * RULE_DAYS_MAX);
        if self.ends_at <= now || self.ends_at.duration_since(now) > days {
            fault(
                "/ends_at",
                "end-range",
                "截止日期须在今后 200 天之内",
                "the end lies within the next 200 days",
            );
        }
        faults
    }
}

/// Where a rule is in its life.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum RuleState {
    /// Written by one person; issues nothing.
    Proposed {
        /// Who wrote it.
        author: PersonId,
    },
    /// Approved by another.
    Active {
        /// Who wrote it.
        author: PersonId,
        /// Who approved it.
        approver: PersonId,
    },
    /// Ended by a person before its date.
    Ended {
        /// Who ended it.
        by: PersonId,
        /// Why.
        reason: String,
    },
}

impl RuleState {
    /// As stored and shown.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Proposed { .. } => "proposed",
            Self::Active { .. } => "active",
            Self::Ended { .. } => "ended",
        }
    }
}

/// A rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AutoIssueRule {
    /// Its identifier.
    pub id: String,
    /// As it was read.
    #[serde(skip)]
    pub version: i64,
    /// What it fixes.
    pub limits: Limits,
    /// Where it is in its life.
    pub state: RuleState,
    /// When it was proposed.
    pub created_at: Timestamp,
}

/// Why a step in the life of a rule was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// The author can't be the approver.
    #[error("an author can't approve their own rule")]
    IsAuthor,
    /// The rule is in a state that has no such step.
    #[error("a rule that is {0} can't be changed so")]
    WrongState(&'static str),
    /// Its date has passed.
    #[error("the rule has ended by its date")]
    Over,
    /// Without a reason.
    #[error("the reason is missing")]
    ReasonMissing,
}

impl AutoIssueRule {
    /// The second person makes it active.
    pub fn approve(mut self, by: &PersonId, now: Timestamp) -> Result<Self, RuleError> {
        let RuleState::Proposed { author } = &self.state else {
            return Err(RuleError::WrongState(self.state.as_str()));
        };
        if author == by {
            return Err(RuleError::IsAuthor);
        }
        if now >= self.limits.ends_at {
            return Err(RuleError::Over);
        }
        self.state = RuleState::Active { author: author.clone(), approver: by.clone() };
        Ok(self)
    }

    /// One person ends it.
    pub fn end(mut self, by: &PersonId, reason: &str) -> Result<Self, RuleError> {
        if reason.trim().is_empty() {
            return Err(RuleError::ReasonMissing);
        }
        match self.state {
            RuleState::Proposed { .. } | RuleState::Active { .. } => {
                self.state = RuleState::Ended { by: by.clone(), reason: reason.trim().to_owned() };
                Ok(self)
            }
            RuleState::Ended { .. } => Err(RuleError::WrongState("ended")),
        }
    }

    /// Author and approver of an active rule.
    pub fn persons(&self) -> Vec<PersonId> {
        match &self.state {
            RuleState::Active { author, approver } => vec![author.clone(), approver.clone()],
            RuleState::Proposed { .. } | RuleState::Ended { .. } => Vec::new(),
        }
    }

    /// The first limit that `candidate` fails; `Ok` when it may be issued by this rule.
    pub fn admits(&self, candidate: &Candidate<'_>, now: Timestamp) -> Result<(), Limit> {
        let limits = &self.limits;
        if !matches!(self.state, RuleState::Active { .. }) {
            return Err(Limit::NotActive);
        }
        if now >= limits.ends_at {
            return Err(Limit::Ended);
        }
        if candidate.token != limits.token {
            return Err(Limit::Token);
        }
        if candidate.sender != limits.sender {
            return Err(Limit::Sender);
        }
        if candidate.has_questions {
            return Err(Limit::Questions);
        }
        if candidate.kind != BroadcastKind::Actual {
            return Err(Limit::Kind);
        }
        let is_inside = !candidate.reaches.is_empty()
            && candidate.reaches.iter().all(|region| limits.region.contains(*region));
        if !is_inside {
            return Err(Limit::Region);
        }
        if !candidate.event.is_some_and(|event| limits.events.contains(&event)) {
            return Err(Limit::Event);
        }
        // No colour is an unknown one here: what comes from outside always has one.
        if candidate.color.is_none_or(|color| color > limits.highest_color) {
            return Err(Limit::Color);
        }
        if candidate.terminals == 0 || candidate.terminals > limits.terminals_max as usize {
            return Err(Limit::Terminals);
        }
        if candidate.issued_last_hour >= limits.alerts_per_hour as usize {
            return Err(Limit::Rate);
        }
        Ok(())
    }
}

/// An incoming alert as a rule sees it.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'a> {
    /// The token under which it came.
    pub token: &'a str,
    /// CAP sender.
    pub sender: &'a str,
    /// What it is for.
    pub kind: BroadcastKind,
    /// Every region it reaches, those of its shapes included.
    pub reaches: &'a [RegionCode],
    /// Hazard.
    pub event: Option<EventCode>,
    /// Colour, a move-out notice counted as orange.
    pub color: Option<AlertColor>,
    /// Loudspeakers it would reach.
    pub terminals: usize,
    /// Alerts that the rule issued in the last sixty minutes.
    pub issued_last_hour: usize,
    /// Whether something is left to be asked or breaks a rule of content.
    pub has_questions: bool,
}

/// Which limit kept an alert from issuing itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// The rule is not approved, or was ended.
    NotActive,
    /// Its date has passed.
    Ended,
    /// Another token.
    Token,
    /// Another sender.
    Sender,
    /// Something must be asked first.
    Questions,
    /// Not a real warning.
    Kind,
    /// It reaches outside the region.
    Region,
    /// Another hazard.
    Event,
    /// Above the highest colour, or without one.
    Color,
    /// More loudspeakers, or none.
    Terminals,
    /// Too many in the last hour.
    Rate,
}

impl Limit {
    /// As recorded and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotActive => "not_active",
            Self::Ended => "ended",
            Self::Token => "token",
            Self::Sender => "sender",
            Self::Questions => "questions",
            Self::Kind => "kind",
            Self::Region => "region",
            Self::Event => "event",
            Self::Color => "color",
            Self::Terminals => "terminals",
            Self::Rate => "rate",
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn region(code: &str) -> RegionCode {
        code.parse().expect("a region code")
    }

    fn rule() -> AutoIssueRule {
        AutoIssueRule {
            id: "r1".to_owned(),
            version: 1,
            limits: Limits {
                token: "t1".to_owned(),
                sender: "xm@weather".to_owned(),
                region: region("350212000000"),
                events: vec!["11B01".parse().expect("a code")],
                highest_color: AlertColor::Orange,
                terminals_max: 10,
                alerts_per_hour: 2,
                ends_at: NOW + SignedDuration::from_hours(24),
            },
            state: RuleState::Proposed { author: PersonId("wang".to_owned()) },
            created_at: NOW,
        }
    }

    fn active() -> AutoIssueRule {
        rule().approve(&PersonId("li".to_owned()), NOW).expect("another person approves")
    }

    #[test]
    fn a_rule_takes_two_persons() {
        assert_eq!(rule().approve(&PersonId("wang".to_owned()), NOW), Err(RuleError::IsAuthor));
        assert_eq!(active().persons().len(), 2);
        assert_eq!(
            active().approve(&PersonId("zhao".to_owned()), NOW),
            Err(RuleError::WrongState("active"))
        );
    }

    #[test]
    fn each_limit_alone_keeps_an_alert_from_issuing_itself() {
        let inside = [region("350212110000")];
        let outside = [region("350212110000"), region("350213001000")];
        let good = Candidate {
            token: "t1",
            sender: "xm@weather",
            kind: BroadcastKind::Actual,
            reaches: &inside,
            event: "11B01".parse().ok(),
            color: Some(AlertColor::Orange),
            terminals: 10,
            issued_last_hour: 1,
            has_questions: false,
        };
        let admits = |candidate| active().admits(&candidate, NOW);
        assert_eq!(admits(good), Ok(()));
        assert_eq!(rule().admits(&good, NOW), Err(Limit::NotActive));
        let end = active().limits.ends_at;
        assert_eq!(active().admits(&good, end), Err(Limit::Ended));
        let ended = active().end(&PersonId("li".to_owned()), "season over").expect("ended");
        assert_eq!(ended.admits(&good, NOW), Err(Limit::NotActive));
        assert_eq!(admits(Candidate { token: "t2", ..good }), Err(Limit::Token));
        assert_eq!(admits(Candidate { sender: "XM@weather", ..good }), Err(Limit::Sender));
        assert_eq!(admits(Candidate { has_questions: true, ..good }), Err(Limit::Questions));
        assert_eq!(admits(Candidate { kind: BroadcastKind::Exercise, ..good }), Err(Limit::Kind));
        assert_eq!(admits(Candidate { reaches: &outside, ..good }), Err(Limit::Region));
        assert_eq!(admits(Candidate { reaches: &[], ..good }), Err(Limit::Region));
        assert_eq!(admits(Candidate { event: "11A01".parse().ok(), ..good }), Err(Limit::Event));
        assert_eq!(admits(Candidate { event: None, ..good }), Err(Limit::Event));
        assert_eq!(admits(Candidate { color: Some(AlertColor::Red), ..good }), Err(Limit::Color));
        assert_eq!(admits(Candidate { color: None, ..good }), Err(Limit::Color));
        assert_eq!(admits(Candidate { terminals: 11, ..good }), Err(Limit::Terminals));
        assert_eq!(admits(Candidate { terminals: 0, ..good }), Err(Limit::Terminals));
        assert_eq!(admits(Candidate { issued_last_hour: 2, ..good }), Err(Limit::Rate));
    }
}
