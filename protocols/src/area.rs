//! Where an order is meant to sound, resolved before it is signed.
//!
//! A terminal reads a [`Target`] by three rules, in this order: excluded → never; listed (its
//! region, or its number) → yes; an enrolled position inside a shape → yes. Nothing else is meant.

use crate::limits::TERMINALS_PER_VILLAGE_MAX;
use crate::region::RegionCode;
use crate::terminal::TerminalId;

/// A position in WGS 84, in units of 10⁻⁶ degree (about 0.11 m of latitude).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, minicbor::Encode, minicbor::Decode)]
pub struct Position {
    /// Latitude, −90 000 000 to 90 000 000.
    #[n(0)]
    pub lat_e6: i32,
    /// Longitude, −180 000 000 to 180 000 000.
    #[n(1)]
    pub lon_e6: i32,
}

impl Position {
    /// The nearest representable position; `None` for NaN or a value off the globe.
    pub fn from_degrees(lat: f64, lon: f64) -> Option<Self> {
        let is_on_globe = lat.abs() <= 90.0 && lon.abs() <= 180.0;
        is_on_globe.then(|| Self {
            lat_e6: (lat * 1e6).round() as i32,
            lon_e6: (lon * 1e6).round() as i32,
        })
    }

    /// Latitude in degrees.
    pub fn lat(self) -> f64 {
        f64::from(self.lat_e6) / 1e6
    }

    /// Longitude in degrees.
    pub fn lon(self) -> f64 {
        f64::from(self.lon_e6) / 1e6
    }
}

/// A polygon or a circle as it travels.
#[derive(Debug, Clone, PartialEq, Eq, Hash, minicbor::Encode, minicbor::Decode)]
pub enum Shape {
    /// A closed ring without holes: the last vertex joins the first and is not repeated. 3 to
    /// [`crate::limits::VERTICES_PER_POLYGON_MAX`] vertices.
    #[n(0)]
    Polygon(#[n(0)] Vec<Position>),
    /// A centre and a radius in metres (great-circle distance).
    #[n(1)]
    Circle(#[n(0)] Position, #[n(1)] u32),
}

impl Shape {
    /// Whether `position` lies inside or on the edge.
    pub fn covers(&self, position: Position) -> bool {
        use geo::{Distance as _, Haversine, Intersects as _};
        let point = geo::Point::new(position.lon(), position.lat());
        match self {
            Self::Polygon(vertices) => {
                let ring = vertices.iter().map(|v| (v.lon(), v.lat())).collect::<Vec<_>>();
                geo::Polygon::new(ring.into(), Vec::new()).intersects(&point)
            }
            Self::Circle(center, radius_m) => {
                let center = geo::Point::new(center.lon(), center.lat());
                Haversine.distance(center, point) <= f64::from(*radius_m)
            }
        }
    }
}

/// Terminals of one village by number: bit `number − 1` of a little-endian bitmap (byte 0, lowest
/// bit first is number 1).
#[derive(Debug, Clone, PartialEq, Eq, Hash, minicbor::Encode, minicbor::Decode)]
pub struct PartialVillage {
    /// The village.
    #[n(0)]
    pub village: RegionCode,
    /// The bitmap, at most [`TERMINALS_PER_VILLAGE_MAX`] / 8 bytes, without trailing zero bytes.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub bitmap: Vec<u8>,
}

impl PartialVillage {
    /// The village with these terminal numbers; numbers outside 1 to the bound are ignored, since
    /// a [`TerminalId`] can't carry them.
    pub fn new(village: RegionCode, numbers: impl IntoIterator<Item = u16>) -> Self {
        let mut bitmap = Vec::new();
        for number in numbers {
            if number == 0 || number > TERMINALS_PER_VILLAGE_MAX {
                continue;
            }
            let index = usize::from(number - 1);
            if bitmap.len() <= index / 8 {
                bitmap.resize(index / 8 + 1, 0);
            }
            bitmap[index / 8] |= 1 << (index % 8);
        }
        Self { village, bitmap }
    }

    /// Whether the terminal with this number is named.
    pub fn names(&self, number: u16) -> bool {
        let Some(index) = number.checked_sub(1).map(usize::from) else { return false };
        self.bitmap.get(index / 8).is_some_and(|byte| byte & (1 << (index % 8)) != 0)
    }
}

/// 播发对象: who is meant, frozen at issue and inside the signed bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct Target {
    /// Whole regions.
    #[n(0)]
    pub regions: Vec<RegionCode>,
    /// Regions that must stay silent whatever else is said.
    #[n(1)]
    #[cbor(default)]
    pub excluded: Vec<RegionCode>,
    /// Villages of which only the named terminals are meant.
    #[n(2)]
    #[cbor(default)]
    pub partial: Vec<PartialVillage>,
    /// Terminals of a village that must stay silent whatever else is said.
    #[n(3)]
    #[cbor(default)]
    pub excluded_terminals: Vec<PartialVillage>,
    /// Shapes, already simplified outward by at most [`crate::limits::SIMPLIFY_M_MAX`].
    #[n(4)]
    #[cbor(default)]
    pub shapes: Vec<Shape>,
}

impl Target {
    /// Whether this terminal is meant. `position` is its enrolled one, if any.
    pub fn includes(&self, terminal: TerminalId, position: Option<Position>) -> bool {
        let village = terminal.village();
        let is_named = |list: &[PartialVillage]| {
            list.iter().any(|part| part.village == village && part.names(terminal.number()))
        };
        if self.excluded.iter().any(|region| region.contains(village))
            || is_named(&self.excluded_terminals)
        {
            return false;
        }
        self.regions.iter().any(|region| region.contains(village))
            || is_named(&self.partial)
            || position.is_some_and(|at| self.shapes.iter().any(|shape| shape.covers(at)))
    }

    /// Whether nobody can be meant: such an order is refused, never read as "everyone".
    pub fn is_empty(&self) -> bool {
        self.regions.is_empty() && self.partial.is_empty() && self.shapes.is_empty()
    }
}
