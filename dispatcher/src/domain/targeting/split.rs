//! From groups to orders within the limits: what does not fit is split by child region.

use protocols::area::{PartialVillage, Target};
use protocols::limits;
use protocols::region::{RegionCode, RegionLevel};
use protocols::terminal::TerminalId;

use super::fault::{TargetFault, TargetRule};
use super::resolve::{Names, Part, PlaceTable, ResolvedOrder};

/// Collects orders.
pub(super) struct Splitter<'a> {
    places: PlaceTable<'a>,
    names: &'a Names,
    target_bytes_max: usize,
    orders: Vec<ResolvedOrder>,
}

impl<'a> Splitter<'a> {
    pub(super) fn new(places: PlaceTable<'a>, names: &'a Names, target_bytes_max: usize) -> Self {
        Self { places, names, target_bytes_max, orders: Vec::new() }
    }

    pub(super) fn into_orders(self) -> Vec<ResolvedOrder> {
        self.orders
    }

    /// A whole region on its own topic. Where its exclusions do not fit, each part that may be
    /// addressed takes its place; pseudo-units have no terminals and lose nothing.
    pub(super) fn whole(&mut self, region: RegionCode) -> Result<(), TargetFault> {
        if self.names.excluded.iter().any(|outer| outer.contains(region)) {
            return Ok(());
        }
        let target = Target {
            regions: vec![region],
            excluded: within(&self.names.excluded, region),
            excluded_terminals: self.excluded_terminals(region),
            ..Target::default()
        };
        if self.does_fit(&target) {
            let range = self.places.terminals.range(region);
            let meant = range.map(|at| at as u32).filter(|at| !self.names.is_excluded(*at));
            let terminals: Vec<TerminalId> = meant.map(|at| self.id(at)).collect();
            if !terminals.is_empty() {
                self.orders.push(ResolvedOrder { topic: region, target, terminals });
            }
            return Ok(());
        }
        if region.level() == RegionLevel::Village {
            return Err(self.no_room());
        }
        let places = self.places;
        for child in places.tree.children(region).filter(|child| child.is_target) {
            self.whole(child.code)?;
        }
        Ok(())
    }

    /// Parts that share a topic. What a listed region covers already is not named again.
    pub(super) fn group(&mut self, parts: &[Part]) -> Result<(), TargetFault> {
        let Some(topic) = parts.first().map(|part| part.topic) else { return Ok(()) };
        let mut hits: Vec<u32> = parts.iter().flat_map(|part| part.hits.iter().copied()).collect();
        if parts.len() > 1 {
            hits.sort_unstable();
            hits.dedup();
        }
        hits.retain(|at| {
            let village = self.id(*at).village();
            !self.is_in_whole(village)
        });
        let mut spilled: Vec<u32> =
            parts.iter().flat_map(|part| part.spilled.iter().copied()).collect();
        spilled.sort_unstable();
        spilled.dedup();
        spilled.retain(|at| {
            hits.binary_search(at).is_err() && !self.is_in_whole(self.id(*at).village())
        });
        self.part(topic, &hits, &spilled, parts)
    }

    /// Whether a listed region holds the village: it has an order of its own.
    fn is_in_whole(&self, village: RegionCode) -> bool {
        self.names.whole.iter().any(|region| region.contains(village))
    }

    fn part(
        &mut self,
        topic: RegionCode,
        hits: &[u32],
        spilled: &[u32],
        parts: &[Part],
    ) -> Result<(), TargetFault> {
        if hits.is_empty() {
            return Ok(());
        }
        let mut target = Target {
            regions: Vec::new(),
            excluded: self.silent_regions(topic),
            partial: self.by_village(hits),
            excluded_terminals: self.silent_terminals(topic, spilled),
            shapes: self.shapes(topic, parts),
        };
        let is_village = topic.level() == RegionLevel::Village;
        if is_village && !self.does_fit(&target) {
            target.shapes.clear();
            target.excluded_terminals = self.excluded_terminals(topic);
        }
        if self.does_fit(&target) {
            let terminals = hits.iter().map(|at| self.id(*at)).collect();
            self.orders.push(ResolvedOrder { topic, target, terminals });
            return Ok(());
        }
        let Some(level) = RegionLevel::ALL.into_iter().find(|level| *level < topic.level()) else {
            return Err(self.no_room());
        };
        let child_of = |at: u32| self.id(at).village().at(level).unwrap_or(topic);
        let mut rest = hits;
        let mut children = Vec::new();
        while let Some(first) = rest.first() {
            let child = child_of(*first);
            let (own, others) = rest.split_at(rest.partition_point(|at| child_of(*at) <= child));
            children.push((child, own));
            rest = others;
        }
        for (child, own) in children {
            self.part(child, own, spilled, parts)?;
        }
        Ok(())
    }

