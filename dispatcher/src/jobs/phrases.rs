//! Keeps the phrase clips of all hazards made, so that terminals can hold them in advance. One at a
//! time, with a rest after each: nobody waits for them.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::pause;
use crate::app;
use crate::context::App;
use crate::store::StoreError;
use crate::voice::Need;

/// Rest after a clip, as a multiple of the time that it took: phrases take a quarter of one core at
/// most.
const RESTS: u32 = 3;

/// The shortest and the longest rest.
const REST: std::ops::RangeInclusive<Duration> =
    Duration::from_millis(200)..=Duration::from_secs(5);

/// Failures in a row after which a run ends: what the voice lacks for three phrases it lacks for the
/// others, too. The next run tries again.
const FAILURES_MAX: usize = 3;

/// One run: makes what is missing, and ends early with `stop` or without a voice.
pub async fn run(app: &App, stop: &CancellationToken) -> Result<(), StoreError> {
    let missing = app::clips::missing_phrases(app).await?;
    let (mut made, mut failures) = (0_usize, 0_usize);
    for words in &missing {
        let began = app.now();
        let clip = tokio::select! {
            biased;
            () = stop.cancelled() => return Ok(()),
            clip = app::clips::ensure(app, words.language, &words.text, Need::Idle) => clip?,
        };
        if clip.is_some() {
            made += 1;
            failures = 0;
        } else {
            failures += 1;
        }
        if failures >= FAILURES_MAX {
            break;
        }
        let took = Duration::try_from(app.now().duration_since(began)).unwrap_or_default();
        tokio::select! {
            biased;
            () = stop.cancelled() => return Ok(()),
            () = pause((took * RESTS).clamp(*REST.start(), *REST.end())) => {}
        }
    }
    if made > 0 {
        tracing::info!(phrases.made = made, "made {made} phrase clips");
    }
    Ok(())
}
