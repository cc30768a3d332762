//! [`resolve`]: the area checked, laid over map and terminals, and grouped by topic.

use protocols::area::{Position, Shape, Target};
use protocols::limits;
use protocols::region::{RegionCode, RegionLevel};
use protocols::terminal::TerminalId;

use super::area::{
    AREA_REGIONS_MAX, AREA_SHAPES_MAX, AREA_TERMINALS_MAX, AREA_VERTICES_MAX, GeoPoint,
    RequestedArea,
};
use super::fault::{TargetFault, TargetNote, TargetRule};
use super::index::TerminalIndex;
use super::ring::{Point, Ring};
use super::shape::ReadyShape;
use super::simplify::simplify_outward;
use super::split::Splitter;
use crate::domain::regions::RegionTree;

/// Half of the way round the globe is no circle any more.
const RADIUS_M_MAX: u32 = 10_000_000;

/// A polygon wider than half the globe, in 10⁻⁶ degree, goes round it the other way: across the
/// date line.
const WIDTH_E6_MAX: i64 = 180_000_000;

/// What an area is resolved against.
#[derive(Debug, Clone, Copy)]
pub struct PlaceTable<'a> {
    /// The list of regions.
    pub tree: &'a RegionTree,
    /// The enrolled terminals.
    pub terminals: &'a TerminalIndex,
}

/// One order to come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolvedOrder {
    /// The region whose topic carries it.
    pub topic: RegionCode,
    /// What is signed.
    pub target: Target,
    /// The terminals that it means, by identifier; none of them stands in another order.
    pub terminals: Vec<TerminalId>,
}

/// An area, resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolution {
    /// One order a topic, or several where a limit split them. In the order of the topics.
    pub orders: Vec<ResolvedOrder>,
    /// Every terminal meant, by identifier. Never empty.
    pub terminals: Vec<TerminalId>,
    /// What a person should know.
    pub warnings: Vec<TargetNote>,
}

/// A shape after simplification, with what it covers and touches.
pub(super) struct Part {
    pub(super) topic: RegionCode,
    /// Absent for single terminals and for a shape that travels by list only.
    pub(super) shape: Option<Shape>,
    /// Covered terminals as places in the index, rising; excluded ones are left out.
    pub(super) hits: Vec<u32>,
    /// Terminals that would take the simplified shape for theirs and lie outside the drawn one,
    /// rising: they are excluded by number.
    pub(super) spilled: Vec<u32>,
    /// Undivided regions whose outline it touches.
    pub(super) touched: Vec<RegionCode>,
}

/// A polygon of the request.
struct Drawn {
    /// As it travels.
    ready: ReadyShape,
    /// As it was drawn, where simplification made it larger.
    original: Option<ReadyShape>,
    /// It is too intricate to travel at all.
    is_listed: bool,
}

/// Resolves `area` for `authority`. `target_bytes_max` is what the sealed order leaves for the
/// target (CBOR). See the module's rules.
pub fn resolve(
    area: &RequestedArea,
    authority: RegionCode,
    places: PlaceTable<'_>,
    target_bytes_max: usize,
) -> Result<Resolution, TargetFault> {
    check_counts(area)?;
    let mut warnings = Vec::new();
    let names = Names::read(area, authority, places, &mut warnings)?;
    let parts = Parts { authority, places, target_bytes_max, names: &names };
    let parts = parts.read(area, &mut warnings)?;

    let mut splitter = Splitter::new(places, &names, target_bytes_max);
    for region in &names.whole {
        if places.terminals.within(*region).is_empty() {
            warnings.push(TargetNote::RegionWithoutTerminal(*region));
        }
        splitter.whole(*region)?;
    }
    for group in group_by_topic(parts) {
        splitter.group(&group)?;
    }
    let mut orders = splitter.into_orders();
    orders.sort_by_key(|order| order.topic);
    let mut terminals: Vec<TerminalId> =
        orders.iter().flat_map(|order| order.terminals.iter().copied()).collect();
    terminals.sort_unstable();
    if terminals.is_empty() {
        return Err(TargetFault::new("area", TargetRule::NobodyThere));
    }
    let has_shape = !area.polygons.is_empty() || !area.circles.is_empty();
    if has_shape && places.terminals.unplaced() > 0 {
        warnings.push(TargetNote::Unplaced(places.terminals.unplaced()));
    }
    Ok(Resolution { orders, terminals, warnings })
}

