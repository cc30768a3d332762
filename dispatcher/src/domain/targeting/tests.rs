//! Targeting against an oracle that asks each terminal, one by one, what it would do.

mod nasty;

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use protocols::area::Position;
use protocols::limits;
use protocols::region::{RegionCode, RegionLevel as Level};
use protocols::terminal::TerminalId;

use super::*;
use crate::domain::regions::{RegionTree, xiamen};

const ROOM: usize = 2_000;

fn region(text: &str) -> RegionCode {
    text.parse().expect("a code")
}

fn city() -> RegionCode {
    region("350200000000")
}

fn tree() -> RegionTree {
    RegionTree::new(xiamen())
}

/// `count` terminals a village of every town: positions in the village's cell, every fourth
/// without one.
fn terminals(tree: &RegionTree, count: u16) -> Vec<TerminalPlace> {
    let villages = tree.iter().filter(|r| r.is_target && r.code.level() == Level::Village);
    let mut all = Vec::new();
    for (at, village) in villages.enumerate() {
        let ring = village.ring.as_deref().expect("every village has a cell");
        for number in 1..=count {
            let id = TerminalId::new(village.code, number).expect("in bounds");
            let along = f64::from(number) / f64::from(count + 1);
            let (sw, ne) = (ring[0], ring[2]);
            let position = Position::from_degrees(
                sw.lat() + (ne.lat() - sw.lat()) * along,
                sw.lon() + (ne.lon() - sw.lon()) * (along * 7.3).fract(),
            );
            let is_placed = (at + usize::from(number)) % 4 != 0;
            all.push(TerminalPlace { id, position: position.filter(|_| is_placed) });
        }
    }
    all
}

fn square(lat: f64, lon: f64, half: f64) -> Vec<GeoPoint> {
    [(-half, -half), (-half, half), (half, half), (half, -half)]
        .map(|(dlat, dlon)| GeoPoint { lat: lat + dlat, lon: lon + dlon })
        .to_vec()
}

/// Every rule that holds for every resolution.
fn check(resolution: &Resolution, authority: RegionCode, index: &TerminalIndex, room: usize) {
    let mut orders_of: BTreeMap<TerminalId, usize> = BTreeMap::new();
    for order in &resolution.orders {
        assert!(!order.terminals.is_empty());
        assert!(!order.target.is_empty());
        assert!(authority.contains(order.topic));
        assert!(order.target.regions.len() <= limits::REGIONS_PER_ORDER_MAX);
        assert!(order.target.excluded.len() <= limits::REGIONS_PER_ORDER_MAX);
        assert!(order.target.partial.len() <= limits::PARTIAL_VILLAGES_PER_ORDER_MAX);
        assert!(order.target.excluded_terminals.len() <= limits::PARTIAL_VILLAGES_PER_ORDER_MAX);
        assert!(order.target.shapes.len() <= limits::SHAPES_PER_ORDER_MAX);
        assert!(protocols::wire::encode(&order.target).len() <= room);
        let meant: BTreeSet<TerminalId> = order.terminals.iter().copied().collect();
        for terminal in index.terminals() {
            let is_subscribed = order.topic.contains(terminal.id.village());
            let does_sound = is_subscribed && order.target.includes(terminal.id, terminal.position);
            assert_eq!(
                does_sound,
                meant.contains(&terminal.id),
                "{} on {}",
                terminal.id,
                order.topic
            );
            if does_sound {
                *orders_of.entry(terminal.id).or_default() += 1;
            }
        }
    }
    assert!(orders_of.values().all(|count| *count == 1), "a terminal is meant by one order");
    let all: Vec<TerminalId> = orders_of.into_keys().collect();
    assert_eq!(all, resolution.terminals);
}

/// Who is meant by the words of the request, before any shape is simplified.
fn oracle(area: &RequestedArea, tree: &RegionTree, index: &TerminalIndex) -> BTreeSet<TerminalId> {
    let shapes: Vec<protocols::area::Shape> = area
        .polygons
        .iter()
        .map(|ring| {
            let vertices = ring.iter().filter_map(|at| at.position());
            protocols::area::Shape::Polygon(vertices.collect())
        })
        .chain(area.circles.iter().filter_map(|circle| {
            Some(protocols::area::Shape::Circle(circle.center.position()?, circle.radius_m))
        }))
        .collect();
    let is_meant = |terminal: &&TerminalPlace| {
        let village = terminal.id.village();
        let place = terminal.position.or_else(|| tree.get(village)?.place);
        let is_silent = area.excluded.iter().any(|region| region.contains(village))
            || area.excluded_terminals.contains(&terminal.id);
        let is_named = area.regions.iter().any(|region| region.contains(village))
            || area.terminals.contains(&terminal.id)
            || place.is_some_and(|at| shapes.iter().any(|shape| shape.covers(at)));
        is_named && !is_silent
    };
    index.terminals().iter().filter(is_meant).map(|terminal| terminal.id).collect()
}

