//! `GET /alerts/{id}/receipts`: every receipt about an alert as it was signed, oldest first, those
//! of terminals that were not meant included.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::response::Response;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::context::App;
use crate::domain::actor::Actor;
use crate::domain::authority::Action;
use crate::http::answer;
use crate::http::page::{self, Items};
use crate::http::problem::{Problem, ProblemBody};
use crate::store::deliveries;
use crate::store::receipts::{self, KeptReceipt};

/// Which page.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ReceiptQuery {
    /// 1 to 200.
    limit: Option<i64>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// One receipt.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct ReceiptBody {
    /// The terminal.
    terminal: String,
    /// Its number in the terminal's journal.
    number: i64,
    /// The order.
    order: String,
    /// alert, update, minor_update, lifted or withdrawn.
    purpose: String,
    /// accepted, verified, started, finished, interrupted, failed or refused.
    state: String,
    /// Why, for the last three.
    reason: Option<String>,
    /// Which sounding, from 1; 0 for what is not about one.
    repeat: i64,
    /// When, by the terminal's clock.
    at: String,
    /// When the dispatcher had it on disk.
    received_at: String,
}

/// A page.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct ReceiptPage {
    /// The receipts of this page.
    items: Vec<ReceiptBody>,
    /// For the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// Every receipt about an alert, oldest first.
#[utoipa::path(
    get, path = "/alerts/{id}/receipts", tag = "alerts",
    params(("id" = String, Path, description = "The alert"), ReceiptQuery),
    responses(
        (status = 200, description = "A page", body = ReceiptPage),
        (status = 404, description = "No such alert", body = ProblemBody),
    ),
    extensions(("x-action" = json!("read_deliveries")))
)]
pub(super) async fn list_receipts(
    State(app): State<Arc<App>>,
    actor: Actor,
    Path(id): Path<String>,
    Query(query): Query<ReceiptQuery>,
) -> Result<Response, Problem> {
    let filters = format!("receipts={id}");
    let page = page::page::<receipts::Place>(query.limit, query.cursor.as_deref(), &filters)?;
    let mut connection = app.db.read().await?;
    let region = deliveries::alert_region(&mut connection, &id).await?;
    let region = region.ok_or_else(|| Problem::not_found("alert"))?;
    actor.may(Action::ReadDeliveries, region, None, app.now())?;
    let (after, limit) = (page.after.as_ref(), page.limit + 1);
    let rows = receipts::of_alert(&mut connection, &id, after, limit).await?;
    let Items { items, next_cursor } = page.items(rows, KeptReceipt::place);
    let items = items.into_iter().map(ReceiptBody::from).collect();
    Ok(answer::ok(&ReceiptPage { items, next_cursor }))
}

impl From<KeptReceipt> for ReceiptBody {
    fn from(kept: KeptReceipt) -> Self {
        let at = |at: Timestamp| format!("{at:.6}");
        Self {
            terminal: kept.terminal.to_string(),
            number: kept.number,
            order: kept.order_id,
            purpose: kept.purpose,
            state: kept.state,
            reason: kept.reason,
            repeat: kept.repeat,
            at: at(kept.at),
            received_at: at(kept.received_at),
        }
    }
}
