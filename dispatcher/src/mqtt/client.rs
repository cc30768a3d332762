//! The one module that knows rumqttc.
//!
//! A [`Session`] is one connection from its first packet to its first error, with a client and an
//! event loop of its own: nothing that an earlier connection left in rumqttc (unsent requests, a
//! packet identifier that collided) can reach a later one. What was not acknowledged is kept and
//! sent again by the [`super::publisher`], never by rumqttc.
//!
//! The event loop is polled by a task that does nothing else and never awaits the client, which
//! would stop both for good once the client's channel is full.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use kill_points::kill_point;
use protocols::limits::PACKET_BYTES_MAX;
use rumqttc::{
    AsyncClient, Event, MqttOptions, Outgoing, Packet, QoS, SubscribeFilter, SubscribeReasonCode,
    TlsConfiguration, Transport,
};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

use super::publisher::IN_FLIGHT_MAX;

/// How often the client says that it is alive: a dead line is found within one and a half times.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// How long a connection may take to be made.
const CONNECT_WITHIN_S: u64 = 10;

/// Events between the polling task and the session. Publishing sees two an acknowledgement.
const EVENTS_MAX: usize = 4 * IN_FLIGHT_MAX;

/// Packet identifiers that rumqttc takes in turn. Eight windows of the publisher, so that one is
/// never taken again while its first use is in flight, whatever order the broker acknowledges in.
const PACKET_IDS: u16 = 8 * IN_FLIGHT_MAX as u16;

/// Where and as whom to connect.
#[derive(Clone)]
pub struct Address {
    /// Host name or IP.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Client id.
    pub client_id: String,
    /// User name.
    pub user: String,
    /// Password.
    pub password: String,
    /// TLS, for `mqtts`.
    pub tls: Option<Arc<rustls::ClientConfig>>,
}

/// What happens on a session.
#[derive(Debug)]
pub enum SessionEvent {
    /// Connected and, if filters were given, subscribed.
    Up,
    /// The broker acknowledged the message with this number.
    Acknowledged(u64),
    /// A message came.
    Message {
        /// Its topic.
        topic: String,
        /// Its payload.
        payload: Vec<u8>,
    },
    /// The session is over.
    Down(SessionError),
}

/// Why a session is over.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The connection, or the attempt to make it.
    #[error("{0}")]
    Connection(String),
    /// The broker does not let this client hear what it must hear.
    #[error("the broker refuses the subscription to {0}")]
    Refused(String),
    /// The client's channel is full though the window is not: the session is out of step.
    #[error("the connection takes nothing more")]
    Stuck,
}

/// One connection, from its making to its end.
pub struct Session {
    client: AsyncClient,
    events: mpsc::Receiver<Result<Event, rumqttc::ConnectionError>>,
    poller: AbortHandle,
    filters: Vec<String>,
    /// Numbers given to rumqttc, in order, that have no packet identifier yet.
    handed_over: VecDeque<u64>,
    /// Packet identifiers on the wire.
    on_the_wire: HashMap<u16, u64>,
}

impl Drop for Session {
    fn drop(&mut self) {
        self.poller.abort();
    }
}

impl Session {
    /// Begins to connect. The first event is [`SessionEvent::Up`] or [`SessionEvent::Down`].
    pub fn begin(address: &Address, filters: Vec<String>) -> Self {
        let mut options = MqttOptions::new(&address.client_id, &address.host, address.port);
        options
            .set_credentials(&address.user, &address.password)
            .set_keep_alive(KEEP_ALIVE)
            .set_clean_session(true)
            .set_max_packet_size(PACKET_BYTES_MAX, PACKET_BYTES_MAX)
            .set_inflight(PACKET_IDS);
        if let Some(tls) = &address.tls {
            options
                .set_transport(Transport::tls_with_config(TlsConfiguration::Rustls(tls.clone())));
        }
        // One place more than the window of the publisher, and one for the subscription: then
        // `try_publish` finds room.
        let (client, mut event_loop) = AsyncClient::new(options, IN_FLIGHT_MAX + 2);
        event_loop.network_options.set_connection_timeout(CONNECT_WITHIN_S);
        event_loop.network_options.set_tcp_nodelay(true);
        let (sender, events) = mpsc::channel(EVENTS_MAX);
        let poller = tokio::spawn(async move {
            loop {
                let event = event_loop.poll().await;
                let is_over = event.is_err();
                if sender.send(event).await.is_err() || is_over {
                    return;
                }
            }
        })
        .abort_handle();
        let (handed_over, on_the_wire) = (VecDeque::new(), HashMap::new());
        Self { client, events, poller, filters, handed_over, on_the_wire }
    }

    /// Hands a message over. Its number comes back as [`SessionEvent::Acknowledged`].
    pub fn send(
        &mut self,
        number: u64,
        topic: String,
        payload: Vec<u8>,
        is_retained: bool,
    ) -> Result<(), SessionError> {
        self.client
            .try_publish(topic, QoS::AtLeastOnce, is_retained, payload)
            .map_err(|_| SessionError::Stuck)?;
        self.handed_over.push_back(number);
        Ok(())
    }

