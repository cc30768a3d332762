//! Signs the head of the record whenever it has grown, and writes it into the daily record.

use kill_points::kill_point;

use crate::app::audit::head::{self, HeadError};
use crate::context::App;
use crate::daily_record;
use crate::store::StoreError;

/// One run. A daily record that can't be written is an error in the log and no reason to stop: the
/// head is kept in the database as well.
pub async fn run(app: &App) -> Result<(), StoreError> {
    let mut tx = app.db.begin().await?;
    let kept = match head::keep(&mut tx, &app.signer, app.now()).await {
        Ok(kept) => kept,
        Err(HeadError::Store(error)) => return Err(error),
        // The watch over the certificate says so, and the next run tries again.
        Err(HeadError::CannotSign(error)) => {
            tracing::error!(%error, "the head of the record was not signed");
            return Ok(());
        }
    };
    kill_point!("audit_head.storing");
    tx.commit().await?;
    kill_point!("audit_head.stored");
    let folder = &app.config.audit.folder;
    let Some(kept) = kept.filter(|_| !folder.as_os_str().is_empty()) else { return Ok(()) };
    if let Err(error) = daily_record::append(folder, &kept) {
        let folder = folder.display();
        tracing::error!(%folder, %error, "the head of the record is not in the daily record");
    }
    kill_point!("audit_head.recorded");
    Ok(())
}
