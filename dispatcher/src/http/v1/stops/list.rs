//! `GET /stops`.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;

use super::StopBody;
use crate::context::App;
use crate::domain::actor::Actor;
use crate::domain::authority::Action;
use crate::http::answer;
use crate::http::page::{self, Items};
use crate::http::parameters::Parameters;
use crate::http::problem::{Kind, Problem};
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
    /// Those in force alone.
    in_force: Option<bool>,
}

/// Stops of one's own regions, newest first.
#[utoipa::path(
    get, path = "/stops", tag = "stops", params(ListQuery),
    responses((status = 200, description = "A page", body = Items<StopBody>)),
    extensions(("x-action" = json!("read_terminals")))
)]
pub(super) async fn list_stops(
    State(app): State<Arc<App>>,
    actor: Actor,
    Parameters(query): Parameters<ListQuery>,
) -> Result<Response, Problem> {
    let scope = actor.scope(Action::ReadTerminals);
    let in_force = query.in_force.unwrap_or(false);
    let filters = format!("in_force={in_force}");
    let page = page::page::<String>(query.limit, query.cursor.as_deref(), &filters)?;
    // A stop of a region above one's own is what silences one's own, too.
    let Some((_, until)) = scope.hull() else {
        return Err(Problem::new(Kind::Forbidden));
    };
    let range = ("0".to_owned(), until);
    let mut connection = app.db.read().await?;
    let (after, limit) = (page.after.clone(), page.limit + 1);
    let rows =
        store::stops::list(&mut connection, &range, in_force, after.as_deref(), limit).await?;
    let is_shown = |region| {
        scope.covers(region) || actor.grants.iter().any(|grant| region.contains(grant.region))
    };
    let next = page.items(rows, |stop| stop.id.clone());
    let items = next.items.into_iter().filter(|stop| is_shown(stop.region)).map(StopBody::from);
    Ok(answer::ok(&Items { items: items.collect::<Vec<_>>(), next_cursor: next.next_cursor }))
}
