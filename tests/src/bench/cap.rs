//! CAP: a long message beside the crate `oasiscap`, and files that were made to hurt.

use std::process::Command;

use anyhow::{Context as _, ensure};
use protocols::cap::{self, Verdict};
use serde::{Deserialize, Serialize};

use super::figure::{Figure, Goal};
use super::machine;
use super::timing::{each, ms, side_by_side, timed};
use crate::harness::process::run;

const TYPHOON: &str = include_str!("../../../protocols/fixtures/cap/typhoon-red.xml");

/// Readings of the long message.
const RUNS: usize = 51;

/// Readings of each hostile file, each in a process of its own.
const HOSTILE_RUNS: usize = 5;

/// Bytes of the long message.
const LONG: usize = 90 * 1_024;

/// A message as long as those of a province on a bad day: areas with geocodes and polygons.
fn long_message() -> String {
    let mut areas = String::new();
    let mut number = 0_u32;
    while TYPHOON.len() + areas.len() < LONG {
        number += 1;
        let corner = |n: u32| {
            let angle = f64::from(n % 60) / 60.0 * std::f64::consts::TAU;
            let (lat, lon) = (24.6 + f64::from(number) / 500.0, 118.0 + f64::from(number) / 500.0);
            format!("{:.5},{:.5}", lat + 0.01 * angle.sin(), lon + 0.01 * angle.cos())
        };
        let ring = (0..=60).map(corner).collect::<Vec<_>>().join(" ");
        let codes =
            "<geocode><valueName>NBS</valueName><value>350211102000</value></geocode>".repeat(3);
        let name = format!("第{number}片");
        areas.extend([
            "<area><areaDesc>",
            name.as_str(),
            "</areaDesc><polygon>",
            ring.as_str(),
            "</polygon>",
        ]);
        areas.extend([codes.as_str(), "</area>\n"]);
    }
    TYPHOON.replacen("<area>", &format!("{areas}<area>"), 1)
}

/// Parse and check, beside others' parser on the same bytes.
pub(super) fn long() -> anyhow::Result<Vec<Figure>> {
    let text = long_message();
    let reading = cap::read(text.as_bytes());
    ensure!(reading.alert.is_some(), "the message is refused: {:?}", reading.findings);
    let what = format!("CAP: parse and check {:.1} KiB", text.len() as f64 / 1_024.0);
    let ours = || assert!(cap::read(text.as_bytes()).alert.is_some());
    let (name, peer) = peer(&text)?;
    let (ours, peer) = side_by_side(RUNS, ours, peer);
    let figure = Figure::new("cap-parse", &what, "ms", &each(&ours, ms))?;
    let figure = figure.beside(name, &each(&peer, ms))?;
    Ok(vec![figure.at_most(2.0)])
}

#[cfg(feature = "figures")]
fn peer(text: &str) -> anyhow::Result<(&'static str, impl FnMut())> {
    let parse = move || text.parse::<oasiscap::Alert>();
    parse().map_err(|error| anyhow::anyhow!("oasiscap refuses the message: {error:?}"))?;
    Ok(("oasiscap 0.2, types alone", move || {
        std::hint::black_box(parse().is_ok());
    }))
}

#[cfg(not(feature = "figures"))]
fn peer(text: &str) -> anyhow::Result<(&'static str, impl FnMut())> {
    ensure!(!text.is_empty(), "there is a message");
    Ok(("one SHA-256 of it; built without the peer", move || {
        std::hint::black_box(protocols::digest::Digest::of(text.as_bytes()));
    }))
}

/// What one reading of a hostile file cost.
#[derive(Debug, Serialize, Deserialize)]
struct Cost {
    ms: f64,
    extra_mib: f64,
    verdict: String,
}

