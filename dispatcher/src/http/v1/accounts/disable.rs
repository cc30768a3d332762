//! `POST /accounts/{name}/disable`.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;

use crate::app::accounts;
use crate::context::App;
use crate::domain::actor::Actor;
use crate::domain::authority::Action;
use crate::http::answer;
use crate::http::problem::{Problem, ProblemBody};

/// Disable an account and end its sessions. It can be enabled again: `dispatcher user disable
/// --undo`.
#[utoipa::path(
    post, path = "/accounts/{name}/disable", tag = "accounts",
    params(("name" = String, Path, description = "The login name")),
    responses(
        (status = 204, description = "Disabled"),
        (status = 404, description = "No such account", body = ProblemBody),
    ),
    extensions(("x-action" = json!("manage_accounts")))
)]
pub(super) async fn disable_account(
    State(app): State<Arc<App>>,
    actor: Actor,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    actor.may(Action::ManageAccounts, app.region(), None, app.now())?;
    let mut tx = app.db.begin().await?;
    accounts::set_disabled(&mut tx, app.now(), actor.id, &name, true).await?;
    tx.commit().await?;
    Ok(answer::nothing())
}
