//! A city, two villages in two towns, and an officer who issues.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use serde_json::{Value, json};
use tests::harness::api::Api;
use tests::harness::broker::{Broker, BrokerKind};
use tests::harness::city::{CITY, City, CityOptions, text};
use tests::harness::clock;
use tests::harness::village::Village;

/// 灌口镇 坑内村.
pub(crate) const NEAR: &str = "350211102201";
/// 灌口镇.
pub(crate) const NEAR_TOWN: &str = "350211102000";
/// 莲花镇 莲花村.
pub(crate) const FAR: &str = "350212105201";

/// Longest wait for something that takes a sounding on a busy machine.
pub(crate) const SOUND_DEADLINE: Duration = Duration::from_mins(2);

const ONLINE_DEADLINE: Duration = Duration::from_mins(1);

/// Everything but the nodes' processes, which each test starts with a card of its choice.
pub(crate) struct Rig {
    pub(crate) city: City,
    pub(crate) officer: Api,
    pub(crate) near: Village,
    pub(crate) far: Village,
    pub(crate) folder: PathBuf,
    // Outlives the dispatcher.
    _broker: Option<Broker>,
}

impl Rig {
    pub(crate) async fn build(kind: BrokerKind, folder: &Path) -> anyhow::Result<Self> {
        let broker = match kind {
            BrokerKind::Embedded => None,
            BrokerKind::Mosquitto | BrokerKind::Nats => {
                Some(Broker::start(kind, folder, None).await?)
            }
        };
        let options = CityOptions {
            database_url: None,
            broker_url: broker.as_ref().map(|broker| broker.url.clone()),
        };
        let mut city = City::prepare(folder, &options)?;
        let officer = city.officer("officer", "commander", CITY)?;
        city.start().await?;
        let officer = city.log_in(&officer).await?;
        let enrol = |village: &str| -> anyhow::Result<Village> {
            let code = city.enrolment_code(village, None)?;
            Village::enrol(&folder.join(village), village, &code)
        };
        let (near, far) = (enrol(NEAR)?, enrol(FAR)?);
        Ok(Self { city, officer, near, far, folder: folder.to_owned(), _broker: broker })
    }

    /// Waits until so many terminals are online.
    pub(crate) async fn online(&self, wanted: usize) -> anyhow::Result<()> {
        clock::eventually("terminals are online", ONLINE_DEADLINE, async || {
            let listed = self.officer.get(&format!("/api/v1/liveness?region={CITY}")).await?;
            let items = listed["items"].as_array().cloned().unwrap_or_default();
            let online = items.iter().filter(|item| item["liveness"] == "online").count();
            Ok((online >= wanted).then_some(()))
        })
        .await
    }

    /// Issues a yellow warning for the near town, by one officer.
    pub(crate) async fn warn(&self, times: u8, interval_s: u16) -> anyhow::Result<String> {
        let content = json!({
            "kind": "actual",
            "color": "yellow",
            "event": "11B03",
            "texts": [{
                "language": "zh-CN",
                "headline": "暴雨黄色预警",
                "description": "今晚有暴雨",
                "instruction": "请远离河道，到高处去",
            }],
            "area": { "regions": [NEAR_TOWN] },
            "repeats": { "times": times, "interval_s": interval_s },
        });
        let body = json!({ "region": NEAR_TOWN, "content": content });
        let made = self.officer.post("/api/v1/alerts", &body).await?;
        let id = text(&made, "id")?.to_owned();
        self.officer.post(&format!("/api/v1/alerts/{id}/submit"), &json!({})).await?;
        self.officer.post(&format!("/api/v1/alerts/{id}/issue"), &json!({})).await?;
        Ok(id)
    }

    /// The delivery of an alert at the near terminal: of the alert itself, or of its end.
    pub(crate) async fn delivery(&self, alert: &str, is_closing: bool) -> anyhow::Result<Value> {
        let listed = self.officer.get(&format!("/api/v1/alerts/{alert}/deliveries")).await?;
        let items = listed["items"].as_array().cloned().unwrap_or_default();
        let is_wanted = |item: &Value| {
            let purpose = item["purpose"].as_str().unwrap_or_default();
            ["lifted", "withdrawn"].contains(&purpose) == is_closing
        };
        Ok(items.into_iter().find(is_wanted).unwrap_or(Value::Null))
    }

    /// Waits until the near terminal's delivery is as wanted.
    pub(crate) async fn until(
        &self,
        what: &str,
        alert: &str,
        is_closing: bool,
        holds: impl Fn(&Value) -> bool,
    ) -> anyhow::Result<Value> {
        let mut last = Value::Null;
        let waited = clock::eventually(what, SOUND_DEADLINE, async || {
            last = self.delivery(alert, is_closing).await?;
            Ok(holds(&last).then(|| last.clone()))
        })
        .await;
        waited.with_context(|| format!("last seen: {last}\n{}", self.logs()))
    }

    /// Waits for a receipt of the near terminal about the alert itself.
    pub(crate) async fn receipt(
        &self,
        alert: &str,
        state: &str,
        repeat: u64,
    ) -> anyhow::Result<Value> {
        let path = format!("/api/v1/alerts/{alert}/receipts?limit=200");
        let waited = clock::eventually(state, SOUND_DEADLINE, async || {
            let listed = self.officer.get(&path).await?;
            let items = listed["items"].as_array().cloned().unwrap_or_default();
            Ok(items.into_iter().find(|item| {
                item["purpose"] == "alert" && item["state"] == state && item["repeat"] == repeat
            }))
        });
        waited.await.with_context(|| self.logs())
    }

    fn logs(&self) -> String {
        let log = self.folder.join(NEAR).join("edge-node.log");
        let text = std::fs::read_to_string(log).unwrap_or_default();
        tests::harness::process::tail(&text)
    }
}

/// Whether a delivery has so many finished soundings.
pub(crate) fn has_finished(delivery: &Value, soundings: u64) -> bool {
    delivery["repeats_finished"].as_u64().unwrap_or(0) >= soundings
}
