//! What happens on the stage, told line by line.

use std::time::Duration;

use anyhow::Context as _;
use jiff::Timestamp;
use serde_json::json;

use super::report::AlertReport;
use super::stage::Stage;
use super::steps::Steps;
use super::verdict::{at_terminals, failures, silence_ms};
use crate::harness::api::Api;
use crate::harness::bulletin::Bulletin;
use crate::harness::city::text;
use crate::harness::clock;

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

    let second_steps = Steps::read(&people.composer, &second).await?;
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
    let bulletin = Bulletin::typhoon(&format!("{}-1", clock::now().as_second()))?;
    let reply = bulletin.hand_in(&stage.city.anonymous()?.bearing(&stage.token)).await?;
    let taken = reply.ok().context("hand in the CAP message")?;
    teller.say("气象台报文已收，成为草稿 · the CAP message became a draft");
    Ok(text(&taken, "alert")?.to_owned())
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

    async fn wait_for(
        &self,
        what: &str,
        deadline: Duration,
        alert: &str,
        holds: impl Fn(&Steps) -> bool,
    ) -> anyhow::Result<Steps> {
        clock::eventually(what, deadline, async || {
            let steps = Steps::read(&self.composer, alert).await?;
            Ok(holds(&steps).then_some(steps))
        })
        .await
    }
}
