//! `POST /auto-issue-rules/{id}/end`: end a rule before its date.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;

use super::{RuleBody, act};
use crate::app::auto_issue_rules;
use crate::context::App;
use crate::domain::actor::Actor;
use crate::http::extract::Keyed;
use crate::http::problem::{Problem, ProblemBody};

/// The end of a rule.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EndRuleRequest {
    /// Why, for the record.
    reason: String,
}

/// End a rule. What it issued stays.
#[utoipa::path(
    post, path = "/auto-issue-rules/{id}/end", tag = "auto-issue-rules", request_body = EndRuleRequest,
    params(("id" = String, Path, description = "The rule")),
    responses(
        (status = 200, description = "Ended", body = RuleBody),
        (status = 403, description = "No grant, or no fresh second factor", body = ProblemBody),
        (status = 409, description = "Not in the state for it", body = ProblemBody),
        (status = 422, description = "A limit breaks a rule", body = ProblemBody),
    ),
    extensions(("x-action" = json!("manage_auto_issue_rules")))
)]
pub(super) async fn end_auto_issue_rule(
    State(app): State<Arc<App>>,
    actor: Actor,
    Path(id): Path<String>,
    keyed: Keyed<EndRuleRequest>,
) -> Result<Response, Problem> {
    act(&app, &actor, keyed, StatusCode::OK, async |tx, body| {
        auto_issue_rules::end(tx, &app, &actor, &id, &body.reason).await
    })
    .await
}
