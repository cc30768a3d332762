//! `GET /drill-enrolments`.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;

use super::DrillEnrolmentBody;
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
    /// Those of this drill alone.
    drill: Option<String>,
}

/// Enrolments that concern one's own regions, newest first.
#[utoipa::path(
    get, path = "/drill-enrolments", tag = "drills", params(ListQuery),
    responses((status = 200, description = "A page", body = Items<DrillEnrolmentBody>)),
    extensions(("x-action" = json!("read_terminals")))
)]
pub(super) async fn list_drill_enrolments(
    State(app): State<Arc<App>>,
    actor: Actor,
    Parameters(query): Parameters<ListQuery>,
) -> Result<Response, Problem> {
    let scope = actor.scope(Action::ReadTerminals);
    let drill = query.drill.as_deref();
    let filters = format!("drill={}", drill.unwrap_or_default());
    let page = page::page::<String>(query.limit, query.cursor.as_deref(), &filters)?;
    // An enrolment of a region above one's own concerns one's own, too.
    let Some((_, until)) = scope.hull() else {
        return Err(Problem::new(Kind::Forbidden));
    };
    let mut connection = app.db.read().await?;
    let (after, limit) = (page.after.clone(), page.limit + 1);
    let rows =
        store::drill_enrolments::list(&mut connection, &until, drill, after.as_deref(), limit)
            .await?;
    let is_shown = |region| {
        scope.covers(region) || actor.grants.iter().any(|grant| region.contains(grant.region))
    };
    let next = page.items(rows, |enrolment| enrolment.id.clone());
    let now = app.now();
    let shown = next.items.into_iter().filter(|enrolment| is_shown(enrolment.region));
    let items = shown.map(|enrolment| DrillEnrolmentBody::of(enrolment, now)).collect::<Vec<_>>();
    Ok(answer::ok(&Items { items, next_cursor: next.next_cursor }))
}
