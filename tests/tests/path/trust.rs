//! Keys that are renewed and revoked while loudspeakers speak, and drills that sound only where they
//! were enrolled.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde_json::{Value, json};
use tests::harness::api::Api;
use tests::harness::broker::BrokerKind;
use tests::harness::city::{CITY, City, program, text};
use tests::harness::clock;
use tests::harness::mqtt::{Client, Credentials};
use tests::harness::process::run;
use tests::harness::sound::PacedSink;
use tests::harness::village::{Card, Village};

use crate::rig::{FAR, FAR_TOWN, NEAR, NEAR_TOWN, Rig, SOUND_DEADLINE, has_finished};

/// How long the serving dispatcher may take to see a list or a certificate, and to tell a node.
const TAKEN_UP_DEADLINE: Duration = Duration::from_secs(30);

/// Silence that divides soundings; speech never pauses that long.
const GAP: Duration = Duration::from_millis(2_500);

/// Keys as the operators handle them: files and commands.
pub(crate) struct Keys<'c>(pub(crate) &'c City);

impl Keys<'_> {
    fn path(&self, name: &str) -> PathBuf {
        self.0.folder().join(name)
    }

    fn key(&self, words: &[&str]) -> anyhow::Result<String> {
        let folder = self.0.folder().display().to_string();
        let mut command = Command::new(program("dispatcher")?);
        command.arg("key").args(words.iter().map(|word| word.replace('@', &folder)));
        run(&mut command)
    }

    /// Makes the next certificate and puts it where the serving dispatcher finds it.
    fn rotate(&self, root: &str, out: &str, has_new_key: bool) -> anyhow::Result<()> {
        let (root, out) = (format!("@/roots/root-{root}.key"), format!("@/{out}"));
        let certificate = "@/dispatcher/dispatcher.cert";
        let mut words = vec!["rotate", "--root", &root, "--certificate", certificate];
        words.extend(["--early", "--out", &out]);
        if has_new_key {
            words.push("--new-key");
        }
        self.key(&words)?;
        let made = self.path(out.trim_start_matches("@/"));
        let files = ["dispatcher.key", "dispatcher.cert"];
        for file in files.iter().filter(|file| made.join(file).exists()) {
            std::fs::copy(made.join(file), self.path("dispatcher").join(file))?;
        }
        Ok(())
    }

    /// Revokes the key in use by the spare root and brings the list in.
    pub(crate) fn revoke_own(&self) -> anyhow::Result<()> {
        let own = "@/dispatcher/dispatcher.cert";
        let root = "@/roots/root-spare.key";
        self.key(&["revoke", "--root", root, "--first", "--certificate", own, "--out", "@/list"])?;
        let list = self.path("list").display().to_string();
        run(&mut self.0.command(&["key", "import-revocations", &list]))?;
        Ok(())
    }
}

async fn is_ready(api: &Api) -> anyhow::Result<bool> {
    Ok(api.send(Method::GET, "/readyz", None).await?.status.is_success())
}

