//! Drops the sessions of terminals that were taken away for good, and ends the embedded broker. New
//! connections of theirs are refused by its guard, which asks the directory.

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use tokio_util::sync::CancellationToken;

use super::broker::Broker;
use crate::context::{App, Wake};
use crate::jobs::pause;
use crate::store::{StoreError, terminals};

/// How often the database is looked at without a wake-up: another process may retire a terminal.
const AT_LEAST_EVERY: Duration = Duration::from_secs(15);

/// How long after its retirement a terminal is looked for: longer than the directory remembers that
/// it was enrolled, and than any turn of this task.
const LOOKED_FOR: SignedDuration = SignedDuration::from_mins(10);

/// Drops sessions until `stop`, then ends the broker.
pub async fn serve(app: Arc<App>, broker: Broker, stop: CancellationToken) {
    loop {
        if let Err(error) = run(&app, &broker).await {
            tracing::error!(%error, "can't look up retired terminals; it is tried again");
        }
        tokio::select! {
            biased;
            () = stop.cancelled() => break,
            () = app.notifier.woken(Wake::Retired) => {}
            () = pause(AT_LEAST_EVERY) => {}
        }
    }
    broker.stop().await;
}

async fn run(app: &App, broker: &Broker) -> Result<(), StoreError> {
    let mut connection = app.db.read().await?;
    let retired = terminals::retired_since(&mut connection, app.now() - LOOKED_FOR).await?;
    drop(connection);
    for terminal in retired {
        if broker.dismiss(terminal).await {
            tracing::info!(terminal.id = %terminal, "the broker dropped a retired terminal");
        }
    }
    Ok(())
}
