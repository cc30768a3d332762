//! Walks the whole record and holds every signed head against it.

use std::collections::{BTreeMap, BTreeSet};

use protocols::audit::AuditHead;
use protocols::region::RegionCode;
use protocols::trust::Roots;

use super::head::{self, ForeignHead};
use super::{BrokenChain, Entry, verify};
use crate::store::{self, Conn, StoreError};

/// Entries read at once.
const PAGE: i64 = 1_000;

/// The action under which a restore from a backup stands in the record; its detail names the new
/// `epoch`, and says `by_hand` where no command did it and only its traces were found.
pub const RESTORED: &str = "database_restored";

/// A signed head and where it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// File and line, or `database`.
    pub source: String,
    /// As it was signed.
    pub sealed: Vec<u8>,
}

/// What is wrong with a record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordFault {
    /// The chain itself.
    #[error(transparent)]
    Chain(#[from] BrokenChain),
    /// The newest entries are gone: the counter knows of more.
    #[error("entry {} is missing: {counted} were counted and the record ends at {ends_at}", ends_at + 1)]
    CutTail {
        /// The last entry that is there.
        ends_at: i64,
        /// How many were written, as the counter says.
        counted: i64,
    },
    /// The newest entry is not the one that was counted last.
    #[error("entry {0} is not the one that was written last")]
    OtherHead(i64),
    /// The newest entries are gone, and the counter was set back with them.
    #[error("entry {} is missing: a signed head ({source_}) names entry {named}", ends_at + 1)]
    CutBelowHead {
        /// The last entry that is there.
        ends_at: i64,
        /// The entry that the head names.
        named: i64,
        /// Where the head was found.
        source_: String,
    },
    /// The chain holds in itself and is not the one that was signed.
    #[error("entry {named} is not what its signed head ({source_}) says; {} is the last that is", .last_good)]
    Rewritten {
        /// The entry that the head names.
        named: i64,
        /// The last entry before it that a head confirms; 0 for none.
        last_good: i64,
        /// Where the head was found.
        source_: String,
    },
    /// A head that this dispatcher did not sign.
    #[error("a foreign head ({source_}): {why}")]
    Foreign {
        /// Where it was found.
        source_: String,
        /// Why it is not believed.
        why: ForeignHead,
    },
    /// An older file was put in the place of the database without `dispatcher restore`, which was
    /// found at the next start.
    #[error(
        "entry {begins} and later were cut: a signed head ({source_}) names entry {named}, and no restore was commanded"
    )]
    SetBack {
        /// Where what follows the cut begins.
        begins: i64,
        /// The entry that the head names.
        named: i64,
        /// Where the head was found.
        source_: String,
    },
    /// A head of a later epoch than the database knows: an older file was put in its place without
    /// `dispatcher restore`, and numbers of orders are used twice.
    #[error("a signed head ({source_}) is of epoch {named} and the database of epoch {current}")]
    LaterEpoch {
        /// The epoch of the head.
        named: u32,
        /// The epoch of the database.
        current: u32,
        /// Where the head was found.
        source_: String,
    },
}

