//! `POST /alerts/{id}/take_back`: make a draft of it again.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;

use super::{AlertBody, Refusals, act};
use crate::app::alerts::approval;
use crate::context::{App, Wake};
use crate::domain::actor::Actor;
use crate::http::extract::{Keyed, Nothing};
use crate::http::parameters::PathOf;
use crate::http::problem::Problem;

/// Take a submitted alert back to mend it. Its approvals are void.
#[utoipa::path(
    post, path = "/alerts/{id}/take_back", tag = "alerts",
    params(("id" = String, Path, description = "The alert")),
    responses((status = 200, description = "Done", body = AlertBody), Refusals),
    extensions(("x-action" = json!("take_back_alert")))
)]
pub(super) async fn take_back_alert(
    State(app): State<Arc<App>>,
    actor: Actor,
    PathOf(id): PathOf<String>,
    keyed: Keyed<Nothing>,
) -> Result<Response, Problem> {
    act(&app, &actor, keyed, &[Wake::Alerts], async |tx, Nothing {}| {
        approval::take_back(tx, &app, &actor, &id).await
    })
    .await
}
