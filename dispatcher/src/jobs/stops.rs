//! Signs stops in force anew before their commands end.

use crate::app::stops;
use crate::context::{App, Wake};
use crate::store::StoreError;

/// One run.
pub async fn run(app: &App) -> Result<(), StoreError> {
    let mut tx = app.db.begin().await?;
    let renewed = stops::renew(&mut tx, app).await?;
    tx.commit().await?;
    if renewed > 0 {
        app.notifier.wake(Wake::Orders);
        tracing::info!(renewed, "signed {renewed} stops anew");
    }
    Ok(())
}
