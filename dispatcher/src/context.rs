//! What every use case is given: database, ports, configuration, signer, metrics, wake-ups.

use std::sync::Arc;

use jiff::Timestamp;
use protocols::order::Stream;
use protocols::region::RegionCode;
use protocols::wire::MessageType;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::config::Config;
use crate::domain::keys::CannotSign;
use crate::metrics::Metrics;
use crate::ports::Ports;
pub use crate::signer::{Signer, read_key, read_roots};
use crate::store::Db;
use crate::voice::Voice;

/// The context of a serving dispatcher. Shared as `Arc<App>`.
#[derive(Debug)]
pub struct App {
    /// The truth.
    pub db: Db,
    /// Clock and entropy.
    pub ports: Ports,
    /// As read on start.
    pub config: Config,
    /// Key and certificate of this dispatcher.
    pub signer: Signer,
    /// Counters for `/metrics`.
    pub metrics: Metrics,
    /// Makes clips of words.
    pub voice: Arc<dyn Voice>,
    /// Wake-ups of reconcilers.
    pub notifier: Notifier,
    /// The dispatcher's own connection to the broker.
    pub link: crate::mqtt::link::LinkState,
    /// Where the embedded broker listens, with the real port, once it does.
    pub broker_address: std::sync::OnceLock<std::net::SocketAddr>,
    /// Requests with an `Idempotency-Key` that are being worked on in this process.
    pub running: crate::app::idempotency::Running,
    /// Regions and enrolled terminals in memory.
    pub places: crate::app::places::PlaceCache,
    /// Login tries by address.
    pub logins: crate::app::limiter::Limiter,
    /// Cancelled when the server begins to end: what waits for long stops waiting.
    pub stopping: CancellationToken,
}

impl App {
    /// Puts a context together.
    pub fn new(db: Db, ports: Ports, config: Config, signer: Signer) -> Arc<Self> {
        let voice = crate::voice::from_config(&config.speech);
        Arc::new(Self {
            db,
            ports,
            config,
            signer,
            metrics: Metrics::default(),
            voice,
            notifier: Notifier::default(),
            link: crate::mqtt::link::LinkState::default(),
            broker_address: std::sync::OnceLock::new(),
            running: crate::app::idempotency::Running::default(),
            places: crate::app::places::PlaceCache::default(),
            logins: crate::app::limiter::Limiter::default(),
            stopping: CancellationToken::new(),
        })
    }

    /// Now.
    pub fn now(&self) -> Timestamp {
        self.ports.now()
    }

    /// A fresh identifier.
    pub fn id(&self) -> Uuid {
        self.ports.id()
    }

    /// The region this dispatcher speaks for: its certificate's.
    pub fn region(&self) -> RegionCode {
        self.signer.region()
    }

    /// Seals `payload` under this dispatcher's certificate, which is attached. Refused when its key
    /// is revoked or its certificate is not valid now: no terminal would believe it.
    pub fn seal(
        &self,
        kind: MessageType,
        stream: Option<Stream>,
        payload: Vec<u8>,
    ) -> Result<Vec<u8>, CannotSign> {
        self.signer.seal(self.now(), kind, stream, payload)
    }
}

/// What a reconciler may be woken for. No data: whoever is woken reads the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wake {
    /// There are orders or commands to publish.
    Orders,
    /// There are new events for SSE.
    Events,
    /// Receipts or deliveries changed.
    Deliveries,
    /// Alerts changed state: expiry and closures are to be planned again.
    Alerts,
    /// Text waits to be made into clips.
    Speech,
    /// Terminals or their credentials changed.
    Terminals,
    /// A terminal was taken away for good.
    Retired,
    /// The revocation list is to be published: it changed, or the broker may have forgotten it.
    Revocations,
}

/// Wake-ups, one signal a kind. A wake-up without a sleeper is kept for the next one.
#[derive(Debug, Default)]
pub struct Notifier {
    orders: Notify,
    deliveries: Notify,
    alerts: Notify,
    speech: Notify,
    terminals: Notify,
    retired: Notify,
    revocations: Notify,
    events: tokio::sync::watch::Sender<u64>,
}

impl Notifier {
    /// Wakes whoever waits for `wake`, after the commit.
    pub fn wake(&self, wake: Wake) {
        match wake {
            Wake::Orders => self.orders.notify_one(),
            Wake::Deliveries => self.deliveries.notify_one(),
            Wake::Alerts => self.alerts.notify_one(),
            Wake::Speech => self.speech.notify_one(),
            Wake::Terminals => self.terminals.notify_one(),
            Wake::Retired => self.retired.notify_one(),
            Wake::Revocations => self.revocations.notify_one(),
            Wake::Events => self.events.send_modify(|count| *count = count.wrapping_add(1)),
        }
    }

    /// Waits until woken. One waiter a kind, except [`Wake::Events`]: each SSE reader takes
    /// [`Notifier::events`] of its own.
    pub async fn woken(&self, wake: Wake) {
        match wake {
            Wake::Orders => self.orders.notified().await,
            Wake::Deliveries => self.deliveries.notified().await,
            Wake::Alerts => self.alerts.notified().await,
            Wake::Speech => self.speech.notified().await,
            Wake::Terminals => self.terminals.notified().await,
            Wake::Retired => self.retired.notified().await,
            Wake::Revocations => self.revocations.notified().await,
            Wake::Events => {
                let mut events = self.events();
                let _ = events.changed().await;
            }
        }
    }

    /// A receiver that is told of every later [`Wake::Events`].
    pub fn events(&self) -> tokio::sync::watch::Receiver<u64> {
        self.events.subscribe()
    }
}
