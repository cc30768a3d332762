//! `POST /alerts/{id}/withdraw`: it was issued in error (撤销).

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;

use super::lift::CloseAlertRequest;
use super::{AlertBody, ISSUED, Refusals, act};
use crate::app::alerts::close;
use crate::context::App;
use crate::domain::actor::Actor;
use crate::domain::alert::closure::Closure;
use crate::http::extract::Keyed;
use crate::http::parameters::PathOf;
use crate::http::problem::Problem;

/// End the chain of an alert: it was issued in error. Speaks the prepared words, or those given.
#[utoipa::path(
    post, path = "/alerts/{id}/withdraw", tag = "alerts", request_body = CloseAlertRequest,
    params(("id" = String, Path, description = "The alert")),
    responses((status = 200, description = "Done", body = AlertBody), Refusals),
    extensions(("x-action" = json!("withdraw_alert")))
)]
pub(super) async fn withdraw_alert(
    State(app): State<Arc<App>>,
    actor: Actor,
    PathOf(id): PathOf<String>,
    keyed: Keyed<CloseAlertRequest>,
) -> Result<Response, Problem> {
    act(&app, &actor, keyed, ISSUED, async |tx, body| {
        close::close(tx, &app, &actor, &id, Closure::Withdrawn, body.text, &body.reason).await
    })
    .await
}
