//! A terminal of another make at the broker: a bare MQTT client with an enrolled name, for what a
//! node of ours never does.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, bail};
use rumqttc::{
    AsyncClient, Event, EventLoop, MqttOptions, Packet, Publish, QoS, SubscribeFilter,
    SubscribeReasonCode,
};
use serde_json::Value;

use super::city::text;

/// A deadline that only a broken broker reaches.
const DEADLINE: Duration = Duration::from_secs(30);

/// Bytes of the largest packet.
const PACKET_BYTES_MAX: usize = 65_536;

/// What enrolment gave a node, read from its folder.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// User name and client id.
    pub terminal: String,
    /// Password.
    pub password: String,
    /// Port of the broker on 127.0.0.1.
    pub port: u16,
}

impl Credentials {
    /// Those of the node whose state lies in `state`.
    pub fn read(state: &Path) -> anyhow::Result<Self> {
        let file = std::fs::read(state.join("identity.json")).context("read the identity")?;
        let identity: Value = serde_json::from_slice(&file).context("an identity is JSON")?;
        let url = text(&identity, "mqtt_url")?;
        let port = url.rsplit(':').next().and_then(|port| port.parse().ok());
        Ok(Self {
            terminal: text(&identity, "terminal")?.to_owned(),
            password: text(&identity, "mqtt_password")?.to_owned(),
            port: port.with_context(|| format!("no port in {url}"))?,
        })
    }
}

/// A connection.
pub struct Stranger {
    client: AsyncClient,
    events: EventLoop,
}

impl Stranger {
    /// Connects under `client_id`; `None` when the broker refuses.
    pub async fn connect(client_id: &str, own: &Credentials) -> anyhow::Result<Option<Self>> {
        let mut options = MqttOptions::new(client_id, "127.0.0.1", own.port);
        options
            .set_credentials(&own.terminal, &own.password)
            .set_max_packet_size(PACKET_BYTES_MAX, PACKET_BYTES_MAX)
            .set_keep_alive(Duration::from_secs(30));
        let (client, mut events) = AsyncClient::new(options, 64);
        let first = tokio::time::timeout(DEADLINE, events.poll()).await;
        let first = first.context("the broker answers a connect")?;
        let is_in = matches!(first, Ok(Event::Incoming(Packet::ConnAck(_))));
        Ok(is_in.then_some(Self { client, events }))
    }

    /// Whether the broker grants this filter; one that cuts the line has not.
    pub async fn subscribe(&mut self, filter: &str) -> anyhow::Result<bool> {
        let filter = SubscribeFilter::new(filter.to_owned(), QoS::AtLeastOnce);
        self.client.subscribe_many([filter]).await.context("hand over a subscription")?;
        loop {
            match self.event().await? {
                Ok(Event::Incoming(Packet::SubAck(ack))) => {
                    let granted = |code: &SubscribeReasonCode| {
                        matches!(code, SubscribeReasonCode::Success(_))
                    };
                    return Ok(ack.return_codes.iter().all(granted));
                }
                Ok(_) => {}
                Err(_) => return Ok(false),
            }
        }
    }

    /// Publishes and waits until the broker has acknowledged it or cut the line.
    pub async fn publish(&mut self, topic: &str, payload: &[u8]) -> anyhow::Result<()> {
        let sent = self.client.publish(topic, QoS::AtLeastOnce, false, payload).await;
        sent.context("hand over a message")?;
        loop {
            match self.event().await? {
                Ok(Event::Incoming(Packet::PubAck(_))) | Err(_) => return Ok(()),
                Ok(_) => {}
            }
        }
    }

    /// The next message.
    pub async fn message(&mut self) -> anyhow::Result<Publish> {
        loop {
            match self.event().await? {
                Ok(Event::Incoming(Packet::Publish(message))) => return Ok(message),
                Ok(_) => {}
                Err(error) => bail!("the line was cut: {error}"),
            }
        }
    }

    async fn event(&mut self) -> anyhow::Result<Result<Event, rumqttc::ConnectionError>> {
        tokio::time::timeout(DEADLINE, self.events.poll()).await.context("the broker answers")
    }
}
