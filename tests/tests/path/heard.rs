//! A warning is heard where it is meant and nowhere else, over each broker; a withdrawal cuts it
//! and its correction is heard.

use std::time::Duration;

use anyhow::ensure;
use serde_json::json;
use tests::harness::broker::BrokerKind;
use tests::harness::clock;
use tests::harness::sound::PacedSink;
use tests::harness::village::Card;
use tests::harness::wav::{self, Stretch};

use crate::rig::{Rig, has_finished};

/// Silence that divides soundings; speech never pauses that long.
const GAP: Duration = Duration::from_millis(2_500);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_the_embedded_broker_a_withdrawal_cuts_speech_and_is_explained() -> anyhow::Result<()>
{
    heard_and_withdrawn(BrokerKind::Embedded).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_mosquitto_a_withdrawal_cuts_speech_and_is_explained() -> anyhow::Result<()> {
    heard_and_withdrawn(BrokerKind::Mosquitto).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_nats_a_withdrawal_cuts_speech_and_is_explained() -> anyhow::Result<()> {
    heard_and_withdrawn(BrokerKind::Nats).await
}

async fn heard_and_withdrawn(kind: BrokerKind) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let sink = PacedSink::start(folder.path()).await?;
    let mut rig = Rig::build(kind, folder.path()).await?;
    rig.near.start(&Card::Paced(&sink))?;
    rig.far.start(&Card::Paced(&sink))?;
    rig.online(2).await?;
    let alert = rig.warn(2, 40).await?;
    rig.until("the first sounding ends", &alert, false, |d| has_finished(d, 1)).await?;
    rig.receipt(&alert, "started", 2).await?;
    // Into the words, past the tone.
    clock::pause(Duration::from_secs(6)).await;
    let path = format!("/api/v1/alerts/{alert}/withdraw");
    rig.officer.post(&path, &json!({ "reason": "误发" })).await?;
    let cut = rig.receipt(&alert, "interrupted", 2).await?;
    ensure!(cut["reason"] == "cancelled", "{cut}");
    rig.until("the correction is heard", &alert, true, |d| has_finished(d, 1)).await?;
    rig.near.stop().await?;
    rig.far.stop().await?;

    let near = rig.near.sound()?;
    let soundings = near.stretches(GAP);
    ensure!(soundings.len() >= 2, "soundings were heard: {soundings:?}");
    ensure!(near.clipped_runs() == 0, "the sound is clipped");
    let first = soundings[0];
    let tone = Stretch { begin: first.begin, end: first.begin + wav::RATE as usize };
    ensure!(near.tonality(tone) > 0.5, "a sounding begins with a tone: {}", near.tonality(tone));
    let words = Stretch { begin: usize::midpoint(first.begin, first.end), end: first.end };
    ensure!(near.tonality(words) < 0.5, "the tone is followed by words");
    ensure!(near.rms(words) > 0.01, "the words are loud enough: {}", near.rms(words));
    ensure!(rig.far.sound()?.first_sound(0).is_none(), "the far village stayed silent");
    Ok(())
}
