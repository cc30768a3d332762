//! Receipts: written in one transaction with what follows from them, and only then acknowledged.

use std::collections::BTreeMap;

use jiff::Timestamp;
use protocols::digest::Digest;
use protocols::receipt::{Reason, Receipt, ReceiptAck, ReceiptBatch};
use protocols::terminal::TerminalId;
use protocols::wire;
use serde_json::json;

use crate::app::events::{self, Topic};
use crate::domain::delivery::{self, DeliveryState, Progress};
use crate::metrics::{DeliveryLabels, Metrics, Outcome};
use crate::store::deliveries::{self, Delivery, reason_word};
use crate::store::receipts::{self, OrderKey, ReceiptRow};
use crate::store::{StoreError, Tx};

/// What a write of receipts led to.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Recorded {
    /// To be sealed and sent after the commit.
    pub acks: Vec<ReceiptAck>,
    /// Deliveries whose state changed.
    pub changed: usize,
}

/// Records batches whose signatures were checked: receipts, deliveries, one event for each alert.
/// The caller commits, then sends the acknowledgements and wakes the readers.
pub async fn record(
    tx: &mut Tx,
    metrics: &Metrics,
    batches: &[ReceiptBatch],
    now: Timestamp,
) -> Result<Recorded, StoreError> {
    let acks = acknowledge(tx, batches).await?;
    let rows = batches.iter().flat_map(rows_of).collect::<Vec<_>>();
    receipts::insert(tx, &rows, now).await?;
    let orders = orders_of(tx, batches).await?;
    let heard = gather(batches, &orders);
    let changed = merge(tx, metrics, &orders, heard, now).await?;
    let count = changed.values().map(|alert| alert.changed).sum();
    for (alert, change) in changed {
        announce(tx, &alert, &change, now).await?;
    }
    Ok(Recorded { acks, changed: count })
}

/// Decides and notes up to which number each journal is acknowledged. Asked before the insert, so
/// that a batch that is repeated can be told from one that is new.
async fn acknowledge(tx: &mut Tx, batches: &[ReceiptBatch]) -> Result<Vec<ReceiptAck>, StoreError> {
    let mut up_to = BTreeMap::<(TerminalId, u64), u64>::new();
    for batch in batches {
        let (terminal, journal_id, first) = (batch.terminal, batch.journal_id, batch.first_number);
        let last = first + batch.receipts.len() as u64 - 1;
        let known = match up_to.get(&(terminal, journal_id)) {
            Some(known) => *known,
            None => receipts::up_to(tx, terminal, journal_id).await?,
        };
        let is_gap = first > known + 1;
        let is_repeat = is_gap
            && receipts::count(tx, terminal, journal_id, first, last).await?
                == batch.receipts.len() as u64;
        let acknowledged = delivery::acknowledged(known, first, last, is_repeat);
        up_to.insert((terminal, journal_id), acknowledged);
    }
    let mut acks = Vec::with_capacity(up_to.len());
    for ((terminal, journal_id), up_to) in up_to {
        receipts::set_up_to(tx, terminal, journal_id, up_to).await?;
        acks.push(ReceiptAck { terminal, journal_id, up_to });
    }
    Ok(acks)
}

fn numbered(batch: &ReceiptBatch) -> impl Iterator<Item = (u64, &Receipt)> {
    (batch.first_number..).zip(&batch.receipts)
}

fn rows_of(batch: &ReceiptBatch) -> impl Iterator<Item = ReceiptRow> {
    numbered(batch).map(|(number, receipt)| ReceiptRow {
        terminal: batch.terminal,
        journal_id: batch.journal_id,
        number,
        order_digest: receipt.order,
        state: DeliveryState::from(receipt.state).as_str(),
        reason: receipt.reason.map(reason_word),
        repeat: receipt.repeat,
        at: receipt.at,
        body: wire::encode(receipt),
    })
}

async fn orders_of(
    tx: &mut Tx,
    batches: &[ReceiptBatch],
) -> Result<BTreeMap<Digest, OrderKey>, StoreError> {
    let digests = batches.iter().flat_map(|batch| &batch.receipts).map(|receipt| receipt.order);
    let mut orders = BTreeMap::new();
    for digest in digests.collect::<std::collections::BTreeSet<_>>() {
        // Receipts for stops, or for what another dispatcher ordered, have no order here.
        if let Some(order) = receipts::order(tx, digest).await? {
            orders.insert(digest, order);
        }
    }
    Ok(orders)
}

