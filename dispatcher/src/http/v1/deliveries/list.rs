//! `GET /alerts/{id}/deliveries`: terminal by terminal, the silent ones first.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use jiff::Timestamp;
use protocols::receipt::Evidence;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::context::App;
use crate::domain::actor::Actor;
use crate::domain::authority::Action;
use crate::domain::delivery::DeliveryState;
use crate::http::answer;
use crate::http::page::{self, Items};
use crate::http::parameters::Parameters;
use crate::http::problem::{Problem, ProblemBody};
use crate::store::deliveries::{self, Listed, Place};

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

/// One order at one terminal. Times are RFC 3339 with microseconds.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct DeliveryBody {
    /// The terminal.
    terminal: String,
    /// Its name.
    name: Option<String>,
    /// The order.
    order: String,
    /// alert, update, minor_update, lifted or withdrawn.
    purpose: String,
    /// pending, accepted, verified, started, finished, interrupted, failed or refused.
    state: String,
    /// Why, for the last three.
    reason: Option<String>,
    /// When it came to that state, by the terminal's clock.
    state_at: Option<String>,
    /// Whether nobody near it has heard the alert, as far as is known.
    is_silent: bool,
    /// How many soundings ended.
    repeats_finished: u32,
    /// In its journal.
    accepted_at: Option<String>,
    /// Found authentic and meant for it.
    verified_at: Option<String>,
    /// The first sounding began.
    started_at: Option<String>,
    /// It was first heard.
    first_sound_at: Option<String>,
    /// The first sounding ended.
    finished_at: Option<String>,
    /// What proves it.
    #[schema(value_type = Option<Object>)]
    evidence: Option<Evidence>,
}

/// 覆盖率: who was meant and who heard.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct CoverageBody {
    /// Terminals that were meant.
    targeted: u64,
    /// Those that sounded it to its end.
    finished: u64,
    /// Those near which nobody has heard it, as far as is known.
    silent: u64,
    /// Finished ÷ targeted; 0 when nobody was meant.
    coverage: f64,
    /// Terminals by state.
    #[schema(value_type = Object)]
    by_state: serde_json::Map<String, serde_json::Value>,
}

/// A page, with the coverage of the whole alert.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct DeliveryPage {
    /// The whole alert.
    coverage: CoverageBody,
    /// The terminals of this page.
    items: Vec<DeliveryBody>,
    /// For the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// What each terminal did with an alert; those that stay silent come first.
#[utoipa::path(
    get, path = "/alerts/{id}/deliveries", tag = "alerts",
    params(("id" = String, Path, description = "The alert"), ListQuery),
    responses(
        (status = 200, description = "A page", body = DeliveryPage),
        (status = 404, description = "No such alert", body = ProblemBody),
    ),
    extensions(("x-action" = json!("read_deliveries")))
)]
pub(super) async fn list_deliveries(
    State(app): State<Arc<App>>,
    actor: Actor,
    Path(id): Path<String>,
    Parameters(query): Parameters<ListQuery>,
) -> Result<Response, Problem> {
    let filters = format!("alert={id}");
    let page = page::page::<Place>(query.limit, query.cursor.as_deref(), &filters)?;
    let mut connection = app.db.read().await?;
    let region = deliveries::alert_region(&mut connection, &id).await?;
    let region = region.ok_or_else(|| Problem::not_found("alert"))?;
    actor.may(Action::ReadDeliveries, region, None, app.now())?;
    let coverage = coverage(&deliveries::count_by_state(&mut connection, &id).await?);
    let (after, limit) = (page.after.as_ref(), page.limit + 1);
    let rows = deliveries::list(&mut connection, &id, after, limit).await?;
    let Items { items, next_cursor } = page.items(rows, |row| Place::of(&row.delivery));
    let items = items.into_iter().map(DeliveryBody::from).collect();
    Ok(answer::ok(&DeliveryPage { coverage, items, next_cursor }))
}

fn coverage(counts: &[(DeliveryState, u64)]) -> CoverageBody {
    let sum = |is_counted: fn(DeliveryState) -> bool| {
        counts.iter().filter(|(state, _)| is_counted(*state)).map(|(_, count)| count).sum::<u64>()
    };
    let targeted = sum(|_| true);
    let finished = sum(|state| state == DeliveryState::Finished);
    let by_state = counts.iter().map(|(state, n)| (state.as_str().to_owned(), json!(n)));
    CoverageBody {
        targeted,
        finished,
        silent: sum(DeliveryState::is_silent),
        coverage: if targeted == 0 { 0.0 } else { finished as f64 / targeted as f64 },
        by_state: by_state.collect(),
    }
}

impl From<Listed> for DeliveryBody {
    fn from(listed: Listed) -> Self {
        let progress = listed.delivery.progress;
        let (state, repeats_finished) = (progress.state(), progress.repeats_finished());
        let at = |at: Option<Timestamp>| at.map(|at| format!("{at:.6}"));
        let step = progress.step.as_ref();
        Self {
            terminal: listed.delivery.terminal.to_string(),
            name: listed.name,
            order: listed.delivery.order_id,
            purpose: listed.purpose,
            state: state.as_str().to_owned(),
            reason: step.and_then(|step| step.reason).map(deliveries::reason_word),
            state_at: at(step.map(|step| step.at)),
            is_silent: state.is_silent(),
            repeats_finished,
            accepted_at: at(progress.accepted_at),
            verified_at: at(progress.verified_at),
            started_at: at(progress.started_at),
            first_sound_at: at(progress.first_sound_at),
            finished_at: at(progress.finished_at),
            evidence: step.and_then(|step| step.evidence.as_ref()).map(Evidence::from),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coverage_is_finished_of_targeted_and_names_how_many_are_silent() {
        let body = coverage(&[
            (DeliveryState::Finished, 6),
            (DeliveryState::Pending, 1),
            (DeliveryState::Failed, 2),
            (DeliveryState::Started, 1),
        ]);
        assert_eq!((body.targeted, body.finished, body.silent), (10, 6, 3));
        assert!((body.coverage - 0.6).abs() < f64::EPSILON);
    }
}
