//! `POST /alerts/{id}/countersign`: answer for an emergency issue (补签).

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;

use super::{AlertBody, Refusals, act};
use crate::app::alerts::issue;
use crate::context::{App, Wake};
use crate::domain::actor::Actor;
use crate::http::extract::{Keyed, Nothing};
use crate::http::parameters::PathOf;
use crate::http::problem::Problem;

/// Countersign an emergency issue, with a grant on a wider region.
#[utoipa::path(
    post, path = "/alerts/{id}/countersign", tag = "alerts",
    params(("id" = String, Path, description = "The alert")),
    responses((status = 200, description = "Done", body = AlertBody), Refusals),
    extensions(("x-action" = json!("countersign_alert")))
)]
pub(super) async fn countersign_alert(
    State(app): State<Arc<App>>,
    actor: Actor,
    PathOf(id): PathOf<String>,
    keyed: Keyed<Nothing>,
) -> Result<Response, Problem> {
    act(&app, &actor, keyed, &[Wake::Alerts], async |tx, Nothing {}| {
        issue::countersign(tx, &app, &actor, &id).await
    })
    .await
}
