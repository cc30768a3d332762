//! The service itself: health, metrics, documents, events, and a pulled plug.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use futures::StreamExt as _;
use reqwest::Method;
use serde_json::json;
use tests::harness::city::text;

use crate::cases::{Rig, TOWN, content, expect_problem};

pub(crate) async fn answers_health_metrics_and_documents(rig: &Rig) -> anyhow::Result<()> {
    let anybody = rig.city.anonymous()?;
    for path in ["/healthz", "/readyz", "/metrics"] {
        let reply = anybody.send(Method::GET, path, None).await?;
        ensure!(reply.status.is_success(), "{path}: {}", reply.status);
    }
    let nowhere = anybody.send(Method::GET, "/api/v1/no-such-noun", None).await?;
    expect_problem(&nowhere, 404, "an unknown path")
}

pub(crate) async fn names_a_refusal_by_the_trace_of_its_caller(
    rig: &mut Rig,
) -> anyhow::Result<()> {
    let id = "4bf92f3577b34da6a3ce929d0e0e4736";
    let parent = format!("00-{id}-00f067aa0ba902b7-01");
    let nowhere = "/api/v1/alerts/no-such-alert";
    let headers = [("traceparent", parent.as_str())];
    let named = rig.composer.send_with(Method::GET, nowhere, None, &headers).await?;
    expect_problem(&named, 404, "an unknown alert")?;
    ensure!(named.body["instance"] == id, "{}", named.body);
    let drawn = rig.composer.send(Method::GET, nowhere, None).await?;
    let drawn = text(&drawn.body, "instance")?.to_owned();
    ensure!(drawn.len() == 32 && drawn != id, "{drawn}");
    let log = rig.city.process()?.log();
    for trace in [id, &drawn] {
        let is_told =
            log.lines().any(|line| line.contains(trace) && line.contains("no such alert"));
        ensure!(is_told, "the log does not name {trace}");
    }
    Ok(())
}

pub(crate) async fn shows_with_a_terminal_how_it_is(rig: &Rig) -> anyhow::Result<()> {
    let all = rig.viewer.get("/api/v1/terminals").await?;
    let items = all["items"].as_array().context("a page of terminals")?;
    ensure!(!items.is_empty(), "two were enrolled");
    for item in items {
        let liveness = &item["liveness"];
        // They joined and were never started, so nobody heard them.
        ensure!(["unknown", "late", "lost"].iter().any(|it| liveness["state"] == *it), "{item}");
        ensure!(liveness["last_seen_at"].is_null() && liveness["vitals"].is_null(), "{item}");
        ensure!(liveness["faults"].as_array().is_some_and(Vec::is_empty), "{item}");
        let one = rig.viewer.get(&format!("/api/v1/terminals/{}", text(item, "id")?)).await?;
        ensure!(one["liveness"]["state"].is_string(), "{one}");
    }
    Ok(())
}

pub(crate) async fn tells_events_again_from_where_a_reader_left(rig: &Rig) -> anyhow::Result<()> {
    let draft = json!({ "region": TOWN, "content": content("blue", TOWN) });
    let made = rig.composer.post("/api/v1/alerts", &draft).await?;
    let id = text(&made, "id")?;
    let path = "/api/v1/events";
    let session = rig.composer.bearer().context("logged in")?;
    let response = rig
        .composer
        .client()
        .get(format!("{}{path}", rig.city.url))
        .bearer_auth(session)
        .header("last-event-id", "0")
        .send()
        .await?;
    ensure!(response.status().is_success(), "{}", response.status());
    let mut stream = response.bytes_stream();
    let mut heard = String::new();
    // The deadline of the request ends a stream that never names the alert.
    while !heard.contains(id) {
        let part = tokio::time::timeout(Duration::from_secs(10), stream.next()).await;
        let part = part.context("the event did not come")?.context("the stream ended")??;
        heard.push_str(&String::from_utf8_lossy(&part));
    }
    ensure!(heard.contains("id:"), "an event has an id: {heard}");
    Ok(())
}

pub(crate) async fn survives_the_plug(rig: &mut Rig) -> anyhow::Result<()> {
    let draft = json!({ "region": TOWN, "content": content("blue", TOWN) });
    let made = rig.composer.post("/api/v1/alerts", &draft).await?;
    let path = format!("/api/v1/alerts/{}", text(&made, "id")?);
    rig.city.kill()?;
    rig.city.start().await?;
    let after = rig.composer.get(&path).await.context("session and draft are still there")?;
    ensure!(after["state"] == "draft", "{after}");
    let status = rig.city.process()?.terminate().await?;
    ensure!(status.success(), "SIGTERM ended it with {status}");
    ensure!(rig.folder.exists(), "the city's folder outlives it");
    Ok(())
}
