//! The area as it is asked for, before anything is resolved.

use protocols::area::Position;
use protocols::region::RegionCode;
use protocols::terminal::TerminalId;

/// Regions, and excluded regions, that one request may name: every village of a large city.
pub const AREA_REGIONS_MAX: usize = 2_000;
/// Terminals, and excluded terminals, that one request may name one by one.
pub const AREA_TERMINALS_MAX: usize = 2_000;
/// Polygons and circles in one request. The most seen in a real message is 225.
pub const AREA_SHAPES_MAX: usize = 256;
/// Vertices of one polygon in a request; municipal outlines as published stay below.
pub const AREA_VERTICES_MAX: usize = 5_000;

/// A point in degrees, WGS 84.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GeoPoint {
    /// Latitude.
    pub lat: f64,
    /// Longitude.
    pub lon: f64,
}

impl GeoPoint {
    /// The point in the units of the protocol; `None` off the globe.
    pub fn position(self) -> Option<Position> {
        Position::from_degrees(self.lat, self.lon)
    }
}

impl From<Position> for GeoPoint {
    fn from(position: Position) -> Self {
        Self { lat: position.lat(), lon: position.lon() }
    }
}

/// A circle.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RequestedCircle {
    /// Its centre.
    pub center: GeoPoint,
    /// Its radius in metres, at least 1.
    pub radius_m: u32,
}

/// 覆盖区域: who is meant, in the words of a person or a message. Excluded names win.
#[derive(
    Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize, utoipa::ToSchema,
)]
#[serde(default, deny_unknown_fields)]
pub struct RequestedArea {
    /// Whole regions.
    #[schema(value_type = Vec<String>)]
    pub regions: Vec<RegionCode>,
    /// Regions that stay silent.
    #[schema(value_type = Vec<String>)]
    pub excluded: Vec<RegionCode>,
    /// Single terminals.
    #[schema(value_type = Vec<String>)]
    pub terminals: Vec<TerminalId>,
    /// Single terminals that stay silent.
    #[schema(value_type = Vec<String>)]
    pub excluded_terminals: Vec<TerminalId>,
    /// Rings without holes; whether the first vertex is repeated at the end does not matter.
    pub polygons: Vec<Vec<GeoPoint>>,
    /// Circles.
    pub circles: Vec<RequestedCircle>,
}

impl RequestedArea {
    /// Whether nothing is named that could be meant.
    pub fn is_empty(&self) -> bool {
        self.regions.is_empty()
            && self.terminals.is_empty()
            && self.polygons.is_empty()
            && self.circles.is_empty()
    }
}
