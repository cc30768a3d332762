//! Hazards of GB/T 35561, their names, and the prepared words that stand ready on every terminal.

use crate::alert::EventCode;
use crate::order::ClipReference;

/// One prepared clip of a hazard.
#[derive(Debug, Clone, PartialEq, Eq, Hash, minicbor::Encode, minicbor::Decode)]
pub struct PhraseClip {
    /// Hazard; a terminal that lacks one falls back to the code `19000` (other).
    #[n(0)]
    pub event: EventCode,
    /// BCP 47 tag.
    #[n(1)]
    pub language: String,
    /// Phrase and action of the hazard, in one clip.
    #[n(2)]
    pub clip: ClipReference,
}

/// Which phrase clips a terminal should hold. Signed by the dispatcher, fetched over HTTP.
#[derive(Debug, Clone, PartialEq, Eq, Hash, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct PhraseSet {
    /// ≤ [`crate::limits::PHRASES_MAX`].
    #[n(0)]
    pub phrases: Vec<PhraseClip>,
}
