//! `/auto-issue-rules`: by which limits CAP issues itself.

mod approve;
mod create;
mod end;
mod get;
mod list;

use std::sync::Arc;

use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::auto_issue_rules::RuleCaseError;
use crate::context::App;
use crate::domain::actor::Actor;
use crate::domain::auto_issue::{AutoIssueRule, Limits, RuleError, RuleState};
use crate::http::answer;
use crate::http::extract::Keyed;
use crate::http::problem::Problem;
use crate::store::Tx;

/// All operations.
pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(create::create_auto_issue_rule))
        .routes(routes!(list::list_auto_issue_rules))
        .routes(routes!(get::get_auto_issue_rule))
        .routes(routes!(approve::approve_auto_issue_rule))
        .routes(routes!(end::end_auto_issue_rule))
}

/// A rule.
#[derive(Debug, Serialize, ToSchema)]
pub struct RuleBody {
    /// Its identifier.
    id: String,
    /// As it was read.
    version: i64,
    /// `proposed`, `active`, `ended`.
    state: &'static str,
    /// What it fixes.
    limits: Limits,
    /// Who wrote it, unless it has ended.
    author: Option<String>,
    /// Who approved it, while it is active.
    approver: Option<String>,
    /// Who ended it.
    ended_by: Option<String>,
    /// Why.
    reason: Option<String>,
    /// When it was proposed.
    #[schema(value_type = String)]
    created_at: Timestamp,
}

impl From<AutoIssueRule> for RuleBody {
    fn from(rule: AutoIssueRule) -> Self {
        let state = rule.state.as_str();
        let (author, approver, ended_by, reason) = match rule.state {
            RuleState::Proposed { author } => (Some(author.0), None, None, None),
            RuleState::Active { author, approver } => {
                (Some(author.0), Some(approver.0), None, None)
            }
            RuleState::Ended { by, reason } => (None, None, Some(by.0), Some(reason)),
        };
        Self {
            id: rule.id,
            version: rule.version,
            state,
            limits: rule.limits,
            author,
            approver,
            ended_by,
            reason,
            created_at: rule.created_at,
        }
    }
}

/// Does a step of a rule's life, once.
async fn act<T>(
    app: &App,
    actor: &Actor,
    keyed: Keyed<T>,
    status: StatusCode,
    step: impl AsyncFnOnce(&mut Tx, T) -> Result<AutoIssueRule, RuleCaseError>,
) -> Result<Response, Problem> {
    let act = async |tx: &mut Tx, body: T| {
        let rule = step(tx, body).await?;
        let location = format!("/api/v1/auto-issue-rules/{}", rule.id);
        let location = (status == StatusCode::CREATED).then_some(location);
        Ok(answer::kept(status, location, &RuleBody::from(rule)))
    };
    keyed.once(app, actor, &[], act).await
}

impl From<RuleCaseError> for Problem {
    fn from(error: RuleCaseError) -> Self {
        match error {
            RuleCaseError::Alert(error) => error.into(),
            RuleCaseError::Rule(error) => {
                let en = error.to_string();
                match error {
                    RuleError::IsAuthor => {
                        let zh = "拟定人不能批准自己的规则";
                        Self::rule("", "author-cannot-approve", zh, &en)
                    }
                    RuleError::WrongState(_) => Self::wrong_state("规则当前状态不允许该操作", en),
                    RuleError::Over => Self::wrong_state("规则已过截止日期", en),
                    RuleError::ReasonMissing => {
                        Self::rule("/reason", "reason-missing", "必须写明理由", &en)
                    }
                }
            }
        }
    }
}
