//! `POST /cap`: hand in a CAP message.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use kill_points::kill_point;
use protocols::limits::CAP_BYTES_MAX;
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::cap_in::{self, CapError, Taken};
use crate::context::{App, Wake};
use crate::domain::actor::Actor;
use crate::domain::fault::Fault;
use crate::http::answer;
use crate::http::extract::Document;
use crate::http::problem::{Finding, Kind, Problem, ProblemBody};

/// One byte more than is read, so that a message over the limit is refused as CAP, with its finding.
const DOCUMENT_BYTES_MAX: usize = CAP_BYTES_MAX + 1;

/// What became of a message.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TakenBody {
    /// `draft`, `issued` by a rule, `closed` by a rule, `closing_proposed` to the duty officer.
    outcome: String,
    /// The alert that it became or acts on.
    alert: Option<String>,
    /// The same message had come in before; nothing was done again.
    is_replay: bool,
    /// What an officer must answer before it may be submitted.
    asked: Vec<Fault>,
    /// What was found in it that did not keep it out.
    findings: Vec<Fault>,
}

/// Hand in a CAP 1.2 or 1.1 message (XML, at most 2 MiB) under a token. Its own key makes a repeat
/// harmless, so it needs no `Idempotency-Key`.
#[utoipa::path(
    post, path = "/cap", tag = "cap",
    request_body(content = String, content_type = "application/cap+xml"),
    responses(
        (status = 201, description = "Taken in", body = TakenBody),
        (status = 200, description = "Had been taken in before", body = TakenBody),
        (status = 403, description = "The token is for something else", body = ProblemBody),
        (status = 409, description = "Same key, other content: tampering", body = ProblemBody),
        (status = 422, description = "Not usable, with findings", body = ProblemBody),
    ),
    extensions(("x-action" = json!("submit_cap")))
)]
pub(super) async fn submit_cap(
    State(app): State<Arc<App>>,
    actor: Actor,
    Document(bytes): Document<DOCUMENT_BYTES_MAX>,
) -> Result<Response, Problem> {
    let mut tx = app.db.begin().await?;
    let taken = match cap_in::take(&mut tx, &app, &actor, &bytes).await {
        Ok(taken) => taken,
        Err(CapError::Tampered) => {
            // The record of it stays; the message has no effect.
            tx.commit().await?;
            app.notifier.wake(Wake::Events);
            return Err(tampered());
        }
        Err(error) => return Err(error.into()),
    };
    kill_point!("cap.storing");
    tx.commit().await?;
    kill_point!("cap.stored");
    for wake in [Wake::Orders, Wake::Alerts, Wake::Speech, Wake::Events] {
        app.notifier.wake(wake);
    }
    let status = if taken.is_replay { StatusCode::OK } else { StatusCode::CREATED };
    Ok(answer::json(status, &TakenBody::from(taken)))
}

impl From<Taken> for TakenBody {
    fn from(taken: Taken) -> Self {
        Self {
            outcome: taken.outcome,
            alert: taken.alert,
            is_replay: taken.is_replay,
            asked: taken.asked,
            findings: taken.findings,
        }
    }
}

fn tampered() -> Problem {
    let zh = "相同标识（sender、identifier、sent）的信息此前内容不同：已作为篡改记录";
    let en = "a message with the same sender, identifier and sent came before with other content: \
              recorded as tampering";
    Problem::new(Kind::Duplicate).detail(zh, en).finding(Finding::new("/alert", "tampered", zh, en))
}

impl From<CapError> for Problem {
    fn from(error: CapError) -> Self {
        match error {
            CapError::Refused(faults) => Self::new(Kind::RuleBroken)
                .detail("该 CAP 信息不可用", "the CAP message is not usable")
                .findings(faults.into_iter().map(Finding::from)),
            CapError::Tampered => tampered(),
            CapError::Alert(error) => error.into(),
        }
    }
}
