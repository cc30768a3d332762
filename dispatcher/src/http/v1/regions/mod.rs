//! `/api/v1/regions`: the list of regions.

mod get;
mod list;

use std::sync::Arc;

use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::context::App;
use crate::domain::regions::Region;
use crate::domain::targeting::GeoPoint;
use crate::store::regions::level_name;

/// The operations.
pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(list::list_regions)).routes(routes!(get::get_region))
}

/// A region.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Region)]
pub struct RegionBody {
    /// 12 digits of the bureau.
    pub code: String,
    /// 名称.
    pub name: String,
    /// English name, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name_en: Option<String>,
    /// city, district, town, village.
    pub level: &'static str,
    /// 市, 区, 镇, 街道, 村委会, 居委会, 虚拟.
    pub kind: String,
    /// The next wider region in the code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// Whether it may be addressed; a pseudo-unit of the statistics may not.
    pub is_target: bool,
    /// The point that stands for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<GeoPoint>,
    /// Outline as `[longitude, latitude]`, closed by itself; schematic unless the authority
    /// brought its own. In lists only when asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ring: Option<Vec<[f64; 2]>>,
}

impl RegionBody {
    fn new(region: &Region, with_ring: bool) -> Self {
        let ring = region.ring.as_ref().filter(|_| with_ring);
        Self {
            code: region.code.to_string(),
            name: region.name.clone(),
            name_en: region.name_en.clone(),
            level: level_name(region.code),
            kind: region.kind.clone(),
            parent: region.code.parent().map(|parent| parent.to_string()),
            is_target: region.is_target,
            position: region.place.map(GeoPoint::from),
            ring: ring.map(|ring| ring.iter().map(|at| [at.lon(), at.lat()]).collect()),
        }
    }
}
