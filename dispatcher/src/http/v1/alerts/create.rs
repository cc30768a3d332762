//! `POST /alerts`: begin an alert.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use protocols::region::RegionCode;
use serde::Deserialize;

use super::{AlertBody, Refusals, begin};
use crate::app::alerts::draft;
use crate::context::App;
use crate::domain::actor::Actor;
use crate::domain::alert::content::AlertContent;
use crate::http::extract::Keyed;
use crate::http::problem::Problem;

/// A new alert.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateAlertRequest {
    /// On whose behalf; everything it reaches lies inside.
    #[schema(value_type = String)]
    region: RegionCode,
    /// What it says; may lack what submit demands.
    content: AlertContent,
}

/// Begin an alert as a draft.
#[utoipa::path(
    post, path = "/alerts", tag = "alerts", request_body = CreateAlertRequest,
    responses((status = 201, description = "Begun", body = AlertBody), Refusals),
    extensions(("x-action" = json!("draft_alert")))
)]
pub(super) async fn create_alert(
    State(app): State<Arc<App>>,
    actor: Actor,
    keyed: Keyed<CreateAlertRequest>,
) -> Result<Response, Problem> {
    begin(&app, &actor, keyed, async |tx, body| {
        draft::create(tx, &app, &actor, body.region, body.content).await
    })
    .await
}
