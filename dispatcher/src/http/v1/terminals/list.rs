//! `GET /api/v1/terminals`.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use protocols::region::RegionCode;
use protocols::terminal::TerminalId;
use serde::Deserialize;

use super::TerminalBody;
use crate::context::App;
use crate::domain::actor::Actor;
use crate::domain::authority::Action;
use crate::http::answer;
use crate::http::page::{Items, Page, page};
use crate::http::parameters::Parameters;
use crate::http::problem::{Problem, ProblemBody};
use crate::store;

/// Which terminals.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// The region and everything below it; without it the dispatcher's own.
    #[param(value_type = Option<String>)]
    region: Option<RegionCode>,
    /// Items of a page, at most 200.
    limit: Option<i64>,
    /// From the page before.
    cursor: Option<String>,
}

/// The terminals of a region and how they are, by village and number; retired ones too.
#[utoipa::path(
    get,
    path = "/terminals",
    tag = "terminals",
    params(Wanted),
    responses(
        (status = 200, description = "It", body = Items<TerminalBody>),
        (status = 400, description = "Not well-formed", body = ProblemBody),
        (status = 401, description = "Nobody is logged in", body = ProblemBody),
        (status = 403, description = "No grant covers it", body = ProblemBody),
    ),
    extensions(("x-action" = json!("read_terminals"))),
)]
pub(super) async fn list_terminals(
    State(app): State<Arc<App>>,
    actor: Actor,
    Parameters(wanted): Parameters<Wanted>,
) -> Result<Response, Problem> {
    let region = wanted.region.unwrap_or_else(|| app.region());
    actor.may(Action::ReadTerminals, region, None, app.now())?;
    let page: Page<TerminalId> = page(wanted.limit, wanted.cursor.as_deref(), &region.to_string())?;
    let after = page.after.map(|id| id.to_string()).unwrap_or_default();
    let mut connection = app.db.read().await?;
    let (range, limit) = (region.range(), page.limit + 1);
    let rows = store::terminals::list(&mut connection, &range, &after, limit).await?;
    // Those that can be heard are among them, so that as many rows hold all that is needed.
    let heard = store::terminal_states::heard(&mut connection, &range, &after, limit).await?;
    let mut heard = heard.into_iter().map(|one| (one.terminal, one)).collect::<BTreeMap<_, _>>();
    let Items { items, next_cursor } = page.items(rows, |terminal| terminal.id);
    let bodies = items.iter().map(|one| TerminalBody::heard(one, &app, heard.remove(&one.id)));
    let items = bodies.collect::<Vec<_>>();
    Ok(answer::ok(&Items { items, next_cursor }))
}
