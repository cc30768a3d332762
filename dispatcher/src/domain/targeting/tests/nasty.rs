//! Areas that are hard on purpose: strips left by simplification, slivers, full villages, whole
//! cities, exclusions within inclusions.

use super::*;

fn id(village: RegionCode, number: u16) -> TerminalId {
    TerminalId::new(village, number).expect("in bounds")
}

fn placed(village: RegionCode, number: u16, lat: f64, lon: f64) -> TerminalPlace {
    TerminalPlace { id: id(village, number), position: Position::from_degrees(lat, lon) }
}

/// A ring around a point; `radius_deg` of each vertex by its number.
fn around(count: u32, radius_deg: impl Fn(u32) -> f64) -> Vec<GeoPoint> {
    let vertex = |i: u32| {
        let (sin, cos) = (f64::from(i) / f64::from(count) * std::f64::consts::TAU).sin_cos();
        GeoPoint { lat: 24.6 + radius_deg(i) * sin, lon: 118.1 + radius_deg(i) * cos }
    };
    (0..count).map(vertex).collect()
}

/// Terminals close to such a ring, inside and outside of it, in villages of two districts.
fn along(count: u16, radius_deg: f64, spread_deg: f64) -> Vec<TerminalPlace> {
    let villages = [region("350211102201"), region("350212110001")];
    let terminal = |n: u16| {
        let angle = f64::from(n) * 2.399_963;
        let (sin, cos) = angle.sin_cos();
        let radius = radius_deg + spread_deg * ((f64::from(n) * 0.618).fract() - 0.5);
        placed(villages[usize::from(n % 2)], n, 24.6 + radius * sin, 118.1 + radius * cos)
    };
    (1..=count).map(terminal).collect()
}

fn resolved(area: &RequestedArea, index: &TerminalIndex, room: usize) -> Resolution {
    let tree = tree();
    let places = PlaceTable { tree: &tree, terminals: index };
    let resolution = resolve(area, city(), places, room).expect("terminals there");
    check(&resolution, city(), index, room);
    let meant = oracle(area, &tree, index);
    assert_eq!(resolution.terminals.iter().copied().collect::<BTreeSet<_>>(), meant);
    resolution
}

#[test]
fn terminals_in_the_strip_that_simplification_adds_stay_silent() {
    let tree = tree();
    let index = TerminalIndex::build(along(800, 0.1, 0.001), &tree);
    let area = RequestedArea { polygons: vec![around(1_000, |_| 0.1)], ..RequestedArea::default() };
    let resolution = resolved(&area, &index, ROOM);
    assert!(resolution.warnings.iter().any(|note| matches!(note, TargetNote::ShapeGrown(..))));
    let excluded = resolution.orders.iter().flat_map(|order| &order.target.excluded_terminals);
    let n_excluded =
        excluded.map(|part| part.bitmap.iter().map(|byte| byte.count_ones()).sum::<u32>());
    assert!(n_excluded.sum::<u32>() > 0, "some stood in the strip");
    for order in &resolution.orders {
        for shape in &order.target.shapes {
            let protocols::area::Shape::Polygon(vertices) = shape else { panic!("a polygon") };
            assert!(vertices.len() <= limits::VERTICES_PER_POLYGON_MAX);
        }
    }
}

#[test]
fn a_terminal_in_the_strip_of_one_shape_sounds_when_another_means_it() {
    let tree = tree();
    let index = TerminalIndex::build(along(400, 0.1, 0.001), &tree);
    let outside = oracle_outside(&index);
    let area = RequestedArea {
        polygons: vec![around(1_000, |_| 0.1)],
        terminals: outside.iter().copied().take(20).collect(),
        excluded_terminals: outside.iter().copied().skip(20).take(5).collect(),
        ..RequestedArea::default()
    };
    let resolution = resolved(&area, &index, ROOM);
    assert!(outside.iter().take(20).all(|id| resolution.terminals.contains(id)));
}

/// Terminals outside the round ring, nearest first.
fn oracle_outside(index: &TerminalIndex) -> Vec<TerminalId> {
    let distance = |place: &TerminalPlace| {
        let at = place.position.expect("each has one");
        (at.lat() - 24.6).hypot(at.lon() - 118.1)
    };
    let mut outside: Vec<&TerminalPlace> =
        index.terminals().iter().filter(|place| distance(place) > 0.100_01).collect();
    outside.sort_by(|one, other| distance(one).total_cmp(&distance(other)));
    outside.into_iter().map(|place| place.id).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn ragged_shapes_reach_exactly_who_is_inside(
        noise in proptest::collection::vec(0.0_f64..0.000_4, 130..420),
        radius in 0.02_f64..0.2,
        room in prop::sample::select(vec![400_usize, 900, 2_000]),
    ) {
        let tree = tree();
        let mut places = along(300, radius, 0.002);
        // Every seventh does not know where it stands.
        places.iter_mut().step_by(7).for_each(|place| place.position = None);
        let index = TerminalIndex::build(places, &tree);
        let count = u32::try_from(noise.len()).expect("few");
        let area = RequestedArea {
            polygons: vec![around(count, |i| radius + noise[i as usize])],
            excluded: vec![region("350212110002")],
            ..RequestedArea::default()
        };
        let places = PlaceTable { tree: &tree, terminals: &index };
        match resolve(&area, city(), places, room) {
            Ok(resolution) => {
                check(&resolution, city(), &index, room);
                let meant = oracle(&area, &tree, &index);
                prop_assert_eq!(
                    resolution.terminals.iter().copied().collect::<BTreeSet<_>>(), meant
                );
            }
            Err(fault) => prop_assert!(matches!(fault.rule, TargetRule::Ring(_)), "{fault}"),
        }
    }
}

