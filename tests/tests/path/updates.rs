//! An update that reaches less than its predecessor: who is left out falls silent in mid-speech.

use anyhow::ensure;
use serde_json::json;
use tests::harness::broker::BrokerKind;
use tests::harness::city::{CITY, text};
use tests::harness::sound::PacedSink;
use tests::harness::village::Card;

use crate::rig::{FAR_TOWN, NEAR_TOWN, Rig, content, has_finished};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_village_that_an_update_leaves_out_falls_silent() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let sink = PacedSink::start(folder.path()).await?;
    let mut rig = Rig::build(BrokerKind::Embedded, folder.path()).await?;
    rig.near.start(&Card::Paced(&sink))?;
    rig.far.start(&Card::Paced(&sink))?;
    rig.online(2).await?;
    let wide = rig.draft(CITY, &content("yellow", &[NEAR_TOWN, FAR_TOWN])).await?;
    rig.issue_at_once(&wide).await?;
    rig.receipt_of(&rig.near.id, &wide, "started").await?;
    rig.receipt_of(&rig.far.id, &wide, "started").await?;

    let narrow = json!({ "content": content("yellow", &[NEAR_TOWN]) });
    let narrow = rig.officer.post(&format!("/api/v1/alerts/{wide}/update"), &narrow).await?;
    let narrow = text(&narrow, "id")?.to_owned();
    rig.issue_at_once(&narrow).await?;
    let cut = rig.receipt_of(&rig.far.id, &wide, "interrupted").await?;
    ensure!(cut["reason"] == "updated", "{cut}");
    rig.until("the update is heard where it reaches", &narrow, false, |d| has_finished(d, 1))
        .await?;
    let heard = rig.receipts_of(&rig.far.id, &wide, "finished").await?;
    ensure!(heard.is_empty(), "the village that was left out heard it to its end: {heard:?}");
    let begun = rig.receipts_of(&rig.far.id, &narrow, "started").await?;
    ensure!(begun.is_empty(), "the update was heard where it does not reach: {begun:?}");
    Ok(())
}
