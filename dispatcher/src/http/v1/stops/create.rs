//! `POST /stops`.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use protocols::region::RegionCode;
use serde::Deserialize;

use super::StopBody;
use crate::app::stops;
use crate::context::{App, Wake};
use crate::domain::actor::Actor;
use crate::domain::authority::Action;
use crate::http::answer;
use crate::http::extract::Keyed;
use crate::http::problem::{Problem, ProblemBody};
use crate::store::Tx;

/// Which region falls silent, and why.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateStopRequest {
    /// The region.
    #[schema(value_type = String)]
    region: RegionCode,
    /// Why, for the record and for whoever stands at a silent loudspeaker; 1 to 200 bytes.
    reason: String,
}

/// Silence a region at once, until the stop is lifted.
#[utoipa::path(
    post, path = "/stops", tag = "stops", request_body = CreateStopRequest,
    params(("Idempotency-Key" = String, Header, description = "Once for this stop")),
    responses(
        (status = 201, description = "Signed and on its way", body = StopBody),
        (status = 403, description = "No grant, or no fresh second factor", body = ProblemBody),
        (status = 409, description = "Stopped already", body = ProblemBody),
        (status = 422, description = "A field breaks a rule", body = ProblemBody),
    ),
    extensions(("x-action" = json!("stop_terminals")))
)]
pub(super) async fn create_stop(
    State(app): State<Arc<App>>,
    actor: Actor,
    keyed: Keyed<CreateStopRequest>,
) -> Result<Response, Problem> {
    actor.may(Action::StopTerminals, keyed.body.region, None, app.now())?;
    let act = async |tx: &mut Tx, body: CreateStopRequest| {
        let stop = stops::place(tx, &app, &actor, body.region, &body.reason).await?;
        let location = format!("/api/v1/stops/{}", stop.id);
        Ok(answer::kept(StatusCode::CREATED, Some(location), &StopBody::from(stop)))
    };
    keyed.once(&app, &actor, &[Wake::Orders], act).await
}
