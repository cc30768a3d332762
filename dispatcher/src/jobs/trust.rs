//! Watches over key, certificate and revocation list of the serving dispatcher, and keeps the list
//! published.

use std::sync::Arc;

use kill_points::kill_point;
use protocols::wire::Topic;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::app::{audit, events, revocations};
use crate::context::{App, Wake};
use crate::domain::actor::Actor;
use crate::domain::keys::{DUE_BEFORE, Standing, due_from};
use crate::metrics::Job;
use crate::mqtt::outgoing::Pipe;
use crate::signer::NotRenewed;
use crate::store::{self, StoreError, terminal_states};

/// What was said last, so that each thing is said once.
#[derive(Debug, Default)]
pub struct Watch {
    standing: Option<Standing>,
    refusal: Option<String>,
    terminals_due: i64,
}

impl Watch {
    /// One run: a newer list, a renewed certificate, how both stand.
    pub async fn run(&mut self, app: &App) -> Result<(), StoreError> {
        take_list(app).await?;
        self.take_certificate(app).await?;
        self.measure(app).await
    }

    async fn take_certificate(&mut self, app: &App) -> Result<(), StoreError> {
        let before = app.signer.key_id();
        match app.signer.renew(&app.config.trust, app.now()) {
            Ok(false) => self.refusal = None,
            Ok(true) => {
                self.refusal = None;
                let (key, expires) = (app.signer.key_id(), app.signer.expires());
                tracing::info!(key.id = %key, certificate.expires = %expires, "certificate renewed");
                let now = app.now();
                let serial = app.signer.certificate().serial.to_string();
                let detail = json!({
                    "key": key.to_string(),
                    "key_before": before.to_string(),
                    "expires_at": expires,
                });
                let body = json!({
                    "type": "certificate_renewed",
                    "expires_at": expires,
                    "is_new_key": key != before,
                });
                let mut tx = app.db.begin().await?;
                events::push(&mut tx, now, events::Topic::Attention, app.region(), &body).await?;
                let (actor, object) = (Actor::system(), format!("certificate:{serial}"));
                audit::append(&mut tx, now, &actor, "renew_certificate", &object, &detail).await?;
                kill_point!("certificate.noting");
                tx.commit().await?;
                kill_point!("certificate.noted");
                app.notifier.wake(Wake::Events);
            }
            Err(refusal) => self.refused(&refusal),
        }
        Ok(())
    }

    /// Said once for each reason: between two copies of a pair of files it is normal.
    fn refused(&mut self, refusal: &NotRenewed) {
        let text = refusal.to_string();
        if self.refusal.as_ref() != Some(&text) {
            tracing::warn!("key or certificate files are not taken up: {text}");
            self.refusal = Some(text);
        }
    }

    async fn measure(&mut self, app: &App) -> Result<(), StoreError> {
        let now = app.now();
        let (certificate, revoked) = (app.signer.certificate(), app.signer.revoked());
        let metrics = &app.metrics;
        metrics.certificate_expires.set(certificate.not_after.as_second());
        metrics.revocation_number.set(i64::try_from(revoked.number).unwrap_or(i64::MAX));
        let mut connection = app.db.read().await?;
        let nearest = terminal_states::nearest_expiry(&mut connection).await?;
        let due = terminal_states::expiring_before(&mut connection, now + DUE_BEFORE).await?;
        drop(connection);
        metrics.terminal_certificate_expires.set(nearest.map_or(0, jiff::Timestamp::as_second));
        metrics.terminals_certificate_due.set(due);
        let standing = app.signer.standing(now);
        // A restart says again what is wrong, and nothing when all is well.
        let is_news = self.standing.unwrap_or(Standing::Good) != standing;
        let are_more = due > self.terminals_due;
        (self.standing, self.terminals_due) = (Some(standing), due);
        if !is_news && !are_more {
            return Ok(());
        }
        let mut tx = app.db.begin().await?;
        if is_news {
            let body = json!({
                "type": "certificate_standing",
                "standing": standing.as_str(),
                "key": app.signer.key_id().to_string(),
                "due_from": due_from(&certificate),
                "expires_at": certificate.not_after,
            });
            events::push(&mut tx, now, events::Topic::Attention, app.region(), &body).await?;
            say(standing);
        }
        if are_more {
            let body = json!({
                "type": "terminal_certificates_due",
                "terminals": due,
                "nearest_at": nearest,
            });
            events::push(&mut tx, now, events::Topic::Attention, app.region(), &body).await?;
        }
        tx.commit().await?;
        app.notifier.wake(Wake::Events);
        Ok(())
    }
}

fn say(standing: Standing) {
    match standing {
        Standing::Good => tracing::info!("key and certificate are good"),
        Standing::Due => tracing::warn!("the certificate is to be renewed: `key rotate`"),
        Standing::NotValid => {
            tracing::error!("the certificate is not valid now: nothing is signed");
        }
        Standing::Revoked => tracing::error!("the key is revoked: nothing is signed any more"),
    }
}

/// Takes the newest list of the database up; `serve` does it before anything is signed.
pub async fn take_list(app: &App) -> Result<(), StoreError> {
    let mut connection = app.db.read().await?;
    let list = revocations::newest(&mut connection, app.signer.roots()).await?;
    drop(connection);
    let Some(list) = list else { return Ok(()) };
    let (number, keys) = (list.number, list.keys.len());
    if app.signer.revoke(list) {
        tracing::info!(revocations.number = number, revocations.keys = keys, "revocation list");
        app.notifier.wake(Wake::Revocations);
    }
    Ok(())
}

/// Publishes the list, retained, on the topic of each region that has terminals, whenever it
/// changed and after each connection to the broker: what a broker retains may be lost with it.
pub async fn publish(app: Arc<App>, pipe: Pipe, stop: CancellationToken) {
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            () = app.notifier.woken(Wake::Revocations) => {}
        }
        let result = tokio::select! {
            biased;
            () = stop.cancelled() => return,
            result = publish_once(&app, &pipe) => result,
        };
        super::note(&app, Job::Revocations, &result);
    }
}

async fn publish_once(app: &App, pipe: &Pipe) -> Result<(), StoreError> {
    let mut connection = app.db.read().await?;
    let newest = store::revocations::newest(&mut connection).await?;
    let villages = store::revocations::villages(&mut connection).await?;
    drop(connection);
    let Some(list) = newest else { return Ok(()) };
    // One after the other: a list for six hundred villages never stands before an order.
    for region in revocations::topics(app.region(), &villages) {
        let topic = Topic::RegionRevocation(region);
        kill_point!("revocations.sending");
        let published = pipe.publish(topic.to_string(), list.sealed.clone(), topic.is_retained());
        if published.await.is_err() {
            // The next connection wakes this again.
            tracing::warn!(region = %region, "the revocation list was not published");
            return Ok(());
        }
        kill_point!("revocations.sent");
    }
    Ok(())
}
