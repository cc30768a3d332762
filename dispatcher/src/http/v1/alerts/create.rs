//! `POST /alerts`: begin an alert.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use protocols::region::RegionCode;
use serde::Deserialize;

use super::{AlertBody, finish};
use crate::app::alerts::draft;
use crate::context::{App, Wake};
use crate::domain::actor::Actor;
use crate::domain::alert::content::AlertContent;
use crate::http::extract::{Begun, Keyed};
use crate::http::problem::{Problem, ProblemBody};

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
    responses(
        (status = 201, description = "Begun", body = AlertBody),
        (status = 403, description = "No grant, or no fresh second factor", body = ProblemBody),
        (status = 404, description = "No such alert", body = ProblemBody),
        (status = 409, description = "Not in the state for it", body = ProblemBody),
        (status = 412, description = "Changed by somebody else", body = ProblemBody),
        (status = 422, description = "A rule is broken", body = ProblemBody),
    ),
    extensions(("x-action" = json!("draft_alert")))
)]
pub(super) async fn create_alert(
    State(app): State<Arc<App>>,
    actor: Actor,
    keyed: Keyed<CreateAlertRequest>,
) -> Result<Response, Problem> {
    let (body, begun) = keyed.begin(&app, &actor).await?;
    let mut work = match begun {
        Begun::New(work) => work,
        Begun::Replay(answer) => return Ok(answer.into_response()),
    };
    let alert = draft::create(&mut work.tx, &app, &actor, body.region, body.content).await?;
    finish(&app, work, StatusCode::CREATED, &alert, &[Wake::Alerts]).await
}