impl RecordFault {
    /// A word for it in JSON.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Chain(BrokenChain::Gap(_)) => "entry_missing",
            Self::Chain(BrokenChain::Link(_)) => "entry_out_of_place",
            Self::Chain(BrokenChain::Content(_)) => "entry_changed",
            Self::CutTail { .. } | Self::CutBelowHead { .. } => "tail_cut",
            Self::OtherHead(_) => "head_differs",
            Self::Rewritten { .. } => "record_rewritten",
            Self::Foreign { .. } => "foreign_head",
            Self::SetBack { .. } | Self::LaterEpoch { .. } => "database_set_back",
        }
    }

    /// The first entry that is broken by it; `None` where no entry is.
    pub const fn entry(&self) -> Option<i64> {
        match self {
            // What is missing lies before the entry at which it shows.
            Self::Chain(BrokenChain::Gap(entry)) => Some(*entry - 1),
            Self::Chain(BrokenChain::Link(entry) | BrokenChain::Content(entry))
            | Self::OtherHead(entry) => Some(*entry),
            Self::CutTail { ends_at, .. } | Self::CutBelowHead { ends_at, .. } => {
                Some(*ends_at + 1)
            }
            Self::Rewritten { last_good, .. } => Some(*last_good + 1),
            Self::SetBack { begins, .. } => Some(*begins),
            Self::Foreign { .. } | Self::LaterEpoch { .. } => None,
        }
    }

    /// The same in Chinese.
    pub fn zh(&self) -> String {
        match self {
            Self::Chain(BrokenChain::Gap(entry)) => format!("第 {entry} 条之前有记录缺失"),
            Self::Chain(BrokenChain::Link(entry)) => format!("第 {entry} 条与前一条不衔接"),
            Self::Chain(BrokenChain::Content(entry)) => format!("第 {entry} 条内容被改动"),
            Self::CutTail { ends_at, counted } => {
                format!("记录止于第 {ends_at} 条，而计数为 {counted}，其后被删")
            }
            Self::OtherHead(entry) => format!("第 {entry} 条不是最后写入的那一条"),
            Self::CutBelowHead { ends_at, named, source_ } => {
                format!(
                    "记录止于第 {ends_at} 条，而签名链头（{source_}）已到第 {named} 条，其后被删"
                )
            }
            Self::Rewritten { named, last_good, source_ } => format!(
                "第 {named} 条与签名链头（{source_}）不符，最后相符的是第 {last_good} 条，其后被重写"
            ),
            Self::Foreign { source_, why } => format!("链头（{source_}）非本平台所签：{why}"),
            Self::SetBack { begins, named, source_ } => format!(
                "第 {begins} 条起曾被删：签名链头（{source_}）已到第 {named} 条，且未经 restore 恢复"
            ),
            Self::LaterEpoch { named, current, source_ } => format!(
                "签名链头（{source_}）属第 {named} 纪元，数据库却在第 {current} 纪元：旧库未经 restore 换入"
            ),
        }
    }
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Number of the last entry that is whole.
    pub entries: i64,
    /// Its digest; empty for none.
    pub digest: Vec<u8>,
    /// The present epoch.
    pub epoch: u32,
    /// Signed heads that the record fulfils.
    pub confirmed: usize,
    /// Signed heads beyond what a later restore brought back: (epoch, number). Not a fault: the
    /// restore stands in the record.
    pub lost: Vec<(u32, i64)>,
    /// What is wrong; the lowest entry first.
    pub faults: Vec<RecordFault>,
}

/// The record as it was walked.
#[derive(Debug, Default)]
struct Walk {
    wanted: BTreeSet<i64>,
    last: Option<(i64, Vec<u8>)>,
    /// Digests of the wanted entries.
    seen: BTreeMap<i64, Vec<u8>>,
    /// Where each later epoch begins, and whether only its traces were found.
    restores: BTreeMap<u32, (i64, bool)>,
}

impl Walk {
    fn take(&mut self, entries: &[Entry]) -> Result<(), BrokenChain> {
        for entry in entries {
            let before = self.last.as_ref().map(|(seq, digest)| (*seq, digest.as_slice()));
            self.last = Some(verify(before, std::slice::from_ref(entry))?);
            if self.wanted.contains(&entry.seq) {
                self.seen.insert(entry.seq, entry.digest.clone());
            }
            if entry.action == RESTORED
                && let Ok(detail) = serde_json::from_str::<serde_json::Value>(&entry.detail)
                && let Some(epoch) = detail["epoch"].as_u64()
            {
                let is_by_hand = detail["by_hand"] == true;
                let epoch = u32::try_from(epoch).unwrap_or(u32::MAX);
                self.restores.insert(epoch, (entry.seq, is_by_hand));
            }
        }
        Ok(())
    }

    fn ends_at(&self) -> i64 {
        self.last.as_ref().map_or(0, |(seq, _)| *seq)
    }
}