fn check_counts(area: &RequestedArea) -> Result<(), TargetFault> {
    if area.is_empty() {
        return Err(TargetFault::new("area", TargetRule::Empty));
    }
    let counts = [
        ("regions", area.regions.len(), AREA_REGIONS_MAX),
        ("excluded", area.excluded.len(), AREA_REGIONS_MAX),
        ("terminals", area.terminals.len(), AREA_TERMINALS_MAX),
        ("excluded_terminals", area.excluded_terminals.len(), AREA_TERMINALS_MAX),
        ("polygons", area.polygons.len(), AREA_SHAPES_MAX),
        ("circles", area.circles.len(), AREA_SHAPES_MAX),
    ];
    match counts.into_iter().find(|(_, count, max)| count > max) {
        Some((field, _, max)) => Err(TargetFault::new(field, TargetRule::TooMany(max))),
        None => Ok(()),
    }
}

/// The names of an area, checked, without repetition, none inside another, in order.
pub(super) struct Names {
    pub(super) whole: Vec<RegionCode>,
    pub(super) excluded: Vec<RegionCode>,
    /// Also terminals that are not enrolled now: a name that is excluded stays excluded.
    pub(super) excluded_terminals: Vec<TerminalId>,
    /// By place in the index: excluded by region or by name.
    is_excluded: Vec<bool>,
}

impl Names {
    fn read(
        area: &RequestedArea,
        authority: RegionCode,
        places: PlaceTable<'_>,
        warnings: &mut Vec<TargetNote>,
    ) -> Result<Self, TargetFault> {
        let mut excluded = Vec::new();
        for (at, code) in area.excluded.iter().enumerate() {
            let region = places.tree.get(*code);
            match region.map(|region| region.is_target) {
                None => {
                    let field = format!("excluded[{at}]");
                    return Err(TargetFault::new(field, TargetRule::UnknownRegion(*code)));
                }
                Some(false) => warnings.push(TargetNote::PseudoUnitExcluded(*code)),
                Some(true) => excluded.push(*code),
            }
        }
        let excluded = outermost(excluded);
        let mut whole = Vec::new();
        for (at, code) in area.regions.iter().enumerate() {
            let fault = |rule| Err(TargetFault::new(format!("regions[{at}]"), rule));
            match places.tree.get(*code) {
                None => return fault(TargetRule::UnknownRegion(*code)),
                Some(region) if !region.is_target => return fault(TargetRule::PseudoUnit(*code)),
                Some(_) if !authority.contains(*code) => {
                    return fault(TargetRule::RegionOutside(*code, authority));
                }
                Some(_) if excluded.iter().any(|outer| outer.contains(*code)) => {
                    warnings.push(TargetNote::RegionExcluded(*code));
                }
                Some(_) => whole.push(*code),
            }
        }
        let mut excluded_terminals = area.excluded_terminals.clone();
        excluded_terminals.sort_unstable();
        excluded_terminals.dedup();
        let mut is_excluded = vec![false; places.terminals.terminals().len()];
        for region in &excluded {
            is_excluded[places.terminals.range(*region)].fill(true);
        }
        for at in excluded_terminals.iter().filter_map(|id| places.terminals.find(*id)) {
            is_excluded[at] = true;
        }
        Ok(Self { whole: outermost(whole), excluded, excluded_terminals, is_excluded })
    }

    pub(super) fn is_excluded(&self, at: u32) -> bool {
        self.is_excluded[at as usize]
    }
}

/// Without repetition and without regions inside another, in order.
fn outermost(mut regions: Vec<RegionCode>) -> Vec<RegionCode> {
    regions.sort_unstable();
    // A region sorts directly before its parts.
    regions.dedup_by(|later, earlier| earlier.contains(*later));
    regions
}

