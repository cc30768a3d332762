//! Who may do what: one table of action × role × level × highest colour, and nothing anywhere
//! else. How *many* persons an alert needs is decided with the alert, not here.

use std::fmt;
use std::str::FromStr;

use protocols::alert::AlertColor;
use protocols::region::RegionLevel;

/// A named set of actions.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// 查看: reads alerts, terminals and deliveries.
    Viewer,
    /// 值班员: writes alerts; issues minor ones alone; the emergency override.
    Composer,
    /// 带班领导: approves.
    Approver,
    /// 应急管理委员会主任: approves everything, at every level.
    Commander,
    /// 运维: terminals and regions.
    Maintainer,
    /// 审计: reads everything, the record included.
    Auditor,
    /// 管理员: accounts, grants and tokens; issues nothing.
    Admin,
    /// 上级平台: a machine with a token that hands in CAP. Never granted to a person.
    Upstream,
}

impl Role {
    /// All roles.
    pub const ALL: [Self; 8] = [
        Self::Viewer,
        Self::Composer,
        Self::Approver,
        Self::Commander,
        Self::Maintainer,
        Self::Auditor,
        Self::Admin,
        Self::Upstream,
    ];

    /// The name in JSON, in the database and on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Composer => "composer",
            Self::Approver => "approver",
            Self::Commander => "commander",
            Self::Maintainer => "maintainer",
            Self::Auditor => "auditor",
            Self::Admin => "admin",
            Self::Upstream => "upstream",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text names no role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a role is viewer, composer, approver, commander, maintainer, auditor or admin")]
pub struct ParseRoleError;

impl FromStr for Role {
    type Err = ParseRoleError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|role| role.as_str() == text).ok_or(ParseRoleError)
    }
}

