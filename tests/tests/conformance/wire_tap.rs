//! Somebody at an open broker: hears the orders that pass and publishes what they like.

use std::time::Duration;

use anyhow::Context as _;
use protocols::limits::PACKET_BYTES_MAX;
use rumqttc::{AsyncClient, Event, EventLoop, MqttOptions, Packet, QoS};

/// A deadline that only a broken broker reaches.
const DEADLINE: Duration = Duration::from_mins(1);

/// A connection.
pub(crate) struct WireTap {
    client: AsyncClient,
    events: EventLoop,
}

impl WireTap {
    /// Listens to every order on a region's topic.
    pub(crate) async fn connect(port: u16) -> anyhow::Result<Self> {
        let mut options = MqttOptions::new("wire-tap", "127.0.0.1", port);
        options.set_max_packet_size(PACKET_BYTES_MAX, PACKET_BYTES_MAX);
        // It is polled only when something is expected.
        options.set_keep_alive(Duration::from_mins(10));
        let (client, events) = AsyncClient::new(options, 64);
        let mut tap = Self { client, events };
        tap.client.subscribe("tongluo/1/region/+/order", QoS::AtLeastOnce).await?;
        tap.until(|packet| matches!(packet, Packet::SubAck(_))).await?;
        Ok(tap)
    }

    /// The next order that passes: topic and bytes.
    pub(crate) async fn hear(&mut self) -> anyhow::Result<(String, Vec<u8>)> {
        let packet = self.until(|packet| matches!(packet, Packet::Publish(_))).await?;
        let Packet::Publish(publish) = packet else { anyhow::bail!("not an order") };
        Ok((publish.topic, publish.payload.to_vec()))
    }

    /// Publishes and waits until the broker has it.
    pub(crate) async fn say(&mut self, topic: &str, bytes: &[u8]) -> anyhow::Result<()> {
        self.client.publish(topic, QoS::AtLeastOnce, false, bytes).await?;
        self.until(|packet| matches!(packet, Packet::PubAck(_))).await?;
        Ok(())
    }

    async fn until(&mut self, is_it: impl Fn(&Packet) -> bool) -> anyhow::Result<Packet> {
        let wait = async {
            loop {
                let event = self.events.poll().await.context("the broker")?;
                if let Event::Incoming(packet) = event
                    && is_it(&packet)
                {
                    return Ok(packet);
                }
            }
        };
        tokio::time::timeout(DEADLINE, wait).await.context("the broker is silent")?
    }
}
