//! The connection to the broker: the one module that knows rumqttc.
//!
//! Its task polls and never waits for the client: it only tries. A connection that failed is
//! thrown away with all that rumqttc holds (its queue is not to be trusted across sessions; the
//! engine says again what matters) and a new one is made after a pause that doubles and jitters.
//! Messages are acknowledged by hand, when the engine has them on disk; an acknowledgement counts
//! only on the connection that brought the message.

use std::path::Path;
use std::time::Duration;

use kill_points::kill_point;
use protocols::limits::PACKET_BYTES_MAX;
use protocols::terminal::TerminalId;
use protocols::vitals::StatusHint;
use protocols::wire::{Topic, terminal_filters};
use rumqttc::{
    AsyncClient, Event, EventLoop, LastWill, MqttOptions, Outgoing, Packet, Publish, QoS,
    SubscribeFilter, SubscribeReasonCode, Transport,
};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::clock;

/// Events that may wait for the run loop; beyond it the socket is not read.
const EVENTS_MAX: usize = 64;

/// Requests that rumqttc queues: acknowledgements and what the engine says in one step.
const REQUESTS_MAX: usize = 256;

/// First pause after a lost connection; it doubles.
const BACK_OFF_FIRST: Duration = Duration::from_secs(1);

/// Longest pause: ten thousand terminals then ask a returning broker 170 times a second.
const BACK_OFF_LONGEST: Duration = Duration::from_mins(1);

/// Longest wait for the subscription to be confirmed, and for a goodbye to leave.
const PATIENCE: Duration = Duration::from_secs(10);

/// Longest goodbye at the end of the program.
const GOODBYE: Duration = Duration::from_secs(2);

/// How to reach the broker.
#[derive(Debug, Clone)]
pub struct Access {
    /// Client id and user name.
    pub terminal: TerminalId,
    /// Password.
    pub password: String,
    /// `mqtt://host:port` or `mqtts://host:port`.
    pub url: String,
    /// PEM bytes of authorities, for mqtts.
    pub authorities: Vec<u8>,
    /// Time between signs of life.
    pub keep_alive: Duration,
}

/// Why a broker can't even be tried.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("mqtt url {url:?}: {reason}")]
pub struct UrlError {
    url: String,
    reason: &'static str,
}

/// What the connection tells.
#[derive(Debug)]
pub enum LinkEvent {
    /// The session stands and the filters are subscribed.
    Up {
        /// For publishing.
        client: Client,
        /// Whether the broker remembered us.
        session_present: bool,
    },
    /// The session is gone.
    Down,
    /// A message.
    Message {
        /// Where it was published.
        topic: String,
        /// Its bytes.
        payload: Vec<u8>,
        /// Tells the broker that it arrived.
        receipt: Receipt,
    },
}

/// Publishes on one connection; useless after it.
#[derive(Debug, Clone)]
pub struct Client(AsyncClient);

impl Client {
    /// Hands a message to the connection; false when there is no room. It may be lost later.
    pub fn publish(&self, topic: Topic, payload: Vec<u8>, retain: bool) -> bool {
        self.0.try_publish(topic.to_string(), QoS::AtLeastOnce, retain, payload).is_ok()
    }
}

/// Acknowledges one message on the connection that brought it.
#[derive(Debug)]
pub struct Receipt {
    client: AsyncClient,
    packet: Publish,
}

impl Receipt {
    /// Acknowledges; gives itself back when there is no room now.
    pub fn acknowledge(self) -> Result<(), Self> {
        match self.client.try_ack(&self.packet) {
            Ok(()) => Ok(()),
            Err(_) => Err(self),
        }
    }
}

