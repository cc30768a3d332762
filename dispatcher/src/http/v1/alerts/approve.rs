//! `POST /alerts/{id}/approve`: approve what was shown (签发).

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use protocols::digest::Digest;
use serde::Deserialize;

use super::{AlertBody, finish};
use crate::app::alerts::approval;
use crate::context::{App, Wake};
use crate::domain::actor::Actor;
use crate::http::extract::{Begun, Keyed};
use crate::http::problem::{Problem, ProblemBody};

/// An approval.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ApproveAlertRequest {
    /// `digest` of the alert as it was shown.
    #[schema(value_type = String)]
    digest: Digest,
    /// Why, for the record.
    reason: String,
}

/// Approve exactly the content whose digest was shown.
#[utoipa::path(
    post, path = "/alerts/{id}/approve", tag = "alerts", request_body = ApproveAlertRequest,
    params(("id" = String, Path, description = "The alert")),
    responses(
        (status = 200, description = "Done", body = AlertBody),
        (status = 403, description = "No grant, or no fresh second factor", body = ProblemBody),
        (status = 404, description = "No such alert", body = ProblemBody),
        (status = 409, description = "Not in the state for it", body = ProblemBody),
        (status = 412, description = "Changed by somebody else", body = ProblemBody),
        (status = 422, description = "A rule is broken", body = ProblemBody),
    ),
    extensions(("x-action" = json!("approve_alert")))
)]
pub(super) async fn approve_alert(
    State(app): State<Arc<App>>,
    actor: Actor,
    Path(id): Path<String>,
    keyed: Keyed<ApproveAlertRequest>,
) -> Result<Response, Problem> {
    let (body, begun) = keyed.begin(&app, &actor).await?;
    let mut work = match begun {
        Begun::New(work) => work,
        Begun::Replay(answer) => return Ok(answer.into_response()),
    };
    let alert =
        approval::approve(&mut work.tx, &app, &actor, &id, body.digest, &body.reason).await?;
    finish(&app, work, StatusCode::OK, &alert, &[Wake::Alerts]).await
}
