//! `POST /drill-enrolments/{id}/end`.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use super::DrillEnrolmentBody;
use crate::app::drills::{self, DrillError};
use crate::context::{App, Wake};
use crate::domain::actor::Actor;
use crate::http::answer;
use crate::http::extract::{Keyed, Nothing};
use crate::http::parameters::PathOf;
use crate::http::problem::{Problem, ProblemBody};
use crate::store::{self, Tx};

/// End an enrolment before its time.
#[utoipa::path(
    post, path = "/drill-enrolments/{id}/end", tag = "drills",
    params(
        ("id" = String, Path, description = "The enrolment"),
        ("Idempotency-Key" = String, Header, description = "Once for this end"),
    ),
    responses(
        (status = 200, description = "Signed and on its way", body = DrillEnrolmentBody),
        (status = 403, description = "No grant, or no fresh second factor", body = ProblemBody),
        (status = 404, description = "No such enrolment", body = ProblemBody),
        (status = 409, description = "Over already", body = ProblemBody),
    ),
    extensions(("x-action" = json!("enrol_drill")))
)]
pub(super) async fn end_drill_enrolment(
    State(app): State<Arc<App>>,
    actor: Actor,
    PathOf(id): PathOf<String>,
    keyed: Keyed<Nothing>,
) -> Result<Response, Problem> {
    let mut connection = app.db.read().await?;
    let enrolment = store::drill_enrolments::find(&mut connection, &id).await?;
    drop(connection);
    let enrolment = enrolment.ok_or(DrillError::NotFound)?;
    drills::may(&actor, &enrolment.scope, app.now())?;
    let act = async |tx: &mut Tx, Nothing {}| {
        let enrolment = drills::end(tx, &app, &actor, &id).await?;
        Ok(answer::kept(StatusCode::OK, None, &DrillEnrolmentBody::of(enrolment, app.now())))
    };
    keyed.once(&app, &actor, &[Wake::Orders], act).await
}
