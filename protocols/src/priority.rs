//! 播出优先级: the one total order of soundings, used by the dispatcher's admission and by the
//! terminal's engine alike.
//!
//! Stop is not in it: it is a command and silences everything. Among soundings: live talk >
//! Actual > Exercise > Test > Routine; then colour; then level of the authority; then the newer
//! `sent`; then the digest, so that no two distinct soundings are equal.

use std::cmp::Reverse;

use jiff::Timestamp;

use crate::alert::{AlertColor, BroadcastKind};
use crate::digest::Digest;
use crate::region::RegionLevel;

/// The priority of one sounding. `Ord`: greater goes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Priority {
    /// What may cut in; see [`Precedence`].
    pub precedence: Precedence,
    /// Level of the authority; the wider goes first.
    pub level: RegionLevel,
    /// The newer goes first.
    pub sent: Timestamp,
    /// Breaks the last tie: the smaller digest goes first.
    pub digest: Reverse<Digest>,
}

/// The part of the priority that may interrupt: only a greater (kind, colour) cuts in, equals take
/// turns. `None` as colour is a notice of one's own and sorts below blue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Precedence {
    /// What it is for.
    pub kind: BroadcastKind,
    /// How serious.
    pub color: Option<AlertColor>,
}

impl Priority {
    /// Whether a sounding of this priority may interrupt one of `other`'s.
    pub fn cuts_in_on(&self, other: &Self) -> bool {
        self.precedence > other.precedence
    }
}