/// Reads shapes and single terminals.
struct Parts<'a> {
    authority: RegionCode,
    places: PlaceTable<'a>,
    target_bytes_max: usize,
    names: &'a Names,
}

impl Parts<'_> {
    fn read(
        &self,
        area: &RequestedArea,
        warnings: &mut Vec<TargetNote>,
    ) -> Result<Vec<Part>, TargetFault> {
        let mut parts = Vec::new();
        let has_shape = !area.polygons.is_empty() || !area.circles.is_empty();
        let leaves = if has_shape { self.leaves() } else { Vec::new() };
        for (at, vertices) in area.polygons.iter().enumerate() {
            let field = format!("polygons[{at}]");
            let drawn = self.polygon(&field, vertices, warnings)?;
            parts.extend(self.shape(&field, &drawn, &leaves, warnings)?);
        }
        for (at, circle) in area.circles.iter().enumerate() {
            let field = format!("circles[{at}]");
            let Some(center) = circle.center.position() else {
                return Err(TargetFault::new(field, TargetRule::OffTheGlobe));
            };
            if circle.radius_m == 0 || circle.radius_m > RADIUS_M_MAX {
                return Err(TargetFault::new(field, TargetRule::Radius));
            }
            let ready = ReadyShape::circle(center, circle.radius_m);
            let drawn = Drawn { ready, original: None, is_listed: false };
            parts.extend(self.shape(&field, &drawn, &leaves, warnings)?);
        }
        parts.extend(self.singles(&area.terminals)?);
        Ok(parts)
    }

    /// The polygon as it travels.
    fn polygon(
        &self,
        field: &str,
        vertices: &[GeoPoint],
        warnings: &mut Vec<TargetNote>,
    ) -> Result<Drawn, TargetFault> {
        let fault = |rule| TargetFault::new(field, rule);
        if vertices.len() > AREA_VERTICES_MAX {
            return Err(fault(TargetRule::TooMany(AREA_VERTICES_MAX)));
        }
        let points: Option<Vec<Position>> = vertices.iter().map(|v| v.position()).collect();
        let points = points.ok_or_else(|| fault(TargetRule::OffTheGlobe))?;
        let ring = Ring::new(points.into_iter().map(Point::from))
            .map_err(|ring| fault(TargetRule::Ring(ring)))?;
        if ring.width() > WIDTH_E6_MAX {
            return Err(fault(TargetRule::Wide));
        }
        // Fewer vertices leave more of the order to the list, at the price of some metres.
        for vertices_max in [limits::VERTICES_PER_POLYGON_MAX, 64, 32, 16] {
            let Some((simple, grown_m)) =
                simplify_outward(&ring, vertices_max, limits::SIMPLIFY_M_MAX)
            else {
                break;
            };
            let ready = ReadyShape::polygon(&simple);
            if protocols::wire::encode(ready.shape()).len() <= self.target_bytes_max / 2 {
                let mut original = None;
                if grown_m > 0.0 {
                    let grown_m = grown_m.ceil() as u32;
                    warnings.push(TargetNote::ShapeGrown(field.to_owned(), grown_m));
                    original = Some(ReadyShape::polygon(&ring));
                }
                return Ok(Drawn { ready, original, is_listed: false });
            }
        }
        warnings.push(TargetNote::ShapeByList(field.to_owned()));
        Ok(Drawn { ready: ReadyShape::polygon(&ring), original: None, is_listed: true })
    }

    fn shape(
        &self,
        field: &str,
        drawn: &Drawn,
        leaves: &[(RegionCode, Ring)],
        warnings: &mut Vec<TargetNote>,
    ) -> Result<Option<Part>, TargetFault> {
        let Drawn { ready, original, is_listed } = drawn;
        let hits = self.covered(original.as_ref().unwrap_or(ready));
        let mut spilled = match original {
            Some(_) => self.covered(ready),
            None => Vec::new(),
        };
        // Without a position a terminal can't take itself for covered.
        let has_position =
            |at: u32| self.places.terminals.terminals()[at as usize].position.is_some();
        spilled.retain(|at| hits.binary_search(at).is_err() && has_position(*at));
        if hits.is_empty() {
            warnings.push(TargetNote::ShapeWithoutTerminal(field.to_owned()));
            return Ok(None);
        }
        let outside = hits.iter().map(|at| self.id(*at)).find(|id| self.is_outside(*id));
        if let Some(id) = outside {
            let rule = TargetRule::TerminalOutside(id, self.authority);
            return Err(TargetFault::new(field, rule));
        }
        let outline = ready.outline();
        let touched: Vec<RegionCode> = leaves
            .iter()
            .filter(|(_, leaf)| leaf.touches(&outline))
            .map(|(code, _)| *code)
            .collect();
        if touched.iter().any(|code| !self.authority.contains(*code)) {
            warnings.push(TargetNote::ShapeBeyondAuthority(field.to_owned()));
        }
        let topic = self.topic(&hits, &touched);
        let shape = (!is_listed).then(|| ready.shape().clone());
        Ok(Some(Part { topic, shape, hits, spilled, touched }))
    }

    /// The terminals in the shape that are not excluded, rising.
    fn covered(&self, shape: &ReadyShape) -> Vec<u32> {
        let mut covered = self.places.terminals.covered(shape);
        covered.retain(|at| !self.names.is_excluded(*at));
        covered.sort_unstable();
        covered
    }

    fn singles(&self, terminals: &[TerminalId]) -> Result<Option<Part>, TargetFault> {
        let mut hits = Vec::with_capacity(terminals.len());
        for (at, id) in terminals.iter().enumerate() {
            let fault = |rule| TargetFault::new(format!("terminals[{at}]"), rule);
            if self.is_outside(*id) {
                return Err(fault(TargetRule::TerminalOutside(*id, self.authority)));
            }
            let place = self.places.terminals.find(*id);
            hits.push(place.ok_or_else(|| fault(TargetRule::UnknownTerminal(*id)))? as u32);
        }
        hits.retain(|at| !self.names.is_excluded(*at));
        hits.sort_unstable();
        hits.dedup();
        if hits.is_empty() {
            return Ok(None);
        }
        let topic = self.topic(&hits, &[]);
        Ok(Some(Part { topic, shape: None, hits, spilled: Vec::new(), touched: Vec::new() }))
    }

    /// The smallest region that holds the terminals and the touched regions, at most the
    /// authority's.
    fn topic(&self, hits: &[u32], touched: &[RegionCode]) -> RegionCode {
        // Hits are sorted: the first and the last village span them all.
        let ends = [hits.first(), hits.last()].into_iter().flatten();
        let villages = ends.map(|at| self.id(*at).village());
        let all = villages.chain(touched.iter().copied());
        let common = all.map(Some).reduce(|one, other| one?.common(other?)).flatten();
        common.filter(|region| self.authority.contains(*region)).unwrap_or(self.authority)
    }

    fn leaves(&self) -> Vec<(RegionCode, Ring)> {
        let leaves = self.places.tree.leaves();
        leaves
            .filter_map(|(code, ring)| {
                let ring = Ring::new(ring.iter().map(|at| Point::from(*at))).ok()?;
                Some((code, ring))
            })
            .collect()
    }

    fn id(&self, at: u32) -> TerminalId {
        self.places.terminals.terminals()[at as usize].id
    }

    fn is_outside(&self, id: TerminalId) -> bool {
        !self.authority.contains(id.village())
    }
}

/// Parts whose topics nest share the wider one.
fn group_by_topic(mut parts: Vec<Part>) -> Vec<Vec<Part>> {
    parts.sort_by_key(|part| std::cmp::Reverse::<RegionLevel>(part.topic.level()));
    let mut groups: Vec<Vec<Part>> = Vec::new();
    for part in parts {
        let holder = groups
            .iter_mut()
            .find(|group| group.first().is_some_and(|first| first.topic.contains(part.topic)));
        match holder {
            Some(group) => group.push(part),
            None => groups.push(vec![part]),
        }
    }
    groups
}
