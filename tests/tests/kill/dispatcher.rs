//! A dispatcher that dies, and its broker with it, at every commit and at every message that
//! follows from one, while officers press and nodes sound.

use std::path::Path;

use anyhow::ensure;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tests::harness::api::Api;
use tests::harness::bulletin::Bulletin;
use tests::harness::city::{CITY, CityOptions, program, text};
use tests::harness::process::run;
use tests::harness::{clock, progress};

use crate::account::{Account, nobody_was_lost, until_finished, until_state};
use crate::mortal::{Hits, Node, Platform};
use crate::officer::{VILLAGE, begin, issued, press, relief, repeated, submitted};

/// From the press of an officer to what every reader is told.
const ISSUE: &[&str] = &[
    "answer.storing",
    "answer.stored",
    "publication.sending",
    "publication.noting",
    "publication.noted",
    "hello.noting",
    "hello.noted",
    "hello.answered",
    "receipts.storing",
    "receipts.stored",
    "receipts.acknowledged",
    "message.heard",
    "message.acknowledged",
    "vitals.noting",
    "vitals.noted",
];

/// Work that goes on beside alerts.
const BESIDE: &[&str] =
    &["audit_head.storing", "audit_head.stored", "speech.storing", "speech.stored"];

/// Only when the record has grown since the last start.
const AUDIT: &[&str] = &["audit_head.recorded"];

const EXPIRY: &[&str] = &["expiry.storing", "expiry.stored"];

const CERTIFICATE: &[&str] = &["certificate.noting", "certificate.noted"];

const CAP: &[&str] = &["cap.storing", "cap.stored"];

/// All deaths of this scenario.
pub(crate) const DEATHS: &[&[&str]] = &[ISSUE, BESIDE, AUDIT, EXPIRY, CERTIFICATE, CAP];

/// Repeats of the alert under which it dies, and seconds between them: receipts keep coming.
const REPEATS: (u8, u16) = (20, 2);

/// 莲花镇 莲花村.
const ELSEWHERE: &str = "350212105201";

/// Time for a submit on a busy machine.
const VALID: SignedDuration = SignedDuration::from_secs(20);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dispatcher_that_dies_at_any_commit_issues_once_and_loses_nothing() -> anyhow::Result<()>
{
    let folder = tempfile::tempdir()?;
    let mut platform = Platform::prepare(folder.path(), &CityOptions::default())?;
    let admin = platform.city.officer("admin", "admin", CITY)?;
    let officer = begin(&mut platform).await?;
    let service = service(&platform.city.log_in(&admin).await?).await?;
    // Planned and never switched on: the other town that the meteorological service names.
    platform.city.enrolment_code(ELSEWHERE, None)?;
    let mut nodes = Vec::new();
    for name in ["one", "two"] {
        let mut node = Node::enrol(&platform.city, folder.path(), name, VILLAGE)?;
        node.start()?;
        nodes.push(node);
    }
    progress::until_online(&officer, nodes.len()).await?;

    let alert = submitted(&officer, &repeated(REPEATS.0, REPEATS.1)).await?;
    platform.end()?;
    dies(&mut platform, ISSUE, &officer, &alert, "issue", &json!({})).await?;
    platform.die_at(BESIDE).await?;
    platform.start().await?;
    let ids = nodes.iter().map(|node| node.village.id.as_str()).collect::<Vec<_>>();
    withdrawn(&mut platform, &officer, &nodes).await?;
    until_finished(&officer, &alert, false, &ids, REPEATS.0.into()).await?;
    let account = Account::of(&officer, &alert).await?;
    for node in &nodes {
        account.check_once(node, REPEATS.0.into())?;
        account.check_journal(node, REPEATS.0.into())?;
    }
    let officer = relief(&platform).await?;
    expired(&mut platform, &officer, &nodes).await?;
    platform.die_at(AUDIT).await?;
    platform.start().await?;
    certified(&mut platform, &officer, &nodes).await?;
    relayed(&mut platform, &officer, &service).await?;
    platform.start().await?;
    nobody_was_lost(&officer, &ids).await?;
    Hits::below(folder.path()).report(&DEATHS.concat())
}

/// A step of an alert's life, pressed again and again while the dispatcher dies of it.
async fn dies(
    platform: &mut Platform,
    points: &[&str],
    officer: &Api,
    alert: &str,
    step: &str,
    body: &Value,
) -> anyhow::Result<()> {
    let path = format!("/api/v1/alerts/{alert}/{step}");
    let death = async {
        platform.die_at(points).await?;
        platform.start().await
    };
    tokio::try_join!(press(officer, &path, body), death)?;
    Ok(())
}

/// Withdrawn in mid-sounding: the end is heard once, and of the alert nothing after it.
async fn withdrawn(platform: &mut Platform, officer: &Api, nodes: &[Node]) -> anyhow::Result<()> {
    let ids = nodes.iter().map(|node| node.village.id.as_str()).collect::<Vec<_>>();
    let alert = issued(officer, &repeated(20, 1)).await?;
    until_finished(officer, &alert, false, &ids, 1).await?;
    platform.end()?;
    let points = ["answer.storing", "answer.stored", "publication.noting"];
    dies(platform, &points, officer, &alert, "withdraw", &json!({ "reason": "误发" })).await?;
    until_finished(officer, &alert, true, &ids, 1).await?;
    let said = progress::receipts(officer, &alert).await?;
    let at = |one: &Value| one["at"].as_str().and_then(|at| at.parse::<Timestamp>().ok());
    for id in ids {
        let own = || said.iter().filter(|one| one["terminal"] == id);
        let closings = || own().filter(|one| progress::is_closing(one));
        let finished = closings().filter(|one| one["state"] == "finished").count();
        ensure!(finished == 1, "{id} heard the end {finished} times: {said:?}");
        let accepted = closings().filter(|one| one["state"] == "accepted").filter_map(at).max();
        let begun = own().filter(|one| !progress::is_closing(one) && one["state"] == "started");
        ensure!(begun.filter_map(at).max() < accepted, "{id} began after the end: {said:?}");
    }
    Ok(())
}