    fn shapes(&self, topic: RegionCode, parts: &[Part]) -> Vec<protocols::area::Shape> {
        let range = self.places.terminals.range(topic);
        let does_reach = |part: &&Part| {
            part.topic == topic
                || part.touched.iter().any(|code| topic.contains(*code))
                || part.hits.iter().any(|at| range.contains(&(*at as usize)))
        };
        let reaching = parts.iter().filter(does_reach);
        reaching.filter_map(|part| part.shape.clone()).collect()
    }

    /// What is excluded, and what has an order of its own.
    fn silent_regions(&self, topic: RegionCode) -> Vec<RegionCode> {
        let mut regions = within(&self.names.excluded, topic);
        let own = within(&self.names.whole, topic);
        regions.retain(|region| !own.iter().any(|whole| whole.contains(*region)));
        regions.extend(own);
        regions.sort_unstable();
        regions.dedup();
        regions
    }

    fn excluded_terminals(&self, region: RegionCode) -> Vec<PartialVillage> {
        villages(self.named_silent(region).iter().copied())
    }

    /// What is excluded by name, and what only the simplified shapes would cover.
    fn silent_terminals(&self, region: RegionCode, spilled: &[u32]) -> Vec<PartialVillage> {
        let range = self.places.terminals.range(region);
        let inside = spilled.iter().filter(|at| range.contains(&(**at as usize)));
        let mut silent: Vec<TerminalId> = inside.map(|at| self.id(*at)).collect();
        silent.extend(self.named_silent(region));
        silent.sort_unstable();
        villages(silent.into_iter())
    }

    fn named_silent(&self, region: RegionCode) -> &[TerminalId] {
        let all = &self.names.excluded_terminals;
        let start = all.partition_point(|id| id.village() < region);
        let rest = &all[start..];
        &rest[..rest.partition_point(|id| region.contains(id.village()))]
    }

    fn by_village(&self, hits: &[u32]) -> Vec<PartialVillage> {
        villages(hits.iter().map(|at| self.id(*at)))
    }

    fn does_fit(&self, target: &Target) -> bool {
        target.excluded.len() <= limits::REGIONS_PER_ORDER_MAX
            && target.partial.len() <= limits::PARTIAL_VILLAGES_PER_ORDER_MAX
            && target.excluded_terminals.len() <= limits::PARTIAL_VILLAGES_PER_ORDER_MAX
            && target.shapes.len() <= limits::SHAPES_PER_ORDER_MAX
            && protocols::wire::encode(target).len() <= self.target_bytes_max
    }

    fn no_room(&self) -> TargetFault {
        TargetFault::new("area", TargetRule::NoRoom(self.target_bytes_max))
    }

    fn id(&self, at: u32) -> TerminalId {
        self.places.terminals.terminals()[at as usize].id
    }
}

/// The regions that lie in `outer`.
fn within(regions: &[RegionCode], outer: RegionCode) -> Vec<RegionCode> {
    regions.iter().copied().filter(|region| outer.contains(*region)).collect()
}

/// Sorted terminals as one bitmap a village.
fn villages(terminals: impl Iterator<Item = TerminalId>) -> Vec<PartialVillage> {
    let terminals: Vec<TerminalId> = terminals.collect();
    terminals
        .chunk_by(|one, other| one.village() == other.village())
        .filter_map(|chunk| {
            let village = chunk.first()?.village();
            Some(PartialVillage::new(village, chunk.iter().map(|id| id.number())))
        })
        .collect()
}
