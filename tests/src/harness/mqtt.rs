//! A plain MQTT client: what somebody with a laptop and a password would be.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, bail};
use protocols::limits::PACKET_BYTES_MAX;
use rumqttc::{
    AsyncClient, ConnectionError, Event, EventLoop, MqttOptions, Packet, Publish, QoS,
    SubscribeFilter, SubscribeReasonCode,
};

/// How long a broker may take to answer.
const ANSWER_DEADLINE: Duration = Duration::from_secs(15);

/// As whom a client comes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// Client id.
    pub client_id: String,
    /// User name.
    pub user: String,
    /// Password.
    pub password: String,
}

impl Credentials {
    /// A terminal with its own name, as it should come.
    pub fn own(id: &str, password: &str) -> Self {
        Self { client_id: id.to_owned(), user: id.to_owned(), password: password.to_owned() }
    }
}

/// A connected client.
pub struct Client {
    client: AsyncClient,
    events: EventLoop,
}

impl Client {
    /// Connects; `None` when the broker refuses.
    pub async fn connect(broker: SocketAddr, who: &Credentials) -> anyhow::Result<Option<Self>> {
        let mut options = MqttOptions::new(&who.client_id, broker.ip().to_string(), broker.port());
        options
            .set_credentials(&who.user, &who.password)
            .set_max_packet_size(PACKET_BYTES_MAX, PACKET_BYTES_MAX)
            .set_keep_alive(Duration::from_secs(30));
        let (client, mut events) = AsyncClient::new(options, 64);
        let first = tokio::time::timeout(ANSWER_DEADLINE, events.poll()).await;
        match first.context("the broker answers a connection")? {
            Ok(Event::Incoming(Packet::ConnAck(_))) => Ok(Some(Self { client, events })),
            Err(ConnectionError::ConnectionRefused(_) | ConnectionError::MqttState(_)) => Ok(None),
            Ok(other) => bail!("the broker answers a connection with {other:?}"),
            // A broker may also just hang up.
            Err(ConnectionError::Io(error)) if is_hung_up(&error) => Ok(None),
            Err(error) => Err(error).context("connect"),
        }
    }

    /// Subscribes; whether each filter was granted. All refused when the broker hangs up on it.
    pub async fn subscribe(&mut self, filters: &[String]) -> anyhow::Result<Vec<bool>> {
        let asked =
            filters.iter().map(|filter| SubscribeFilter::new(filter.clone(), QoS::AtLeastOnce));
        self.client.subscribe_many(asked).await.context("subscribe")?;
        loop {
            match self.event(ANSWER_DEADLINE).await.context("the broker answers a subscription")? {
                Ok(Event::Incoming(Packet::SubAck(ack))) => {
                    let granted = |code: &SubscribeReasonCode| {
                        matches!(code, SubscribeReasonCode::Success(_))
                    };
                    return Ok(ack.return_codes.iter().map(granted).collect());
                }
                Ok(_) => {}
                Err(_) => return Ok(vec![false; filters.len()]),
            }
        }
    }

    /// Publishes and waits until the broker acknowledged it or hung up.
    pub async fn publish(
        &mut self,
        topic: &str,
        payload: &[u8],
        is_retained: bool,
    ) -> anyhow::Result<()> {
        let sent = self.client.publish(topic, QoS::AtLeastOnce, is_retained, payload).await;
        sent.context("publish")?;
        loop {
            match self.event(ANSWER_DEADLINE).await.context("the broker answers a message")? {
                Ok(Event::Incoming(Packet::PubAck(_))) | Err(_) => return Ok(()),
                Ok(_) => {}
            }
        }
    }

    /// The next message; `None` when none comes in time, or the broker hung up.
    pub async fn message(&mut self, wait: Duration) -> Option<Publish> {
        loop {
            match self.event(wait).await? {
                Ok(Event::Incoming(Packet::Publish(message))) => return Some(message),
                Ok(_) => {}
                Err(_) => return None,
            }
        }
    }

    async fn event(&mut self, wait: Duration) -> Option<Result<Event, ConnectionError>> {
        tokio::time::timeout(wait, self.events.poll()).await.ok()
    }
}

fn is_hung_up(error: &std::io::Error) -> bool {
    use std::io::ErrorKind as K;
    matches!(error.kind(), K::ConnectionAborted | K::ConnectionReset | K::UnexpectedEof)
}
