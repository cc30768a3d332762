//! The connection that publishes: runs the [`super::publisher`] on a [`super::client::Session`].

use std::sync::Arc;
use std::time::Duration;

use protocols::wire::Topic;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::backoff::Backoff;
use super::client::{Address, Session, SessionError, SessionEvent};
use super::publisher::{Input, Lane, Message, Output, Publisher};
use crate::context::{App, Wake};

/// Messages between whoever publishes and the connection's task.
const REQUESTS_MAX: usize = 1_024;

/// Whoever waits for the acknowledgement; nobody for answers.
type Ticket = Option<oneshot::Sender<()>>;

/// The broker did not take the message: there is no room, or the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the message was not taken")]
pub struct NotPublished;

/// Publishes. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Pipe {
    requests: mpsc::Sender<Message<Ticket>>,
}

impl Pipe {
    /// The pipe and the requests that [`serve`] works on.
    pub fn new() -> (Self, mpsc::Receiver<Message<Ticket>>) {
        let (requests, asked) = mpsc::channel(REQUESTS_MAX);
        (Self { requests }, asked)
    }

    /// Publishes before everything else and waits, across connections, until the broker
    /// acknowledged it.
    pub async fn publish(
        &self,
        topic: String,
        payload: Vec<u8>,
        is_retained: bool,
    ) -> Result<(), NotPublished> {
        let (ticket, done) = oneshot::channel();
        let ticket = Some(ticket);
        let message = Message { lane: Lane::Orders, topic, payload, is_retained, ticket };
        self.requests.send(message).await.map_err(|_| NotPublished)?;
        done.await.map_err(|_| NotPublished)
    }

    /// Hands over an answer to one terminal, or to the village of one. It may be lost: the terminal
    /// asks again.
    pub async fn answer(&self, topic: Topic, payload: Vec<u8>) -> Result<(), NotPublished> {
        let (lane, is_retained) = (Lane::Answers, topic.is_retained());
        let topic = topic.to_string();
        let message = Message { lane, topic, payload, is_retained, ticket: None };
        self.requests.send(message).await.map_err(|_| NotPublished)
    }
}

/// Publishes until `stop`, through any number of connections.
pub async fn serve(
    app: Arc<App>,
    address: Address,
    mut requests: mpsc::Receiver<Message<Ticket>>,
    stop: CancellationToken,
) {
    let mut publisher = Publisher::default();
    let mut backoff = Backoff::default();
    loop {
        let ended = live(&app, &address, &mut publisher, &mut backoff, &mut requests, &stop).await;
        publisher.handle(app.now(), Input::Disconnected);
        let Some(error) = ended else { return };
        let wait = backoff.next(u32::from_be_bytes(app.ports.bytes()));
        tracing::warn!(
            mqtt.client = address.client_id,
            retry_in_ms = wait.as_millis() as u64,
            "no connection to publish on: {error}"
        );
        if !pause(&app, wait, &mut publisher, &mut requests, &stop).await {
            return;
        }
    }
}

/// One connection; `None` when told to stop.
async fn live(
    app: &App,
    address: &Address,
    publisher: &mut Publisher<Ticket>,
    backoff: &mut Backoff,
    requests: &mut mpsc::Receiver<Message<Ticket>>,
    stop: &CancellationToken,
) -> Option<SessionError> {
    let mut session = Session::begin(address, Vec::new());
    loop {
        let wait = until(app, publisher.next_wakeup());
        let input = tokio::select! {
            biased;
            () = stop.cancelled() => return None,
            event = session.next() => match event {
                SessionEvent::Up => {
                    backoff.reset();
                    tracing::info!(mqtt.client = address.client_id, "connected to publish");
                    app.notifier.wake(Wake::Orders);
                    app.notifier.wake(Wake::Revocations);
                    Some(Input::Connected)
                }
                SessionEvent::Acknowledged(number) => Some(Input::Acknowledged(number)),
                SessionEvent::Message { .. } => None,
                SessionEvent::Down(error) => return Some(error),
            },
            request = requests.recv() => Some(Input::Publish(request?)),
            () = pause_for(wait) => None,
        };
        match input {
            Some(input) => publisher.handle(app.now(), input),
            None => publisher.tick(app.now()),
        }
        while let Some(output) = publisher.poll() {
            match output {
                Output::Send { number, topic, payload, is_retained } => {
                    if let Err(error) = session.send(number, topic, payload, is_retained) {
                        return Some(error);
                    }
                }
                Output::Done(ticket) => done(ticket),
                Output::NoRoom(ticket) => drop(ticket),
                Output::Reconnect => return Some(SessionError::Stuck),
            }
        }
    }
}

/// Waits for the next attempt while requests keep coming; `false` when told to stop.
async fn pause(
    app: &App,
    wait: Duration,
    publisher: &mut Publisher<Ticket>,
    requests: &mut mpsc::Receiver<Message<Ticket>>,
    stop: &CancellationToken,
) -> bool {
    let over = pause_for(wait);
    tokio::pin!(over);
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => return false,
            () = &mut over => return true,
            request = requests.recv() => {
                let Some(request) = request else { return false };
                publisher.handle(app.now(), Input::Publish(request));
                while publisher.poll().is_some() {}
            }
        }
    }
}

fn done(ticket: Ticket) {
    if let Some(ticket) = ticket {
        // Whoever asked may be gone; the next look at the database finds it unpublished and
        // publishes it once more, which does no harm.
        let _ = ticket.send(());
    }
}

/// How long until `at` by the program's clock; an hour when nothing is due.
pub(super) fn until(app: &App, at: Option<jiff::Timestamp>) -> Duration {
    const NOTHING_DUE: Duration = Duration::from_hours(1);
    at.map_or(NOTHING_DUE, |at| at.duration_since(app.now()).try_into().unwrap_or_default())
}

#[expect(clippy::disallowed_methods, reason = "a shell waits for the machine's next wake-up")]
pub(super) async fn pause_for(wait: Duration) {
    tokio::time::sleep(wait).await;
}
