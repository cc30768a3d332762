//! `POST /alerts/{id}/submit`: hand a draft to the approvers (送审).

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;

use super::{AlertBody, Refusals, act};
use crate::app::alerts::{approval, speech};
use crate::context::{App, Wake};
use crate::domain::actor::Actor;
use crate::http::extract::{Keyed, Nothing};
use crate::http::parameters::PathOf;
use crate::http::problem::Problem;

/// Submit a draft. Its words are made into clips first, so that approval never waits for speech.
#[utoipa::path(
    post, path = "/alerts/{id}/submit", tag = "alerts",
    params(("id" = String, Path, description = "The alert")),
    responses((status = 200, description = "Done", body = AlertBody), Refusals),
    extensions(("x-action" = json!("submit_alert")))
)]
pub(super) async fn submit_alert(
    State(app): State<Arc<App>>,
    actor: Actor,
    PathOf(id): PathOf<String>,
    keyed: Keyed<Nothing>,
) -> Result<Response, Problem> {
    speech::prepare_draft(&app, &actor, &id).await?;
    act(&app, &actor, keyed, &[Wake::Alerts, Wake::Speech], async |tx, Nothing {}| {
        approval::submit(tx, &app, &actor, &id).await
    })
    .await
}
