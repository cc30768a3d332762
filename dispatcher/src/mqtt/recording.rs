//! Takes receipts in, writes many at once, and acknowledges them after the commit.

use std::sync::Arc;

use jiff::SignedDuration;
use kill_points::kill_point;
use protocols::receipt::ReceiptBatch;
use protocols::wire::{self, MessageType, Topic};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::collector::Collector;
use super::directory::Directory;
use super::inbox::{self, Disbelief};
use super::incoming::Said;
use super::outgoing::{Pipe, pause_for, until};
use crate::app::receipts;
use crate::context::{App, Wake};
use crate::store::StoreError;

/// Batches of receipts written in one transaction: some 2,000 receipts, 50 ms of writing.
const BATCHES_MAX: usize = 512;

/// How long a receipt waits for others. An officer does not see a tenth of a second.
const WAIT_MAX: SignedDuration = SignedDuration::from_millis(100);

/// Records until `stop`; what was taken in before is still written.
pub async fn serve(
    app: Arc<App>,
    directory: Directory,
    pipe: Pipe,
    mut said: mpsc::Receiver<Said>,
    stop: CancellationToken,
) {
    let mut collector = Collector::new(BATCHES_MAX, WAIT_MAX);
    loop {
        let wait = until(&app, collector.next_wakeup());
        let message = tokio::select! {
            biased;
            () = stop.cancelled() => break,
            message = said.recv() => match message {
                Some(message) => Some(message),
                None => break,
            },
            () = pause_for(wait) => None,
        };
        if let Some(message) = message
            && let Some(batch) = believe(&app, &directory, message).await
        {
            collector.push(app.now(), batch);
        }
        if let Some(batches) = collector.due(app.now()) {
            write(&app, &pipe, batches).await;
        }
    }
    write(&app, &pipe, collector.drain()).await;
}

async fn believe(app: &App, directory: &Directory, said: Said) -> Option<ReceiptBatch> {
    let (terminal, bytes) = said;
    let opened = match directory.find(terminal).await.ok().flatten() {
        Some(member) => inbox::open::<ReceiptBatch>(terminal, &bytes, &member.key),
        None => Err(Disbelief::UnknownTerminal),
    };
    opened
        .inspect_err(|disbelief| {
            app.metrics.messages_disbelieved.inc();
            tracing::info!(terminal.id = %terminal, %disbelief, "receipts are not believed");
        })
        .ok()
}

async fn write(app: &App, pipe: &Pipe, batches: Vec<ReceiptBatch>) {
    if batches.is_empty() {
        return;
    }
    let acks = match record(app, &batches).await {
        Ok(acks) => acks,
        Err(error) => {
            // Nothing was acknowledged: the terminals send it all again.
            tracing::error!(%error, batches = batches.len(), "receipts were not written");
            return;
        }
    };
    for ack in acks {
        let topic = Topic::TerminalAck(ack.terminal);
        let sealed = match app.seal(MessageType::ReceiptAck, None, wire::encode(&ack)) {
            Ok(sealed) => sealed,
            Err(error) => {
                tracing::warn!(%error, "receipts are recorded and can't be acknowledged");
                return;
            }
        };
        if pipe.answer(topic, sealed).await.is_err() {
            return;
        }
        kill_point!("receipts.acknowledged");
    }
}

async fn record(
    app: &App,
    batches: &[ReceiptBatch],
) -> Result<Vec<protocols::receipt::ReceiptAck>, StoreError> {
    let mut tx = app.db.begin().await?;
    let recorded = receipts::record(&mut tx, &app.metrics, batches, app.now()).await?;
    kill_point!("receipts.storing");
    tx.commit().await?;
    kill_point!("receipts.stored");
    if recorded.changed > 0 {
        app.notifier.wake(Wake::Deliveries);
        app.notifier.wake(Wake::Events);
    }
    Ok(recorded.acks)
}
