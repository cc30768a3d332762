//! Stop over HTTP: a region falls silent and sounds again, at the word of who may.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use reqwest::Method;
use serde_json::{Value, json};
use tests::harness::api::{Api, Reply};
use tests::harness::city::{CITY, text};
use tests::harness::listener::Listener;

use crate::cases::{Rig, TOWN, expect_problem};

const EVENT_DEADLINE: Duration = Duration::from_secs(20);

async fn place(api: &Api, region: &str, reason: &str) -> anyhow::Result<Reply> {
    let body = json!({ "region": region, "reason": reason });
    api.send(Method::POST, "/api/v1/stops", Some(&body)).await
}

async fn lift(api: &Api, id: &str) -> anyhow::Result<Reply> {
    api.send(Method::POST, &format!("/api/v1/stops/{id}/lift"), Some(&json!({}))).await
}

async fn in_force(api: &Api) -> anyhow::Result<Vec<Value>> {
    let listed = api.get("/api/v1/stops?in_force=true").await?;
    listed["items"].as_array().cloned().context("a page of stops")
}

pub(crate) async fn who_may_not_stops_nothing(rig: &Rig) -> anyhow::Result<()> {
    for (who, api, region) in [
        ("a composer of another district", &rig.stranger, TOWN),
        ("a composer, for the whole city", &rig.composer, CITY),
        ("a commander, for another city", &rig.commander, "350100000000"),
        ("a viewer", &rig.viewer, TOWN),
    ] {
        let reply = place(api, region, "测试").await?;
        expect_problem(&reply, 403, who)?;
    }
    for reason in ["", "  ", &"长".repeat(67)] {
        let reply = place(&rig.composer, TOWN, reason).await?;
        expect_problem(&reply, 422, "a reason of 1 to 200 bytes")?;
        ensure!(reply.body["errors"][0]["pointer"] == "/reason", "{}", reply.body);
    }
    let standing = in_force(&rig.commander).await?;
    ensure!(standing.is_empty(), "a refusal left a stop: {standing:?}");
    Ok(())
}

pub(crate) async fn a_region_is_stopped_once_and_lifted_once(rig: &Rig) -> anyhow::Result<()> {
    let mut listener = Listener::open(&rig.viewer, None).await?;
    let reply = place(&rig.composer, TOWN, "误播，先停").await?;
    ensure!(reply.status == 201, "{}: {}", reply.status, reply.body);
    let stop = text(&reply.body, "id")?.to_owned();
    ensure!(reply.body["is_in_force"] == true && reply.body["region"] == TOWN, "{}", reply.body);
    let told =
        listener.until("the stop", EVENT_DEADLINE, |told| told.kind() == "stop_placed").await?;
    ensure!(told.topic == "attention" && told.data["stop"] == stop, "{told:?}");
    expect_problem(&place(&rig.commander, TOWN, "再停").await?, 409, "a second stop")?;
    let shown = in_force(&rig.viewer).await?;
    ensure!(shown.len() == 1 && shown[0]["id"] == stop, "{shown:?}");
    let abroad = in_force(&rig.stranger).await?;
    ensure!(abroad.is_empty(), "another district sees the stop: {abroad:?}");

    expect_problem(&lift(&rig.stranger, &stop).await?, 403, "lifted by another district")?;
    expect_problem(&lift(&rig.viewer, &stop).await?, 403, "lifted by a viewer")?;
    let lifted = lift(&rig.composer, &stop).await?.ok()?;
    ensure!(lifted["is_in_force"] == false && lifted["lifted_by"].is_string(), "{lifted}");
    let told =
        listener.until("its lifting", EVENT_DEADLINE, |told| told.kind() == "stop_lifted").await?;
    ensure!(told.data["stop"] == stop, "{told:?}");
    expect_problem(&lift(&rig.composer, &stop).await?, 409, "lifted twice")?;
    let nowhere = "00000000-0000-7000-8000-000000000000";
    expect_problem(&lift(&rig.composer, nowhere).await?, 404, "a stop that never was")?;
    ensure!(in_force(&rig.viewer).await?.is_empty(), "a lifted stop is in force");
    let all = rig.viewer.get("/api/v1/stops").await?;
    ensure!(all["items"][0]["id"] == stop, "the record forgot the stop: {all}");
    // Silenced again after its lifting, as somebody errs twice.
    let again = place(&rig.composer, TOWN, "又误播").await?.ok()?;
    lift(&rig.composer, text(&again, "id")?).await?.ok()?;
    Ok(())
}
