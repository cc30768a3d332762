//! `POST /alerts/{id}/emergency`: issue it at once (应急直发).

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;

use super::{AlertBody, ISSUED, ReasonRequest, Refusals, act};
use crate::app::alerts::issue;
use crate::context::App;
use crate::domain::actor::Actor;
use crate::http::extract::Keyed;
use crate::http::parameters::PathOf;
use crate::http::problem::Problem;

/// Issue at once without the second person; to be countersigned within 30 minutes.
#[utoipa::path(
    post, path = "/alerts/{id}/emergency", tag = "alerts", request_body = ReasonRequest,
    params(("id" = String, Path, description = "The alert")),
    responses((status = 200, description = "Done", body = AlertBody), Refusals),
    extensions(("x-action" = json!("override_alert")))
)]
pub(super) async fn override_alert(
    State(app): State<Arc<App>>,
    actor: Actor,
    PathOf(id): PathOf<String>,
    keyed: Keyed<ReasonRequest>,
) -> Result<Response, Problem> {
    act(&app, &actor, keyed, ISSUED, async |tx, body| {
        issue::issue_at_once(tx, &app, &actor, &id, &body.reason).await
    })
    .await
}
