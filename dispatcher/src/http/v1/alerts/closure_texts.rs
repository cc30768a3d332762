//! `GET /alerts/{id}/closure_texts`: the words prepared for each end.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;

use crate::app::alerts;
use crate::context::App;
use crate::domain::actor::Actor;
use crate::domain::alert::closure::ClosureTexts;
use crate::http::answer;
use crate::http::parameters::PathOf;
use crate::http::problem::{Problem, ProblemBody};

/// The words for lifting, withdrawal and expiry; before the issue, as they would be prepared.
#[utoipa::path(
    get, path = "/alerts/{id}/closure_texts", tag = "alerts",
    params(("id" = String, Path, description = "The alert")),
    responses(
        (status = 200, description = "The words", body = ClosureTexts),
        (status = 404, description = "No such alert", body = ProblemBody),
    ),
    extensions(("x-action" = json!("read_alerts")))
)]
pub(super) async fn list_closure_texts(
    State(app): State<Arc<App>>,
    actor: Actor,
    PathOf(id): PathOf<String>,
) -> Result<Response, Problem> {
    let alert = alerts::load(&mut *app.db.read().await?, &actor, &id).await?;
    let prepared = alert.closures.clone();
    Ok(answer::ok(&prepared.unwrap_or_else(|| ClosureTexts::prepare(&alert.content))))
}