/// Hostile files by name: the worst that each bound still lets in, and what each bound keeps out.
fn hostile_file(name: &str) -> Option<Vec<u8>> {
    let alert = "<alert xmlns='urn:oasis:names:tc:emergency:cap:1.2'>";
    let with =
        |element: &str, text: &str| TYPHOON.replacen(element, &format!("{text}{element}"), 1);
    let text = match name {
        "entity bomb" => {
            let laugh = |n: u32| format!("<!ENTITY l{} '{}'>", n + 1, format!("&l{n};").repeat(10));
            let laughs = (0..9).map(laugh).collect::<Vec<_>>().concat();
            format!("<!DOCTYPE a [<!ENTITY l0 'ha'>{laughs}]><alert>&l9;</alert>")
        }
        "20,000 nested elements" => alert.repeat(20_000),
        "400,000 elements" => format!("{alert}{}", "<a/>".repeat(400_000)),
        "elements just within the bound" => with("<info>", &"<a/>".repeat(79_000)),
        "attributes" => {
            let many = (0..60).map(|n| format!(" a{n}='{}'", "x".repeat(50)));
            let many = many.collect::<Vec<_>>().concat();
            with("<info>", &format!("<a{many}/>").repeat(160))
        }
        "3 MiB of blanks" => " ".repeat(3 * 1_024 * 1_024),
        "polygon of 130,000 vertices" => {
            let zigzag = (0..130_000).map(|n| format!("{}.{n:05},{} ", n % 89, n % 179));
            with("<geocode>", &format!("<polygon>{}</polygon>", zigzag.collect::<String>()))
        }
        "polygon that crosses itself" => {
            let shuttle = "0,0 1,1 2,0 ".repeat(60_000);
            with("<geocode>", &format!("<polygon>{shuttle}</polygon>"))
        }
        "60,000 references" => {
            let references = "a,b,2026-01-01T00:00:00+08:00 ".repeat(60_000);
            with("<info>", &format!("<references>{references}</references>"))
        }
        "2 MB of one text" => with("<info>", &format!("<note>{}</note>", "暴".repeat(690_000))),
        _ => return None,
    };
    Some(text.into_bytes())
}

const HOSTILE: [&str; 10] = [
    "entity bomb",
    "20,000 nested elements",
    "400,000 elements",
    "elements just within the bound",
    "attributes",
    "3 MiB of blanks",
    "polygon of 130,000 vertices",
    "polygon that crosses itself",
    "60,000 references",
    "2 MB of one text",
];

/// Reads one hostile file in this process, which has done nothing else, and prints what it cost.
pub fn read_hostile(name: &str) -> anyhow::Result<String> {
    let bytes = hostile_file(name).with_context(|| format!("no hostile file is called {name}"))?;
    machine::forget_peak()?;
    let before = machine::memory_mib("self", "VmRSS")?;
    let mut verdict = Verdict::Refuse;
    let took = timed(|| verdict = cap::read(&bytes).verdict);
    let peak = machine::memory_mib("self", "VmHWM")?;
    let cost = Cost { ms: ms(took), extra_mib: peak - before, verdict: format!("{verdict:?}") };
    serde_json::to_string(&cost).context("a cost is JSON")
}

/// Time and memory of the worst of the hostile files.
pub(super) fn hostile() -> anyhow::Result<Vec<Figure>> {
    let here = std::env::current_exe().context("ask where this program is")?;
    let (mut times, mut memory, mut notes) = (Vec::new(), Vec::new(), Vec::new());
    for name in HOSTILE {
        let cost = |_| -> anyhow::Result<Cost> {
            let printed = run(Command::new(&here).args(["--hostile", name]))?;
            serde_json::from_str(&printed).with_context(|| format!("{name}: {printed}"))
        };
        let costs = (0..HOSTILE_RUNS).map(cost).collect::<anyhow::Result<Vec<_>>>()?;
        let middle = |of: fn(&Cost) -> f64| -> anyhow::Result<f64> {
            let values = costs.iter().map(of).collect::<Vec<_>>();
            Ok(super::figure::Spread::of(&values)?.median)
        };
        let (took, extra) = (middle(|cost| cost.ms)?, middle(|cost| cost.extra_mib)?);
        let verdict = &costs[0].verdict;
        notes.push(format!("{name}: {took:.2} ms, {extra:.1} MiB more, {verdict}"));
        times.push(took);
        memory.push(extra);
    }
    let goal = |bound| Goal { median_at_most: bound, max_at_most: Some(bound) };
    let what = format!("hostile CAP files, medians of {}", HOSTILE.len());
    let mut time = Figure::new("cap-hostile-time", &format!("{what}: time"), "ms", &times)?;
    time.notes = notes;
    let memory = Figure::new("cap-hostile-memory", &format!("{what}: memory"), "MiB", &memory)?;
    Ok(vec![time.never_above(goal(50.0)), memory.never_above(goal(16.0))])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_long_message_is_as_long_as_it_says_and_every_hostile_file_exists() {
        assert!((LONG..LONG + 4_096).contains(&long_message().len()));
        assert!(HOSTILE.iter().all(|name| hostile_file(name).is_some()));
    }
}
