//! What happens on the stage, told line by line.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::report::{AlertReport, AtTerminal, Outcome};
use super::stage::Stage;
use crate::harness::api::Api;
use crate::harness::city::text;
use crate::harness::clock;

/// The warning as the meteorological service sends it; its times are set to now.
const TYPHOON: &str = include_str!("../../../protocols/fixtures/cap/typhoon-red.xml");

/// Longest wait for something that takes a sounding.
const SOUND_DEADLINE: Duration = Duration::from_mins(2);

/// Longest wait for a receipt that needs no sound.
const RECEIPT_DEADLINE: Duration = Duration::from_secs(20);

/// Seconds between the two soundings of the first alert: room for the second alert in between.
const INTERVAL_S: u64 = 90;

/// What the story leaves behind.
pub struct Told {
    /// Each alert at each terminal.
    pub alerts: Vec<AlertReport>,
    /// When each alert was asked to be issued, in their order.
    pub issued_at: Vec<Timestamp>,
    /// From the withdrawal until the last interrupted terminal was silent.
    pub cancel_to_silence_ms: Option<i64>,
    /// What should have been true and was not.
    pub failures: Vec<String>,
}

/// Tells one line with the time since the story began.
struct Teller {
    begun: Timestamp,
}

impl Teller {
    fn say(&self, line: &str) {
        let seconds = clock::now().duration_since(self.begun).as_secs_f64();
        eprintln!("{seconds:8.2} s  {line}");
    }
}

/// Plays the story to its end.
pub async fn tell(stage: &Stage) -> anyhow::Result<Told> {
    let teller = Teller { begun: clock::now() };
    let mut commanders = Vec::new();
    for officer in &stage.commanders {
        commanders.push(stage.city.log_in(officer).await?);
    }
    let people = People { composer: stage.at_desk.clone(), commanders };

    let first = take_in(stage, &teller).await?;
    people.prepare(&first, 2, &teller).await?;
    let issued_first = people.issue(&first, &teller).await?;
    let meant = [&stage.villages[0].id, &stage.villages[1].id];
    people
        .wait_for("the first sounding ends in both towns", SOUND_DEADLINE, &first, |steps| {
            meant.iter().all(|id| steps.of(id, false).is_some_and(|s| s.finished_at.is_some()))
        })
        .await?;
    teller.say("台风红色预警：灌口、莲花已播完第一遍，后溪没有响 · heard to the end in both towns");

    let second = people.polygon(&teller).await?;
    people.prepare(&second, 1, &teller).await?;
    let issued_second = people.issue(&second, &teller).await?;
    let (near, far) = (&stage.villages[0].id, &stage.villages[2].id);
    people
        .wait_for("the polygon's village is heard", SOUND_DEADLINE, &second, |steps| {
            steps.of(near, false).is_some_and(|s| s.finished_at.is_some())
        })
        .await?;
    people
        .wait_for("the third node answers out of area", RECEIPT_DEADLINE, &second, |steps| {
            steps.of(far, false).is_some_and(|s| s.reason.as_deref() == Some("out_of_area"))
        })
        .await?;
    teller.say("多边形预警：灌口在圈内已播；后溪收到、验签，不在圈内，静默回执 · out_of_area");

    people
        .wait_for("the second sounding runs", SOUND_DEADLINE, &first, |steps| {
            meant.iter().all(|id| steps.of(id, false).is_some_and(|s| s.has_begun_again))
        })
        .await?;
    // Into the words, past the tone.
    clock::pause(Duration::from_secs(6)).await;
    let withdrawn_at = people.withdraw(&first, &teller).await?;
    let after = people
        .wait_for("the correction is heard", SOUND_DEADLINE, &first, |steps| {
            meant.iter().all(|id| steps.of(id, true).is_some_and(|s| s.finished_at.is_some()))
        })
        .await?;
    teller.say("撤销更正已在两个镇播完 · the correction was heard in both towns");

    let second_steps = people.steps(&second).await?;
    let mut told = Told {
        alerts: vec![
            at_terminals(
                stage,
                &first,
                "台风红色预警（灌口镇、莲花镇）",
                issued_first,
                Some(withdrawn_at),
                &after,
                &meant,
            ),
            at_terminals(
                stage,
                &second,
                "暴雨橙色预警（跨镇界多边形）",
                issued_second,
                None,
                &second_steps,
                &[near],
            ),
        ],
        issued_at: vec![issued_first, issued_second],
        cancel_to_silence_ms: silence_ms(&after, &meant, withdrawn_at),
        failures: Vec::new(),
    };
    told.failures = failures(&told, near, far);
    Ok(told)
}

