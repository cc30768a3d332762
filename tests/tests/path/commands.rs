//! What keeps a loudspeaker silent over the real path: a stop until it is lifted, a drill that it
//! is no part of, quiet hours that bind a test and never a real red.

use anyhow::ensure;
use jiff::{Timestamp, tz};
use serde_json::json;
use tests::harness::broker::BrokerKind;
use tests::harness::city::{CITY, text};
use tests::harness::clock;
use tests::harness::sound::PacedSink;
use tests::harness::village::Card;

use crate::rig::{FAR_TOWN, NEAR_TOWN, Rig, content, has_finished};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_cuts_what_sounds_and_its_lifting_lets_it_sound_again() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let sink = PacedSink::start(folder.path()).await?;
    let mut rig = Rig::build(BrokerKind::Embedded, folder.path()).await?;
    rig.near.start(&Card::Paced(&sink))?;
    rig.online(1).await?;
    let alert = rig.warn(1, 0).await?;
    rig.receipt(&alert, "started", 1).await?;
    let stop = json!({ "region": NEAR_TOWN, "reason": "误播，先停" });
    let stop = rig.officer.post("/api/v1/stops", &stop).await?;
    let cut = rig.receipt(&alert, "interrupted", 1).await?;
    ensure!(cut["reason"] == "stopped", "{cut}");
    // What comes while it is silenced is verified and waits.
    let second = rig.warn(1, 0).await?;
    rig.receipt_of(&rig.near.id, &second, "verified").await?;
    let begun = rig.receipts_of(&rig.near.id, &second, "started").await?;
    ensure!(begun.is_empty(), "it sounded under a stop: {begun:?}");
    let lift = format!("/api/v1/stops/{}/lift", text(&stop, "id")?);
    rig.officer.post(&lift, &json!({})).await?;
    rig.until("the second one is heard", &second, false, |d| has_finished(d, 1)).await?;
    let began = rig.receipt_of(&rig.near.id, &second, "started").await?;
    let lifted_at = rig.officer.get("/api/v1/stops").await?["items"][0]["lifted_at"].clone();
    let at = |value: &serde_json::Value| value.as_str().unwrap_or_default().parse::<Timestamp>();
    ensure!(at(&began["at"])? > at(&lifted_at)?, "{began} lies before the lifting at {lifted_at}");
    rig.until("the first one too, from its start", &alert, false, |d| has_finished(d, 1)).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drill_without_enrolment_and_a_test_in_quiet_hours_are_silent_and_a_real_red_is_not()
-> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let sink = PacedSink::start(folder.path()).await?;
    let mut rig = Rig::build(BrokerKind::Embedded, folder.path()).await?;
    rig.near.configure(&quiet_now())?;
    rig.far.configure("[quiet]\nhours = []\n")?;
    rig.near.start(&Card::Paced(&sink))?;
    rig.far.start(&Card::Paced(&sink))?;
    rig.online(2).await?;

    // One of the two is enrolled, else nothing would be issued.
    let from = clock::now();
    let enrolment = json!({
        "drill": "2026-防汛-1",
        "terminals": [rig.near.id],
        "from": from,
        "until": from + jiff::SignedDuration::from_hours(1),
    });
    rig.officer.post("/api/v1/drill-enrolments", &enrolment).await?;
    let mut drill = content("yellow", &[NEAR_TOWN, FAR_TOWN]);
    drill["kind"] = json!("exercise");
    drill["drill"] = json!("2026-防汛-1");
    let drill = rig.draft(CITY, &drill).await?;
    rig.issue_at_once(&drill).await?;
    let refused = rig.receipt_of(&rig.far.id, &drill, "refused").await?;
    ensure!(refused["reason"] == "not_in_drill", "{refused}");

    let mut test = content("yellow", &[NEAR_TOWN, FAR_TOWN]);
    test["kind"] = json!("test");
    let test = rig.draft(CITY, &test).await?;
    rig.issue_at_once(&test).await?;
    // Where no hour is quiet it is heard to its end; by then the other one would have begun.
    rig.receipt_of(&rig.near.id, &test, "verified").await?;
    rig.receipt_of(&rig.far.id, &test, "finished").await?;
    let begun = rig.receipts_of(&rig.near.id, &test, "started").await?;
    ensure!(begun.is_empty(), "a test began in quiet hours: {begun:?}");
    ensure!(rig.near.sound()?.first_sound(0).is_none(), "something was heard in quiet hours");

    let red = rig.draft(NEAR_TOWN, &content("red", &[NEAR_TOWN])).await?;
    rig.issue_at_once(&red).await?;
    rig.until("a real red is heard in quiet hours", &red, false, |d| has_finished(d, 1)).await?;
    let begun = rig.receipts_of(&rig.far.id, &drill, "started").await?;
    ensure!(begun.is_empty(), "a drill began without enrolment: {begun:?}");
    Ok(())
}

/// Quiet from the hour before this one to the hour after the next, by Beijing time.
fn quiet_now() -> String {
    let hour = clock::now().to_zoned(tz::TimeZone::fixed(tz::offset(8))).hour();
    let at = |ahead: i8| (hour + 24 + ahead) % 24;
    format!("[quiet]\nhours = [\"{}-{}\"]\n", at(-1), at(2))
}