/// Host and port of a broker's URL, and whether it asks for TLS.
pub fn parse_url(url: &str) -> Result<(String, u16, bool), UrlError> {
    let fault = |reason| UrlError { url: url.to_owned(), reason };
    let (scheme, rest) = url.split_once("://").ok_or_else(|| fault("has no scheme"))?;
    let is_tls = match scheme {
        "mqtt" => false,
        "mqtts" => true,
        _ => return Err(fault("the scheme is mqtt or mqtts")),
    };
    let authority = rest.trim_end_matches('/');
    // An IPv6 address stands in brackets and has colons of its own.
    let after_host = authority.rfind(']').map_or(0, |at| at + 1);
    let (host, port) = match authority[after_host..].rfind(':') {
        None => (authority, if is_tls { 8883 } else { 1883 }),
        Some(at) => {
            let (host, port) = authority.split_at(after_host + at);
            (host, port[1..].parse().map_err(|_| fault("the port is a number"))?)
        }
    };
    if host.is_empty() || host.contains(['/', '@', ' ']) {
        return Err(fault("names a host and a port, nothing else"));
    }
    Ok((host.to_owned(), port, is_tls))
}

/// Installs ring as the process's TLS provider. Harmless when done before.
pub fn install_tls() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// Where Debian keeps the authorities that the whole system believes.
pub const SYSTEM_AUTHORITIES: &str = "/etc/ssl/certs/ca-certificates.crt";

/// Reads the authorities for TLS from `ca_file`, or the system's bundle when it is empty.
pub fn read_authorities(ca_file: &Path) -> std::io::Result<Vec<u8>> {
    if ca_file.as_os_str().is_empty() {
        return std::fs::read(SYSTEM_AUTHORITIES);
    }
    std::fs::read(ca_file)
}

/// Starts the task; it ends after `stop`, with a goodbye.
pub fn start(
    access: &Access,
    seed: u64,
    stop: CancellationToken,
) -> Result<(mpsc::Receiver<LinkEvent>, tokio::task::JoinHandle<()>), UrlError> {
    let options = options(access)?;
    let (events, receiver) = mpsc::channel(EVENTS_MAX);
    let link = Link { options, terminal: access.terminal, events, stop, seed };
    Ok((receiver, tokio::spawn(link.run())))
}

fn options(access: &Access) -> Result<MqttOptions, UrlError> {
    let (host, port, is_tls) = parse_url(&access.url)?;
    let id = access.terminal.to_string();
    let mut options = MqttOptions::new(&id, host, port);
    options.set_credentials(&id, &access.password);
    options.set_keep_alive(access.keep_alive);
    options.set_clean_session(false);
    options.set_manual_acks(true);
    options.set_max_packet_size(PACKET_BYTES_MAX, PACKET_BYTES_MAX);
    let status = Topic::TerminalStatus(access.terminal).to_string();
    let will = StatusHint::Offline.as_bytes();
    options.set_last_will(LastWill::new(status, will, QoS::AtLeastOnce, true));
    if is_tls {
        install_tls();
        options.set_transport(Transport::tls(access.authorities.clone(), None, None));
    }
    Ok(options)
}

struct Link {
    options: MqttOptions,
    terminal: TerminalId,
    events: mpsc::Sender<LinkEvent>,
    stop: CancellationToken,
    seed: u64,
}

/// Why a connection ended.
enum End {
    Stopped,
    /// The run loop is gone.
    Unheard,
    Broken {
        reason: String,
        was_up: bool,
    },
}

impl Link {
    async fn run(self) {
        use rand::{RngExt as _, SeedableRng as _};
        let mut jitter = rand::rngs::SmallRng::seed_from_u64(self.seed);
        let mut pause = BACK_OFF_FIRST;
        let mut is_first_failure = true;
        loop {
            let (client, eventloop) = AsyncClient::new(self.options.clone(), REQUESTS_MAX);
            let (reason, was_up) = match self.serve(client, eventloop).await {
                End::Stopped | End::Unheard => return,
                End::Broken { reason, was_up } => (reason, was_up),
            };
            if was_up {
                pause = BACK_OFF_FIRST;
                if self.events.send(LinkEvent::Down).await.is_err() {
                    return;
                }
            }
            let wait = pause.mul_f64(jitter.random_range(0.5..1.0));
            if was_up || is_first_failure {
                tracing::warn!("broker: {reason}; next try in {:.1} s", wait.as_secs_f64());
            } else {
                tracing::debug!("broker: {reason}; next try in {:.1} s", wait.as_secs_f64());
            }
            is_first_failure = was_up;
            pause = (pause * 2).min(BACK_OFF_LONGEST);
            tokio::select! {
                () = self.stop.cancelled() => return,
                () = clock::sleep(wait) => {}
            }
        }
    }

