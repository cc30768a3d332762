//! A plain rumqttc client for tests: what a terminal of another make would be.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use protocols::limits::PACKET_BYTES_MAX;
use rumqttc::{
    AsyncClient, Event, EventLoop, LastWill, MqttOptions, Packet, Publish, QoS, SubscribeFilter,
    SubscribeReasonCode,
};

/// A deadline that only a broken broker reaches.
const DEADLINE: Duration = Duration::from_secs(10);

/// How long to listen for something that must not come.
const SILENCE: Duration = Duration::from_millis(300);

pub(crate) struct RawClient {
    client: AsyncClient,
    events: EventLoop,
    /// Messages that came while something else was waited for.
    early: VecDeque<Publish>,
}

impl RawClient {
    pub(crate) async fn connect(
        address: SocketAddr,
        client_id: &str,
        user: &str,
        password: &str,
    ) -> Option<Self> {
        Self::connect_with_will(address, client_id, user, password, None).await
    }

    /// Connects; `None` when the broker refuses.
    pub(crate) async fn connect_with_will(
        address: SocketAddr,
        client_id: &str,
        user: &str,
        password: &str,
        will: Option<LastWill>,
    ) -> Option<Self> {
        let mut options = MqttOptions::new(client_id, address.ip().to_string(), address.port());
        options
            .set_credentials(user, password)
            .set_max_packet_size(PACKET_BYTES_MAX, PACKET_BYTES_MAX)
            .set_keep_alive(Duration::from_secs(30));
        if let Some(will) = will {
            options.set_last_will(will);
        }
        let (client, mut events) = AsyncClient::new(options, 64);
        let first = tokio::time::timeout(DEADLINE, events.poll()).await.expect("an answer");
        matches!(first, Ok(Event::Incoming(Packet::ConnAck(_)))).then_some(Self {
            client,
            events,
            early: VecDeque::new(),
        })
    }

    /// Subscribes; whether each filter was granted. `None` when the connection was cut.
    pub(crate) async fn subscribe(&mut self, filters: &[String]) -> Option<Vec<bool>> {
        let filters = filters
            .iter()
            .map(|filter| SubscribeFilter::new(filter.clone(), QoS::AtLeastOnce))
            .collect::<Vec<_>>();
        self.client.subscribe_many(filters).await.expect("room in the channel");
        loop {
            match self.event(DEADLINE).await.expect("an answer") {
                Ok(Event::Incoming(Packet::SubAck(ack))) => {
                    let granted = |code: &SubscribeReasonCode| {
                        matches!(code, SubscribeReasonCode::Success(_))
                    };
                    return Some(ack.return_codes.iter().map(granted).collect());
                }
                Ok(Event::Incoming(Packet::Publish(message))) => self.early.push_back(message),
                Ok(_) => {}
                Err(_) => return None,
            }
        }
    }

    /// Publishes and waits for the acknowledgement.
    pub(crate) async fn publish(&mut self, topic: &str, payload: &[u8], retain: bool) {
        let sent = self.client.publish(topic, QoS::AtLeastOnce, retain, payload).await;
        sent.expect("room in the channel");
        loop {
            match self.event(DEADLINE).await.expect("an answer") {
                Ok(Event::Incoming(Packet::PubAck(_))) | Err(_) => return,
                Ok(Event::Incoming(Packet::Publish(message))) => self.early.push_back(message),
                Ok(_) => {}
            }
        }
    }

    /// The next message.
    pub(crate) async fn message(&mut self) -> Publish {
        self.message_within(DEADLINE).await.expect("a message before the deadline")
    }

    /// Whether a message comes although none should.
    pub(crate) async fn stray(&mut self) -> Option<Publish> {
        self.message_within(SILENCE).await
    }

    async fn message_within(&mut self, wait: Duration) -> Option<Publish> {
        if let Some(message) = self.early.pop_front() {
            return Some(message);
        }
        loop {
            match self.event(wait).await? {
                Ok(Event::Incoming(Packet::Publish(message))) => return Some(message),
                Ok(_) => {}
                Err(_) => return None,
            }
        }
    }

    async fn event(&mut self, wait: Duration) -> Option<Result<Event, rumqttc::ConnectionError>> {
        tokio::time::timeout(wait, self.events.poll()).await.ok()
    }
}
