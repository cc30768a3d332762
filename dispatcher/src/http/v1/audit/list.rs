//! `GET /audit`: entries in their order, with the digests that chain them.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::app::audit::Entry;
use crate::context::App;
use crate::domain::actor::Actor;
use crate::domain::authority::Action;
use crate::http::answer;
use crate::http::page::{self, Items};
use crate::http::parameters::Parameters;
use crate::http::problem::Problem;
use crate::store;

/// Which page.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListQuery {
    /// 1 to 200.
    limit: Option<i64>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// One entry.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct AuditBody {
    /// Its place, from 1.
    seq: i64,
    /// When.
    at: Timestamp,
    /// Who: `account:<uuid>`, `token:<uuid>` or `system`.
    actor: String,
    /// What.
    action: String,
    /// To what.
    object: String,
    /// JSON, exactly as it was hashed.
    detail: String,
    /// Digest of the entry before, hexadecimal; empty for the first.
    previous: String,
    /// Digest of this entry.
    digest: String,
}

impl From<Entry> for AuditBody {
    fn from(entry: Entry) -> Self {
        Self {
            seq: entry.seq,
            at: entry.at,
            actor: entry.actor.to_string(),
            action: entry.action,
            object: entry.object,
            detail: entry.detail,
            previous: hex::encode(entry.previous),
            digest: hex::encode(entry.digest),
        }
    }
}

/// The record, oldest first.
#[utoipa::path(
    get, path = "/audit", tag = "audit", params(ListQuery),
    responses((status = 200, description = "A page", body = Items<AuditBody>)),
    extensions(("x-action" = json!("read_audit")))
)]
pub(super) async fn list_audit(
    State(app): State<Arc<App>>,
    actor: Actor,
    Parameters(query): Parameters<ListQuery>,
) -> Result<Response, Problem> {
    actor.may(Action::ReadAudit, app.region(), None, app.now())?;
    let page = page::page::<i64>(query.limit, query.cursor.as_deref(), "")?;
    let mut connection = app.db.read().await?;
    let after = page.after.unwrap_or(0);
    let entries = store::audit::after(&mut connection, after, page.limit + 1).await?;
    let bodies = entries.into_iter().map(AuditBody::from).collect();
    Ok(answer::ok(&page.items(bodies, |entry| entry.seq)))
}
