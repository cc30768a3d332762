//! `GET /audit/head`: the head of the record, signed now: for whoever keeps it elsewhere.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::Serialize;

use crate::app::audit::head::{self, HeadError};
use crate::context::App;
use crate::domain::actor::Actor;
use crate::domain::authority::Action;
use crate::http::answer;
use crate::http::problem::{Problem, ProblemBody};

/// The head.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct AuditHeadBody {
    /// The region of this dispatcher.
    authority: String,
    /// Rises with each restore from a backup.
    epoch: u32,
    /// The newest entry.
    number: u64,
    /// Its digest, hexadecimal.
    digest: String,
    /// Now.
    at: Timestamp,
    /// All of it as signed (COSE_Sign1, type AuditHead), base64.
    sealed: String,
}

impl From<HeadError> for Problem {
    fn from(error: HeadError) -> Self {
        match error {
            HeadError::CannotSign(error) => error.into(),
            HeadError::Store(error) => error.into(),
        }
    }
}

/// The signed head.
#[utoipa::path(
    get, path = "/audit/head", tag = "audit",
    responses(
        (status = 200, description = "The head", body = AuditHeadBody),
        (status = 404, description = "The record is empty", body = ProblemBody),
        (status = 503, description = "This dispatcher can't sign", body = ProblemBody),
    ),
    extensions(("x-action" = json!("read_audit")))
)]
pub(super) async fn get_audit_head(
    State(app): State<Arc<App>>,
    actor: Actor,
) -> Result<Response, Problem> {
    let now = app.now();
    actor.may(Action::ReadAudit, app.region(), None, now)?;
    let mut connection = app.db.read().await?;
    let sealed = head::seal(&mut connection, &app.signer, now).await?;
    let sealed = sealed.ok_or_else(|| Problem::not_found("audit entry"))?;
    Ok(answer::ok(&AuditHeadBody {
        authority: sealed.head.authority.to_string(),
        epoch: sealed.head.epoch,
        number: sealed.head.number,
        digest: sealed.head.digest.to_string(),
        at: sealed.head.at,
        sealed: STANDARD.encode(&sealed.sealed),
    }))
}
