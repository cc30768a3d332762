//! Keeps the phrase clips of all hazards made, so that terminals can hold them in advance.

use tokio_util::sync::CancellationToken;

use crate::app;
use crate::context::App;
use crate::store::StoreError;

/// One run. It takes a minute when none is kept yet, and ends early with `stop`.
pub async fn run(app: &App, stop: &CancellationToken) -> Result<(), StoreError> {
    let made = tokio::select! {
        biased;
        () = stop.cancelled() => return Ok(()),
        made = app::clips::make_phrases(app) => made?,
    };
    if made > 0 {
        tracing::info!(phrases.made = made, "made {made} phrase clips");
    }
    Ok(())
}
