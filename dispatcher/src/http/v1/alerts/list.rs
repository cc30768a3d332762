//! `GET /alerts`.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use protocols::alert::BroadcastKind;
use protocols::region::RegionCode;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::AlertBody;
use crate::context::App;
use crate::domain::actor::{Actor, Denied};
use crate::domain::authority::Action;
use crate::http::answer;
use crate::http::page::{Items, page};
use crate::http::parameters::Parameters;
use crate::http::problem::{Problem, ProblemBody};
use crate::store::alerts::{self, Filter};

/// The states that a list is asked for by name.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum AlertState {
    /// 拟稿
    Draft,
    /// 送审
    Submitted,
    /// 签发
    Approved,
    /// 发布
    Issued,
    /// 更新
    Updated,
    /// 结束
    Closed,
}

/// Which alerts.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListAlertsQuery {
    /// Alerts on behalf of this region or below.
    #[param(value_type = Option<String>)]
    region: Option<RegionCode>,
    /// In this state.
    #[param(value_type = Option<String>)]
    state: Option<AlertState>,
    /// Of this kind.
    #[param(value_type = Option<String>)]
    kind: Option<BroadcastKind>,
    /// Items wanted, 1 to 200.
    limit: Option<i64>,
    /// From the page before.
    cursor: Option<String>,
}

/// Pages that are read to fill one, where most rows lie outside the reader's regions.
const READS_MAX: usize = 8;

/// Alerts, newest first, cut to what the reader may see.
#[utoipa::path(
    get, path = "/alerts", tag = "alerts", params(ListAlertsQuery),
    responses(
        (status = 200, description = "A page", body = Items<AlertBody>),
        (status = 400, description = "A parameter is not well-formed", body = ProblemBody),
    ),
    extensions(("x-action" = json!("read_alerts")))
)]
pub(super) async fn list_alerts(
    State(app): State<Arc<App>>,
    actor: Actor,
    Parameters(query): Parameters<ListAlertsQuery>,
) -> Result<Response, Problem> {
    let scope = actor.scope(Action::ReadAlerts);
    let region = query.region.unwrap_or(app.region());
    let denied = Denied::NotGranted { action: Action::ReadAlerts, region };
    let (from, until) = match query.region {
        Some(region) => region.range(),
        None => scope.hull().ok_or(denied)?,
    };
    if scope.is_empty() {
        return Err(denied.into());
    }
    let name = |value: serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let state = query.state.map(|state| match state {
        AlertState::Draft => "draft",
        AlertState::Submitted => "submitted",
        AlertState::Approved => "approved",
        AlertState::Issued => "issued",
        AlertState::Updated => "updated",
        AlertState::Closed => "closed",
    });
    let state = state.unwrap_or_default().to_owned();
    let kind = query.kind.map(|kind| name(json!(kind))).unwrap_or_default();
    let filters = format!("{from} {until} {state} {kind}");
    let page = page::<String>(query.limit, query.cursor.as_deref(), &filters)?;
    let mut filter = Filter { from, until, state, kind, before: page.after.clone() };
    let wanted = usize::try_from(page.limit).unwrap_or(0) + 1;
    let mut connection = app.db.read().await?;
    let mut found = Vec::new();
    for _ in 0..READS_MAX {
        let rows = alerts::page(&mut connection, &filter, page.limit + 1).await?;
        let is_last = rows.len() < wanted;
        filter.before = rows.last().map(|alert| alert.id.clone()).or(filter.before);
        found.extend(rows.into_iter().filter(|alert| scope.covers(alert.region)));
        if is_last || found.len() >= wanted {
            break;
        }
    }
    found.truncate(wanted);
    let now = app.now();
    let bodies = found.iter().map(|alert| AlertBody::of(alert, now)).collect::<Vec<_>>();
    Ok(answer::ok(&page.items(bodies, |body| body.id.clone())))
}
