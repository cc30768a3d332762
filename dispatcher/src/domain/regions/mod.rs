//! 行政区划: the tree of regions, the lists it is read from, and its schematic map.

mod list;
mod schematic;
mod tree;

pub use list::{AliasRow, ListFault, ListKind, parse_aliases, parse_regions};
pub use schematic::{LayoutFault, lay_out};
pub use tree::{Region, RegionTree};

/// Regions of Xiamen, as shipped.
pub const XIAMEN_REGIONS: &str = include_str!("../../../data/regions/xiamen.csv");
/// The ministry's codes for Xiamen, as shipped.
pub const XIAMEN_ALIASES: &str = include_str!("../../../data/regions/xiamen-mca.csv");
/// The schematic layout of Xiamen, as shipped.
pub const XIAMEN_LAYOUT: &str = include_str!("../../../data/regions/xiamen-layout.csv");

/// The shipped regions with their schematic map.
pub fn xiamen() -> Vec<Region> {
    let mut regions =
        parse_regions(XIAMEN_REGIONS.as_bytes()).expect("the shipped list passes its own test");
    lay_out(&mut regions, XIAMEN_LAYOUT).expect("the shipped layout passes its own test");
    regions
}
