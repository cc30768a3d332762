//! The connection that listens: sorts what terminals say into bounded queues.

use std::sync::Arc;
use std::time::Duration;

use protocols::terminal::TerminalId;
use protocols::wire::Topic;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::backoff::Backoff;
use super::client::{Address, Session, SessionError, SessionEvent};
use super::outgoing::pause_for;
use crate::context::App;

/// Messages waiting in each queue: all terminals of a city at once.
const QUEUE_MAX: usize = 16_384;

/// How long a full queue holds up the connection before a message is dropped. Shorter than the
/// keep-alive, so that the connection outlives a slow disk; every sender repeats itself.
const HELD_UP_MAX: Duration = Duration::from_secs(5);

/// What a terminal said on one of its topics.
pub type Said = (TerminalId, Vec<u8>);

/// Queues by kind.
#[derive(Debug, Clone)]
pub struct Inbox {
    hellos: mpsc::Sender<Said>,
    receipts: mpsc::Sender<Said>,
    reports: mpsc::Sender<Report>,
}

/// What says that a terminal lives.
#[derive(Debug)]
pub enum Report {
    /// Signed vitals.
    Vitals(Said),
    /// The unsigned hint.
    Status(Said),
}

/// The other ends of an [`Inbox`].
#[derive(Debug)]
pub struct Queues {
    /// Hellos.
    pub hellos: mpsc::Receiver<Said>,
    /// Receipts.
    pub receipts: mpsc::Receiver<Said>,
    /// Vitals and status.
    pub reports: mpsc::Receiver<Report>,
}

impl Inbox {
    /// The inbox and its queues.
    pub fn new() -> (Self, Queues) {
        let (hellos, hellos_out) = mpsc::channel(QUEUE_MAX);
        let (receipts, receipts_out) = mpsc::channel(QUEUE_MAX);
        let (reports, reports_out) = mpsc::channel(QUEUE_MAX);
        let queues = Queues { hellos: hellos_out, receipts: receipts_out, reports: reports_out };
        (Self { hellos, receipts, reports }, queues)
    }

    /// Puts a message into its queue; what no terminal may say is dropped.
    async fn sort(&self, topic: &str, payload: Vec<u8>) {
        let Ok(topic) = topic.parse::<Topic>() else { return };
        let is_taken = match topic {
            Topic::TerminalHello(id) => push(&self.hellos, (id, payload)).await,
            Topic::TerminalReceipt(id) => push(&self.receipts, (id, payload)).await,
            Topic::TerminalVitals(id) => push(&self.reports, Report::Vitals((id, payload))).await,
            Topic::TerminalStatus(id) => push(&self.reports, Report::Status((id, payload))).await,
            Topic::RegionOrder(_)
            | Topic::RegionCommand(_)
            | Topic::RegionRevocation(_)
            | Topic::TerminalOrder(_)
            | Topic::TerminalCommand(_)
            | Topic::TerminalReply(_)
            | Topic::TerminalAck(_) => true,
        };
        if !is_taken {
            tracing::warn!(mqtt.topic = %topic, "a queue is full: a message was dropped");
        }
    }
}

async fn push<T>(queue: &mpsc::Sender<T>, item: T) -> bool {
    queue.send_timeout(item, HELD_UP_MAX).await.is_ok()
}

/// Listens until `stop`, through any number of connections.
pub async fn serve(app: Arc<App>, address: Address, inbox: Inbox, stop: CancellationToken) {
    let mut backoff = Backoff::default();
    loop {
        let ended = live(&app, &address, &inbox, &mut backoff, &stop).await;
        app.link.down();
        let Some(error) = ended else { return };
        let wait = backoff.next(u32::from_be_bytes(app.ports.bytes()));
        tracing::warn!(
            mqtt.client = address.client_id,
            retry_in_ms = wait.as_millis() as u64,
            "terminals can't be heard: {error}"
        );
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            () = pause_for(wait) => {}
        }
    }
}

/// One connection; `None` when told to stop.
async fn live(
    app: &App,
    address: &Address,
    inbox: &Inbox,
    backoff: &mut Backoff,
    stop: &CancellationToken,
) -> Option<SessionError> {
    let mut session = Session::begin(address, protocols::wire::dispatcher_filters());
    loop {
        let event = tokio::select! {
            biased;
            () = stop.cancelled() => return None,
            event = session.next() => event,
        };
        match event {
            SessionEvent::Up => {
                backoff.reset();
                app.link.up(app.now());
                tracing::info!(mqtt.client = address.client_id, "terminals can be heard");
            }
            SessionEvent::Message { topic, payload } => inbox.sort(&topic, payload).await,
            SessionEvent::Acknowledged(_) => {}
            SessionEvent::Down(error) => return Some(error),
        }
    }
}
