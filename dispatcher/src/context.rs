//! What every use case is given: database, ports, configuration, signer, metrics, wake-ups.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use jiff::Timestamp;
use protocols::certificate::Certificate;
use protocols::order::Stream;
use protocols::region::RegionCode;
use protocols::trust::{self, Roots};
use protocols::wire::{self, MessageType, SigningKey, VerifyingKey};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::config::Config;
use crate::config::trust::TrustConfig;
use crate::metrics::Metrics;
use crate::ports::Ports;
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
}

/// Key, certificate and pinned roots of this dispatcher.
#[derive(Debug)]
pub struct Signer {
    key: SigningKey,
    sealed_certificate: Vec<u8>,
    certificate: Certificate,
    roots: Roots,
}

impl Signer {
    /// Puts them together; an error when the certificate is not one of the roots' or is for
    /// another key. Whether it is valid *now* is asked by the caller ([`Signer::expires`]).
    pub fn new(key: SigningKey, sealed_certificate: Vec<u8>, roots: Roots) -> anyhow::Result<Self> {
        let certificate = trust::open_certificate(&sealed_certificate, &roots)
            .context("the certificate is not believed")?;
        let is_own = certificate.public_key == key.verifying_key().to_bytes();
        anyhow::ensure!(is_own, "the certificate is for another key");
        Ok(Self { key, sealed_certificate, certificate, roots })
    }

    /// Reads the three files that the configuration names.
    pub fn load(config: &TrustConfig) -> anyhow::Result<Self> {
        let key = read_key(&config.key_file)?;
        let certificate = std::fs::read(&config.certificate_file).with_context(|| {
            format!(
                "read trust.certificate_file {}: `dispatcher key delegate` makes it",
                config.certificate_file.display()
            )
        })?;
        Self::new(key, certificate, read_roots(&config.roots_file)?)
    }

    /// Seals `payload` under this dispatcher's certificate, which is attached.
    pub fn seal(&self, kind: MessageType, stream: Option<Stream>, payload: Vec<u8>) -> Vec<u8> {
        wire::seal(kind, stream, payload, &self.key, Some(&self.sealed_certificate))
    }

    /// The region it may speak for.
    pub fn region(&self) -> RegionCode {
        self.certificate.region
    }

    /// The certificate as content.
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// The certificate as bytes: what a terminal is given on enrolment.
    pub fn sealed_certificate(&self) -> &[u8] {
        &self.sealed_certificate
    }

    /// The roots: what a terminal pins.
    pub fn roots(&self) -> &Roots {
        &self.roots
    }

    /// The end of the certificate's validity.
    pub fn expires(&self) -> Timestamp {
        self.certificate.not_after
    }
}

/// A private key file: 64 hex digits of the seed.
pub fn read_key(path: &Path) -> anyhow::Result<SigningKey> {
    let text = std::fs::read_to_string(path).with_context(|| {
        format!("read trust.key_file {}: `dispatcher key delegate` makes it", path.display())
    })?;
    let mut seed = zeroize::Zeroizing::new([0_u8; 32]);
    hex::decode_to_slice(zeroize::Zeroizing::new(text).trim(), seed.as_mut_slice())
        .with_context(|| format!("{} is not 64 hexadecimal digits", path.display()))?;
    Ok(SigningKey::from_seed(&seed))
}

/// The file of pinned roots: one public key a line (64 hex digits), one or two lines; `#` begins a
/// remark.
pub fn read_roots(path: &Path) -> anyhow::Result<Roots> {
    let text = std::fs::read_to_string(path).with_context(|| {
        format!("read trust.roots_file {}: `dispatcher key root` makes it", path.display())
    })?;
    let mut roots = Vec::new();
    for line in text.lines() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if line.is_empty() {
            continue;
        }
        let bytes = hex::decode(line)
            .with_context(|| format!("{}: a root is 64 hexadecimal digits", path.display()))?;
        roots.push(VerifyingKey::from_bytes(&bytes)?);
    }
    anyhow::ensure!((1..=2).contains(&roots.len()), "{}: one or two roots", path.display());
    Ok(Roots::new(roots))
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