/// Runs out while the dispatcher dies of noting it: it is noted once.
async fn expired(platform: &mut Platform, officer: &Api, nodes: &[Node]) -> anyhow::Result<()> {
    let mut content = repeated(20, 2);
    let expires_at = clock::now() + VALID;
    content["expires_at"] = json!(expires_at);
    let alert = issued(officer, &content).await?;
    let ids = nodes.iter().map(|node| node.village.id.as_str()).collect::<Vec<_>>();
    until_finished(officer, &alert, false, &ids, 1).await?;
    platform.die_at(EXPIRY).await?;
    platform.start().await?;
    until_state(officer, &alert, "closed").await?;
    let entries = officer.get("/api/v1/audit?limit=200").await?;
    let entries = entries["items"].as_array().cloned().unwrap_or_default();
    let object = format!("alert:{alert}");
    let is_expiry = |one: &&Value| one["action"] == "alert_expired" && one["object"] == object;
    let noted = entries.iter().filter(is_expiry).count();
    ensure!(noted == 1, "the expiry of {alert} stands {noted} times in the record: {entries:?}");
    let after = issued(officer, &repeated(1, 0)).await?;
    until_finished(officer, &after, false, &ids, 1).await?;
    Account::of(officer, &alert).await?.check_silent_from(expires_at)
}

/// The certificate is renewed while it serves: whoever dies of it serves under the new one.
async fn certified(platform: &mut Platform, officer: &Api, nodes: &[Node]) -> anyhow::Result<()> {
    for point in CERTIFICATE {
        let before = officer.get("/api/v1/liveness").await?["certificate"].clone();
        platform.doom(point).await?;
        rotate(&platform.city, point)?;
        platform.died(point).await?;
        platform.start().await?;
        let after = officer.get("/api/v1/liveness").await?["certificate"].clone();
        ensure!(after["expires_at"] != before["expires_at"], "{point}: {before} then {after}");
    }
    let alert = issued(officer, &repeated(1, 0)).await?;
    let ids = nodes.iter().map(|node| node.village.id.as_str()).collect::<Vec<_>>();
    until_finished(officer, &alert, false, &ids, 1).await?;
    let account = Account::of(officer, &alert).await?;
    nodes.iter().try_for_each(|node| account.check_once(node, 1))
}

/// The next certificate, where the serving dispatcher finds it.
fn rotate(city: &tests::harness::city::City, out: &str) -> anyhow::Result<()> {
    let (folder, own) = (city.folder(), city.folder().join("dispatcher"));
    let made = folder.join(out);
    let mut rotate = std::process::Command::new(program("dispatcher")?);
    rotate.args(["key", "rotate", "--early", "--root"]).arg(folder.join("roots/root-active.key"));
    rotate.arg("--certificate").arg(own.join("dispatcher.cert")).arg("--out").arg(&made);
    run(&mut rotate)?;
    let replace = |made: &Path, own: &Path| std::fs::copy(made, own);
    replace(&made.join("dispatcher.cert"), &own.join("dispatcher.cert"))?;
    Ok(())
}

/// A message of the meteorological service, handed in until it is answered, is one alert.
async fn relayed(platform: &mut Platform, officer: &Api, service: &Api) -> anyhow::Result<()> {
    let message = Bulletin::typhoon("killed-1")?;
    let mut answers = Vec::new();
    for point in CAP {
        platform.doom(point).await?;
        let lost = message.hand_in(service).await;
        ensure!(lost.is_err(), "it was answered: {lost:?}");
        platform.died(point).await?;
        platform.start().await?;
        // The sender hears nothing after the first death, too.
        if *point == CAP[1] {
            answers.push(message.hand_in(service).await?.ok()?);
        }
    }
    answers.push(message.hand_in(service).await?.ok()?);
    for answer in &answers {
        ensure!(answer["is_replay"] == true, "{answer}");
        ensure!(answer["alert"] == answers[0]["alert"], "{answers:?}");
    }
    let alert = text(&answers[0], "alert")?;
    let kept = officer.get(&format!("/api/v1/alerts/{alert}")).await?;
    ensure!(kept["state"] == "draft", "{kept}");
    let listed = officer.get("/api/v1/alerts?limit=200").await?;
    let listed = listed["items"].as_array().cloned().unwrap_or_default();
    let made = listed.iter().filter(|one| one["origin"] == kept["origin"]).count();
    ensure!(made == 1, "{made} alerts of one message: {listed:?}");
    Ok(())
}

/// The meteorological service, with a token of its own.
async fn service(admin: &Api) -> anyhow::Result<Api> {
    let wanted = json!({
        "name": "气象台",
        "region": CITY,
        "scope": "cap:submit",
        "expires_at": clock::now() + SignedDuration::from_hours(24),
    });
    let made = admin.post("/api/v1/tokens", &wanted).await?;
    Ok(admin.bearing(text(&made, "secret")?))
}