fn any_area(tree: &RegionTree) -> impl Strategy<Value = RequestedArea> + use<> {
    let codes: Vec<RegionCode> = tree.iter().filter(|r| r.is_target).map(|r| r.code).collect();
    let villages: Vec<RegionCode> =
        codes.iter().copied().filter(|code| code.level() == Level::Village).collect();
    let regions = |count| proptest::collection::vec(prop::sample::select(codes.clone()), count);
    let id = (prop::sample::select(villages), 1_u16..3)
        .prop_map(|(village, number)| TerminalId::new(village, number).expect("in bounds"));
    let singles = proptest::collection::vec(id, 0..4);
    let polygon = (24.4..24.9, 117.85..118.4, proptest::collection::vec(0.01..0.15, 3..30))
        .prop_map(|(lat, lon, radii): (f64, f64, Vec<f64>)| {
            let len = radii.len() as f64;
            let point = |(i, radius): (usize, &f64)| {
                let (sin, cos) = (i as f64 / len * std::f64::consts::TAU).sin_cos();
                GeoPoint { lat: lat + radius * sin, lon: lon + radius * cos }
            };
            radii.iter().enumerate().map(point).collect::<Vec<_>>()
        });
    let circle = (24.4..24.9, 117.85..118.4, 100_u32..20_000).prop_map(|(lat, lon, radius_m)| {
        RequestedCircle { center: GeoPoint { lat, lon }, radius_m }
    });
    (
        regions(0..4),
        regions(0..6),
        singles.clone(),
        singles,
        proptest::collection::vec(polygon, 0..3),
        proptest::collection::vec(circle, 0..3),
    )
        .prop_map(|(regions, excluded, terminals, excluded_terminals, polygons, circles)| {
            RequestedArea { regions, excluded, terminals, excluded_terminals, polygons, circles }
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn each_terminal_does_what_the_resolution_says(
        area in any_area(&tree()),
        room in prop::sample::select(vec![200_usize, 500, 2_000]),
    ) {
        let tree = tree();
        let index = TerminalIndex::build(terminals(&tree, 2), &tree);
        let places = PlaceTable { tree: &tree, terminals: &index };
        match resolve(&area, city(), places, room) {
            Ok(resolution) => {
                check(&resolution, city(), &index, room);
                let meant = oracle(&area, &tree, &index);
                let resolved: BTreeSet<TerminalId> =
                    resolution.terminals.iter().copied().collect();
                prop_assert_eq!(resolved, meant, "who is meant, and nobody else");
            }
            Err(fault) => match fault.rule {
                TargetRule::Empty => prop_assert!(area.is_empty()),
                TargetRule::NobodyThere => {
                    prop_assert!(oracle(&area, &tree, &index).is_empty());
                }
                TargetRule::Ring(_) => {}
                TargetRule::TooMany(_)
                | TargetRule::UnknownRegion(_)
                | TargetRule::PseudoUnit(_)
                | TargetRule::RegionOutside(..)
                | TargetRule::TerminalOutside(..)
                | TargetRule::UnknownTerminal(_)
                | TargetRule::Wide
                | TargetRule::OffTheGlobe
                | TargetRule::Radius
                | TargetRule::NoRoom(_) => prop_assert!(false, "{fault}"),
            },
        }
    }
}

#[test]
fn a_polygon_over_two_towns_goes_to_the_district_and_over_two_districts_to_the_city() {
    let tree = tree();
    let index = TerminalIndex::build(terminals(&tree, 3), &tree);
    let places = PlaceTable { tree: &tree, terminals: &index };
    let border = |one: &str, other: &str| {
        let [one, other] = [one, other].map(|code| tree.get(region(code)).expect("in the list"));
        let [a, b] = [one, other].map(|town| town.place.expect("a place"));
        GeoPoint { lat: f64::midpoint(a.lat(), b.lat()), lon: f64::midpoint(a.lon(), b.lon()) }
    };
    for (one, other, half, topic) in [
        ("350211102000", "350211103000", 0.02, "350211000000"),
        ("350211103000", "350212105000", 0.04, "350200000000"),
        ("350211102000", "350212105000", 0.04, "350200000000"),
    ] {
        let at = border(one, other);
        let polygons = vec![square(at.lat, at.lon, half)];
        let area = RequestedArea { polygons, ..RequestedArea::default() };
        let resolution = resolve(&area, city(), places, ROOM).expect("terminals there");
        assert_eq!(resolution.orders.len(), 1);
        assert_eq!(resolution.orders[0].topic, region(topic));
        for town in [one, other] {
            let is_reached =
                resolution.terminals.iter().any(|id| region(town).contains(id.village()));
            assert!(is_reached, "{town}");
        }
        assert!(resolution.terminals.len() < index.within(region(topic)).len());
        check(&resolution, city(), &index, ROOM);
    }
}

#[test]
fn a_shape_inside_one_village_goes_to_that_village() {
    let tree = tree();
    let index = TerminalIndex::build(terminals(&tree, 3), &tree);
    let places = PlaceTable { tree: &tree, terminals: &index };
    let village = region("350211102201");
    let at = tree.get(village).and_then(|r| r.place).expect("a place");
    let circle = RequestedCircle { center: at.into(), radius_m: 200 };
    let area = RequestedArea { circles: vec![circle], ..RequestedArea::default() };
    let resolution = resolve(&area, city(), places, ROOM).expect("terminals there");
    assert_eq!(resolution.orders[0].topic, village);
}

#[test]
fn what_is_not_enough_or_not_allowed_is_refused_with_its_field() {
    let tree = tree();
    let index = TerminalIndex::build(terminals(&tree, 1), &tree);
    let places = PlaceTable { tree: &tree, terminals: &index };
    let jimei = region("350211000000");
    let refuse = |area: RequestedArea| {
        let fault = resolve(&area, jimei, places, ROOM).expect_err("refused");
        assert!(!fault.zh().is_empty() && !fault.en().is_empty());
        (fault.field.clone(), fault.slug())
    };
    let empty = RequestedArea::default;
    let named = |code: &str| RequestedArea { regions: vec![region(code)], ..empty() };
    assert_eq!(refuse(empty()), ("area".to_owned(), "area-empty"));
    assert_eq!(refuse(named("350211999000")), ("regions[0]".to_owned(), "region-unknown"));
    assert_eq!(refuse(named("350211403000")), ("regions[0]".to_owned(), "region-pseudo-unit"));
    assert_eq!(refuse(named("350211403598")), ("regions[0]".to_owned(), "region-pseudo-unit"));
    assert_eq!(refuse(named("350212000000")), ("regions[0]".to_owned(), "area-outside-authority"));
    let excluded = RequestedArea { excluded: vec![jimei], ..named("350211102000") };
    assert_eq!(refuse(excluded), ("area".to_owned(), "area-without-terminal"));
    let sea = RequestedArea { polygons: vec![square(20.0, 120.0, 0.1)], ..empty() };
    assert_eq!(refuse(sea), ("area".to_owned(), "area-without-terminal"));
    let foreign = RequestedArea { polygons: vec![square(24.75, 118.1, 0.1)], ..empty() };
    assert_eq!(refuse(foreign), ("polygons[0]".to_owned(), "area-outside-authority"));
    let mut crossed = square(24.62, 118.0, 0.1);
    crossed.swap(0, 1);
    let crossed = RequestedArea { polygons: vec![crossed], ..empty() };
    assert_eq!(refuse(crossed), ("polygons[0]".to_owned(), "polygon-malformed"));
    let nowhere = GeoPoint { lat: f64::NAN, lon: 118.0 };
    let circle = RequestedCircle { center: nowhere, radius_m: 10 };
    let nowhere = RequestedArea { circles: vec![circle], ..empty() };
    assert_eq!(refuse(nowhere), ("circles[0]".to_owned(), "position-off-the-globe"));
    let id = "350211102201-0009".parse().expect("an id");
    let unknown = RequestedArea { terminals: vec![id], ..empty() };
    assert_eq!(refuse(unknown), ("terminals[0]".to_owned(), "terminal-unknown"));
}

#[test]
fn a_city_wide_polygon_is_split_until_every_order_fits() {
    let tree = tree();
    let index = TerminalIndex::build(terminals(&tree, 3), &tree);
    let places = PlaceTable { tree: &tree, terminals: &index };
    let polygons = vec![square(24.65, 118.13, 0.3)];
    let area = RequestedArea { polygons, ..RequestedArea::default() };
    let resolution = resolve(&area, city(), places, 600).expect("terminals there");
    check(&resolution, city(), &index, 600);
    assert_eq!(resolution.terminals.len(), index.terminals().len());
    assert!(resolution.orders.len() >= 45, "one a town");
}