/// What this terminal says of itself in its vitals.
async fn vitals(api: &Api, terminal: &str) -> anyhow::Result<Value> {
    let listed = api.get(&format!("/api/v1/liveness?region={CITY}")).await?;
    let items = listed["items"].as_array().cloned().unwrap_or_default();
    let found = items.into_iter().find(|item| item["terminal"] == terminal);
    Ok(found.map_or(Value::Null, |mut item| item["vitals"].take()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revoked_key_is_silenced_in_mid_sound_and_a_new_one_speaks_on() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let sink = PacedSink::start(folder.path()).await?;
    let mut rig = Rig::build(BrokerKind::Embedded, folder.path()).await?;
    rig.near.start(&Card::Paced(&sink))?;
    rig.online(1).await?;
    let alert = rig.warn(3, 0).await?;
    rig.receipt(&alert, "started", 1).await?;
    // Into the words, past the tone.
    clock::pause(Duration::from_secs(4)).await;
    Keys(&rig.city).revoke_own()?;
    let cut = rig.receipt(&alert, "interrupted", 1).await?;
    ensure!(cut["reason"] == "key_revoked", "{cut}");
    ensure!(!is_ready(&rig.officer).await?, "a revoked dispatcher is not ready");
    let refused = rig.warn(1, 0).await.expect_err("nothing is signed").to_string();
    ensure!(refused.contains("cannot-sign"), "{refused}");
    let doctor = rig.city.command(&["doctor"]).output()?;
    let said = String::from_utf8_lossy(&doctor.stdout).into_owned();
    ensure!(said.lines().any(|line| line.starts_with("broken revocations")), "{said}");

    Keys(&rig.city).rotate("active", "next", true)?;
    clock::eventually("the new key is taken up", TAKEN_UP_DEADLINE, async || {
        Ok(is_ready(&rig.officer).await?.then_some(()))
    })
    .await?;
    let second = rig.warn(1, 0).await?;
    let whole =
        rig.until("the new key is believed", &second, false, |d| has_finished(d, 1)).await?;
    let first = rig.delivery(&alert, false).await?;
    ensure!(first["repeats_finished"] == 0, "the revoked one sounded on: {first}");
    rig.near.stop().await?;
    // All that left the card: the beginning of the first, and the whole of the second.
    let frames = |said: &Value| said["evidence"]["frames"].as_u64().context("its frames");
    let (cut, whole) = (frames(&first)?, frames(&whole)?);
    let second = Duration::from_secs(1);
    let length = |frames: u64| Duration::from_secs(frames) / 48_000;
    // What lies between the two is not sound.
    let stretches = rig.near.sound()?.stretches(second / 2);
    let heard = stretches.iter().map(tests::harness::wav::Stretch::duration).sum::<Duration>();
    let (cut, whole) = (length(cut), length(whole));
    ensure!(cut > second, "the first was not heard at all: {cut:?}");
    ensure!(heard < cut + whole + second, "{heard:?} were heard, of {cut:?} and {whole:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_renewed_certificate_cancels_what_the_old_one_issued_and_both_are_believed()
-> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let sink = PacedSink::start(folder.path()).await?;
    let mut rig = Rig::build(BrokerKind::Embedded, folder.path()).await?;
    let before = rig.officer.get("/api/v1/liveness").await?;
    let alert = rig.warn(20, 1).await?;
    Keys(&rig.city).rotate("spare", "next", true)?;
    clock::eventually("the certificate is taken up", TAKEN_UP_DEADLINE, async || {
        let now = rig.officer.get("/api/v1/liveness").await?;
        Ok((now["certificate"]["expires_at"] != before["certificate"]["expires_at"]).then_some(()))
    })
    .await?;
    // The node hears of the alert only now: signed under the old certificate, sent under the new.
    rig.near.start(&Card::Paced(&sink))?;
    rig.online(1).await?;
    rig.until("what the old key signed sounds", &alert, false, |d| has_finished(d, 1)).await?;
    rig.receipt(&alert, "started", 2).await?;
    let path = format!("/api/v1/alerts/{alert}/withdraw");
    rig.officer.post(&path, &json!({ "reason": "误发" })).await?;
    rig.until("the new key ends it", &alert, true, |d| has_finished(d, 1)).await?;
    let ended = rig.receipt_of(&rig.near.id, &alert, "interrupted").await?;
    ensure!(ended["reason"] == "cancelled", "{ended}");
    // The same key again, under a third certificate.
    Keys(&rig.city).rotate("active", "third", false)?;
    let audit = rig.audit_actions().await?;
    ensure!(audit.iter().any(|action| action == "renew_certificate"), "{audit:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_reaches_who_was_away_and_outlives_the_broker() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let mut rig = Rig::build(BrokerKind::Mosquitto, folder.path()).await?;
    let (key, root) = ("0011223344556677", "@/roots/root-active.key");
    let keys = Keys(&rig.city);
    keys.key(&["revoke", "--root", root, "--first", "--key", key, "--out", "@/list"])?;
    let list = keys.path("list").display().to_string();
    run(&mut rig.city.command(&["key", "import-revocations", &list]))?;
    let sealed = std::fs::read(&list)?;
    let who = Credentials::own(&rig.near.id, &rig.near.mqtt_password()?);
    for is_new in [false, true] {
        if is_new {
            let broker = rig.broker.as_mut().context("an external broker")?;
            broker.process.kill()?;
            broker.restart().await?;
        }
        for region in [CITY, NEAR_TOWN, NEAR] {
            let topic = format!("tongluo/1/region/{region}/revocation");
            let found = clock::eventually("the list is retained", TAKEN_UP_DEADLINE, async || {
                let Some(mut client) = Client::connect(rig.broker_at, &who).await? else {
                    return Ok(None);
                };
                client.subscribe(std::slice::from_ref(&topic)).await?;
                Ok(client.message(Duration::from_millis(500)).await)
            });
            let found = found.await.with_context(|| format!("{topic}, {is_new}"))?;
            ensure!(found.payload[..] == sealed[..], "{topic} carries another list");
        }
    }
    // A node that was away all the time.
    rig.near.start(&Card::Unpaced)?;
    rig.online(1).await?;
    let id = rig.near.id.clone();
    clock::eventually("the node holds the list", SOUND_DEADLINE, async || {
        let said = vitals(&rig.officer, &id).await?;
        Ok((said["revocation_number"] == 1).then_some(()))
    })
    .await?;
    Ok(())
}

/// Somebody who may approve.
async fn approver(rig: &Rig, name: &str) -> anyhow::Result<Api> {
    let officer = rig.city.officer(name, "approver", CITY)?;
    rig.city.log_in(&officer).await
}

struct Drill {
    approvers: [Api; 2],
}

impl Drill {
    async fn enrol(
        rig: &Rig,
        drill: &str,
        village: &Village,
        lasts: SignedDuration,
    ) -> anyhow::Result<String> {
        let from = clock::now();
        let body = json!({
            "drill": drill,
            "terminals": [village.id],
            "from": from,
            "until": from + lasts,
        });
        let made = rig.officer.post("/api/v1/drill-enrolments", &body).await?;
        Ok(text(&made, "id")?.to_owned())
    }

    /// Drafts an exercise for both towns and has it approved; not issued yet.
    async fn approved(&self, rig: &Rig, drill: &str) -> anyhow::Result<String> {
        let content = json!({
            "kind": "exercise",
            "drill": drill,
            "color": "yellow",
            "event": "11B03",
            "texts": [{
                "language": "zh-CN",
                "headline": "暴雨黄色预警",
                "description": "今晚有暴雨",
                "instruction": "请远离河道，到高处去",
            }],
            "area": { "regions": [NEAR_TOWN, FAR_TOWN] },
            "repeats": { "times": 1, "interval_s": 0 },
        });
        let body = json!({ "region": CITY, "content": content });
        let made = rig.officer.post("/api/v1/alerts", &body).await?;
        let id = text(&made, "id")?.to_owned();
        let submitted =
            rig.officer.post(&format!("/api/v1/alerts/{id}/submit"), &json!({})).await?;
        let digest = text(&submitted, "digest")?;
        for approver in &self.approvers {
            let body = json!({ "digest": digest, "reason": "演练" });
            approver.post(&format!("/api/v1/alerts/{id}/approve"), &body).await?;
        }
        Ok(id)
    }

    async fn issue(&self, rig: &Rig, drill: &str) -> anyhow::Result<String> {
        let id = self.approved(rig, drill).await?;
        rig.officer.post(&format!("/api/v1/alerts/{id}/issue"), &json!({})).await?;
        Ok(id)
    }

    /// Whether the issue is refused because nobody is enrolled.
    async fn is_refused(&self, rig: &Rig, drill: &str) -> anyhow::Result<bool> {
        let id = self.approved(rig, drill).await?;
        let path = format!("/api/v1/alerts/{id}/issue");
        let reply = rig.officer.send(Method::POST, &path, Some(&json!({}))).await?;
        Ok(reply.status == 422 && reply.body["errors"][0]["slug"] == "not-enrolled")
    }
}

/// Waits until this terminal's delivery is as wanted.
async fn delivered(
    rig: &Rig,
    alert: &str,
    terminal: &str,
    holds: impl Fn(&Value) -> bool,
) -> anyhow::Result<Value> {
    let mut last = Value::Null;
    let waited = clock::eventually("the drill's delivery", SOUND_DEADLINE, async || {
        let listed = rig.officer.get(&format!("/api/v1/alerts/{alert}/deliveries")).await?;
        let items = listed["items"].as_array().cloned().unwrap_or_default();
        last = items.into_iter().find(|one| one["terminal"] == terminal).unwrap_or(Value::Null);
        Ok(holds(&last).then_some(()))
    });
    waited.await.with_context(|| format!("{terminal}: {last}"))?;
    Ok(last)
}

/// How much the device consumed for a sounding.
fn length(delivery: &Value) -> anyhow::Result<Duration> {
    let frames = delivery["evidence"]["frames"].as_u64().context("its frames")?;
    Ok(Duration::from_millis(frames / 48))
}

fn is_not_in_drill(delivery: &Value) -> bool {
    delivery["state"] == "refused" && delivery["reason"] == "not_in_drill"
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_exercise_sounds_in_its_frame_where_it_was_enrolled_and_nowhere_else()
-> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let sink = PacedSink::start(folder.path()).await?;
    let mut rig = Rig::build(BrokerKind::Embedded, folder.path()).await?;
    let (one, two) = (approver(&rig, "leader").await?, approver(&rig, "deputy").await?);
    let drill = Drill { approvers: [one, two] };
    for village in [&mut rig.near, &mut rig.far] {
        village.configure("[quiet]\nhours = []\n")?;
        village.start(&Card::Paced(&sink))?;
    }
    rig.online(2).await?;
    ensure!(drill.is_refused(&rig, "d1").await?, "nobody is enrolled");
    let day = SignedDuration::from_hours(24);
    let enrolment = Drill::enrol(&rig, "d1", &rig.near, day).await?;
    // The far one is enrolled as well, in another drill.
    Drill::enrol(&rig, "d2", &rig.far, day).await?;
    let first = drill.issue(&rig, "d1").await?;
    let exercise = delivered(&rig, &first, &rig.near.id, |d| has_finished(d, 1)).await;
    let exercise = exercise.context("enrolled")?;
    delivered(&rig, &first, &rig.far.id, is_not_in_drill).await.context("in another drill")?;
    rig.officer.post(&format!("/api/v1/drill-enrolments/{enrolment}/end"), &json!({})).await?;
    ensure!(drill.is_refused(&rig, "d1").await?, "the enrolment was ended");
    // The same words without the frame.
    let actual = rig.warn(1, 0).await?;
    let actual = delivered(&rig, &actual, &rig.near.id, |d| has_finished(d, 1)).await?;
    rig.near.stop().await?;
    rig.far.stop().await?;
    // Twice 演练，演练, of about a second each.
    let (framed, plain) = (length(&exercise)?, length(&actual)?);
    ensure!(framed > plain + Duration::from_millis(1_500), "{framed:?} and {plain:?}");
    let soundings = rig.near.sound()?.stretches(GAP);
    let heard = soundings.iter().map(tests::harness::wav::Stretch::duration).sum::<Duration>();
    ensure!(heard > (framed + plain).mul_f32(0.8), "of {framed:?} and {plain:?}: {heard:?}");
    ensure!(rig.far.sound()?.first_sound(0).is_none(), "the far village stayed silent");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_exercise_that_arrives_after_its_window_is_refused_by_the_node() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let mut rig = Rig::build(BrokerKind::Embedded, folder.path()).await?;
    let (one, two) = (approver(&rig, "leader").await?, approver(&rig, "deputy").await?);
    let drill = Drill { approvers: [one, two] };
    rig.near.configure("[quiet]\nhours = []\n")?;
    rig.near.start(&Card::Unpaced)?;
    rig.online(1).await?;
    let window = SignedDuration::from_secs(20);
    let enrolment = Drill::enrol(&rig, "d1", &rig.near, window).await?;
    let first = drill.issue(&rig, "d1").await?;
    delivered(&rig, &first, &rig.near.id, |d| has_finished(d, 1)).await.context("in time")?;
    rig.near.stop().await?;
    let late = drill.issue(&rig, "d1").await.context("still within the window")?;
    let path = "/api/v1/drill-enrolments?drill=d1";
    clock::eventually("the window is over", SOUND_DEADLINE, async || {
        let listed = rig.officer.get(path).await?;
        ensure!(listed["items"][0]["id"] == enrolment.as_str(), "{listed}");
        Ok((listed["items"][0]["state"] == "over").then_some(()))
    })
    .await?;
    rig.near.start(&Card::Unpaced)?;
    delivered(&rig, &late, &rig.near.id, is_not_in_drill).await.context("too late")?;
    ensure!(drill.is_refused(&rig, "d1").await?, "the window is over");
    let at: Timestamp = clock::now();
    let over = json!({
        "drill": "d3",
        "regions": [FAR],
        "from": at,
        "until": at + SignedDuration::from_hours(25),
    });
    let reply = rig.officer.send(Method::POST, "/api/v1/drill-enrolments", Some(&over)).await?;
    ensure!(reply.status == 422 && reply.body["errors"][0]["slug"] == "too-long", "{reply:?}");
    Ok(())
}
