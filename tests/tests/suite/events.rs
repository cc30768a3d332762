//! The stream of events: replay, gaps, who sees what, and a pulled plug in between.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use reqwest::Method;
use serde_json::json;
use tests::harness::api::Api;
use tests::harness::city::text;
use tests::harness::listener::{Listener, Told};

use crate::cases::{Rig, TOWN, content, expect_problem};
use crate::database::Database;

const EVENT_DEADLINE: Duration = Duration::from_secs(20);

async fn draft(api: &Api, region: &str) -> anyhow::Result<String> {
    let body = json!({ "region": region, "content": content("blue", region) });
    let made = api.post("/api/v1/alerts", &body).await?;
    Ok(text(&made, "id")?.to_owned())
}

fn is_about(alert: &str) -> impl Fn(&Told) -> bool {
    move |told| told.data["alert"] == alert
}

fn is_rising(told: &[Told]) -> bool {
    told.windows(2).all(|pair| pair[0].id < pair[1].id)
}

pub(crate) async fn another_district_sees_nothing_of_it(rig: &Rig) -> anyhow::Result<()> {
    let mut abroad = Listener::open(&rig.stranger, None).await?;
    let mut here = Listener::open(&rig.viewer, None).await?;
    let ours = draft(&rig.composer, TOWN).await?;
    let theirs = draft(&rig.stranger, "350206001000").await?;
    here.until("our draft", EVENT_DEADLINE, is_about(&ours)).await?;
    here.until("their draft, for the whole city", EVENT_DEADLINE, is_about(&theirs)).await?;
    // Told in order: when theirs has come, ours would have come before.
    abroad.until("their draft", EVENT_DEADLINE, is_about(&theirs)).await?;
    let leak = abroad.told.iter().find(|told| told.data.to_string().contains(&ours));
    ensure!(leak.is_none(), "another district was told {leak:?}");
    let unknown = rig.viewer.send(Method::GET, "/api/v1/events?topics=gossip", None).await?;
    expect_problem(&unknown, 400, "an unknown topic")
}

pub(crate) async fn a_gap_is_said_and_never_passed_over(rig: &Rig) -> anyhow::Result<()> {
    let mut listener = Listener::open(&rig.viewer, None).await?;
    let first = draft(&rig.composer, TOWN).await?;
    let place = listener.until("a draft", EVENT_DEADLINE, is_about(&first)).await?.id;

    // Above the newest: a place in a database that was restored from a backup since.
    let mut lost = Listener::open(&rig.viewer, Some(place + 1_000_000)).await?;
    let told = lost.until("resync", EVENT_DEADLINE, |_| true).await?;
    ensure!(told.topic == "resync" && told.id >= place, "{told:?}");

    // Forgotten meanwhile, as everything is after a day.
    let database = Database::open(&rig.city.database_url).await?;
    database.run(&format!("delete from events where seq <= {place}")).await?;
    let mut late = Listener::open(&rig.viewer, Some(place - 1)).await?;
    let told = late.until("resync", EVENT_DEADLINE, |_| true).await?;
    ensure!(told.topic == "resync", "{told:?}");
    let second = draft(&rig.composer, TOWN).await?;
    let told = late.until("it goes on from the present", EVENT_DEADLINE, is_about(&second)).await?;
    ensure!(told.id > place && is_rising(&late.told), "{:?}", late.told);
    Ok(())
}

pub(crate) async fn a_reader_goes_on_where_it_was_after_a_pulled_plug(
    rig: &mut Rig,
) -> anyhow::Result<()> {
    let mut listener = Listener::open(&rig.viewer, None).await?;
    let seen = draft(&rig.composer, TOWN).await?;
    let place = listener.until("a draft", EVENT_DEADLINE, is_about(&seen)).await?.id;
    drop(listener);
    let missed = draft(&rig.composer, TOWN).await?;
    rig.city.kill()?;
    rig.city.start().await.context("after the plug")?;
    let after = draft(&rig.composer, TOWN).await?;
    let mut listener = Listener::open(&rig.viewer, Some(place)).await?;
    listener.until("what came after the plug", EVENT_DEADLINE, is_about(&after)).await?;
    let told = &listener.told;
    ensure!(told.iter().all(|told| told.topic != "resync"), "there is no gap: {told:?}");
    ensure!(told.first().is_some_and(|told| told.id == place + 1), "from the next on: {told:?}");
    ensure!(is_rising(told) && !told.iter().any(is_about(&seen)), "told twice: {told:?}");
    ensure!(told.iter().filter(|told| is_about(&missed)(told)).count() == 1, "{told:?}");
    Ok(())
}
