//! `cargo xtask bench`: figures side by side with a peer in the same run, as a table and as
//! `target/bench/bench.json`. Medians and ratios; these machines are noisy.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use dispatcher::domain::regions::{RegionTree, xiamen};
use dispatcher::domain::targeting::{
    GeoPoint, PlaceTable, RequestedArea, TerminalIndex, TerminalPlace, resolve,
};
use protocols::area::Position;
use protocols::cap;
use protocols::region::{RegionCode, RegionLevel};
use protocols::terminal::TerminalId;
use protocols::wire::{MessageType, Sealed, SigningKey, seal};
use serde::Serialize;
use tests::harness::clock;

/// Runs of each measurement; the median is shown.
const RUNS: usize = 25;

#[derive(Serialize)]
struct Figure {
    what: &'static str,
    median_us: u128,
    peer: &'static str,
    peer_median_us: u128,
    ratio: f64,
}

fn main() -> anyhow::Result<()> {
    let figures = [cap_figure()?, envelope_figure()?, targeting_figure()?];
    eprintln!("{:>10}  {:>10}  {:>6}  what (peer)", "median µs", "peer µs", "ratio");
    for f in &figures {
        let (ours, peer) = (f.median_us, f.peer_median_us);
        eprintln!("{ours:>10}  {peer:>10}  {:>6.2}  {} ({})", f.ratio, f.what, f.peer);
    }
    let folder = target()?.join("bench");
    std::fs::create_dir_all(&folder).context("make target/bench")?;
    let file = folder.join("bench.json");
    std::fs::write(&file, serde_json::to_vec_pretty(&figures)?).context("write the figures")?;
    eprintln!("{}", file.display());
    Ok(())
}

fn target() -> anyhow::Result<PathBuf> {
    let here = std::env::current_exe().context("ask where this program is")?;
    Ok(here.ancestors().nth(2).context("the program lies in target/<profile>")?.to_owned())
}

/// Medians of two bodies of work that take turns, so that both meet the same noise.
fn side_by_side(mut ours: impl FnMut(), mut peer: impl FnMut()) -> (u128, u128) {
    let timed = |work: &mut dyn FnMut()| -> Duration {
        let begun = clock::instant();
        work();
        begun.elapsed()
    };
    let mut times = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        times.0.push(timed(&mut ours).as_micros());
        times.1.push(timed(&mut peer).as_micros());
    }
    times.0.sort_unstable();
    times.1.sort_unstable();
    (times.0[RUNS / 2], times.1[RUNS / 2])
}

fn figure(what: &'static str, peer: &'static str, (ours, theirs): (u128, u128)) -> Figure {
    let ratio = ours as f64 / theirs.max(1) as f64;
    Figure { what, median_us: ours, peer, peer_median_us: theirs, ratio }
}

/// A message of about 90 KiB, against hashing the same bytes once: the least that anybody does
/// with a message.
fn cap_figure() -> anyhow::Result<Figure> {
    let small = include_str!("../../../protocols/fixtures/cap/typhoon-red.xml");
    let filler = "台风今天中午前后登陆，阵风可达14级。".repeat(90 * 1024 / 2 / 54);
    let large = small.replace("台风今天中午前后登陆，阵风可达14级", &filler);
    let large = large.replace("The typhoon lands around noon", &filler);
    anyhow::ensure!(cap::read(large.as_bytes()).alert.is_some(), "the message reads");
    let times = side_by_side(
        || assert!(cap::read(large.as_bytes()).alert.is_some()),
        || {
            std::hint::black_box(protocols::digest::Digest::of(large.as_bytes()));
        },
    );
    Ok(figure("CAP parse and check, 90 KiB", "one SHA-256 of it", times))
}

/// Opening 100 envelopes, against parsing them alone.
fn envelope_figure() -> anyhow::Result<Figure> {
    let key = SigningKey::from_seed(&[7; 32]);
    let sealed = seal(MessageType::Hello, None, vec![0; 512], &key, None);
    let parse = || Sealed::parse(&sealed, 4_096).context("well-formed");
    parse()?;
    let verifying = key.verifying_key();
    let times = side_by_side(
        || {
            for _ in 0..100 {
                let opened = Sealed::parse(&sealed, 4_096).expect("parsed before");
                assert!(opened.verify(MessageType::Hello, &verifying).is_ok());
            }
        },
        || {
            for _ in 0..100 {
                std::hint::black_box(Sealed::parse(&sealed, 4_096).expect("parsed before"));
            }
        },
    );
    Ok(figure("verify 100 envelopes", "parse them alone", times))
}

/// A polygon of 1,000 vertices against 100,000 terminals, against asking each terminal in turn
/// whether it lies in a bounding box.
fn targeting_figure() -> anyhow::Result<Figure> {
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
    let times = side_by_side(
        || assert!(resolve(&area, city, table, 3_000).is_ok()),
        || {
            let inside = places.iter().filter(|place| {
                place.position.is_some_and(|at| (24.61..24.69).contains(&at.lat()))
            });
            std::hint::black_box(inside.count());
        },
    );
    Ok(figure("1,000 vertices, 100,464 terminals", "one comparison each", times))
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
