//! `PUT` and `DELETE /accounts/{name}/grants/{role}/{region}`: both may be repeated freely.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use protocols::region::RegionCode;

use crate::app::accounts;
use crate::context::App;
use crate::domain::actor::{Actor, Grant};
use crate::domain::authority::{Action, Role};
use crate::http::answer;
use crate::http::problem::{Problem, ProblemBody};

/// Give a grant: a role in a region and everything below it.
#[utoipa::path(
    put, path = "/accounts/{name}/grants/{role}/{region}", tag = "accounts",
    params(
        ("name" = String, Path, description = "The login name"),
        ("role" = String, Path, description = "viewer, composer, approver, commander, maintainer, auditor or admin"),
        ("region" = String, Path, description = "12 digits"),
    ),
    responses(
        (status = 204, description = "Given"),
        (status = 404, description = "No such account, role or region code", body = ProblemBody),
    ),
    extensions(("x-action" = json!("manage_grants")))
)]
pub(super) async fn create_grant(
    State(app): State<Arc<App>>,
    actor: Actor,
    Path((name, role, region)): Path<(String, Role, RegionCode)>,
) -> Result<Response, Problem> {
    set(&app, &actor, &name, Grant { role, region }, true).await
}

/// Take a grant.
#[utoipa::path(
    delete, path = "/accounts/{name}/grants/{role}/{region}", tag = "accounts",
    params(
        ("name" = String, Path, description = "The login name"),
        ("role" = String, Path, description = "The role"),
        ("region" = String, Path, description = "12 digits"),
    ),
    responses(
        (status = 204, description = "Taken"),
        (status = 404, description = "No such account, role or region code", body = ProblemBody),
    ),
    extensions(("x-action" = json!("manage_grants")))
)]
pub(super) async fn delete_grant(
    State(app): State<Arc<App>>,
    actor: Actor,
    Path((name, role, region)): Path<(String, Role, RegionCode)>,
) -> Result<Response, Problem> {
    set(&app, &actor, &name, Grant { role, region }, false).await
}

async fn set(
    app: &App,
    actor: &Actor,
    name: &str,
    grant: Grant,
    is_given: bool,
) -> Result<Response, Problem> {
    actor.may(Action::ManageGrants, grant.region, None, app.now())?;
    let mut tx = app.db.begin().await?;
    accounts::set_grant(&mut tx, app.now(), actor.id, name, grant, is_given).await?;
    tx.commit().await?;
    Ok(answer::nothing())
}
