//! The way of an alert on real parts: from the press of "issue" to the first sound of three
//! villages, and from the press of "withdraw" to silence.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::figure::{Figure, Goal};
use crate::demo::stage::{Stage, VILLAGES};
use crate::harness::api::Api;
use crate::harness::city::{CITY, text};
use crate::harness::monitor::Monitor;
use crate::harness::process::{find, run};
use crate::harness::sound::PacedSink;
use crate::harness::wav::{RATE, Sound};
use crate::harness::{clock, progress};

/// Alerts issued and withdrawn.
const ALERTS: usize = 12;

/// Alerts until all show their second factor again: half a minute each, and it counts for five.
const ALERTS_A_LOGIN: usize = 5;

/// Sounds that the peer makes.
const PEER_RUNS: usize = 12;

/// How long an alert sounds before it is withdrawn: into its tone.
const HEARD_FOR: Duration = Duration::from_secs(3);

/// Silence between two sounds, longer than that after which an ear hears a new one.
const PAUSE: Duration = Duration::from_millis(1_500);

/// A deadline that only a hang reaches.
const DEADLINE: Duration = Duration::from_mins(2);

/// How far a report may lie from what was heard from outside.
const TOLERANCE_MS: f64 = 50.0;

/// One alert: when it was asked for, and what the three terminals say of it.
struct Told {
    issued_at: Timestamp,
    withdrawn_at: Timestamp,
    first_sounds: Vec<Timestamp>,
    silences: Vec<Timestamp>,
}

/// Issue to sound, beside a sound that is played by hand; withdrawal to silence.
pub(super) async fn alerts(folder: &Path) -> anyhow::Result<Vec<Figure>> {
    let stage = Stage::build(folder).await?;
    ensure!(stage.sound == "file", "with a real sound card nothing is heard from outside");
    let mut people = People::at(&stage, stage.at_desk.clone()).await?;
    let mut told = Vec::new();
    for number in 1..=ALERTS {
        if number % ALERTS_A_LOGIN == 0 {
            people = People::at(&stage, stage.city.log_in(&stage.composer).await?).await?;
        }
        told.push(people.one_alert(number).await.with_context(|| format!("alert {number}"))?);
    }
    let heard = stage.strike().await?.into_iter().flatten().collect::<Vec<_>>();
    let off_ms = furthest_ms(&told, &heard)?;
    ensure!(off_ms <= TOLERANCE_MS, "a first sound was heard {off_ms} ms from its report");
    let peer = played_by_hand(folder).await?;
    let sounds = told.iter().flat_map(|one| one.first_sounds.iter().map(|at| (one.issued_at, *at)));
    let silences =
        told.iter().flat_map(|one| one.silences.iter().map(|at| (one.withdrawn_at, *at)));
    let sounds = sounds.map(|(from, at)| ms(from, at)).collect::<Vec<_>>();
    let silences = silences.map(|(from, at)| ms(from, at)).collect::<Vec<_>>();
    let what = format!("issued → first sound, three nodes, {ALERTS} red alerts");
    let sound = Figure::new("path-sound", &what, "ms", &sounds)?
        .beside("paplay into the same sound server, by hand", &peer)?
        .never_above(Goal { median_at_most: 500.0, max_at_most: Some(1_500.0) })
        .note(format!("heard from outside at most {off_ms:.0} ms from the nodes' reports"))
        .note("the goal is that of 1,000 nodes");
    let what = format!("withdrawn → silence, three nodes, {ALERTS} red alerts");
    let silence = Figure::new("path-silence", &what, "ms", &silences)?
        .never_above(Goal { median_at_most: 1_000.0, max_at_most: Some(1_000.0) });
    Ok(vec![sound, silence])
}

fn ms(from: Timestamp, at: Timestamp) -> f64 {
    at.duration_since(from).as_secs_f64() * 1_000.0
}

/// How far the furthest of the reported first sounds lies from an onset that was heard.
fn furthest_ms(told: &[Told], heard: &[Timestamp]) -> anyhow::Result<f64> {
    let off =
        |at: &Timestamp| heard.iter().map(|onset| ms(*at, *onset).abs()).min_by(f64::total_cmp);
    let all = told.iter().flat_map(|one| &one.first_sounds).map(off);
    let all = all.collect::<Option<Vec<_>>>().context("nothing was heard from outside")?;
    all.into_iter().max_by(f64::total_cmp).context("no alert was told")
}

