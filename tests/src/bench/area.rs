//! Targets: a drawn polygon against every terminal of a large city.

use anyhow::Context as _;
use dispatcher::domain::regions::{RegionTree, xiamen};
use dispatcher::domain::targeting::{
    GeoPoint, PlaceTable, RequestedArea, TerminalIndex, TerminalPlace, resolve,
};
use geo::Contains as _;
use protocols::area::Position;
use protocols::region::{RegionCode, RegionLevel};
use protocols::terminal::TerminalId;

use super::figure::Figure;
use super::timing::{each, ms, side_by_side};

const RUNS: usize = 15;

/// The whole answer (terminals, regions that stand for them, streams), beside the bare question
/// asked of one terminal after another.
pub(super) fn polygon() -> anyhow::Result<Vec<Figure>> {
    let tree = RegionTree::new(xiamen());
    let places = terminals(&tree, 184)?;
    let index = TerminalIndex::build(places.clone(), &tree);
    let table = PlaceTable { tree: &tree, terminals: &index };
    let ring = (0..1_000).map(|i| {
        let angle = f64::from(i) / 1_000.0 * std::f64::consts::TAU;
        let radius = 0.03 * (1.0 + 0.3 * (angle * 7.0).sin());
        GeoPoint { lat: 24.65 + radius * angle.sin(), lon: 118.08 + radius * angle.cos() }
    });
    let area = RequestedArea { polygons: vec![ring.collect()], ..RequestedArea::default() };
    let city = RegionCode::new(350_200_000_000).context("the city")?;
    anyhow::ensure!(resolve(&area, city, table, 3_000).is_ok(), "the polygon resolves");
    let corners = area.polygons.iter().flatten().map(|point| (point.lon, point.lat));
    let ring = geo::Polygon::new(corners.collect::<Vec<_>>().into(), Vec::new());
    let ours = || assert!(resolve(&area, city, table, 3_000).is_ok());
    let peer = || {
        let inside = places
            .iter()
            .filter_map(|place| place.position)
            .filter(|at| ring.contains(&geo::Point::new(at.lon(), at.lat())));
        assert!(inside.count() > 0);
    };
    let (ours, peer) = side_by_side(RUNS, ours, peer);
    let what = format!("polygon of 1,000 vertices against {} terminals", places.len());
    let figure = Figure::new("polygon", &what, "ms", &each(&ours, ms))?;
    let figure = figure.beside("geo 0.33, one terminal after another", &each(&peer, ms))?;
    Ok(vec![figure.at_most(5.0)])
}

fn terminals(tree: &RegionTree, count: u16) -> anyhow::Result<Vec<TerminalPlace>> {
    let mut all = Vec::new();
    let villages = tree.iter().filter(|r| r.is_target && r.code.level() == RegionLevel::Village);
    for village in villages {
        let ring = village.ring.as_deref().context("every village has a cell")?;
        for number in 1..=count {
            let along = f64::from(number) / f64::from(count + 1);
            let (sw, ne) = (ring[0], ring[2]);
            let position = Position::from_degrees(
                sw.lat() + (ne.lat() - sw.lat()) * along,
                sw.lon() + (ne.lon() - sw.lon()) * (along * 7.3).fract(),
            );
            all.push(TerminalPlace { id: TerminalId::new(village.code, number)?, position });
        }
    }
    Ok(all)
}
