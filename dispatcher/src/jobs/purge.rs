//! Forgets what is older than its time: events, kept answers, sessions, receipts. The record is not touched.

use jiff::SignedDuration;

use crate::app::{events, idempotency, sessions};
use crate::context::App;
use crate::store::{StoreError, receipts};

/// How long single receipts are kept: a flood season and the one before it, for whoever asks
/// afterwards. What they led to stays with the deliveries.
const RECEIPTS_KEPT: SignedDuration = SignedDuration::from_hours(400 * 24);

/// One run, in one transaction a table, so that nobody waits long for the writer's place.
pub async fn run(app: &App) -> Result<(), StoreError> {
    let now = app.now();
    let mut tx = app.db.begin().await?;
    let forgotten = events::purge(&mut tx, now).await?;
    tx.commit().await?;
    let mut tx = app.db.begin().await?;
    let answers = idempotency::purge(&mut tx, now).await?;
    tx.commit().await?;
    let mut tx = app.db.begin().await?;
    let sessions = sessions::purge(&mut tx, now).await?;
    tx.commit().await?;
    let mut tx = app.db.begin().await?;
    let receipts = receipts::purge(&mut tx, now - RECEIPTS_KEPT).await?;
    tx.commit().await?;
    tracing::debug!(events = forgotten, answers, sessions, receipts, "forgot what was old");
    Ok(())
}
