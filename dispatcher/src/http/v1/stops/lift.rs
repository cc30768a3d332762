//! `POST /stops/{id}/lift`.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use super::StopBody;
use crate::app::stops::{self, StopError};
use crate::context::{App, Wake};
use crate::domain::actor::Actor;
use crate::domain::authority::Action;
use crate::http::answer;
use crate::http::extract::{Keyed, Nothing};
use crate::http::parameters::PathOf;
use crate::http::problem::{Problem, ProblemBody};
use crate::store::{self, Tx};

/// Let a silenced region sound again.
#[utoipa::path(
    post, path = "/stops/{id}/lift", tag = "stops",
    params(
        ("id" = String, Path, description = "The stop"),
        ("Idempotency-Key" = String, Header, description = "Once for this lifting"),
    ),
    responses(
        (status = 200, description = "Signed and on its way", body = StopBody),
        (status = 403, description = "No grant, or no fresh second factor", body = ProblemBody),
        (status = 404, description = "No such stop", body = ProblemBody),
        (status = 409, description = "Lifted already", body = ProblemBody),
    ),
    extensions(("x-action" = json!("lift_stop")))
)]
pub(super) async fn lift_stop(
    State(app): State<Arc<App>>,
    actor: Actor,
    PathOf(id): PathOf<String>,
    keyed: Keyed<Nothing>,
) -> Result<Response, Problem> {
    let mut connection = app.db.read().await?;
    let stop = store::stops::find(&mut connection, &id).await?;
    drop(connection);
    let stop = stop.ok_or(StopError::NotFound)?;
    actor.may(Action::LiftStop, stop.region, None, app.now())?;
    let act = async |tx: &mut Tx, Nothing {}| {
        let stop = stops::lift(tx, &app, &actor, &id).await?;
        Ok(answer::kept(StatusCode::OK, None, &StopBody::from(stop)))
    };
    keyed.once(&app, &actor, &[Wake::Orders], act).await
}
