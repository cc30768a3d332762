//! `POST /alerts/{id}/update`: begin the successor of an issued alert (更新).

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;

use super::{AlertBody, Refusals, begin};
use crate::app::alerts::draft;
use crate::context::App;
use crate::domain::actor::Actor;
use crate::domain::alert::content::AlertContent;
use crate::http::extract::Keyed;
use crate::http::parameters::PathOf;
use crate::http::problem::Problem;

/// The successor of an alert.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct UpdateAlertRequest {
    /// Its content; absent: that of the alert, to be edited.
    content: Option<AlertContent>,
}

/// Begin the draft that takes the place of an issued alert when it is issued itself.
#[utoipa::path(
    post, path = "/alerts/{id}/update", tag = "alerts", request_body = UpdateAlertRequest,
    params(("id" = String, Path, description = "The alert")),
    responses((status = 201, description = "Begun", body = AlertBody), Refusals),
    extensions(("x-action" = json!("update_alert")))
)]
pub(super) async fn update_alert(
    State(app): State<Arc<App>>,
    actor: Actor,
    PathOf(id): PathOf<String>,
    keyed: Keyed<UpdateAlertRequest>,
) -> Result<Response, Problem> {
    begin(&app, &actor, keyed, async |tx, body| {
        draft::update(tx, &app, &actor, &id, body.content).await
    })
    .await
}
