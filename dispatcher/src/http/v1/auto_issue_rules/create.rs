//! `POST /auto-issue-rules`: propose a rule.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use super::{RuleBody, act};
use crate::app::auto_issue_rules;
use crate::context::App;
use crate::domain::actor::Actor;
use crate::domain::auto_issue::Limits;
use crate::http::extract::Keyed;
use crate::http::problem::{Problem, ProblemBody};

/// Propose a rule. It issues nothing before another person approved it.
#[utoipa::path(
    post, path = "/auto-issue-rules", tag = "auto-issue-rules", request_body = Limits,
    responses(
        (status = 201, description = "Proposed", body = RuleBody),
        (status = 403, description = "No grant, or no fresh second factor", body = ProblemBody),
        (status = 409, description = "Not in the state for it", body = ProblemBody),
        (status = 422, description = "A limit breaks a rule", body = ProblemBody),
    ),
    extensions(("x-action" = json!("manage_auto_issue_rules")))
)]
pub(super) async fn create_auto_issue_rule(
    State(app): State<Arc<App>>,
    actor: Actor,
    keyed: Keyed<Limits>,
) -> Result<Response, Problem> {
    act(&app, &actor, keyed, StatusCode::CREATED, async |tx, body| {
        auto_issue_rules::propose(tx, &app, &actor, body).await
    })
    .await
}
