//! `DELETE /sessions/{id}`: log out, here or elsewhere.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::header;
use axum::response::Response;

use super::own;
use crate::app::sessions;
use crate::context::App;
use crate::domain::authority::Action;
use crate::http::answer;
use crate::http::login::{LoggedIn, clear_cookie};
use crate::http::problem::{Problem, ProblemBody};
use crate::store;

/// End a session: `current`, another of one's own, or (as an administrator) anybody's.
#[utoipa::path(
    delete, path = "/sessions/{id}", tag = "sessions",
    params(("id" = String, Path, description = "A session, or `current`")),
    responses(
        (status = 204, description = "Ended"),
        (status = 404, description = "No such session", body = ProblemBody),
    ),
    extensions(("x-action" = json!("own")))
)]
pub(super) async fn delete_session(
    State(app): State<Arc<App>>,
    login: LoggedIn,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let current = own(login.session)?;
    let id = match id.as_str() {
        "current" => current.id,
        other => other.parse().map_err(|_| Problem::not_found("session"))?,
    };
    let mut tx = app.db.begin().await?;
    let session = store::sessions::by_id(&mut tx, id).await?;
    let session = session.ok_or_else(|| Problem::not_found("session"))?;
    let may_see = login.actor.is_granted(Action::ManageAccounts, app.region(), None);
    if session.account != current.account && !may_see {
        return Err(Problem::not_found("session"));
    }
    if session.account != current.account {
        login.actor.may(Action::ManageAccounts, app.region(), None, app.now())?;
    }
    sessions::end(&mut tx, app.now(), &login.actor, id).await?;
    tx.commit().await?;
    let mut response = answer::nothing();
    if id == current.id {
        let cookie = clear_cookie(app.config.server.is_secure());
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    Ok(response)
}
