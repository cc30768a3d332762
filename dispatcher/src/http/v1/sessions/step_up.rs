//! `POST /sessions/current/step-up`: show the second factor.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;

use super::own;
use crate::app::sessions;
use crate::context::App;
use crate::http::answer;
use crate::http::extract::Json;
use crate::http::login::LoggedIn;
use crate::http::problem::{Problem, ProblemBody};

/// A second factor.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct StepUpRequest {
    /// Six digits; each code counts once.
    code: String,
}

/// Show the second factor: for five minutes, what needs it is open.
#[utoipa::path(
    post, path = "/sessions/current/step-up", tag = "sessions", request_body = StepUpRequest,
    responses(
        (status = 204, description = "Proven"),
        (status = 401, description = "Wrong", body = ProblemBody),
        (status = 429, description = "Locked", body = ProblemBody),
    ),
    extensions(("x-action" = json!("own")))
)]
pub(super) async fn step_up_session(
    State(app): State<Arc<App>>,
    login: LoggedIn,
    Json(body): Json<StepUpRequest>,
) -> Result<Response, Problem> {
    sessions::step_up(&app.db, app.now(), &own(login.session)?, &body.code).await?;
    Ok(answer::nothing())
}
