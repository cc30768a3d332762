//! [`TerminalIndex`]: enrolled terminals by village and by place.

use std::ops::Range;

use protocols::area::Position;
use protocols::region::RegionCode;
use protocols::terminal::TerminalId;
use rstar::primitives::GeomWithData;
use rstar::{AABB, RTree};

use super::shape::ReadyShape;
use crate::domain::regions::RegionTree;

/// An enrolled terminal and its enrolled position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TerminalPlace {
    /// Which.
    pub id: TerminalId,
    /// Where, if it was told.
    pub position: Option<Position>,
}

/// Terminals sorted by identifier (so that a region is one range) with an R-tree over their
/// places. Built anew when terminals change; 100,000 take some tens of milliseconds.
#[derive(Debug, Clone, Default)]
pub struct TerminalIndex {
    terminals: Vec<TerminalPlace>,
    places: RTree<GeomWithData<[f64; 2], u32>>,
    unplaced: usize,
}

impl TerminalIndex {
    /// The index of these terminals. One without a position stands at the representative point of
    /// its village.
    pub fn build(terminals: impl IntoIterator<Item = TerminalPlace>, tree: &RegionTree) -> Self {
        let mut terminals: Vec<TerminalPlace> = terminals.into_iter().collect();
        terminals.sort_unstable_by_key(|terminal| terminal.id);
        terminals.dedup_by_key(|terminal| terminal.id);
        let mut places = Vec::with_capacity(terminals.len());
        for (at, terminal) in terminals.iter().enumerate() {
            let village = || tree.get(terminal.id.village()).and_then(|region| region.place);
            if let Some(place) = terminal.position.or_else(village) {
                places.push(GeomWithData::new([place.lon(), place.lat()], at as u32));
            }
        }
        let unplaced = terminals.len() - places.len();
        Self { terminals, places: RTree::bulk_load(places), unplaced }
    }

    /// The terminals, by identifier.
    pub fn terminals(&self) -> &[TerminalPlace] {
        &self.terminals
    }

    /// The terminals of a region.
    pub fn within(&self, region: RegionCode) -> &[TerminalPlace] {
        &self.terminals[self.range(region)]
    }

    /// Terminals that no shape can find.
    pub fn unplaced(&self) -> usize {
        self.unplaced
    }

    pub(super) fn range(&self, region: RegionCode) -> Range<usize> {
        let start = self.terminals.partition_point(|t| t.id.village() < region);
        let rest = &self.terminals[start..];
        start..start + rest.partition_point(|t| region.contains(t.id.village()))
    }

    pub(super) fn find(&self, id: TerminalId) -> Option<usize> {
        self.terminals.binary_search_by_key(&id, |terminal| terminal.id).ok()
    }

    /// The terminals whose place lies in the shape, in no order.
    pub(super) fn covered(&self, shape: &ReadyShape) -> Vec<u32> {
        let bounds = shape.bounds();
        let found = self.places.locate_in_envelope(AABB::from_corners(bounds.min, bounds.max));
        let is_covered = |place: &&GeomWithData<[f64; 2], u32>| {
            let [lon, lat] = *place.geom();
            Position::from_degrees(lat, lon).is_some_and(|at| shape.covers(at))
        };
        found.filter(is_covered).map(|place| place.data).collect()
    }
}
