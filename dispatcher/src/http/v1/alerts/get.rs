//! `GET /alerts/{id}`.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use super::AlertBody;
use crate::app::alerts;
use crate::context::App;
use crate::domain::actor::Actor;
use crate::http::answer;
use crate::http::parameters::PathOf;
use crate::http::problem::{Problem, ProblemBody};
use crate::store;

/// An alert with how far it has come.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AlertWithProgressBody {
    /// The alert.
    #[serde(flatten)]
    alert: AlertBody,
    /// Terminals by what their orders do and how far they are.
    progress: Vec<ProgressBody>,
}

/// A count of terminals.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ProgressBody {
    /// What the order does: `alert`, `update`, `minor_update`, `lifted`, `withdrawn`.
    purpose: String,
    /// `pending`, `accepted`, `verified`, `started`, `finished`, `interrupted`, `failed`,
    /// `refused`.
    state: String,
    /// Terminals.
    terminals: i64,
}

/// An alert, with its version as `ETag`.
#[utoipa::path(
    get, path = "/alerts/{id}", tag = "alerts",
    params(("id" = String, Path, description = "The alert")),
    responses(
        (status = 200, description = "The alert", body = AlertWithProgressBody),
        (status = 404, description = "No such alert", body = ProblemBody),
    ),
    extensions(("x-action" = json!("read_alerts")))
)]
pub(super) async fn get_alert(
    State(app): State<Arc<App>>,
    actor: Actor,
    PathOf(id): PathOf<String>,
) -> Result<Response, Problem> {
    let mut connection = app.db.read().await?;
    let alert = alerts::load(&mut connection, &actor, &id).await?;
    let counts = store::orders::progress(&mut connection, &id).await?;
    let progress = counts.into_iter().map(|(purpose, state, terminals)| ProgressBody {
        purpose,
        state,
        terminals,
    });
    let body = AlertWithProgressBody {
        alert: AlertBody::of(&alert, app.now()),
        progress: progress.collect(),
    };
    Ok(answer::versioned(alert.version, &body))
}
