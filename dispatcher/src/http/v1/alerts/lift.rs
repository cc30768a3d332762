//! `POST /alerts/{id}/lift`: the danger is over (解除).

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;

use super::{AlertBody, ISSUED, Refusals, act};
use crate::app::alerts::close;
use crate::context::App;
use crate::domain::actor::Actor;
use crate::domain::alert::closure::{BilingualText, Closure};
use crate::http::extract::Keyed;
use crate::http::parameters::PathOf;
use crate::http::problem::Problem;

/// An end.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CloseAlertRequest {
    /// Why, for the record.
    pub(super) reason: String,
    /// The words, where the prepared ones do not fit.
    #[serde(default)]
    pub(super) text: Option<BilingualText>,
}

/// End the chain of an alert: the danger is over. Speaks the prepared words, or those given.
#[utoipa::path(
    post, path = "/alerts/{id}/lift", tag = "alerts", request_body = CloseAlertRequest,
    params(("id" = String, Path, description = "The alert")),
    responses((status = 200, description = "Done", body = AlertBody), Refusals),
    extensions(("x-action" = json!("lift_alert")))
)]
pub(super) async fn lift_alert(
    State(app): State<Arc<App>>,
    actor: Actor,
    PathOf(id): PathOf<String>,
    keyed: Keyed<CloseAlertRequest>,
) -> Result<Response, Problem> {
    act(&app, &actor, keyed, ISSUED, async |tx, body| {
        close::close(tx, &app, &actor, &id, Closure::Lifted, body.text, &body.reason).await
    })
    .await
}
