//! The port through which a broker asks who a terminal is. The answer comes from the store, by
//! way of the terminal directory; the broker's own threads never touch the database.

use async_trait::async_trait;
use protocols::digest::Digest;
use protocols::terminal::TerminalId;

/// The store could not be asked. The client is refused and may try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the terminal directory does not answer")]
pub struct DirectoryUnavailable;

/// Knows the password of every enrolled terminal, by its SHA-256 alone.
#[async_trait]
pub trait Credentials: Send + Sync {
    /// SHA-256 of the MQTT password of this terminal; `None` when it is unknown, not enrolled or
    /// retired.
    async fn password_digest(
        &self,
        terminal: TerminalId,
    ) -> Result<Option<Digest>, DirectoryUnavailable>;
}