/// From the start of `paplay` to its sound, heard from outside.
async fn played_by_hand(folder: &Path) -> anyhow::Result<Vec<f64>> {
    let folder = folder.join("by-hand");
    std::fs::create_dir_all(&folder).context("make the folder of the peer")?;
    let wav = folder.join("tone.wav");
    let step = std::f32::consts::TAU * 880.0 / RATE as f32;
    let tone = (0..RATE / 2).map(|n| 0.3 * (n as f32 * step).sin()).collect();
    Sound { samples: tone }.write(&wav)?;
    let sink = PacedSink::start(&folder).await?;
    let monitor = Monitor::start(&sink, sink.sink_of(""))?;
    let mut begun = Vec::new();
    for _ in 0..PEER_RUNS {
        clock::pause(PAUSE).await;
        begun.push(clock::now());
        run(Command::new(find("paplay")?).arg(&wav).env("PULSE_SERVER", sink.address()))?;
    }
    clock::pause(PAUSE).await;
    let heard = monitor.finish()?;
    ensure!(heard.len() == begun.len(), "{} of {PEER_RUNS} were heard", heard.len());
    Ok(begun.iter().zip(&heard).map(|(from, at)| ms(*from, *at)).collect())
}

/// Who it takes for three towns in two districts.
struct People {
    composer: Api,
    commanders: Vec<Api>,
}

impl People {
    /// The commanders log in, beside a composer who has.
    async fn at(stage: &Stage, composer: Api) -> anyhow::Result<Self> {
        let mut commanders = Vec::new();
        for commander in &stage.commanders {
            commanders.push(stage.city.log_in(commander).await?);
        }
        Ok(Self { composer, commanders })
    }

    /// Issues a red alert for the three towns, lets it be heard, withdraws it, and waits until the
    /// correction was heard everywhere.
    async fn one_alert(&self, number: usize) -> anyhow::Result<Told> {
        let id = self.prepare(number).await?;
        let issued_at = clock::now();
        self.composer.post(&format!("/api/v1/alerts/{id}/issue"), &json!({})).await?;
        self.until_all("soundings", &id, |item| of_alert(item, "started_at")).await?;
        clock::pause(HEARD_FOR).await;
        let withdrawn_at = clock::now();
        let reason = json!({ "reason": "误发，立即撤销" });
        let commander = self.commanders.first().context("there is a commander")?;
        commander.post(&format!("/api/v1/alerts/{id}/withdraw"), &reason).await?;
        self.until_all("corrections", &id, |item| of_closing(item, "finished_at")).await?;
        // The evidence of a sounding comes with its end.
        let first_sounds =
            self.until_all("evidence", &id, |item| of_alert(item, "first_sound_at")).await?;
        let receipts = progress::receipts(&self.composer, &id).await?;
        let cut = |item: &&Value| item["state"] == "interrupted" && item["reason"] == "cancelled";
        let silences = receipts.iter().filter(cut).filter_map(|item| instant(item, "at"));
        let silences = silences.collect::<Vec<_>>();
        ensure!(silences.len() == VILLAGES.len(), "{} soundings were cut", silences.len());
        // An ear hears a new sound only after a pause.
        clock::pause(PAUSE).await;
        Ok(Told { issued_at, withdrawn_at, first_sounds, silences })
    }

    /// Writes, submits and approves.
    async fn prepare(&self, number: usize) -> anyhow::Result<String> {
        let towns = VILLAGES.map(|(village, ..)| format!("{}000", &village[..9]));
        let content = json!({
            "kind": "actual",
            "color": "red",
            "event": "11B01",
            "texts": [{
                "language": "zh-CN",
                "headline": "台风红色预警",
                "description": format!("台风第{number}号今天中午前后登陆，阵风可达十四级"),
                "instruction": "请马上转移到避灾点，听从村干部安排",
            }],
            "area": { "regions": towns },
            "repeats": { "times": 1, "interval_s": 0 },
        });
        let body = json!({ "region": CITY, "content": content });
        let made = self.composer.post("/api/v1/alerts", &body).await?;
        let id = text(&made, "id")?.to_owned();
        let path = format!("/api/v1/alerts/{id}");
        self.composer.post(&format!("{path}/submit"), &json!({})).await?;
        for commander in &self.commanders {
            let shown = commander.get(&path).await?;
            let reason = json!({ "digest": text(&shown, "digest")?, "reason": "同意发布" });
            commander.post(&format!("{path}/approve"), &reason).await?;
        }
        Ok(id)
    }

    /// Waits until all three terminals have said what is picked of their deliveries.
    async fn until_all(
        &self,
        what: &str,
        alert: &str,
        pick: impl Fn(&Value) -> Option<Timestamp>,
    ) -> anyhow::Result<Vec<Timestamp>> {
        clock::eventually(what, DEADLINE, async || {
            let deliveries = progress::deliveries(&self.composer, alert).await?;
            let picked = deliveries.iter().filter_map(&pick).collect::<Vec<_>>();
            Ok((picked.len() == VILLAGES.len()).then_some(picked))
        })
        .await
    }
}

fn of_alert(item: &Value, field: &str) -> Option<Timestamp> {
    (!progress::is_closing(item)).then(|| instant(item, field)).flatten()
}

fn of_closing(item: &Value, field: &str) -> Option<Timestamp> {
    progress::is_closing(item).then(|| instant(item, field)).flatten()
}

fn instant(item: &Value, field: &str) -> Option<Timestamp> {
    item[field].as_str().and_then(|text| text.parse().ok())
}