/// The meteorological service hands in its warning; it becomes a draft.
async fn take_in(stage: &Stage, teller: &Teller) -> anyhow::Result<String> {
    let now = clock::now();
    let sent = beijing(now);
    let expires = beijing(now.checked_add(jiff::SignedDuration::from_hours(3))?);
    let document = TYPHOON
        .replace("2026-08-15T09:00:00+08:00", &sent)
        .replace("2026-08-15T12:00:00+08:00", &expires)
        .replace("20260815T090000-1", &format!("{}-1", now.as_second()));
    ensure!(document.contains(&expires), "the fixture's times were not found");
    let service = stage.city.anonymous()?.bearing(&stage.token);
    let reply =
        service.post_raw("/api/v1/cap", "application/cap+xml", document.into_bytes()).await?;
    let taken = reply.ok().context("hand in the CAP message")?;
    teller.say("气象台报文已收，成为草稿 · the CAP message became a draft");
    Ok(text(&taken, "alert")?.to_owned())
}

fn beijing(at: Timestamp) -> String {
    let zoned = at.to_zoned(jiff::tz::TimeZone::fixed(jiff::tz::offset(8)));
    zoned.strftime("%Y-%m-%dT%H:%M:%S+08:00").to_string()
}

struct People {
    composer: Api,
    commanders: Vec<Api>,
}

impl People {
    /// The composer sets the repeats of the draft and submits it; the commanders approve what they
    /// were shown.
    async fn prepare(&self, alert: &str, times: u8, teller: &Teller) -> anyhow::Result<()> {
        let path = format!("/api/v1/alerts/{alert}");
        let reply = self.composer.send(reqwest::Method::GET, &path, None).await?;
        let etag = reply.etag.clone().context("an alert has an ETag")?;
        let mut content = reply.ok()?["content"].clone();
        content["repeats"] = json!({ "times": times, "interval_s": INTERVAL_S });
        let body = json!({ "content": content });
        let headers = [("if-match", etag.as_str())];
        let edited = self.composer.send_with(reqwest::Method::PUT, &path, Some(&body), &headers);
        edited.await?.ok().context("edit the draft")?;
        self.composer.post(&format!("{path}/submit"), &json!({})).await?;
        let preview = self.composer.get(&format!("{path}/preview")).await?;
        let needed = match text(&preview, "needed")? {
            "one" => 0,
            "author_and_one" => 1,
            "author_and_two" => 2,
            other => anyhow::bail!("persons needed: {other}"),
        };
        let terminals = preview["terminals"].as_u64().context("terminals meant")?;
        teller.say(&format!(
            "值班员送审：{terminals} 只喇叭，需 {needed} 人签发 · submitted, {needed} approvals needed"
        ));
        for commander in self.commanders.iter().take(usize::try_from(needed).unwrap_or(usize::MAX))
        {
            let shown = commander.get(&path).await?;
            let approval = json!({
                "digest": text(&shown, "digest")?,
                "reason": "气象台红色预警，同意发布",
            });
            commander.post(&format!("{path}/approve"), &approval).await?;
        }
        teller.say("已签发 · approved");
        Ok(())
    }

    /// The composer issues. The time is taken just before the request leaves.
    async fn issue(&self, alert: &str, teller: &Teller) -> anyhow::Result<Timestamp> {
        let at = clock::now();
        self.composer.post(&format!("/api/v1/alerts/{alert}/issue"), &json!({})).await?;
        teller.say("发布 · issued");
        Ok(at)
    }

    /// A second warning, drawn as a polygon across the border of two towns.
    async fn polygon(&self, teller: &Teller) -> anyhow::Result<String> {
        let content = json!({
            "kind": "actual",
            "color": "orange",
            "event": "11B03",
            "texts": [{
                "language": "zh-CN",
                "headline": "暴雨橙色预警",
                "description": "灌口、后溪交界处雨量将超过50毫米",
                "instruction": "请远离河道，转移到高处",
            }],
            "area": { "polygons": [[
                { "lat": 24.600, "lon": 117.975 },
                { "lat": 24.600, "lon": 118.020 },
                { "lat": 24.625, "lon": 118.020 },
                { "lat": 24.625, "lon": 117.975 },
            ]] },
            "wants_out_of_area": true,
        });
        let made = self
            .composer
            .post(
                "/api/v1/alerts",
                &json!({
                    "region": "350211000000",
                    "content": content,
                }),
            )
            .await?;
        teller.say("值班员在地图上圈出两镇交界 · a polygon across a town border");
        Ok(text(&made, "id")?.to_owned())
    }

