//! `POST /api/v1/terminals`.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use protocols::region::RegionCode;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{TerminalBody, yes};
use crate::app::terminals;
use crate::context::{App, Wake};
use crate::domain::actor::Actor;
use crate::domain::authority::Action;
use crate::domain::targeting::GeoPoint;
use crate::domain::terminal::TerminalDetails;
use crate::http::answer;
use crate::http::extract::Keyed;
use crate::http::problem::{Problem, ProblemBody};
use crate::store::Tx;

/// A terminal to plan.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewTerminal {
    /// The village in which it will stand.
    #[schema(value_type = String)]
    village: RegionCode,
    /// The place as people call it, 1 to 120 bytes.
    name: String,
    /// Where it will stand.
    #[serde(default)]
    position: Option<GeoPoint>,
    /// Whether it has a loudspeaker.
    #[serde(default = "yes")]
    is_speaking: bool,
}

/// Plans a terminal with the next number of its village. It joins by an enrolment code.
#[utoipa::path(
    post,
    path = "/terminals",
    tag = "terminals",
    params(("Idempotency-Key" = String, Header)),
    request_body = NewTerminal,
    responses(
        (status = 201, description = "Made", body = TerminalBody),
        (status = 400, description = "Not well-formed", body = ProblemBody),
        (status = 401, description = "Nobody is logged in", body = ProblemBody),
        (status = 403, description = "No grant covers it", body = ProblemBody),
        (status = 422, description = "A field breaks a rule", body = ProblemBody),
        (status = 428, description = "A required header is missing", body = ProblemBody),
    ),
    extensions(("x-action" = json!("manage_terminals"))),
)]
pub(super) async fn create_terminal(
    State(app): State<Arc<App>>,
    actor: Actor,
    request: Keyed<NewTerminal>,
) -> Result<Response, Problem> {
    let now = app.now();
    actor.may(Action::ManageTerminals, request.body.village, None, now)?;
    let act = async |tx: &mut Tx, new: NewTerminal| {
        let details = TerminalDetails {
            name: new.name,
            place: new.position.map(|at| (at.lat, at.lon)),
            is_speaking: new.is_speaking,
        };
        let terminal = terminals::create(tx, now, &actor, new.village, &details).await?;
        let location = format!("/api/v1/terminals/{}", terminal.id);
        let body = TerminalBody::from(&terminal);
        Ok(answer::kept(StatusCode::CREATED, Some(location), &body))
    };
    request.once(&app, &actor, &[Wake::Terminals], act).await
}
