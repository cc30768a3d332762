//! `POST /alerts/{id}/issue`: issue it (发布).

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;

use super::{AlertBody, ISSUED, Refusals, act};
use crate::app::alerts::issue;
use crate::context::App;
use crate::domain::actor::Actor;
use crate::http::extract::{Keyed, Nothing};
use crate::http::parameters::PathOf;
use crate::http::problem::Problem;

/// Issue an alert that has all its approvals; an author or an approver presses.
#[utoipa::path(
    post, path = "/alerts/{id}/issue", tag = "alerts",
    params(("id" = String, Path, description = "The alert")),
    responses((status = 200, description = "Done", body = AlertBody), Refusals),
    extensions(("x-action" = json!("issue_alert")))
)]
pub(super) async fn issue_alert(
    State(app): State<Arc<App>>,
    actor: Actor,
    PathOf(id): PathOf<String>,
    keyed: Keyed<Nothing>,
) -> Result<Response, Problem> {
    act(&app, &actor, keyed, ISSUED, async |tx, Nothing {}| {
        issue::issue(tx, &app, &actor, &id).await
    })
    .await
}