    /// One authorised person withdraws, with the prepared words.
    async fn withdraw(&self, alert: &str, teller: &Teller) -> anyhow::Result<Timestamp> {
        let at = clock::now();
        let reason = json!({ "reason": "演示：误发，立即撤销" });
        self.commanders[0].post(&format!("/api/v1/alerts/{alert}/withdraw"), &reason).await?;
        teller.say("撤销（播到一半）· withdrawn in the middle of speech");
        Ok(at)
    }

    async fn steps(&self, alert: &str) -> anyhow::Result<Steps> {
        let path = format!("/api/v1/alerts/{alert}/deliveries?limit=200");
        let listed = self.composer.get(&path).await?;
        let items = listed["items"].as_array().cloned().unwrap_or_default();
        let mut steps = items.iter().map(Step::read).collect::<anyhow::Result<Vec<_>>>()?;
        let path = format!("/api/v1/alerts/{alert}/receipts?limit=200");
        let listed = self.composer.get(&path).await?;
        for item in listed["items"].as_array().into_iter().flatten() {
            let receipt = Step::read(item)?;
            let is_same = |step: &&mut Step| {
                step.terminal == receipt.terminal && step.is_closing == receipt.is_closing
            };
            // A terminal that was not meant has no delivery; what it says are receipts alone.
            if let Some(step) = steps.iter_mut().find(is_same) {
                step.hear(&receipt);
            } else {
                let mut step = Step { is_meant: false, ..receipt.clone() };
                step.hear(&receipt);
                steps.push(step);
            }
        }
        Ok(Steps(steps))
    }

    async fn wait_for(
        &self,
        what: &str,
        deadline: Duration,
        alert: &str,
        holds: impl Fn(&Steps) -> bool,
    ) -> anyhow::Result<Steps> {
        clock::eventually(what, deadline, async || {
            let steps = self.steps(alert).await?;
            Ok(holds(&steps).then_some(steps))
        })
        .await
    }
}

/// What the dispatcher knows of one order at one terminal.
#[derive(Debug, Clone)]
struct Step {
    terminal: String,
    is_closing: bool,
    state: String,
    reason: Option<String>,
    accepted_at: Option<Timestamp>,
    verified_at: Option<Timestamp>,
    first_sound_at: Option<Timestamp>,
    finished_at: Option<Timestamp>,
    state_at: Option<Timestamp>,
    repeat: u64,
    is_meant: bool,
    /// Whether the second sounding began.
    has_begun_again: bool,
    /// When a sounding was cut by the end of its alert.
    cut_at: Option<Timestamp>,
}

impl Step {
    fn read(item: &Value) -> anyhow::Result<Self> {
        let at = |field: &str| item[field].as_str().and_then(|text| text.parse().ok());
        Ok(Self {
            terminal: text(item, "terminal")?.to_owned(),
            is_closing: ["lifted", "withdrawn"].contains(&item["purpose"].as_str().unwrap_or("")),
            state: text(item, "state")?.to_owned(),
            reason: item["reason"].as_str().map(str::to_owned),
            accepted_at: at("accepted_at"),
            verified_at: at("verified_at"),
            first_sound_at: at("first_sound_at"),
            finished_at: at("finished_at"),
            state_at: at("state_at").or_else(|| at("at")),
            repeat: item["repeat"].as_u64().unwrap_or(0),
            is_meant: true,
            has_begun_again: false,
            cut_at: None,
        })
    }

    /// Takes in one receipt, in the order in which they came.
    fn hear(&mut self, receipt: &Self) {
        match receipt.state.as_str() {
            "accepted" => self.accepted_at = self.accepted_at.or(receipt.state_at),
            "verified" => self.verified_at = self.verified_at.or(receipt.state_at),
            "started" if receipt.repeat == 2 => self.has_begun_again = true,
            "interrupted" if receipt.reason.as_deref() == Some("cancelled") => {
                self.cut_at = receipt.state_at;
            }
            // Whether it is meant is asked last: by then the order was found authentic.
            "refused" if receipt.reason.as_deref() == Some("out_of_area") => {
                self.verified_at = self.verified_at.or(receipt.state_at);
            }
            _ => {}
        }
        if !self.is_meant {
            self.state.clone_from(&receipt.state);
            self.reason = receipt.reason.clone().or(self.reason.take());
        }
    }
}

