//! A city, two villages in two towns, and an officer who issues.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use reqwest::Method;
use serde_json::{Value, json};
use tests::harness::api::{Api, Reply};
use tests::harness::broker::{Broker, BrokerKind, BrokerPlace};
use tests::harness::city::{CITY, City, CityOptions, text};
pub(crate) use tests::harness::content::warning as content;
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
    /// Where terminals connect.
    pub(crate) broker_at: SocketAddr,
    /// The external one. Outlives the dispatcher.
    pub(crate) broker: Option<Broker>,
}

impl Rig {
    pub(crate) async fn build(kind: BrokerKind, folder: &Path) -> anyhow::Result<Self> {
        let place = match kind {
            BrokerKind::Embedded => None,
            BrokerKind::Mosquitto | BrokerKind::Nats => Some(BrokerPlace::find(folder)?),
        };
        let broker_url = place.as_ref().map(|place| place.url.clone());
        let options = CityOptions { broker_url, ..CityOptions::default() };
        let city = City::prepare(folder, &options)?;
        let broker = match &place {
            None => None,
            Some(place) => {
                city.write_broker_rules(kind, &place.rules)?;
                Some(Broker::start_ruled(kind, folder, place).await?)
            }
        };
        Self::complete(city, broker, place, kind, folder).await
    }

    /// Over mosquitto with TLS, which admits anybody.
    pub(crate) async fn build_tls(tls: &BrokerTls, folder: &Path) -> anyhow::Result<Self> {
        let broker = Broker::start_tls(folder, tls).await?;
        let options = CityOptions {
            database_url: None,
            broker_url: Some(broker.url.clone()),
            broker_ca_file: Some(tls.ca_file.clone()),
        };
        let city = City::prepare(folder, &options)?;
        Self::complete(city, Some(broker), None, BrokerKind::Mosquitto, folder).await
    }

    /// Account, dispatcher and terminals; then the rules of the broker know the terminals too.
    async fn complete(
        mut city: City,
        broker: Option<Broker>,
        place: Option<BrokerPlace>,
        kind: BrokerKind,
        folder: &Path,
    ) -> anyhow::Result<Self> {
        let officer = city.officer("officer", "commander", CITY)?;
        city.start().await?;
        let officer = city.log_in(&officer).await?;
        let enrol = |village: &str| -> anyhow::Result<Village> {
            let code = city.enrolment_code(village, None)?;
            Village::enrol(&folder.join(village), village, &code)
        };
        let (near, far) = (enrol(NEAR)?, enrol(FAR)?);
        if let (Some(place), Some(broker)) = (&place, &broker) {
            city.write_broker_rules(kind, &place.rules)?;
            broker.reload()?;
        }
        let port = broker.as_ref().map_or(city.mqtt_port, |broker| broker.port);
        let broker_at = (Ipv4Addr::LOCALHOST, port).into();
        Ok(Self { city, officer, near, far, broker_at, broker })
    }

    /// Waits until so many terminals are online.
    pub(crate) async fn online(&self, wanted: usize) -> anyhow::Result<()> {
        progress::until_online(&self.officer, wanted).await
    }

    /// Issues a yellow warning for the near town, by one officer.
    pub(crate) async fn warn(&self, times: u8, interval_s: u16) -> anyhow::Result<String> {
        self.warn_town(NEAR_TOWN, times, interval_s).await
    }

    /// Issues a yellow warning for this town.
    pub(crate) async fn warn_town(
        &self,
        town: &str,
        times: u8,
        interval_s: u16,
    ) -> anyhow::Result<String> {
        let mut content = content("yellow", &[town]);
        content["repeats"] = json!({ "times": times, "interval_s": interval_s });
        let id = self.draft(town, &content).await?;
        self.officer.post(&format!("/api/v1/alerts/{id}/submit"), &json!({})).await?;
        self.issue(&id).await?.ok()?;
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

    /// Issues what was submitted; the answer may be a refusal.
    pub(crate) async fn issue(&self, id: &str) -> anyhow::Result<Reply> {
        let path = format!("/api/v1/alerts/{id}/issue");
        self.officer.send(Method::POST, &path, Some(&json!({}))).await
    }

    /// What was done, as the record has it, newest first.
    pub(crate) async fn audit_actions(&self) -> anyhow::Result<Vec<String>> {
        let listed = self.officer.get("/api/v1/audit?limit=200").await?;
        let items = listed["items"].as_array().cloned().unwrap_or_default();
        let action = |item: &Value| item["action"].as_str().unwrap_or_default().to_owned();
        Ok(items.iter().map(action).collect())
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

/// Whether a delivery has so many finished soundings.
pub(crate) fn has_finished(delivery: &Value, soundings: u64) -> bool {
    delivery["repeats_finished"].as_u64().unwrap_or(0) >= soundings
}