macro_rules! actions {
    ($($(#[$doc:meta])* $variant:ident => $slug:literal,)*) => {
        /// Everything that somebody does and somebody else may not. Each operation of the API
        /// names one as `x-action`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Action { $($(#[$doc])* $variant,)* }

        impl Action {
            /// All actions.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The name in documents and in the record.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $slug,)* }
            }
        }
    };
}

actions! {
    /// Regions and their aliases.
    ReadRegions => "read_regions",
    /// Terminals and how they are.
    ReadTerminals => "read_terminals",
    /// Alerts of one's own subtree, and of the regions above it.
    ReadAlerts => "read_alerts",
    /// What each terminal did.
    ReadDeliveries => "read_deliveries",
    /// The stream of events.
    ReadEvents => "read_events",
    /// The append-only record.
    ReadAudit => "read_audit",
    /// Accounts, grants, tokens.
    ReadAccounts => "read_accounts",
    /// Begin an alert.
    DraftAlert => "draft_alert",
    /// Change a draft, or discard it.
    EditAlert => "edit_alert",
    /// Hand a draft to the approvers.
    SubmitAlert => "submit_alert",
    /// Make a draft of a submitted alert again.
    TakeBackAlert => "take_back_alert",
    /// Approve, or reject, a submitted alert.
    ApproveAlert => "approve_alert",
    /// Issue an alert that has all its approvals.
    IssueAlert => "issue_alert",
    /// Issue an alert that needs no approval.
    IssueAlone => "issue_alone",
    /// Draft the update of an issued alert.
    UpdateAlert => "update_alert",
    /// 解除: the danger is over.
    LiftAlert => "lift_alert",
    /// 撤销: it was issued in error.
    WithdrawAlert => "withdraw_alert",
    /// Issue at once, without the second person, countersigned afterwards.
    OverrideAlert => "override_alert",
    /// Countersign an override.
    CountersignAlert => "countersign_alert",
    /// Hand in a CAP document.
    SubmitCap => "submit_cap",
    /// Propose or end a rule by which CAP issues itself.
    ManageAutoIssueRules => "manage_auto_issue_rules",
    /// Be the second person of such a rule.
    ApproveAutoIssueRule => "approve_auto_issue_rule",
    /// Silence a region.
    StopTerminals => "stop_terminals",
    /// Let it sound again.
    LiftStop => "lift_stop",
    /// Enrol terminals in a drill, or end that.
    EnrolDrill => "enrol_drill",
    /// Change, move or retire terminals.
    ManageTerminals => "manage_terminals",
    /// Give out enrolment codes.
    EnrolTerminal => "enrol_terminal",
    /// Replace the region list.
    ImportRegions => "import_regions",
    /// Make, disable and unlock accounts; end their sessions.
    ManageAccounts => "manage_accounts",
    /// Give and take grants.
    ManageGrants => "manage_grants",
    /// Make and revoke tokens of machines.
    ManageTokens => "manage_tokens",
}

impl Action {
    /// Whether a second factor must have been shown within [`super::actor::STEP_UP_FRESH`].
    pub const fn needs_step_up(self) -> bool {
        match self {
            Self::ApproveAlert
            | Self::IssueAlert
            | Self::IssueAlone
            | Self::LiftAlert
            | Self::WithdrawAlert
            | Self::OverrideAlert
            | Self::CountersignAlert
            | Self::ManageAutoIssueRules
            | Self::ApproveAutoIssueRule
            | Self::StopTerminals
            | Self::LiftStop
            | Self::EnrolDrill
            | Self::EnrolTerminal
            | Self::ManageAccounts
            | Self::ManageGrants
            | Self::ManageTokens => true,
            Self::ReadRegions
            | Self::ReadTerminals
            | Self::ReadAlerts
            | Self::ReadDeliveries
            | Self::ReadEvents
            | Self::ReadAudit
            | Self::ReadAccounts
            | Self::DraftAlert
            | Self::EditAlert
            | Self::SubmitAlert
            | Self::TakeBackAlert
            | Self::UpdateAlert
            | Self::SubmitCap
            | Self::ManageTerminals
            | Self::ImportRegions => false,
        }
    }

    /// Whether a grant also opens what belongs to the regions above it.
    pub const fn is_read_upward(self) -> bool {
        matches!(self, Self::ReadRegions | Self::ReadAlerts | Self::ReadEvents)
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text names no action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an action")]
pub struct ParseActionError;

impl FromStr for Action {
    type Err = ParseActionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.iter().copied().find(|action| action.as_str() == text).ok_or(ParseActionError)
    }
}

/// Up to which colour a role may act. Acts and notices without a colour need [`Ceiling::Plain`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ceiling {
    /// Not at all.
    Never,
    /// What has no colour.
    Plain,
    /// Up to blue.
    Blue,
    /// Up to yellow.
    Yellow,
    /// Up to orange.
    Orange,
    /// Everything.
    Red,
}

impl Ceiling {
    /// What an alert of this colour needs.
    pub const fn of(color: Option<AlertColor>) -> Self {
        match color {
            None => Self::Plain,
            Some(AlertColor::Blue) => Self::Blue,
            Some(AlertColor::Yellow) => Self::Yellow,
            Some(AlertColor::Orange) => Self::Orange,
            Some(AlertColor::Red) => Self::Red,
        }
    }
}

/// The ceilings of one cell of the table, by the level of the region acted on.
struct Span {
    village: Ceiling,
    town: Ceiling,
    district: Ceiling,
    city: Ceiling,
}

const fn span(village: Ceiling, town: Ceiling, district: Ceiling, city: Ceiling) -> Span {
    Span { village, town, district, city }
}

const NO: Span = span(Ceiling::Never, Ceiling::Never, Ceiling::Never, Ceiling::Never);
const YES: Span = span(Ceiling::Red, Ceiling::Red, Ceiling::Red, Ceiling::Red);
/// One person alone: yellow at most, one town at most.
const ALONE: Span = span(Ceiling::Yellow, Ceiling::Yellow, Ceiling::Never, Ceiling::Never);
/// Silence is asked for by whoever sees the mistake; for a whole city only what is minor.
const MINOR_ABOVE_DISTRICT: Span = span(Ceiling::Red, Ceiling::Red, Ceiling::Red, Ceiling::Yellow);
/// A city's red waits for the commander.
const BELOW_CITY_RED: Span = span(Ceiling::Red, Ceiling::Red, Ceiling::Red, Ceiling::Orange);
/// Anything in one district; a city never.
const BELOW_CITY: Span = span(Ceiling::Red, Ceiling::Red, Ceiling::Red, Ceiling::Never);

/// Up to which colour `role` may do `action` in a region of `level`: the table.
pub const fn ceiling(action: Action, role: Role, level: RegionLevel) -> Ceiling {
    let span = cell(action, role);
    match level {
        RegionLevel::Village => span.village,
        RegionLevel::Town => span.town,
        RegionLevel::District => span.district,
        RegionLevel::City => span.city,
    }
}

#[expect(clippy::match_same_arms, reason = "one line a thought: the table is read, not executed")]
const fn cell(action: Action, role: Role) -> Span {
    use Action as A;
    use Role as R;
    match (action, role) {
        (A::SubmitCap, R::Upstream | R::Composer | R::Approver | R::Commander) => YES,
        (_, R::Upstream) => NO,
        (A::ReadRegions, _) => YES,
        (
            A::ReadAlerts | A::ReadDeliveries | A::ReadEvents | A::ReadTerminals,
            R::Viewer | R::Composer | R::Approver | R::Commander | R::Maintainer | R::Auditor,
        ) => YES,
        (A::ReadTerminals | A::ReadEvents, R::Admin) => YES,
        (A::ReadAudit, R::Auditor | R::Commander | R::Admin) => YES,
        (A::ReadAccounts, R::Auditor | R::Admin) => YES,
        (
            A::DraftAlert | A::EditAlert | A::SubmitAlert | A::TakeBackAlert | A::UpdateAlert,
            R::Composer | R::Approver | R::Commander,
        ) => YES,
        (A::IssueAlert, R::Composer | R::Approver | R::Commander) => YES,
        (A::IssueAlone, R::Composer | R::Approver | R::Commander) => ALONE,
        (A::ApproveAlert | A::CountersignAlert, R::Approver) => BELOW_CITY_RED,
        (A::ApproveAlert | A::CountersignAlert, R::Commander) => YES,
        (A::LiftAlert | A::WithdrawAlert, R::Composer) => MINOR_ABOVE_DISTRICT,
        (A::LiftAlert | A::WithdrawAlert, R::Approver | R::Commander) => YES,
        (A::OverrideAlert, R::Composer) => BELOW_CITY,
        (A::OverrideAlert, R::Approver | R::Commander) => YES,
        (A::ManageAutoIssueRules, R::Approver | R::Commander) => YES,
        (A::ApproveAutoIssueRule, R::Approver) => BELOW_CITY_RED,
        (A::ApproveAutoIssueRule, R::Commander) => YES,
        (A::StopTerminals | A::LiftStop, R::Composer) => BELOW_CITY,
        (A::StopTerminals | A::LiftStop, R::Approver | R::Commander) => YES,
        (A::EnrolDrill, R::Composer) => BELOW_CITY,
        (A::EnrolDrill, R::Approver | R::Commander) => YES,
        (A::ManageTerminals | A::EnrolTerminal | A::ImportRegions, R::Maintainer) => YES,
        (A::ManageAccounts | A::ManageGrants | A::ManageTokens, R::Admin) => YES,
        _ => NO,
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    const fn letter(ceiling: Ceiling) -> char {
        match ceiling {
            Ceiling::Never => '.',
            Ceiling::Plain => 'p',
            Ceiling::Blue => 'b',
            Ceiling::Yellow => 'y',
            Ceiling::Orange => 'o',
            Ceiling::Red => 'R',
        }
    }

    /// A line an action, a column a role, in each cell village, town, district, city.
    fn table() -> String {
        let mut text = format!("{:24}", "action");
        for role in Role::ALL {
            let _ = write!(text, "{:11}", role.as_str());
        }
        for action in Action::ALL {
            let _ = write!(text, "\n{:24}", action.as_str());
            for role in Role::ALL {
                let levels = RegionLevel::ALL.into_iter().rev();
                let cell = levels.map(|level| letter(ceiling(*action, role, level)));
                let _ = write!(text, "{:11}", cell.collect::<String>());
            }
        }
        text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn the_whole_table_is_as_it_was_agreed() {
        let agreed = include_str!("authority_table.txt");
        assert_eq!(table(), agreed.trim_end(), "\n{}\n", table());
    }

    #[test]
    fn nobody_issues_alone_above_yellow_or_beyond_one_town() {
        for role in Role::ALL {
            assert!(ceiling(Action::IssueAlone, role, RegionLevel::Town) <= Ceiling::Yellow);
            for level in [RegionLevel::District, RegionLevel::City] {
                assert_eq!(ceiling(Action::IssueAlone, role, level), Ceiling::Never);
            }
        }
    }

    #[test]
    fn whoever_gives_grants_issues_nothing_and_a_machine_only_hands_in_cap() {
        for action in Action::ALL {
            for level in RegionLevel::ALL {
                let machine = ceiling(*action, Role::Upstream, level);
                assert_eq!(machine > Ceiling::Never, *action == Action::SubmitCap, "{action}");
                let is_sounding = matches!(
                    action,
                    Action::IssueAlert
                        | Action::IssueAlone
                        | Action::ApproveAlert
                        | Action::OverrideAlert
                        | Action::DraftAlert
                        | Action::SubmitAlert
                );
                assert!(!is_sounding || ceiling(*action, Role::Admin, level) == Ceiling::Never);
            }
        }
    }

    #[test]
    fn names_are_unique_and_survive_their_text() {
        for action in Action::ALL {
            assert_eq!(action.as_str().parse(), Ok(*action));
        }
        for role in Role::ALL {
            assert_eq!(role.as_str().parse(), Ok(role));
        }
    }
}
