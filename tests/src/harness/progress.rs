//! What the API says of terminals: who is online, who was meant, who answered what.

use std::time::Duration;

use serde_json::Value;

use super::api::Api;
use super::city::CITY;
use super::clock;

/// How long nodes may take to be online after they were started.
const ONLINE_DEADLINE: Duration = Duration::from_mins(1);

/// Everything in one list of the API that fits on a page.
async fn items(api: &Api, path: &str) -> anyhow::Result<Vec<Value>> {
    let listed = api.get(path).await?;
    Ok(listed["items"].as_array().cloned().unwrap_or_default())
}

/// Terminals of the city and how they are.
pub async fn liveness(api: &Api) -> anyhow::Result<Vec<Value>> {
    items(api, &format!("/api/v1/liveness?region={CITY}")).await
}

/// Waits until so many terminals are online.
pub async fn until_online(api: &Api, wanted: usize) -> anyhow::Result<()> {
    clock::eventually("terminals are online", ONLINE_DEADLINE, async || {
        let listed = liveness(api).await?;
        let online = listed.iter().filter(|item| item["liveness"] == "online").count();
        Ok((online >= wanted).then_some(()))
    })
    .await
}

/// Who was meant by an alert and by its end, and how far each is.
pub async fn deliveries(api: &Api, alert: &str) -> anyhow::Result<Vec<Value>> {
    items(api, &format!("/api/v1/alerts/{alert}/deliveries?limit=200")).await
}

/// What terminals answered about an alert and its end, in the order in which it came.
pub async fn receipts(api: &Api, alert: &str) -> anyhow::Result<Vec<Value>> {
    items(api, &format!("/api/v1/alerts/{alert}/receipts?limit=200")).await
}

/// Whether a delivery or a receipt is about the end of an alert, not the alert itself.
pub fn is_closing(item: &Value) -> bool {
    ["lifted", "withdrawn"].contains(&item["purpose"].as_str().unwrap_or_default())
}