#[test]
fn every_village_by_name_is_reached_and_a_hundred_exclusions_are_split() {
    let tree = tree();
    let index = TerminalIndex::build(terminals(&tree, 1), &tree);
    let villages: Vec<RegionCode> = tree
        .iter()
        .filter(|r| r.is_target && r.code.level() == Level::Village)
        .map(|r| r.code)
        .collect();
    assert_eq!(villages.len(), 546);
    let by_name = RequestedArea { regions: villages.clone(), ..RequestedArea::default() };
    let resolution = resolved(&by_name, &index, ROOM);
    assert_eq!(resolution.terminals.len(), villages.len());
    let excluded: Vec<RegionCode> = villages.iter().copied().step_by(5).collect();
    assert!(excluded.len() > limits::REGIONS_PER_ORDER_MAX);
    let most = RequestedArea {
        regions: vec![city()],
        excluded: excluded.clone(),
        ..RequestedArea::default()
    };
    let resolution = resolved(&most, &index, ROOM);
    assert_eq!(resolution.terminals.len(), villages.len() - excluded.len());
    assert!(resolution.orders.len() > 1);
}

#[test]
fn a_village_with_every_number_taken_is_cut_in_two_by_a_line() {
    let tree = tree();
    let village = region("350211102201");
    let full = (1..=limits::TERMINALS_PER_VILLAGE_MAX)
        .map(|n| placed(village, n, 24.6, 118.0 + f64::from(n) / 1e5));
    let index = TerminalIndex::build(full, &tree);
    let half = vec![
        GeoPoint { lat: 24.5, lon: 117.9 },
        GeoPoint { lat: 24.5, lon: 118.005_12 },
        GeoPoint { lat: 24.7, lon: 118.005_12 },
        GeoPoint { lat: 24.7, lon: 117.9 },
    ];
    let area = RequestedArea { polygons: vec![half], ..RequestedArea::default() };
    assert_eq!(resolved(&area, &index, ROOM).terminals.len(), 512);
    let whole = RequestedArea {
        regions: vec![village],
        excluded_terminals: (1..=1_000).map(|n| id(village, n)).collect(),
        ..RequestedArea::default()
    };
    assert_eq!(resolved(&whole, &index, ROOM).terminals.len(), 24);
}

#[test]
fn a_metre_three_hundred_kilometres_and_a_sliver_mean_what_they_cover() {
    let tree = tree();
    let village = region("350211102201");
    let index = TerminalIndex::build(
        [
            placed(village, 1, 24.6, 118.0),
            placed(village, 2, 24.6, 118.000_02),
            placed(village, 3, 24.6, 118.1),
            placed(village, 4, 24.600_002, 118.1),
        ],
        &tree,
    );
    let circle = |radius_m| RequestedArea {
        circles: vec![RequestedCircle { center: GeoPoint { lat: 24.6, lon: 118.0 }, radius_m }],
        ..RequestedArea::default()
    };
    assert_eq!(resolved(&circle(1), &index, ROOM).terminals, [id(village, 1)]);
    assert_eq!(resolved(&circle(3), &index, ROOM).terminals.len(), 2);
    assert_eq!(resolved(&circle(300_000), &index, ROOM).terminals.len(), 4);
    let sliver = vec![
        GeoPoint { lat: 24.6, lon: 117.9 },
        GeoPoint { lat: 24.6, lon: 118.2 },
        GeoPoint { lat: 24.600_001, lon: 118.2 },
    ];
    let sliver = RequestedArea { polygons: vec![sliver], ..RequestedArea::default() };
    assert_eq!(resolved(&sliver, &index, ROOM).terminals.len(), 3, "on the edge is inside");
}

#[test]
fn a_polygon_across_the_date_line_is_refused_rather_than_turned_inside_out() {
    let tree = tree();
    let index = TerminalIndex::build(terminals(&tree, 1), &tree);
    let places = PlaceTable { tree: &tree, terminals: &index };
    let corner = |lat, lon| GeoPoint { lat, lon };
    let fiji =
        vec![corner(20.0, 179.0), corner(20.0, -179.0), corner(30.0, -179.0), corner(30.0, 179.0)];
    let area = RequestedArea { polygons: vec![fiji], ..RequestedArea::default() };
    let fault = resolve(&area, city(), places, ROOM).expect_err("refused");
    assert_eq!((fault.field.as_str(), fault.slug()), ("polygons[0]", "polygon-too-wide"));
}