struct Steps(Vec<Step>);

impl Steps {
    fn of(&self, terminal: &str, is_closing: bool) -> Option<&Step> {
        self.0.iter().find(|step| step.terminal == terminal && step.is_closing == is_closing)
    }
}

fn at_terminals(
    stage: &Stage,
    alert: &str,
    title: &str,
    issued_at: Timestamp,
    withdrawn_at: Option<Timestamp>,
    steps: &Steps,
    meant: &[&String],
) -> AlertReport {
    let wavs = stage.wavs();
    let since = |from: Timestamp, at: Option<Timestamp>| Some(ms(from, at?));
    let terminals = stage.villages.iter().zip(wavs).map(|(village, wav)| {
        let step = steps.of(&village.id, false);
        let correction = steps.of(&village.id, true);
        AtTerminal {
            id: village.id.clone(),
            region: village.region.clone(),
            targeted: meant.contains(&&village.id),
            outcome: outcome(step),
            received_ms: since(issued_at, step.and_then(|s| s.accepted_at)),
            verified_ms: since(issued_at, step.and_then(|s| s.verified_at)),
            first_sound_ms: since(issued_at, step.and_then(|s| s.first_sound_at)),
            correction_ms: withdrawn_at
                .and_then(|from| since(from, correction.and_then(|s| s.first_sound_at))),
            finished: step.is_some_and(|s| s.finished_at.is_some()),
            wav: wav.map(|path| path.display().to_string()),
        }
    });
    AlertReport { alert: alert.to_owned(), title: title.to_owned(), terminals: terminals.collect() }
}

/// Milliseconds from `from` to `at`.
pub fn ms(from: Timestamp, at: Timestamp) -> i64 {
    i64::try_from(at.duration_since(from).as_millis()).unwrap_or(i64::MAX)
}

fn outcome(step: Option<&Step>) -> Outcome {
    match step {
        Some(step) if step.finished_at.is_some() => Outcome::Played,
        Some(step) if step.reason.as_deref() == Some("out_of_area") => Outcome::OutOfArea,
        Some(step) if step.state == "refused" => Outcome::Refused,
        Some(_) | None => Outcome::Silent,
    }
}

/// Until the last terminal was silent; `None` unless each was cut.
fn silence_ms(steps: &Steps, meant: &[&String], from: Timestamp) -> Option<i64> {
    let times = meant.iter().map(|id| Some(ms(from, steps.of(id, false)?.cut_at?)));
    times.collect::<Option<Vec<_>>>()?.into_iter().max()
}

fn failures(told: &Told, near: &str, far: &str) -> Vec<String> {
    let mut failures = Vec::new();
    let mut check = |holds: bool, what: &str| {
        if !holds {
            failures.push(what.to_owned());
        }
    };
    let outcomes = |alert: usize| {
        told.alerts[alert]
            .terminals
            .iter()
            .map(|t| (t.id.as_str(), t.outcome))
            .collect::<BTreeMap<_, _>>()
    };
    let (first, second) = (outcomes(0), outcomes(1));
    check(
        first.values().filter(|o| **o == Outcome::Played).count() == 2,
        "two towns heard the first alert",
    );
    check(first.get(far) == Some(&Outcome::Silent), "the third village stayed silent");
    check(
        second.get(near) == Some(&Outcome::Played),
        "the polygon's village heard the second alert",
    );
    check(second.get(far) == Some(&Outcome::OutOfArea), "the third node reported out_of_area");
    check(told.cancel_to_silence_ms.is_some(), "the withdrawal cut running speech in both towns");
    let corrected = told.alerts[0].terminals.iter().filter(|t| t.correction_ms.is_some()).count();
    check(corrected == 2, "the correction was heard in both towns");
    for alert in &told.alerts {
        for terminal in alert.terminals.iter().filter(|t| t.outcome == Outcome::Played) {
            let times = [terminal.received_ms, terminal.verified_ms, terminal.first_sound_ms];
            check(
                times.iter().all(Option::is_some) && times.is_sorted(),
                &format!("{} received, verified, sounded in this order", terminal.id),
            );
        }
    }
    failures
}
