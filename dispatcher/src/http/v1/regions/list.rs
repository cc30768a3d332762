//! `GET /api/v1/regions`.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use protocols::region::{RegionCode, RegionLevel};
use serde::Deserialize;
use serde_json::json;

use super::RegionBody;
use crate::context::App;
use crate::domain::actor::Actor;
use crate::domain::authority::Action;
use crate::http::answer;
use crate::http::page::{Items, Page, page};
use crate::http::parameters::Parameters;
use crate::http::problem::{Problem, ProblemBody};

/// Which regions.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// Only this region and everything below it.
    #[param(value_type = Option<String>)]
    under: Option<RegionCode>,
    /// Only regions directly below this one.
    #[param(value_type = Option<String>)]
    parent: Option<RegionCode>,
    /// Only this level: city, district, town, village.
    #[param(value_type = Option<String>)]
    level: Option<RegionLevel>,
    /// Only names, English names and codes that hold this text.
    text: Option<String>,
    /// Whether outlines are wanted too.
    #[serde(default)]
    with_ring: bool,
    /// Items of a page, at most 200.
    limit: Option<i64>,
    /// From the page before.
    cursor: Option<String>,
}

/// The regions of the list, in the order of their codes: a region directly before its parts.
#[utoipa::path(
    get,
    path = "/regions",
    tag = "regions",
    params(Wanted),
    responses(
        (status = 200, description = "It", body = Items<RegionBody>),
        (status = 400, description = "Not well-formed", body = ProblemBody),
        (status = 401, description = "Nobody is logged in", body = ProblemBody),
        (status = 403, description = "No grant covers it", body = ProblemBody),
    ),
    extensions(("x-action" = json!("read_regions"))),
)]
pub(super) async fn list_regions(
    State(app): State<Arc<App>>,
    actor: Actor,
    Parameters(wanted): Parameters<Wanted>,
) -> Result<Response, Problem> {
    actor.may(Action::ReadRegions, app.region(), None, app.now())?;
    let filters = json!([wanted.under, wanted.parent, wanted.level, wanted.text]).to_string();
    let page: Page<RegionCode> = page(wanted.limit, wanted.cursor.as_deref(), &filters)?;
    let places = app.places.current(&mut *app.db.read().await?).await?;
    let text = wanted.text.as_deref().map(|text| text.trim().to_lowercase());
    let rows = places.tree.iter().filter(|region| {
        let does_hold = |text: &str| {
            let english = region.name_en.as_deref().unwrap_or("").to_lowercase();
            region.name.contains(text)
                || english.contains(text)
                || region.code.to_string().contains(text)
        };
        page.after.is_none_or(|after| region.code > after)
            && wanted.under.is_none_or(|under| under.contains(region.code))
            && wanted.parent.is_none_or(|parent| region.code.parent() == Some(parent))
            && wanted.level.is_none_or(|level| region.code.level() == level)
            && text.as_deref().is_none_or(does_hold)
    });
    let rows: Vec<_> = rows.take(usize::try_from(page.limit).unwrap_or(0) + 1).collect();
    let Items { items, next_cursor } = page.items(rows, |region| region.code);
    let items = items.into_iter().map(|region| RegionBody::new(region, wanted.with_ring)).collect();
    Ok(answer::ok(&Items { items, next_cursor }))
}
