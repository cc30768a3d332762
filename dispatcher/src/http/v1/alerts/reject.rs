//! `POST /alerts/{id}/reject`: send it back with a reason (退回).

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;

use super::{AlertBody, ReasonRequest, Refusals, act};
use crate::app::alerts::approval;
use crate::context::{App, Wake};
use crate::domain::actor::Actor;
use crate::http::extract::Keyed;
use crate::http::parameters::PathOf;
use crate::http::problem::Problem;

/// Send a submitted alert back to its authors.
#[utoipa::path(
    post, path = "/alerts/{id}/reject", tag = "alerts", request_body = ReasonRequest,
    params(("id" = String, Path, description = "The alert")),
    responses((status = 200, description = "Done", body = AlertBody), Refusals),
    extensions(("x-action" = json!("approve_alert")))
)]
pub(super) async fn reject_alert(
    State(app): State<Arc<App>>,
    actor: Actor,
    PathOf(id): PathOf<String>,
    keyed: Keyed<ReasonRequest>,
) -> Result<Response, Problem> {
    act(&app, &actor, keyed, &[Wake::Alerts], async |tx, body| {
        approval::reject(tx, &app, &actor, &id, &body.reason).await
    })
    .await
}