/// What is newly said of each order at each terminal.
fn gather(
    batches: &[ReceiptBatch],
    orders: &BTreeMap<Digest, OrderKey>,
) -> BTreeMap<(String, TerminalId), (Digest, Progress, bool)> {
    let mut heard = BTreeMap::<(String, TerminalId), (Digest, Progress, bool)>::new();
    for batch in batches {
        for (number, receipt) in numbered(batch) {
            let Some(order) = orders.get(&receipt.order) else { continue };
            let is_preempted = receipt.reason == Some(Reason::Preempted);
            let said = Progress::of(number, receipt);
            let entry = heard
                .entry((order.id.clone(), batch.terminal))
                .or_insert_with(|| (receipt.order, Progress::default(), false));
            entry.1 = std::mem::take(&mut entry.1).merge(said);
            entry.2 |= is_preempted;
        }
    }
    heard
}

/// What changed for one alert.
struct Change {
    region: protocols::region::RegionCode,
    changed: usize,
}

async fn merge(
    tx: &mut Tx,
    metrics: &Metrics,
    orders: &BTreeMap<Digest, OrderKey>,
    mut heard: BTreeMap<(String, TerminalId), (Digest, Progress, bool)>,
    now: Timestamp,
) -> Result<BTreeMap<String, Change>, StoreError> {
    let keys = heard.keys().cloned().collect::<Vec<_>>();
    let mut changes = BTreeMap::<String, Change>::new();
    for before in deliveries::find(tx, &keys).await? {
        let key = (before.order_id.clone(), before.terminal);
        let Some((digest, said, is_preempted)) = heard.remove(&key) else { continue };
        let Some(order) = orders.get(&digest) else { continue };
        let progress = before.progress.clone().merge(said);
        if progress == before.progress {
            continue;
        }
        let after = Delivery { progress, ..before.clone() };
        deliveries::save(tx, &after, now).await?;
        count(metrics, order, &before, &after, is_preempted, now);
        let change = changes
            .entry(order.alert.clone())
            .or_insert(Change { region: order.region, changed: 0 });
        change.changed += 1;
    }
    Ok(changes)
}

fn count(
    metrics: &Metrics,
    order: &OrderKey,
    before: &Delivery,
    after: &Delivery,
    is_preempted: bool,
    now: Timestamp,
) {
    if is_preempted {
        metrics.preemptions.inc();
    }
    if now > order.expires_at {
        metrics.receipts_late.inc();
    }
    let (earlier, later) = (&before.progress, &after.progress);
    if let (None, Some(first)) = (earlier.first_sound_at, later.first_sound_at) {
        let lag = first.duration_since(order.created_at).as_secs_f64();
        metrics.delivery_lag_seconds.observe(lag.max(0.0));
    }
    if earlier.state() == later.state() {
        return;
    }
    let outcome = match later.state() {
        DeliveryState::Finished => Outcome::Finished,
        DeliveryState::Interrupted => Outcome::Interrupted,
        DeliveryState::Failed => Outcome::Failed,
        DeliveryState::Refused => Outcome::Refused,
        DeliveryState::Pending
        | DeliveryState::Accepted
        | DeliveryState::Verified
        | DeliveryState::Started => return,
    };
    metrics.deliveries.get_or_create(&DeliveryLabels { outcome }).inc();
}

/// One event for an alert and a transaction, however many receipts came: the counts themselves,
/// so that a screen needs no further question.
async fn announce(
    tx: &mut Tx,
    alert: &str,
    change: &Change,
    now: Timestamp,
) -> Result<(), StoreError> {
    let counts = deliveries::count_by_state(tx, alert).await?;
    let counts = counts
        .into_iter()
        .map(|(state, count)| (state.as_str().to_owned(), json!(count)))
        .collect::<serde_json::Map<_, _>>();
    let body = json!({
        "type": "deliveries_changed",
        "alert": alert,
        "changed": change.changed,
        "counts": counts,
    });
    events::push(tx, now, Topic::Deliveries, change.region, &body).await
}
