//! Shows, before anything is issued, who would hear it, who would stay silent, how many persons it
//! takes, and what stands in the way.

use std::collections::BTreeMap;

use jiff::Timestamp;
use protocols::digest::Digest;
use protocols::region::RegionCode;
use protocols::terminal::TerminalId;

use super::{AlertError, approval};
use crate::context::App;
use crate::domain::alert::persons::PersonsNeeded;
use crate::domain::alert::record::Alert;
use crate::domain::alert::validation;
use crate::domain::fault::Fault;
use crate::domain::liveness::{Link, Liveness, liveness};
use crate::store::{self, Conn};

/// Terminals that a preview names one by one; more are counted.
pub const SILENT_NAMED_MAX: usize = 200;

/// A terminal that would stay silent as far as is known now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Silent {
    /// Which.
    pub terminal: TerminalId,
    /// Why.
    pub liveness: Liveness,
    /// When it was last heard.
    pub last_seen_at: Option<Timestamp>,
}

/// How many terminals of one village are meant, and how many of them would stay silent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    /// Meant.
    pub targeted: usize,
    /// Silent.
    pub silent: usize,
}

/// What an officer sees before pressing.
#[derive(Debug, Clone, PartialEq)]
pub struct Preview {
    /// The digest that an approval names.
    pub digest: Digest,
    /// The persons that it takes.
    pub needed: PersonsNeeded,
    /// Terminals meant.
    pub terminals: usize,
    /// By village.
    pub villages: BTreeMap<RegionCode, Count>,
    /// Topics that will carry an order.
    pub topics: Vec<RegionCode>,
    /// Terminals that would stay silent, [`SILENT_NAMED_MAX`] at most.
    pub silent: Vec<Silent>,
    /// How many would stay silent in all.
    pub silent_count: usize,
    /// What one should know although it is not refused.
    pub warnings: Vec<Fault>,
    /// When it would expire if it were issued now.
    pub expires_at: Timestamp,
    /// The words as they would be spoken, by language.
    pub spoken: Vec<(String, String)>,
}

/// The preview of `alert` as it stands. An empty target is refused here as it is at submit.
pub async fn preview(
    connection: &mut Conn,
    app: &App,
    alert: &Alert,
) -> Result<Preview, AlertError> {
    let resolved = approval::check(connection, app, alert).await?;
    let now = app.now();
    let mut warnings = validation::warnings(&alert.content);
    warnings.extend(
        resolved.resolution.warnings.iter().map(|it| Fault::new("/area", "area", it.zh(), it.en())),
    );
    let last_seen = store::orders::last_heard(connection).await?;
    // Without the link's own history a terminal counts by when it was last heard.
    let link = Link::UpSince(Timestamp::UNIX_EPOCH);
    let mut villages: BTreeMap<RegionCode, Count> = BTreeMap::new();
    let (mut silent, mut silent_count) = (Vec::new(), 0);
    for terminal in &resolved.resolution.terminals {
        let seen = last_seen.get(terminal).copied();
        let liveness = liveness(now, seen, link);
        let count = villages.entry(terminal.village()).or_default();
        count.targeted += 1;
        if matches!(liveness, Liveness::Lost | Liveness::Unknown) {
            count.silent += 1;
            silent_count += 1;
            if silent.len() < SILENT_NAMED_MAX {
                silent.push(Silent { terminal: *terminal, liveness, last_seen_at: seen });
            }
        }
    }
    let mut topics = resolved.resolution.orders.iter().map(|it| it.topic).collect::<Vec<_>>();
    topics.dedup();
    Ok(Preview {
        digest: alert.content_digest(),
        needed: resolved.needed,
        terminals: resolved.resolution.terminals.len(),
        villages,
        topics,
        silent,
        silent_count,
        warnings,
        expires_at: validation::expiry(&alert.content, now),
        spoken: alert
            .content
            .texts
            .iter()
            .map(|text| (text.language.clone(), text.spoken()))
            .collect(),
    })
}
