//! The village device as it ships: how large its program is, how long it takes to be connected, and
//! what memory it holds, beside snapclient of Debian on the same sound server.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use serde_json::json;

use super::figure::{Figure, Goal};
use super::machine::memory_mib;
use super::snapcast::{Server, until_log};
use super::timing::{each, ms};
use crate::harness::api::Api;
use crate::harness::city::{CITY, City, CityOptions, program, text};
use crate::harness::process::{Process, find};
use crate::harness::sound::PacedSink;
use crate::harness::village::Village;
use crate::harness::{clock, progress};

/// 莲花镇 莲花村.
const VILLAGE: &str = "350212105201";

/// 莲花镇.
const TOWN: &str = "350212105000";

/// Starts of each program.
const STARTS: usize = 15;

/// Soundings under which memory is looked at.
const SOUNDINGS: usize = 3;

/// How long an idle program is watched: the node has said hello, measured its card and looked for
/// phrases by then.
const IDLE_LOOKS: u32 = 40;

/// Pause between two looks at memory.
const LOOK: Duration = Duration::from_millis(250);

/// A deadline that only a hang reaches.
const DEADLINE: Duration = Duration::from_mins(3);

const MEGABYTE: f64 = 1_000_000.0;

/// Bytes of the program.
pub(super) fn size() -> anyhow::Result<Vec<Figure>> {
    let bytes = |file: &Path| -> anyhow::Result<f64> {
        Ok(std::fs::metadata(file).with_context(|| file.display().to_string())?.len() as f64
            / MEGABYTE)
    };
    let ours = program("edge-node")?;
    let figure =
        Figure::new("edge-size", "edge-node: its program, stripped", "MB", &[bytes(&ours)?])?;
    let peer = find("snapclient")?;
    let figure = figure.beside("snapclient 0.26, which shares its libraries", &[bytes(&peer)?])?;
    Ok(vec![figure.at_most(4.0)])
}

/// One dispatcher, one enrolled village, one sound server for both programs.
struct Bench {
    officer: Api,
    village: Village,
    sink: PacedSink,
    // Ended after the rest.
    _city: City,
}

impl Bench {
    async fn build(folder: &Path) -> anyhow::Result<Self> {
        let mut city = City::prepare(folder, &CityOptions::default())?;
        let officer = city.officer("officer", "commander", CITY)?;
        city.start().await?;
        let officer = city.log_in(&officer).await?;
        let code = city.enrolment_code(VILLAGE, None)?;
        let village = Village::enrol(&folder.join(VILLAGE), VILLAGE, &code)?;
        let sink = PacedSink::start(folder).await?;
        Ok(Self { officer, village, sink, _city: city })
    }

    /// Starts the node as a village does: the card is open only while it sounds.
    async fn node(&self, folder: &Path, number: usize) -> anyhow::Result<(Process, Duration)> {
        let mut command = Command::new(program("edge-node")?);
        command.arg("run").arg("--config").arg(self.village.config_file());
        self.sink.capture(&mut command, &folder.join(format!("node-{number}.wav")))?;
        command.env("TONGLUO_EDGE__AUDIO__KEEP_OPEN", "false");
        let begun = clock::instant();
        let mut process = Process::start(&format!("node-{number}"), folder, &mut command)?;
        until_log(&mut process, "connected to the broker").await?;
        Ok((process, begun.elapsed()))
    }

    /// Issues a yellow warning for the town, which one officer may.
    async fn warn(&self) -> anyhow::Result<String> {
        let content = json!({
            "kind": "actual",
            "color": "yellow",
            "event": "11B03",
            "texts": [{
                "language": "zh-CN",
                "headline": "暴雨预警",
                "description": "今晚有暴雨，山区可能发生山洪和滑坡",
                "instruction": "请远离河道，到高处去，听从村干部安排",
            }],
            "area": { "regions": [TOWN] },
            "repeats": { "times": 1, "interval_s": 0 },
        });
        let body = json!({ "region": TOWN, "content": content });
        let made = self.officer.post("/api/v1/alerts", &body).await?;
        let id = text(&made, "id")?.to_owned();
        for step in ["submit", "issue"] {
            self.officer.post(&format!("/api/v1/alerts/{id}/{step}"), &json!({})).await?;
        }
        Ok(id)
    }

    /// Whether the node has sounded the alert to its end.
    async fn has_finished(&self, alert: &str) -> anyhow::Result<bool> {
        self.has(alert, "finished_at").await
    }

