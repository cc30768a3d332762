//! Every decoder that bytes from outside reach, in one table: what it is called, what it is fed
//! first, and what must hold of whatever it makes of the bytes.
//!
//! Used twice: `tests/fuzz` feeds it what coverage suggests, [`mutate`] feeds it seeded damage. A
//! decoder that panics, hangs, or allocates more than [`MEMORY_BYTES_MAX`] is a finding.

mod cap;
mod messages;
pub mod mutate;
mod names;
mod terminal;
mod vectors;

/// Bytes a decoder may hold beyond what was held before it: what a village device can spare, and
/// above the tree of the largest CAP document that is read at all (some 10 MB).
pub const MEMORY_BYTES_MAX: usize = 16 * 1024 * 1024;

/// One decoder.
#[derive(Debug, Clone, Copy)]
pub struct Decoder {
    /// Its name on the command line and in reports.
    pub name: &'static str,
    /// Bytes of the longest input tried: beyond its limit, so that the limit is tried too.
    pub bytes_max: usize,
    /// True messages to begin with.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// Words of the language, for a decoder of text.
    pub words: &'static [&'static str],
    /// Reads, and panics if what came of it breaks a promise.
    pub read: fn(&[u8]),
}

/// All of them.
pub fn decoders() -> &'static [Decoder] {
    const ALL: &[Decoder] = &[
        cap::CAP,
        messages::ENVELOPE,
        messages::ORDER,
        messages::RECEIPTS,
        messages::HELLO,
        messages::COMMAND,
        messages::CERTIFICATE,
        messages::VITALS,
        messages::PHRASES,
        terminal::TERMINAL,
        terminal::JOURNAL,
        names::NAMES,
        names::ENROLMENT_CODE,
    ];
    ALL
}
