//! `GET /auto-issue-rules/{id}`.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;

use super::RuleBody;
use crate::app::auto_issue_rules;
use crate::context::App;
use crate::domain::actor::Actor;
use crate::http::answer;
use crate::http::problem::{Problem, ProblemBody};

/// A rule.
#[utoipa::path(
    get, path = "/auto-issue-rules/{id}", tag = "auto-issue-rules",
    params(("id" = String, Path, description = "The rule")),
    responses(
        (status = 200, description = "The rule", body = RuleBody),
        (status = 404, description = "No such rule", body = ProblemBody),
    ),
    extensions(("x-action" = json!("read_alerts")))
)]
pub(super) async fn get_auto_issue_rule(
    State(app): State<Arc<App>>,
    actor: Actor,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let rule = auto_issue_rules::load(&mut *app.db.read().await?, &actor, &id).await?;
    Ok(answer::versioned(rule.version, &RuleBody::from(rule)))
}
