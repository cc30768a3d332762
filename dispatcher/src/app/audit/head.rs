//! The signed head of the record: made from time to time, kept, and told to others.

use jiff::Timestamp;
use protocols::audit::AuditHead;
use protocols::limits::ORDER_BYTES_MAX;
use protocols::region::RegionCode;
use protocols::trust::{self, Roots, TrustError};
use protocols::wire::{self, MessageType};

use crate::context::Signer;
use crate::domain::keys::CannotSign;
use crate::store::{self, Conn, StoreError};

/// A head with the bytes that prove it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedHead {
    /// What it says.
    pub head: AuditHead,
    /// As it was signed.
    pub sealed: Vec<u8>,
}

/// Why a signed head is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ForeignHead {
    /// The signature or the certificate.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// Another dispatcher's.
    #[error("signed for {0}")]
    OtherAuthority(RegionCode),
    /// The certificate was not valid when it was signed.
    #[error("signed at {0}, when its certificate was not valid")]
    OutsideValidity(Timestamp),
}

/// Why no head was signed.
#[derive(Debug, thiserror::Error)]
pub enum HeadError {
    /// Key or certificate do not allow it.
    #[error(transparent)]
    CannotSign(#[from] CannotSign),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Signs the head as it is now; `None` while the record is empty.
pub async fn seal(
    connection: &mut Conn,
    signer: &Signer,
    now: Timestamp,
) -> Result<Option<SealedHead>, HeadError> {
    let (number, digest) = store::audit::head(connection).await?;
    if digest.is_empty() {
        return Ok(None);
    }
    let head = AuditHead {
        authority: signer.region(),
        epoch: store::epochs::current(connection).await?,
        number: number.unsigned_abs(),
        digest: store::digest(&digest, "sequences", "audit_digest")?,
        at: now,
    };
    let sealed = signer.seal(now, MessageType::AuditHead, None, wire::encode(&head))?;
    Ok(Some(SealedHead { head, sealed }))
}

/// Signs the head and keeps it, if the record has grown since the last one that was kept.
pub async fn keep(
    connection: &mut Conn,
    signer: &Signer,
    now: Timestamp,
) -> Result<Option<SealedHead>, HeadError> {
    let Some(new) = seal(connection, signer, now).await? else { return Ok(None) };
    let place = (i64::from(new.head.epoch), i64::try_from(new.head.number).unwrap_or(i64::MAX));
    if store::audit_heads::newest(connection).await?.is_some_and(|newest| newest >= place) {
        return Ok(None);
    }
    store::audit_heads::insert(connection, &new.head, &new.sealed).await?;
    Ok(Some(new))
}

/// The head in these bytes, if a dispatcher of `authority` signed it under one of the roots. The
/// certificate counts as it was when the head was made: it may have ended since.
pub fn open(sealed: &[u8], roots: &Roots, authority: RegionCode) -> Result<AuditHead, ForeignHead> {
    let kind = MessageType::AuditHead;
    let opened = trust::open::<AuditHead>(sealed, ORDER_BYTES_MAX, kind, roots, &[], None)?;
    let (head, certificate) = (opened.message, opened.certificate);
    for region in [certificate.region, head.authority] {
        if region != authority {
            return Err(ForeignHead::OtherAuthority(region));
        }
    }
    if head.at < certificate.not_before || head.at >= certificate.not_after {
        return Err(ForeignHead::OutsideValidity(head.at));
    }
    Ok(head)
}
