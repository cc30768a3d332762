//! Signs stops in force anew before their commands end.

use crate::app::stops::{self, StopError};
use crate::context::{App, Wake};
use crate::store::StoreError;

/// One run.
pub async fn run(app: &App) -> Result<(), StoreError> {
    let mut tx = app.db.begin().await?;
    let renewed = match stops::renew(&mut tx, app).await {
        Ok(renewed) => renewed,
        Err(StopError::Store(error)) => return Err(error),
        // The watch over the certificate says so, and the next run tries again.
        Err(error) => {
            tracing::error!(%error, "stops were not signed anew");
            return Ok(());
        }
    };
    tx.commit().await?;
    if renewed > 0 {
        app.notifier.wake(Wake::Orders);
        tracing::info!(renewed, "signed {renewed} stops anew");
    }
    Ok(())
}
