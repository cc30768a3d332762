//! A city, one village that listens, and an officer who issues red alerts meanwhile.

use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::harness::api::Api;
use crate::harness::broker::{Broker, BrokerKind};
use crate::harness::city::{CITY, City, CityOptions, text};
use crate::harness::clock;
use crate::harness::progress;
use crate::harness::sound::PacedSink;
use crate::harness::village::{Card, Village};

/// 灌口镇 坑内村.
pub const VILLAGE: &str = "350211102201";
/// 灌口镇.
pub const TOWN: &str = "350211102000";

/// Longest wait for a first sound: the alert's own life is as long.
pub const LIFE: Duration = Duration::from_mins(3);

/// A dispatcher without a voice: nodes speak by themselves. The clips that it would make in its
/// first minutes take memory of their own, which is none of what an attack costs.
pub const MUTE: (&str, &str) = ("speech", "espeak = \"/bin/false\"");

/// Everything runs.
pub struct Stage {
    /// The dispatcher.
    pub city: City,
    /// A commander of the city.
    pub officer: Api,
    /// The village's node.
    pub node: Village,
    /// Where both connect, if it is not the dispatcher's own.
    pub broker: Option<Broker>,
    sink: PacedSink,
}

impl Stage {
    /// Starts dispatcher and node over this broker, which admits anybody if it is an external one.
    /// `settings` are put into sections of the dispatcher's configuration.
    pub async fn build(
        kind: BrokerKind,
        folder: &Path,
        settings: &[(&str, &str)],
    ) -> anyhow::Result<Self> {
        let sink = PacedSink::start(folder).await?;
        let broker = match kind {
            BrokerKind::Embedded => None,
            BrokerKind::Mosquitto | BrokerKind::Nats => {
                Some(Broker::start(kind, folder, None).await?)
            }
        };
        let broker_url = broker.as_ref().map(|broker| broker.url.clone());
        let options = CityOptions { broker_url, ..CityOptions::default() };
        let mut city = City::prepare(folder, &options)?;
        configure(&city, settings)?;
        let officer = city.officer("officer", "commander", CITY)?;
        city.start().await?;
        let officer = city.log_in(&officer).await?;
        let code = city.enrolment_code(VILLAGE, None)?;
        let mut node = Village::enrol(&folder.join(VILLAGE), VILLAGE, &code)?;
        node.start(&Card::Paced(&sink))?;
        progress::until_online(&officer, 1).await?;
        Ok(Self { city, officer, node, broker, sink })
    }

    /// Ends the node and starts it again. It says its vitals at once.
    pub async fn restart_node(&mut self) -> anyhow::Result<()> {
        self.node.stop().await?;
        self.node.start(&Card::Paced(&self.sink))
    }

    /// The process id of the dispatcher.
    pub fn dispatcher_id(&mut self) -> anyhow::Result<u32> {
        Ok(self.city.process()?.id())
    }

    /// The port of HTTP.
    pub fn http_port(&self) -> anyhow::Result<u16> {
        let port = self.city.url.rsplit(':').next().and_then(|port| port.parse().ok());
        port.with_context(|| format!("no port in {}", self.city.url))
    }

    /// Connections that a door of the dispatcher has turned away, by its metrics.
    pub async fn counted(&self, door: &str, why: &str) -> anyhow::Result<u64> {
        let metrics = self.city.anonymous()?.send(reqwest::Method::GET, "/metrics", None).await?;
        let metrics = String::from_utf8_lossy(&metrics.bytes).into_owned();
        let labels = format!("connections_turned_away_total{{door=\"{door}\",why=\"{why}\"}} ");
        let line = metrics.lines().find_map(|line| line.split_once(&labels));
        line.map_or(Ok(0), |(_, count)| count.trim().parse().context("a counter"))
    }

    /// Issues a red alert and waits until it has sounded to its end: the time from the request to
    /// its first sound.
    pub async fn red_alert(&self) -> anyhow::Result<Duration> {
        let expires = clock::now().checked_add(SignedDuration::try_from(LIFE)?)?;
        let content = json!({
            "kind": "actual",
            "color": "red",
            "event": "11B03",
            "texts": [{
                "language": "zh-CN",
                "headline": "暴雨红色预警",
                "description": "一小时内有特大暴雨",
                "instruction": "请立即转移到高处",
            }],
            "area": { "regions": [TOWN] },
            "repeats": { "times": 1, "interval_s": 0 },
            "expires_at": expires.to_string(),
        });
        let body = json!({ "region": TOWN, "content": content });
        let made = self.officer.post("/api/v1/alerts", &body).await?;
        let id = text(&made, "id")?.to_owned();
        let reason = json!({ "reason": "等不及第二人" });
        let begun = clock::now();
        self.officer.post(&format!("/api/v1/alerts/{id}/emergency"), &reason).await?;
        let started = self.receipt(&id, "started").await?;
        let sounded: Timestamp = text(&started, "at")?.parse().context("an instant")?;
        // Equals take turns: the next one would wait for the end of this one.
        self.receipt(&id, "finished").await?;
        Ok(sounded.duration_since(begun).unsigned_abs())
    }

    async fn receipt(&self, alert: &str, state: &str) -> anyhow::Result<Value> {
        let waited = clock::eventually(state, LIFE, async || {
            let heard = progress::receipts(&self.officer, alert).await?;
            Ok(heard.into_iter().find(|receipt| receipt["state"] == state))
        });
        waited.await.with_context(|| crate::harness::process::tail(&self.node.log()))
    }
}

/// Puts lines below the heads of sections.
fn configure(city: &City, settings: &[(&str, &str)]) -> anyhow::Result<()> {
    let file = city.config_file();
    let mut text = std::fs::read_to_string(file).context("read the configuration")?;
    for (section, line) in settings {
        let head = format!("[{section}]\n");
        if !text.contains(&head) {
            text.push_str(&head);
        }
        text = text.replace(&head, &format!("{head}{line}\n"));
    }
    std::fs::write(file, text).context("write the configuration")
}
