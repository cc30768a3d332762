//! `GET /api/v1/regions/{code}`.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use protocols::region::RegionCode;

use super::RegionBody;
use crate::context::App;
use crate::domain::actor::Actor;
use crate::domain::authority::Action;
use crate::http::answer;
use crate::http::parameters::PathOf;
use crate::http::problem::{Problem, ProblemBody};

/// One region with its outline.
#[utoipa::path(
    get,
    path = "/regions/{code}",
    tag = "regions",
    params(("code" = String, Path, description = "12 digits of the bureau")),
    responses(
        (status = 200, description = "It", body = RegionBody),
        (status = 401, description = "Nobody is logged in", body = ProblemBody),
        (status = 403, description = "No grant covers it", body = ProblemBody),
        (status = 404, description = "There is none", body = ProblemBody),
    ),
    extensions(("x-action" = json!("read_regions"))),
)]
pub(super) async fn get_region(
    State(app): State<Arc<App>>,
    actor: Actor,
    PathOf(code): PathOf<RegionCode>,
) -> Result<Response, Problem> {
    actor.may(Action::ReadRegions, app.region(), None, app.now())?;
    let places = app.places.current(&mut *app.db.read().await?).await?;
    let region = places.tree.get(code).ok_or_else(|| Problem::not_found("region"))?;
    Ok(answer::ok(&RegionBody::new(region, true)))
}