    /// One connection from its first byte to its end.
    async fn serve(&self, client: AsyncClient, mut eventloop: EventLoop) -> End {
        let mut session_present = None;
        let mut is_up = false;
        let opened = clock::monotonic();
        loop {
            let broken = |reason: String| End::Broken { reason, was_up: is_up };
            let left = PATIENCE.saturating_sub(clock::monotonic().duration_since(opened));
            let event = tokio::select! {
                () = self.stop.cancelled() => {
                    if is_up {
                        self.say_goodbye(&client, &mut eventloop).await;
                    }
                    return End::Stopped;
                }
                () = clock::sleep(left), if !is_up => {
                    return broken("no connection within 10 s".to_owned());
                }
                event = eventloop.poll() => event,
            };
            let packet = match event {
                Ok(Event::Incoming(packet)) => packet,
                Ok(Event::Outgoing(outgoing)) => {
                    if let Outgoing::PubAck(_) = outgoing {
                        kill_point!("acknowledgement.sent");
                    }
                    continue;
                }
                Err(error) => return broken(error.to_string()),
            };
            let told = match packet {
                Packet::ConnAck(ack) => {
                    session_present = Some(ack.session_present);
                    let filters = terminal_filters(self.terminal).into_iter();
                    let filters = filters.map(|path| SubscribeFilter::new(path, QoS::AtLeastOnce));
                    if client.try_subscribe_many(filters).is_err() {
                        return broken("no room for the subscription".to_owned());
                    }
                    continue;
                }
                Packet::SubAck(ack) => {
                    if ack.return_codes.contains(&SubscribeReasonCode::Failure) {
                        return broken("the broker refused a subscription".to_owned());
                    }
                    is_up = true;
                    LinkEvent::Up {
                        client: Client(client.clone()),
                        session_present: session_present.unwrap_or(false),
                    }
                }
                Packet::Publish(publish) => message(&client, &publish),
                Packet::Disconnect => return broken("the broker said goodbye".to_owned()),
                Packet::Connect(_)
                | Packet::PubAck(_)
                | Packet::PubRec(_)
                | Packet::PubRel(_)
                | Packet::PubComp(_)
                | Packet::Subscribe(_)
                | Packet::Unsubscribe(_)
                | Packet::UnsubAck(_)
                | Packet::PingReq
                | Packet::PingResp => continue,
            };
            if self.events.send(told).await.is_err() {
                return End::Unheard;
            }
        }
    }

    /// An orderly end makes the broker drop the last will, so the word is said here.
    async fn say_goodbye(&self, client: &AsyncClient, eventloop: &mut EventLoop) {
        let status = Topic::TerminalStatus(self.terminal).to_string();
        let word = StatusHint::Offline.as_bytes();
        let _ = client.try_publish(status, QoS::AtLeastOnce, true, word);
        let _ = client.try_disconnect();
        let leave = async { while eventloop.poll().await.is_ok() {} };
        let _ = tokio::time::timeout(GOODBYE, leave).await;
    }
}

fn message(client: &AsyncClient, publish: &Publish) -> LinkEvent {
    let mut packet = Publish::new("", publish.qos, Vec::new());
    packet.pkid = publish.pkid;
    LinkEvent::Message {
        topic: publish.topic.clone(),
        payload: publish.payload.to_vec(),
        receipt: Receipt { client: client.clone(), packet },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_of_brokers_are_read_and_others_are_refused() {
        let read = |url| parse_url(url).map_err(|e| e.reason);
        assert_eq!(read("mqtt://10.0.0.5:1884"), Ok(("10.0.0.5".to_owned(), 1884, false)));
        assert_eq!(read("mqtts://broker.town"), Ok(("broker.town".to_owned(), 8883, true)));
        assert_eq!(read("mqtt://[::1]:99/"), Ok(("[::1]".to_owned(), 99, false)));
        assert_eq!(read("mqtt://[::1]"), Ok(("[::1]".to_owned(), 1883, false)));
        assert!(read("http://x").is_err());
        assert!(read("mqtt://u:p@host").is_err());
        assert!(read("mqtt://").is_err());
        assert!(read("10.0.0.5").is_err());
    }
}
