//! The one place of the shell that reads clocks and the system's randomness. Everything else gets
//! them as arguments.

use std::time::{Duration, Instant};

use jiff::Timestamp;

/// The wall clock.
#[expect(clippy::disallowed_methods, reason = "the shell's only reading of the wall clock")]
pub fn now() -> Timestamp {
    Timestamp::now()
}

/// The monotonic clock.
#[expect(clippy::disallowed_methods, reason = "the shell's only reading of the monotonic clock")]
pub fn monotonic() -> Instant {
    Instant::now()
}

/// Waits until `deadline`; the run loop's way to reach the engine's next wake-up.
#[expect(clippy::disallowed_methods, reason = "the shell's only wait")]
pub async fn sleep(wait: Duration) {
    tokio::time::sleep(wait).await;
}

/// `N` fresh random bytes from the operating system.
pub fn random_bytes<const N: usize>() -> Result<[u8; N], NoRandomness> {
    use rand::TryRng as _;
    let mut bytes = [0; N];
    rand::rngs::SysRng.try_fill_bytes(&mut bytes).map_err(|_| NoRandomness)?;
    Ok(bytes)
}

/// The operating system gave no random bytes: no key and no nonce can be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the operating system gives no random bytes")]
pub struct NoRandomness;
