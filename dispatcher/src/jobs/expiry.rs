//! Ends what has expired, and names what was not countersigned in time. Both from the database
//! alone: a restart or a second process changes nothing.

use std::sync::Arc;
use std::time::Duration;

use kill_points::kill_point;
use tokio_util::sync::CancellationToken;

use super::{note, pause};
use crate::app::alerts::{AlertError, close};
use crate::context::{App, Wake};
use crate::metrics::Job;
use crate::store::{self, StoreError};

/// How long a sweep waits at most. A deadline of another process shows within this.
const WAIT_MAX: Duration = Duration::from_secs(10);

/// Sweeps at each deadline and whenever an alert changed, until `stop`.
pub async fn serve(app: Arc<App>, stop: CancellationToken) {
    loop {
        let result = run(&app).await;
        note(&app, Job::Expiry, &result);
        let wait = wait(&app).await;
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            () = app.notifier.woken(Wake::Alerts) => {}
            () = pause(wait) => {}
        }
    }
}

/// One sweep.
pub async fn run(app: &App) -> Result<(), StoreError> {
    let mut tx = app.db.begin().await?;
    let expired = close::expire_due(&mut tx, app).await.map_err(stored)?;
    let breaches = close::announce_breaches(&mut tx, app).await.map_err(stored)?;
    if expired + breaches == 0 {
        return tx.rollback().await;
    }
    kill_point!("expiry.storing");
    tx.commit().await?;
    kill_point!("expiry.stored");
    tracing::info!(
        alerts.expired = expired,
        alerts.breaches = breaches,
        "{expired} alerts expired, {breaches} were not countersigned in time"
    );
    app.notifier.wake(Wake::Events);
    Ok(())
}

/// A sweep reads only what may be ended, so that nothing but the store can refuse it; whatever
/// else does has lost a race and is tried again.
fn stored(error: AlertError) -> StoreError {
    match error {
        AlertError::Store(error) => error,
        AlertError::Denied(_)
        | AlertError::NotAPerson
        | AlertError::NotFound
        | AlertError::Lifecycle(_)
        | AlertError::Faults(_)
        | AlertError::Stale
        | AlertError::CannotSign(_) => StoreError::Conflict { table: "alerts" },
    }
}

async fn wait(app: &App) -> Duration {
    let Ok(mut connection) = app.db.read().await else { return WAIT_MAX };
    let next = store::alerts::next_deadline(&mut connection).await;
    let Ok(Some(next)) = next else { return WAIT_MAX };
    let wait = Duration::try_from(next.duration_since(app.now())).unwrap_or(Duration::ZERO);
    wait.clamp(Duration::from_millis(50), WAIT_MAX)
}