    /// The next event. Safe to cancel: an event is taken whole or not at all.
    pub async fn next(&mut self) -> SessionEvent {
        loop {
            let Some(event) = self.events.recv().await else {
                return SessionEvent::Down(SessionError::Connection("ended".into()));
            };
            let event = match event {
                Ok(event) => event,
                Err(error) => {
                    return SessionEvent::Down(SessionError::Connection(error.to_string()));
                }
            };
            if let Some(event) = self.translate(event) {
                return event;
            }
        }
    }

    fn translate(&mut self, event: Event) -> Option<SessionEvent> {
        match event {
            Event::Incoming(Packet::ConnAck(_)) if self.filters.is_empty() => {
                Some(SessionEvent::Up)
            }
            Event::Incoming(Packet::ConnAck(_)) => self.subscribe().err().map(SessionEvent::Down),
            Event::Incoming(Packet::SubAck(ack)) => {
                let is_refused = |code: &SubscribeReasonCode| *code == SubscribeReasonCode::Failure;
                let refused = ack.return_codes.iter().position(is_refused);
                Some(match refused.and_then(|index| self.filters.get(index)) {
                    Some(filter) => SessionEvent::Down(SessionError::Refused(filter.clone())),
                    None => SessionEvent::Up,
                })
            }
            Event::Outgoing(Outgoing::Publish(packet)) => {
                if let Some(number) = self.handed_over.pop_front() {
                    self.on_the_wire.insert(packet, number);
                }
                None
            }
            Event::Incoming(Packet::PubAck(ack)) => {
                self.on_the_wire.remove(&ack.pkid).map(SessionEvent::Acknowledged)
            }
            Event::Incoming(Packet::Publish(message)) => {
                kill_point!("message.heard");
                let payload = message.payload.to_vec();
                Some(SessionEvent::Message { topic: message.topic, payload })
            }
            Event::Outgoing(Outgoing::PubAck(_)) => {
                kill_point!("message.acknowledged");
                None
            }
            Event::Incoming(_) | Event::Outgoing(_) => None,
        }
    }

    /// One SUBSCRIBE for all filters: rumqttc may give two of them the same identifier as a
    /// message in flight.
    fn subscribe(&mut self) -> Result<(), SessionError> {
        let filters = self
            .filters
            .iter()
            .map(|filter| SubscribeFilter::new(filter.clone(), QoS::AtLeastOnce))
            .collect::<Vec<_>>();
        self.client.try_subscribe_many(filters).map_err(|_| SessionError::Stuck)
    }
}

/// Why a broker's URL or its TLS files can't be used.
#[derive(Debug, thiserror::Error)]
pub enum UrlError {
    /// Not of the form that is understood.
    #[error("mqtt.url {0:?}: not mqtt://host[:port] or mqtts://host[:port]")]
    Form(String),
    /// No authority to check the broker by.
    #[error("mqtt.ca_file {path}: {reason}")]
    Authorities {
        /// The file.
        path: String,
        /// What is wrong.
        reason: String,
    },
}

/// Host, port and whether TLS is asked for.
pub fn parse_url(url: &str) -> Result<(String, u16, bool), UrlError> {
    let form = || UrlError::Form(url.to_owned());
    let (scheme, rest) = url.split_once("://").ok_or_else(form)?;
    let (is_tls, default_port) = match scheme {
        "mqtt" => (false, 1883),
        "mqtts" => (true, 8883),
        _ => return Err(form()),
    };
    let rest = rest.trim_end_matches('/');
    if rest.contains(['/', '@', '?', '#']) {
        return Err(form());
    }
    let (host, port) = match rest.rsplit_once(':') {
        Some((host, port)) if !host.ends_with(':') && !port.contains(']') => {
            (host, port.parse().map_err(|_| form())?)
        }
        _ => (rest, default_port),
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    if host.is_empty() {
        return Err(form());
    }
    Ok((host.to_owned(), port, is_tls))
}

/// TLS by ring that believes the certificates in this PEM file and no others: a broker of a
/// warning system has an operator, not a public name.
pub fn tls(ca_file: &std::path::Path) -> Result<Arc<rustls::ClientConfig>, UrlError> {
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject as _;

    let fault =
        |reason: String| UrlError::Authorities { path: ca_file.display().to_string(), reason };
    let mut roots = rustls::RootCertStore::empty();
    let certificates =
        CertificateDer::pem_file_iter(ca_file).map_err(|error| fault(error.to_string()))?;
    for certificate in certificates {
        let certificate = certificate.map_err(|error| fault(error.to_string()))?;
        roots.add(certificate).map_err(|error| fault(error.to_string()))?;
    }
    if roots.is_empty() {
        return Err(fault("holds no certificate".into()));
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| fault(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_name_host_port_and_tls() {
        let parsed = |url| parse_url(url).ok();
        assert_eq!(parsed("mqtt://10.0.0.5"), Some(("10.0.0.5".into(), 1883, false)));
        assert_eq!(parsed("mqtts://broker.xm:9883/"), Some(("broker.xm".into(), 9883, true)));
        assert_eq!(parsed("mqtt://[::1]:1884"), Some(("::1".into(), 1884, false)));
        assert_eq!(parsed("mqtt://[::1]"), Some(("::1".into(), 1883, false)));
        for wrong in ["10.0.0.5:1883", "http://x", "mqtt://", "mqtt://u:p@x", "mqtt://x:port"] {
            assert!(parsed(wrong).is_none(), "{wrong}");
        }
    }
}
