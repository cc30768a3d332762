//! `GET /auto-issue-rules`.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;

use super::RuleBody;
use crate::context::App;
use crate::domain::actor::{Actor, Denied};
use crate::domain::authority::Action;
use crate::http::answer;
use crate::http::page::{Items, page};
use crate::http::parameters::Parameters;
use crate::http::problem::{Problem, ProblemBody};
use crate::store;

/// Which rules.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListRulesQuery {
    /// Items wanted, 1 to 200.
    limit: Option<i64>,
    /// From the page before.
    cursor: Option<String>,
}

/// Rules, newest first, cut to what the reader may see.
#[utoipa::path(
    get, path = "/auto-issue-rules", tag = "auto-issue-rules", params(ListRulesQuery),
    responses(
        (status = 200, description = "A page", body = Items<RuleBody>),
        (status = 400, description = "A parameter is not well-formed", body = ProblemBody),
    ),
    extensions(("x-action" = json!("read_alerts")))
)]
pub(super) async fn list_auto_issue_rules(
    State(app): State<Arc<App>>,
    actor: Actor,
    Parameters(query): Parameters<ListRulesQuery>,
) -> Result<Response, Problem> {
    let scope = actor.scope(Action::ReadAlerts);
    let denied = Denied::NotGranted { action: Action::ReadAlerts, region: app.region() };
    let (from, until) = scope.hull().ok_or(denied)?;
    let page = page::<String>(query.limit, query.cursor.as_deref(), &format!("{from} {until}"))?;
    let before = page.after.clone().unwrap_or_default();
    let mut connection = app.db.read().await?;
    // Rules are few: one page a reader is as good as always all of them.
    let rules =
        store::auto_issue_rules::page(&mut connection, &from, &until, &before, page.limit + 1);
    let mut rules = rules.await?;
    rules.retain(|rule| scope.covers(rule.limits.region));
    let bodies = rules.into_iter().map(RuleBody::from).collect();
    Ok(answer::ok(&page.items(bodies, |body: &RuleBody| body.id.clone())))
}
