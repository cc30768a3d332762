//! `POST /auto-issue-rules/{id}/approve`: be the second person of a rule.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;

use super::{RuleBody, act};
use crate::app::auto_issue_rules;
use crate::context::App;
use crate::domain::actor::Actor;
use crate::http::extract::{Keyed, Nothing};
use crate::http::problem::{Problem, ProblemBody};

/// Approve a rule that another person proposed.
#[utoipa::path(
    post, path = "/auto-issue-rules/{id}/approve", tag = "auto-issue-rules",
    params(("id" = String, Path, description = "The rule")),
    responses(
        (status = 200, description = "Active", body = RuleBody),
        (status = 403, description = "No grant, or no fresh second factor", body = ProblemBody),
        (status = 409, description = "Not in the state for it", body = ProblemBody),
        (status = 422, description = "A limit breaks a rule", body = ProblemBody),
    ),
    extensions(("x-action" = json!("approve_auto_issue_rule")))
)]
pub(super) async fn approve_auto_issue_rule(
    State(app): State<Arc<App>>,
    actor: Actor,
    Path(id): Path<String>,
    keyed: Keyed<Nothing>,
) -> Result<Response, Problem> {
    act(&app, &actor, keyed, StatusCode::OK, async |tx, Nothing {}| {
        auto_issue_rules::approve(tx, &app, &actor, &id).await
    })
    .await
}
