//! The one place of the test crate that reads clocks and waits.
//!
//! Tests wait for an *event* with a deadline, never for a duration: [`eventually`] asks again
//! until it holds.

use std::time::{Duration, Instant};

use anyhow::bail;
use jiff::Timestamp;

/// How often a condition is asked again.
const ASK_EVERY: Duration = Duration::from_millis(20);

/// Wall time now.
#[expect(clippy::disallowed_methods, reason = "the harness's one reading of wall time")]
pub fn now() -> Timestamp {
    Timestamp::now()
}

/// A point on the monotonic clock.
#[expect(clippy::disallowed_methods, reason = "the harness's one reading of monotonic time")]
pub fn instant() -> Instant {
    Instant::now()
}

/// Waits without a condition: only the demo's storyteller and this module do.
#[expect(clippy::disallowed_methods, reason = "the harness's one place that waits")]
pub async fn pause(duration: Duration) {
    tokio::time::sleep(duration).await;
}

/// Asks until the answer is `Some`, at most `deadline` long.
pub async fn eventually<T, F>(what: &str, deadline: Duration, mut ask: F) -> anyhow::Result<T>
where
    F: AsyncFnMut() -> anyhow::Result<Option<T>>,
{
    let begun = instant();
    loop {
        if let Some(answer) = ask().await? {
            return Ok(answer);
        }
        if begun.elapsed() > deadline {
            bail!("within {} s it did not happen: {what}", deadline.as_secs_f32());
        }
        pause(ASK_EVERY).await;
    }
}