    /// Whether it has begun to.
    async fn has_begun(&self, alert: &str) -> anyhow::Result<bool> {
        self.has(alert, "started_at").await
    }

    async fn has(&self, alert: &str, step: &str) -> anyhow::Result<bool> {
        let deliveries = progress::deliveries(&self.officer, alert).await?;
        Ok(deliveries.iter().any(|item| item[step].is_string()))
    }
}

/// Start-up, and memory idle and playing.
pub(super) async fn life(folder: &Path) -> anyhow::Result<Vec<Figure>> {
    let bench = Bench::build(folder).await?;
    let peer = Server::start(folder).await?;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for number in 0..STARTS {
        let (mut node, took) = bench.node(folder, number).await?;
        ours.push(took);
        node.terminate().await?;
        let (mut client, took) = peer.client(&bench.sink, number).await?;
        theirs.push(took);
        client.terminate().await?;
    }
    let what = "edge-node: from start to connected and subscribed";
    let start = Figure::new("edge-start", what, "ms", &each(&ours, ms))?;
    let start = start.beside("snapclient 0.26, answered", &each(&theirs, ms))?;

    let (mut node, _) = bench.node(folder, STARTS).await?;
    let (client, _) = peer.client(&bench.sink, STARTS).await?;
    let pair = Pair { ours: node.id().to_string(), theirs: client.id().to_string() };
    let mut looks = Looks::default();
    for _ in 0..IDLE_LOOKS {
        clock::pause(LOOK).await;
        looks.take(&pair)?;
    }
    let what = "edge-node: resident memory, connected and idle";
    let idle = Figure::new("edge-memory-idle", what, "MiB", &looks.ours)?;
    let idle = idle
        .beside("snapclient 0.26, connected and idle", &looks.theirs)?
        .never_above(Goal { median_at_most: 16.0, max_at_most: Some(16.0) })
        .note(pair.own_pages()?);
    let playing = playing(&bench, &peer, &pair).await?;
    node.check_alive()?;
    Ok(vec![start, idle, playing])
}

/// Resident memory while both sound into the same sound server: the node an alert with its clip,
/// snapclient a stream of Opus.
async fn playing(bench: &Bench, peer: &Server, pair: &Pair) -> anyhow::Result<Figure> {
    let tone = peer.play()?;
    let mut looks = Looks::default();
    for _ in 0..SOUNDINGS {
        let alert = bench.warn().await?;
        let begun = clock::instant();
        let mut sounding = 0;
        while !bench.has_finished(&alert).await? {
            ensure!(begun.elapsed() < DEADLINE, "the alert was not heard to its end");
            sounding += usize::from(bench.has_begun(&alert).await?);
            if sounding > 0 {
                looks.take(pair)?;
            }
            clock::pause(LOOK).await;
        }
        ensure!(sounding > 2, "the sounding was not seen");
    }
    tone.finish()?;
    let what = "edge-node: resident memory while it sounds";
    let figure = Figure::new("edge-memory-playing", what, "MiB", &looks.ours)?;
    Ok(figure
        .beside("snapclient 0.26, playing Opus", &looks.theirs)?
        .never_above(Goal { median_at_most: 24.0, max_at_most: Some(24.0) })
        .note(pair.own_pages()?)
        .note("both reach the sound server by ALSA's pulse plugin, whose libraries count"))
}

/// Process ids of the node and of its peer.
struct Pair {
    ours: String,
    theirs: String,
}

impl Pair {
    /// What of the memory is theirs alone, not pages of a file.
    fn own_pages(&self) -> anyhow::Result<String> {
        let (ours, theirs) =
            (memory_mib(&self.ours, "RssAnon")?, memory_mib(&self.theirs, "RssAnon")?);
        Ok(format!(
            "of it not backed by a file: edge-node {ours:.1} MiB, snapclient {theirs:.1} MiB"
        ))
    }
}

/// Resident memory of both, look by look.
#[derive(Default)]
struct Looks {
    ours: Vec<f64>,
    theirs: Vec<f64>,
}

impl Looks {
    fn take(&mut self, pair: &Pair) -> anyhow::Result<()> {
        self.ours.push(memory_mib(&pair.ours, "VmRSS")?);
        self.theirs.push(memory_mib(&pair.theirs, "VmRSS")?);
        Ok(())
    }
}
