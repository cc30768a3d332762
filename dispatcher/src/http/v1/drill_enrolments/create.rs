//! `POST /drill-enrolments`.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;
use protocols::region::RegionCode;
use protocols::terminal::TerminalId;
use serde::Deserialize;

use super::DrillEnrolmentBody;
use crate::app::drills;
use crate::context::{App, Wake};
use crate::domain::actor::Actor;
use crate::domain::drill::{DrillRequest, DrillScope};
use crate::http::answer;
use crate::http::extract::Keyed;
use crate::http::problem::{Problem, ProblemBody};
use crate::store::Tx;

/// Who takes part in which drill, and when.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateDrillEnrolmentRequest {
    /// The drill, as alerts of kind `exercise` will name it; 1 to 128 bytes.
    drill: String,
    /// Whole regions: each terminal in them. At most 64, villages of single terminals included.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    regions: Vec<RegionCode>,
    /// Single terminals, at most 200.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    terminals: Vec<TerminalId>,
    /// From this instant, at most 60 days ahead.
    #[schema(value_type = String, format = DateTime)]
    from: Timestamp,
    /// Until this instant, at most 24 hours later.
    #[schema(value_type = String, format = DateTime)]
    until: Timestamp,
}

impl CreateDrillEnrolmentRequest {
    fn scope(&self) -> DrillScope {
        let (regions, terminals) = (self.regions.clone(), self.terminals.clone());
        DrillScope { regions, terminals }.tidied()
    }
}

/// Enrol terminals in a drill, by a signed command. Only then does an exercise sound there.
#[utoipa::path(
    post, path = "/drill-enrolments", tag = "drills",
    request_body = CreateDrillEnrolmentRequest,
    params(("Idempotency-Key" = String, Header, description = "Once for this enrolment")),
    responses(
        (status = 201, description = "Signed and on its way", body = DrillEnrolmentBody),
        (status = 403, description = "No grant, or no fresh second factor", body = ProblemBody),
        (status = 409, description = "Terminals of it are in this drill already", body = ProblemBody),
        (status = 422, description = "A field breaks a rule", body = ProblemBody),
    ),
    extensions(("x-action" = json!("enrol_drill")))
)]
pub(super) async fn create_drill_enrolment(
    State(app): State<Arc<App>>,
    actor: Actor,
    keyed: Keyed<CreateDrillEnrolmentRequest>,
) -> Result<Response, Problem> {
    let scope = keyed.body.scope();
    drills::may(&actor, &scope, app.now())?;
    let act = async |tx: &mut Tx, body: CreateDrillEnrolmentRequest| {
        let drill = body.drill.trim().to_owned();
        let request = DrillRequest { drill, scope, from: body.from, until: body.until };
        let enrolment = drills::create(tx, &app, &actor, request).await?;
        let location = format!("/api/v1/drill-enrolments/{}", enrolment.id);
        let body = DrillEnrolmentBody::of(enrolment, app.now());
        Ok(answer::kept(StatusCode::CREATED, Some(location), &body))
    };
    keyed.once(&app, &actor, &[Wake::Orders], act).await
}
