//! An officer who presses again until there is an answer, as one does when the line is dead.

use std::time::Duration;

use anyhow::ensure;
use reqwest::Method;
use serde_json::{Value, json};
use tests::harness::api::{Api, fresh_key};
use tests::harness::city::{CITY, text};
use tests::harness::clock;
use tests::harness::content::warning;

use crate::mortal::Platform;

/// 灌口镇.
pub(crate) const TOWN: &str = "350211102000";

/// 灌口镇 坑内村.
pub(crate) const VILLAGE: &str = "350211102201";

/// How long an officer presses.
const PATIENCE: Duration = Duration::from_mins(3);

/// Logs the one officer in.
pub(crate) async fn begin(platform: &mut Platform) -> anyhow::Result<Api> {
    let officer = platform.city.officer("officer", "commander", CITY)?;
    platform.start().await?;
    platform.city.log_in(&officer).await
}

/// Logs another one in: a second factor is good for five minutes.
pub(crate) async fn relief(platform: &Platform) -> anyhow::Result<Api> {
    let officer = platform.city.officer("relief", "commander", CITY)?;
    platform.city.log_in(&officer).await
}

/// Sends one request, with one key, until it is answered.
pub(crate) async fn press(api: &Api, path: &str, body: &Value) -> anyhow::Result<Value> {
    let key = fresh_key();
    let reply = clock::eventually(path, PATIENCE, async || {
        let headers = [("idempotency-key", key.as_str())];
        Ok(api.send_with(Method::POST, path, Some(body), &headers).await.ok())
    });
    reply.await?.ok()
}

/// A yellow warning for the town, sounded so often.
pub(crate) fn repeated(times: u8, interval_s: u16) -> Value {
    let mut content = warning("yellow", &[TOWN]);
    content["repeats"] = json!({ "times": times, "interval_s": interval_s });
    content
}

/// Drafts and submits; what is left is to press.
pub(crate) async fn submitted(api: &Api, content: &Value) -> anyhow::Result<String> {
    let made = api.post("/api/v1/alerts", &json!({ "region": TOWN, "content": content })).await?;
    let id = text(&made, "id")?.to_owned();
    api.post(&format!("/api/v1/alerts/{id}/submit"), &json!({})).await?;
    Ok(id)
}

/// Presses once, without hindrance.
pub(crate) async fn issued(api: &Api, content: &Value) -> anyhow::Result<String> {
    let id = submitted(api, content).await?;
    let answer = api.post(&format!("/api/v1/alerts/{id}/issue"), &json!({})).await?;
    ensure!(answer["state"] == "issued", "{answer}");
    Ok(id)
}
