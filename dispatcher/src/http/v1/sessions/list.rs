//! `GET /sessions`: one's own.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;

use super::{SessionBody, own};
use crate::app::sessions;
use crate::context::App;
use crate::http::answer;
use crate::http::login::LoggedIn;
use crate::http::problem::Problem;

/// One's own sessions that still count, newest first.
#[utoipa::path(
    get, path = "/sessions", tag = "sessions",
    responses((status = 200, description = "Sessions", body = Vec<SessionBody>)),
    extensions(("x-action" = json!("own")))
)]
pub(super) async fn list_sessions(
    State(app): State<Arc<App>>,
    login: LoggedIn,
) -> Result<Response, Problem> {
    let current = own(login.session)?;
    let mut connection = app.db.read().await?;
    let sessions = sessions::list(&mut connection, current.account, app.now()).await?;
    let bodies = sessions.into_iter().map(|session| SessionBody::new(session, current.id));
    Ok(answer::ok(&bodies.collect::<Vec<_>>()))
}
