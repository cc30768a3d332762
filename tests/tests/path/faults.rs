//! Nodes that were off, lost their power in mid-speech, or have no sound card.

use anyhow::ensure;
use tests::harness::broker::BrokerKind;
use tests::harness::sound::PacedSink;
use tests::harness::village::Card;

use crate::rig::{Rig, has_finished};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_was_off_sounds_when_it_comes_back_and_only_once() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let sink = PacedSink::start(folder.path()).await?;
    let mut rig = Rig::build(BrokerKind::Embedded, folder.path()).await?;
    let alert = rig.warn(1, 0).await?;
    rig.near.start(&Card::Paced(&sink))?;
    rig.until("it sounds after its return", &alert, false, |d| has_finished(d, 1)).await?;
    // Off and on again: what is finished on disk is never repeated.
    rig.near.stop().await?;
    rig.near.start(&Card::Paced(&sink))?;
    rig.online(1).await?;
    let second = rig.warn(1, 0).await?;
    rig.until("a later alert sounds", &second, false, |d| has_finished(d, 1)).await?;
    let first = rig.delivery(&alert, false).await?;
    ensure!(first["repeats_finished"] == 1, "{first}");
    let log = rig.near.process()?.log();
    let begun = log.matches("sounding 1 begins").count();
    ensure!(begun == 2, "two alerts began once each, {begun} begins are in the log");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sounding_cut_by_the_plug_is_sounded_again_and_the_city_restarts_too()
-> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let sink = PacedSink::start(folder.path()).await?;
    let mut rig = Rig::build(BrokerKind::Embedded, folder.path()).await?;
    rig.near.start(&Card::Paced(&sink))?;
    rig.online(1).await?;
    let alert = rig.warn(1, 0).await?;
    rig.until("it sounds", &alert, false, |d| d["state"] == "started").await?;
    rig.near.kill()?;
    rig.city.kill()?;
    rig.city.start().await?;
    rig.near.start(&Card::Paced(&sink))?;
    rig.until("it sounds to its end after the cut", &alert, false, |d| has_finished(d, 1)).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_sound_card_the_city_is_told_and_with_one_it_sounds() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let sink = PacedSink::start(folder.path()).await?;
    let mut rig = Rig::build(BrokerKind::Embedded, folder.path()).await?;
    rig.near.start(&Card::Absent)?;
    rig.online(1).await?;
    let alert = rig.warn(1, 0).await?;
    rig.until("the failure is reported", &alert, false, |d| {
        d["state"] == "failed" && d["reason"] == "no_audio_device"
    })
    .await?;
    rig.near.stop().await?;
    rig.near.start(&Card::Paced(&sink))?;
    rig.until("it sounds with a card", &alert, false, |d| has_finished(d, 1)).await?;
    Ok(())
}