/// Checks every entry, the counter beside them, and every signed head: those kept in the database
/// and those of `claims`.
pub async fn check(
    connection: &mut Conn,
    claims: &[Claim],
    roots: &Roots,
    authority: RegionCode,
) -> Result<Report, StoreError> {
    let mut claims = claims.to_vec();
    claims.extend(kept(connection).await?);
    let mut faults = Vec::new();
    let mut heads = Vec::new();
    for claim in claims {
        match head::open(&claim.sealed, roots, authority) {
            Ok(head) => heads.push((head, claim.source)),
            Err(why) => faults.push(RecordFault::Foreign { source_: claim.source, why }),
        }
    }
    heads.sort_by_key(|(head, _)| (head.number, head.epoch));
    let epoch = store::epochs::current(connection).await?;
    // Read before the walk: what is written meanwhile lies beyond it.
    let counted = store::audit::head(connection).await?;
    let mut walk = Walk {
        wanted: heads.iter().map(|(head, _)| number(head)).chain([counted.0]).collect(),
        ..Walk::default()
    };
    let mut report = Report {
        entries: 0,
        digest: Vec::new(),
        epoch,
        confirmed: 0,
        lost: Vec::new(),
        faults: Vec::new(),
    };
    if let Err(broken) = walk_all(connection, &mut walk).await? {
        faults.push(broken.into());
    } else {
        faults.extend(against_counter(&walk, &counted));
        against_heads(&walk, &heads, &mut report, &mut faults);
    }
    faults.sort_by_key(|fault| fault.entry().unwrap_or(i64::MAX));
    report.faults = faults;
    if let Some((entries, digest)) = walk.last {
        (report.entries, report.digest) = (entries, digest);
    }
    Ok(report)
}

/// Checks every entry and the counter beside them, without the signed heads.
pub async fn chain(connection: &mut Conn) -> Result<Result<(), RecordFault>, StoreError> {
    let counted = store::audit::head(connection).await?;
    let mut walk = Walk { wanted: BTreeSet::from([counted.0]), ..Walk::default() };
    if let Err(broken) = walk_all(connection, &mut walk).await? {
        return Ok(Err(broken.into()));
    }
    Ok(against_counter(&walk, &counted).map_or(Ok(()), Err))
}

fn number(head: &AuditHead) -> i64 {
    i64::try_from(head.number).unwrap_or(i64::MAX)
}

async fn kept(connection: &mut Conn) -> Result<Vec<Claim>, StoreError> {
    let mut claims = Vec::new();
    let mut place = (0, 0);
    loop {
        let page = store::audit_heads::after(connection, place, PAGE).await?;
        let Some((epoch, number, _)) = page.last() else { return Ok(claims) };
        place = (*epoch, *number);
        claims.extend(page.into_iter().map(|(epoch, number, sealed)| Claim {
            source: format!("database, epoch {epoch}, entry {number}"),
            sealed,
        }));
    }
}

async fn walk_all(
    connection: &mut Conn,
    walk: &mut Walk,
) -> Result<Result<(), BrokenChain>, StoreError> {
    loop {
        let page = store::audit::after(connection, walk.ends_at(), PAGE).await?;
        if page.is_empty() {
            return Ok(Ok(()));
        }
        if let Err(broken) = walk.take(&page) {
            return Ok(Err(broken));
        }
    }
}

fn against_counter(walk: &Walk, (counted, digest): &(i64, Vec<u8>)) -> Option<RecordFault> {
    let ends_at = walk.ends_at();
    if ends_at < *counted {
        return Some(RecordFault::CutTail { ends_at, counted: *counted });
    }
    let found = walk.seen.get(counted).map_or(&[][..], Vec::as_slice);
    (found != digest.as_slice()).then_some(RecordFault::OtherHead(*counted))
}

fn against_heads(
    walk: &Walk,
    heads: &[(AuditHead, String)],
    report: &mut Report,
    faults: &mut Vec<RecordFault>,
) {
    let ends_at = walk.ends_at();
    let mut last_good = 0;
    for (head, source) in heads {
        let (named, source_) = (number(head), source.clone());
        if head.epoch > report.epoch {
            let current = report.epoch;
            faults.push(RecordFault::LaterEpoch { named: head.epoch, current, source_ });
            continue;
        }
        // The next restore after this head's epoch: what lies at or beyond it was lost by it.
        let later = walk.restores.range(head.epoch.saturating_add(1)..).next();
        let lost_by = later.map(|(_, by)| *by).filter(|(begins, _)| named >= *begins);
        if let Some((begins, is_by_hand)) = lost_by {
            if is_by_hand {
                faults.push(RecordFault::SetBack { begins, named, source_ });
            } else {
                report.lost.push((head.epoch, named));
            }
        } else if walk.seen.get(&named).is_some_and(|digest| *digest == head.digest.0) {
            report.confirmed += 1;
            last_good = named;
        } else if named > ends_at {
            faults.push(RecordFault::CutBelowHead { ends_at, named, source_ });
            return;
        } else {
            faults.push(RecordFault::Rewritten { named, last_good, source_ });
            return;
        }
    }
}
