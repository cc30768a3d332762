//! `POST /api/v1/enrolments`.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use protocols::terminal::TerminalId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::app::enrolments;
use crate::context::App;
use crate::domain::actor::Actor;
use crate::domain::authority::Action;
use crate::http::answer;
use crate::http::extract::Json;
use crate::http::problem::{Problem, ProblemBody};

/// For which terminal.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewEnrolment {
    /// A planned terminal, or one that joins again after a repair.
    #[schema(value_type = String)]
    terminal: TerminalId,
}

/// A code. It is shown once; only its digest is kept.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Enrolment)]
pub(super) struct EnrolmentBody {
    /// The terminal.
    pub terminal: String,
    /// The text for the paper or the QR code.
    pub code: String,
    /// From when on it is refused.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: jiff::Timestamp,
}

/// Makes the code by which a terminal joins: good for 24 hours, once. Codes made earlier for the
/// same terminal end here, so an answer that was lost is asked for again. Without an
/// `Idempotency-Key`: the answer holds a secret, which is not stored.
#[utoipa::path(
    post,
    path = "/enrolments",
    tag = "enrolments",
    request_body = NewEnrolment,
    responses(
        (status = 201, description = "Made", body = EnrolmentBody),
        (status = 400, description = "Not well-formed", body = ProblemBody),
        (status = 401, description = "Nobody is logged in", body = ProblemBody),
        (status = 403, description = "No grant covers it", body = ProblemBody),
        (status = 404, description = "There is none", body = ProblemBody),
        (status = 409, description = "Its state does not allow it", body = ProblemBody),
    ),
    extensions(("x-action" = json!("enrol_terminal"))),
)]
pub(super) async fn create_enrolment(
    State(app): State<Arc<App>>,
    actor: Actor,
    Json(wanted): Json<NewEnrolment>,
) -> Result<Response, Problem> {
    actor.may(Action::EnrolTerminal, wanted.terminal.village(), None, app.now())?;
    let (url, roots) = (app.config.server.base_url(), app.signer.roots());
    let mut tx = app.db.begin().await?;
    let new = enrolments::create(&mut tx, &app.ports, &actor, wanted.terminal, &url, roots).await?;
    tx.commit().await?;
    let body = EnrolmentBody {
        terminal: wanted.terminal.to_string(),
        code: new.code.to_text(),
        expires_at: new.expires_at,
    };
    Ok(answer::json(StatusCode::CREATED, &body))
}
