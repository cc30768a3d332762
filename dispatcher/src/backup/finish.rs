//! What every restore does before anybody serves from it, in one transaction.

use jiff::Timestamp;
use protocols::region::RegionCode;
use protocols::trust::Roots;
use serde_json::json;

use super::BackupError;
use super::file::Manifest;
use crate::app::audit::check::{self, Claim, RESTORED};
use crate::app::audit::{self, head};
use crate::domain::actor::ActorId;
use crate::store::{self, Db, StoreError, Tx, epochs, restore};

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
    let Begun { epoch, sessions, codes } = begin(tx, known, now).await?;
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

/// What the beginning of an epoch ended.
struct Begun {
    epoch: u32,
    sessions: u64,
    codes: u64,
}

async fn begin(tx: &mut Tx, known: u32, now: Timestamp) -> Result<Begun, StoreError> {
    let second = u32::try_from(now.as_second()).unwrap_or(0);
    let epoch = epochs::current(tx).await?.max(known).saturating_add(1).max(second);
    epochs::raise(tx, epoch).await?;
    restore::skip_events(tx).await?;
    let sessions = restore::end_sessions(tx, now).await?;
    let codes = restore::end_enrolments(tx, now).await?;
    Ok(Begun { epoch, sessions, codes })
}

/// Where a signed head of the daily record proves that the database once reached further than it
/// does, somebody put an older file in its place without `dispatcher restore`: numbers of orders
/// would be used twice, and terminals would refuse real alerts as tampering. A later epoch begins
/// before anybody serves; the record keeps the cut as what it is. Gives the new epoch, if one began.
pub async fn mend_set_back(
    db: &Db,
    claims: &[Claim],
    roots: &Roots,
    authority: RegionCode,
    now: Timestamp,
) -> Result<Option<u32>, StoreError> {
    let mut tx = db.begin().await?;
    let (counted, _) = store::audit::head(&mut tx).await?;
    let here = (epochs::current(&mut tx).await?, counted.unsigned_abs());
    let believed = claims.iter().filter_map(|it| head::open(&it.sealed, roots, authority).ok());
    let newest = believed.map(|head| (head.epoch, head.number)).max();
    let Some((known, number)) = newest.filter(|newest| *newest > here) else {
        tx.rollback().await?;
        return Ok(None);
    };
    let Begun { epoch, sessions, codes } = begin(&mut tx, known, now).await?;
    let detail = json!({
        "epoch": epoch,
        "by_hand": true,
        "reached_epoch": known,
        "reached_entry": number,
        "sessions_ended": sessions,
        "enrolment_codes_ended": codes,
    });
    audit::append_as(&mut tx, now, ActorId::System, RESTORED, "database", &detail).await?;
    tx.commit().await?;
    Ok(Some(epoch))
}
