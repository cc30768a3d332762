//! A city, two villages in two towns, and an officer who issues.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use serde_json::{Value, json};
use tests::harness::api::Api;
use tests::harness::broker::{Broker, BrokerKind};
use tests::harness::city::{CITY, City, CityOptions, text};
use tests::harness::tls::BrokerTls;
use tests::harness::village::Village;
use tests::harness::{clock, progress};

/// 灌口镇 坑内村.
pub(crate) const NEAR: &str = "350211102201";
/// 灌口镇.
pub(crate) const NEAR_TOWN: &str = "350211102000";
/// 莲花镇 莲花村.
pub(crate) const FAR: &str = "350212105201";
/// 莲花镇.
pub(crate) const FAR_TOWN: &str = "350212105000";

/// Longest wait for something that takes a sounding on a busy machine.
pub(crate) const SOUND_DEADLINE: Duration = Duration::from_mins(2);

/// Everything but the nodes' processes, which each test starts with a card of its choice.
pub(crate) struct Rig {
    pub(crate) city: City,
    pub(crate) officer: Api,
    pub(crate) near: Village,
    pub(crate) far: Village,
    /// The external broker. Outlives the dispatcher.
    pub(crate) broker: Option<Broker>,
}

impl Rig {
    pub(crate) async fn build(kind: BrokerKind, folder: &Path) -> anyhow::Result<Self> {
        let broker = match kind {
            BrokerKind::Embedded => None,
            BrokerKind::Mosquitto | BrokerKind::Nats => {
                Some(Broker::start(kind, folder, None).await?)
            }
        };
        Self::with_broker(broker, None, folder).await
    }

    /// Over mosquitto with TLS.
    pub(crate) async fn build_tls(tls: &BrokerTls, folder: &Path) -> anyhow::Result<Self> {
        let broker = Broker::start_tls(folder, tls).await?;
        Self::with_broker(Some(broker), Some(tls.ca_file.clone()), folder).await
    }

    async fn with_broker(
        broker: Option<Broker>,
        broker_ca_file: Option<PathBuf>,
        folder: &Path,
    ) -> anyhow::Result<Self> {
        let broker_url = broker.as_ref().map(|broker| broker.url.clone());
        let options = CityOptions { database_url: None, broker_url, broker_ca_file };
        let mut city = City::prepare(folder, &options)?;
        let officer = city.officer("officer", "commander", CITY)?;
        city.start().await?;
        let officer = city.log_in(&officer).await?;
        let enrol = |village: &str| -> anyhow::Result<Village> {
            let code = city.enrolment_code(village, None)?;
            Village::enrol(&folder.join(village), village, &code)
        };
        let (near, far) = (enrol(NEAR)?, enrol(FAR)?);
        Ok(Self { city, officer, near, far, broker })
    }

    /// Waits until so many terminals are online.
    pub(crate) async fn online(&self, wanted: usize) -> anyhow::Result<()> {
        progress::until_online(&self.officer, wanted).await
    }

    /// Issues a yellow warning for the near town, by one officer.
    pub(crate) async fn warn(&self, times: u8, interval_s: u16) -> anyhow::Result<String> {
        let mut content = content("yellow", &[NEAR_TOWN]);
        content["repeats"] = json!({ "times": times, "interval_s": interval_s });
        let id = self.draft(NEAR_TOWN, &content).await?;
        self.officer.post(&format!("/api/v1/alerts/{id}/submit"), &json!({})).await?;
        self.officer.post(&format!("/api/v1/alerts/{id}/issue"), &json!({})).await?;
        Ok(id)
    }

    /// Begins an alert.
    pub(crate) async fn draft(&self, region: &str, content: &Value) -> anyhow::Result<String> {
        let body = json!({ "region": region, "content": content });
        let made = self.officer.post("/api/v1/alerts", &body).await?;
        Ok(text(&made, "id")?.to_owned())
    }

    /// Issues at once, whatever number of persons it would take.
    pub(crate) async fn issue_at_once(&self, id: &str) -> anyhow::Result<()> {
        let reason = json!({ "reason": "等不及第二人" });
        self.officer.post(&format!("/api/v1/alerts/{id}/emergency"), &reason).await?;
        Ok(())
    }

    /// The delivery of an alert at the near terminal: of the alert itself, or of its end.
    pub(crate) async fn delivery(&self, alert: &str, is_closing: bool) -> anyhow::Result<Value> {
        let listed = progress::deliveries(&self.officer, alert).await?;
        let is_wanted = |item: &Value| {
            item["terminal"] == self.near.id && progress::is_closing(item) == is_closing
        };
        Ok(listed.into_iter().find(is_wanted).unwrap_or(Value::Null))
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
        let is_wanted = |item: &Value| item["repeat"] == repeat;
        let waited = clock::eventually(state, SOUND_DEADLINE, async || {
            let mut heard = self.receipts_of(&self.near.id, alert, state).await?.into_iter();
            Ok(heard.find(is_wanted))
        });
        waited.await.with_context(|| self.logs())
    }

    /// Waits for a receipt of any terminal about the alert itself.
    pub(crate) async fn receipt_of(
        &self,
        terminal: &str,
        alert: &str,
        state: &str,
    ) -> anyhow::Result<Value> {
        let waited = clock::eventually(state, SOUND_DEADLINE, async || {
            Ok(self.receipts_of(terminal, alert, state).await?.into_iter().next())
        });
        waited.await.with_context(|| self.logs())
    }

    /// The receipts of a terminal with this state about the alert itself.
    pub(crate) async fn receipts_of(
        &self,
        terminal: &str,
        alert: &str,
        state: &str,
    ) -> anyhow::Result<Vec<Value>> {
        let mut heard = progress::receipts(&self.officer, alert).await?;
        heard.retain(|item| {
            item["terminal"] == terminal && item["state"] == state && !progress::is_closing(item)
        });
        Ok(heard)
    }

    fn logs(&self) -> String {
        tests::harness::process::tail(&self.near.log())
    }
}

/// A warning of this colour for these regions, sounded once.
pub(crate) fn content(color: &str, regions: &[&str]) -> Value {
    json!({
        "kind": "actual",
        "color": color,
        "event": "11B03",
        "texts": [{
            "language": "zh-CN",
            "headline": "暴雨预警",
            "description": "今晚有暴雨",
            "instruction": "请远离河道，到高处去",
        }],
        "area": { "regions": regions },
        "repeats": { "times": 1, "interval_s": 0 },
    })
}

/// Whether a delivery has so many finished soundings.
pub(crate) fn has_finished(delivery: &Value, soundings: u64) -> bool {
    delivery["repeats_finished"].as_u64().unwrap_or(0) >= soundings
}
