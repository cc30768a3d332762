//! 播发对象: from the area that a person or a CAP message names to the orders that reach exactly
//! the terminals meant.
//!
//! ```ignore
//! let places = PlaceTable { tree: &tree, terminals: &index };
//! // Room for the target: limits::ORDER_BYTES_MAX less the sealed order with an empty target.
//! let resolution = resolve(&area, authority, places, target_bytes_max)?;
//! for order in &resolution.orders {
//!     // one signed Order on `order.topic` with `order.target`; a delivery row for each of
//!     // `order.terminals`; no terminal stands in two orders.
//! }
//! ```
//!
//! The rules, in the order in which they are applied:
//!
//! 1. Every name must be known, inside the authority's region and no pseudo-unit. Excluded regions
//!    and terminals win over everything.
//! 2. A whole region has an order on its own topic. Regions inside another listed one are dropped.
//! 3. Who is meant is decided by the shape as it was drawn. What travels is simplified outward
//!    (`limits::SIMPLIFY_M_MAX`), and the terminals that only it covers are excluded by number, so
//!    that none sounds for the sake of a shorter message; the strip counts for terminals that are
//!    enrolled after the issue alone. A terminal without a position counts where the
//!    representative point of its village lies; it is listed by number, since it can't know.
//! 4. A shape belongs on the topic of the smallest single region that holds every terminal it
//!    covers and every undivided region whose outline it touches, and never above the authority.
//!    Sea and unmapped ground belong to nobody. Terminals of that region outside the shape receive
//!    the order too and report `out_of_area`.
//! 5. Shapes and single terminals whose topics nest share the wider topic. So the topics of such
//!    orders are apart from each other, and whole regions are excluded from them: no terminal is
//!    meant by two orders.
//! 6. An order that breaks a limit is split into one a child region, down to the village. A shape
//!    that takes more than half of the room is simplified further, and at last left out: the list
//!    of numbers names every terminal known at issue.

mod area;
mod fault;
mod index;
mod resolve;
mod ring;
mod shape;
mod simplify;
mod split;

pub use area::{AREA_REGIONS_MAX, AREA_SHAPES_MAX, AREA_TERMINALS_MAX};
pub use area::{AREA_VERTICES_MAX, GeoPoint, RequestedArea, RequestedCircle};
pub use fault::{TargetFault, TargetNote, TargetRule};
pub use index::{TerminalIndex, TerminalPlace};
pub use resolve::{PlaceTable, Resolution, ResolvedOrder, resolve};

#[cfg(test)]
mod tests;
