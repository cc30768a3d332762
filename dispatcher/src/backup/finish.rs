//! What every restore does before anybody serves from it, in one transaction.

use jiff::Timestamp;
use serde_json::json;

use super::BackupError;
use super::file::Manifest;
use crate::app::audit;
use crate::app::audit::check::{self, RESTORED};
use crate::domain::actor::ActorId;
use crate::store::{Tx, epochs, restore};

/// What a restore led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// The backup.
    pub manifest: Manifest,
    /// The epoch from now on.
    pub epoch: u32,
    /// Sessions that were ended.
    pub sessions: u64,
    /// Enrolment codes that were used up.
    pub codes: u64,
    /// Where the database is that was in the place.
    pub kept: Option<std::path::PathBuf>,
}

/// Checks the record, raises the epoch above `known`, ends what must not live again, and writes it
/// down. The caller commits.
///
/// The epoch is at least the present second since 1970: two restores of one backup would otherwise
/// begin the same epoch, and terminals would take the numbers of the second for tampering.
pub(super) async fn finish(
    tx: &mut Tx,
    manifest: Manifest,
    known: u32,
    now: Timestamp,
) -> Result<Restored, BackupError> {
    check::chain(tx).await?.map_err(|fault| BackupError::Record { fault })?;
    let second = u32::try_from(now.as_second()).unwrap_or(0);
    let epoch = epochs::current(tx).await?.max(known).saturating_add(1).max(second);
    epochs::raise(tx, epoch).await?;
    restore::skip_events(tx).await?;
    let sessions = restore::end_sessions(tx, now).await?;
    let codes = restore::end_enrolments(tx, now).await?;
    let detail = json!({
        "epoch": epoch,
        "taken_at": manifest.taken_at,
        "sha256": manifest.sha256,
        "sessions_ended": sessions,
        "enrolment_codes_ended": codes,
    });
    audit::append_as(tx, now, ActorId::System, RESTORED, "database", &detail).await?;
    Ok(Restored { manifest, epoch, sessions, codes, kept: None })
}
