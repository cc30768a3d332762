//! 播发指令: what a dispatcher signs and publishes, one for each topic an alert needs.

use jiff::Timestamp;

use crate::alert::{AlertColor, AlertKey, AlertReference, BroadcastKind, EventCode};
use crate::area::Target;
use crate::digest::Digest;
use crate::limits;
use crate::region::{RegionCode, RegionLevel};

/// Orders of one authority on one topic form a stream; numbers run within it.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, minicbor::Encode, minicbor::Decode,
)]
pub struct Stream {
    /// The region in the signer's certificate.
    #[n(0)]
    pub authority: RegionCode,
    /// The region whose topic carries it.
    #[n(1)]
    pub topic: RegionCode,
}

/// The place of an order in its stream. `Ord`: a later epoch is above every earlier one.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, minicbor::Encode, minicbor::Decode,
)]
pub struct Sequence {
    /// 纪元: rises when the dispatcher's database was restored from a backup. From 1.
    #[n(0)]
    pub epoch: u32,
    /// Number within the epoch, from 1, without re-use. Gaps are legal.
    #[n(1)]
    pub number: u64,
}

/// What an order does to the alerts it names.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    minicbor::Encode,
    minicbor::Decode,
    serde::Serialize,
    serde::Deserialize,
)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// 发布: a new alert. References nothing.
    #[n(0)]
    Alert,
    /// 更新: takes the place of the referenced ones.
    #[n(1)]
    Update,
    /// 更新 of no consequence for the listener: not voiced where a referenced predecessor has
    /// finished.
    #[n(2)]
    MinorUpdate,
    /// 解除: the danger is over. Ends the chain of the referenced ones and speaks its words.
    #[n(3)]
    Lifted,
    /// 撤销: issued in error. As above with other words.
    #[n(4)]
    Withdrawn,
}

impl Purpose {
    /// Whether it ends the chain it references.
    pub const fn is_closing(self) -> bool {
        matches!(self, Self::Lifted | Self::Withdrawn)
    }
}

/// The words in one language.
#[derive(Debug, Clone, PartialEq, Eq, Hash, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct SpokenText {
    /// BCP 47 tag, such as `zh-CN`, `en`.
    #[n(0)]
    pub language: String,
    /// What is said, ≤ [`limits::TEXT_BYTES_MAX`] bytes.
    #[n(1)]
    pub text: String,
    /// The same words as prepared sound, if made.
    #[n(2)]
    pub clip: Option<ClipReference>,
}

/// A clip (Ogg Opus, 48 kHz mono) by its digest.
#[derive(
    Debug,
    Clone,
    PartialEq,
    Eq,
    Hash,
    minicbor::Encode,
    minicbor::Decode,
    serde::Serialize,
    serde::Deserialize,
)]
#[cbor(map)]
pub struct ClipReference {
    /// SHA-256 of the file.
    #[n(0)]
    pub digest: Digest,
    /// Size of the file in bytes, ≤ [`limits::CLIP_BYTES_MAX`].
    #[n(1)]
    pub bytes: u32,
    /// Length in milliseconds.
    #[n(2)]
    pub duration_ms: u32,
}

/// How often it sounds.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    minicbor::Encode,
    minicbor::Decode,
    serde::Serialize,
    serde::Deserialize,
)]
pub struct Repeats {
    /// Soundings in all, 1 to [`limits::REPEATS_MAX`].
    #[n(0)]
    pub times: u8,
    /// Seconds from the start of one sounding to the start of the next, ≤
    /// [`limits::REPEAT_INTERVAL_S_MAX`]; a longer sounding delays the next.
    #[n(1)]
    pub interval_s: u16,
}

impl Repeats {
    /// Once.
    pub const ONCE: Self = Self { times: 1, interval_s: 0 };
}

/// What a terminal does: bit 0 play (loudspeaker), bit 1 show (screen), bit 2 flash (lamp).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, minicbor::Encode, minicbor::Decode)]
#[cbor(transparent)]
pub struct Outputs(#[n(0)] pub u8);

impl Outputs {
    /// The loudspeaker alone.
    pub const PLAY: Self = Self(1);

    /// Whether the loudspeaker is asked for.
    pub const fn plays(self) -> bool {
        self.0 & 1 != 0
    }
}

/// An order. CBOR map with integer keys; unknown keys are ignored, unknown enumeration values are
/// refused.
#[derive(Debug, Clone, PartialEq, Eq, Hash, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct Order {
    /// The alert.
    #[n(0)]
    pub alert: AlertKey,
    /// SHA-256 of the alert's CAP document as stored by the dispatcher; the document itself is
    /// served by this digest.
    #[n(1)]
    pub alert_digest: Digest,
    /// Authority and topic region; equal to the stream in the envelope.
    #[n(2)]
    pub stream: Stream,
    /// Place in the stream.
    #[n(3)]
    pub sequence: Sequence,
    /// Level of the authority; equal to the level in the certificate.
    #[n(4)]
    pub level: RegionLevel,
    /// What it does.
    #[n(5)]
    pub purpose: Purpose,
    /// Alerts it updates, lifts or withdraws, ≤ [`limits::REFERENCES_MAX`].
    #[n(6)]
    #[cbor(default)]
    pub references: Vec<AlertReference>,
    /// What it is for.
    #[n(7)]
    pub kind: BroadcastKind,
    /// Colour; `None` for a notice of one's own.
    #[n(8)]
    pub color: Option<AlertColor>,
    /// Hazard.
    #[n(9)]
    pub event: EventCode,
    /// When the dispatcher made this order. At most the alert's issue for a first publication.
    #[cbor(n(10), with = "crate::micros")]
    pub sent: Timestamp,
    /// No sounding starts at or after this. ≤ `sent` + [`limits::EXPIRY_MAX_H`].
    #[cbor(n(11), with = "crate::micros")]
    pub expires: Timestamp,
    /// Start together at this instant (and join mid-way); absent: start at once.
    #[cbor(n(12), with = "crate::micros::option", has_nil)]
    pub play_at: Option<Timestamp>,
    /// Who is meant.
    #[n(13)]
    pub target: Target,
    /// The words, in the order they are spoken; 1 to [`limits::LANGUAGES_MAX`].
    #[n(14)]
    pub texts: Vec<SpokenText>,
    /// How often.
    #[n(15)]
    pub repeats: Repeats,
    /// Play, show, flash.
    #[n(16)]
    pub outputs: Outputs,
    /// The drill it belongs to; required for [`BroadcastKind::Exercise`], absent otherwise.
    #[n(17)]
    pub drill: Option<String>,
    /// Whether a terminal that is not meant answers with a receipt (a counter otherwise).
    #[n(18)]
    #[cbor(default)]
    pub wants_out_of_area: bool,
    /// W3C trace id (16 bytes), so that one trace spans click to horn.
    #[cbor(n(19), with = "minicbor::bytes")]
    pub trace: Option<[u8; 16]>,
}

/// Why an order is not well-formed. `Display` is English; [`OrderFault::field`] names the field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {reason}")]
pub struct OrderFault {
    /// The field in the order.
    pub field: &'static str,
    /// The rule that it breaks.
    pub reason: &'static str,
}

impl Order {
    /// Checks every rule that needs nothing but the order itself. Both ends call it: the
    /// dispatcher before it signs, the terminal after it verified.
    pub fn validate(&self) -> Result<(), OrderFault> {
        let fault = |field, reason| Err(OrderFault { field, reason });
        let is_part =
            |part: &str| !part.is_empty() && part.len() <= limits::ALERT_KEY_PART_BYTES_MAX;
        if !is_part(&self.alert.sender) || !is_part(&self.alert.identifier) {
            return fault("alert", "sender and identifier have 1 to 128 bytes");
        }
        if self.sequence.epoch == 0 || self.sequence.number == 0 {
            return fault("sequence", "epoch and number count from 1");
        }
        if self.stream.authority.level() != self.level {
            return fault("level", "is the level of the authority's region");
        }
        if !self.stream.topic.overlaps(self.stream.authority) {
            return fault("stream", "the topic region lies outside the authority's line");
        }
        match (self.purpose, self.references.is_empty()) {
            (Purpose::Alert, false) => {
                return fault("references", "a new alert references nothing");
            }
            (
                Purpose::Update | Purpose::MinorUpdate | Purpose::Lifted | Purpose::Withdrawn,
                true,
            ) => {
                return fault("references", "an update, lifting or withdrawal names its alert");
            }
            (Purpose::Alert, true)
            | (
                Purpose::Update | Purpose::MinorUpdate | Purpose::Lifted | Purpose::Withdrawn,
                false,
            ) => {}
        }
        if self.references.len() > limits::REFERENCES_MAX {
            return fault("references", "at most 16");
        }
        if (self.kind == BroadcastKind::Exercise) != self.drill.is_some() {
            return fault("drill", "is named by an exercise, and by nothing else");
        }
        if self.expires <= self.sent {
            return fault("expires", "is after sent");
        }
        if self.expires.duration_since(self.sent)
            > jiff::SignedDuration::from_hours(limits::EXPIRY_MAX_H)
        {
            return fault("expires", "is at most 72 h after sent");
        }
        self.validate_target()?;
        if self.texts.is_empty() || self.texts.len() > limits::LANGUAGES_MAX {
            return fault("texts", "one to three languages");
        }
        for text in &self.texts {
            if text.text.trim().is_empty() || text.text.len() > limits::TEXT_BYTES_MAX {
                return fault("texts", "1 to 1,200 bytes a language");
            }
            if text.language.is_empty() || text.language.len() > 35 {
                return fault("texts", "a language tag has 1 to 35 bytes");
            }
            if text.clip.as_ref().is_some_and(|clip| clip.bytes as usize > limits::CLIP_BYTES_MAX) {
                return fault("texts", "a clip has at most 1 MiB");
            }
        }
        if self.repeats.times == 0 || self.repeats.times > limits::REPEATS_MAX {
            return fault("repeats", "1 to 20 times");
        }
        if self.repeats.interval_s > limits::REPEAT_INTERVAL_S_MAX {
            return fault("repeats", "an interval of at most 3,600 s");
        }
        Ok(())
    }

    fn validate_target(&self) -> Result<(), OrderFault> {
        let fault = |reason| Err(OrderFault { field: "target", reason });
        let target = &self.target;
        if target.is_empty() {
            return fault("an empty target is refused, never read as everyone");
        }
        if target.regions.len() > limits::REGIONS_PER_ORDER_MAX
            || target.excluded.len() > limits::REGIONS_PER_ORDER_MAX
            || target.partial.len() > limits::PARTIAL_VILLAGES_PER_ORDER_MAX
            || target.excluded_terminals.len() > limits::PARTIAL_VILLAGES_PER_ORDER_MAX
            || target.shapes.len() > limits::SHAPES_PER_ORDER_MAX
        {
            return fault("names more regions, villages or shapes than one order may");
        }
        let authority = self.stream.authority;
        if !target.regions.iter().all(|region| authority.contains(*region))
            || !target.partial.iter().all(|part| authority.contains(part.village))
        {
            return fault("reaches outside the authority's region");
        }
        for shape in &target.shapes {
            match shape {
                crate::area::Shape::Polygon(vertices)
                    if vertices.len() < 3 || vertices.len() > limits::VERTICES_PER_POLYGON_MAX =>
                {
                    return fault("a polygon has 3 to 128 vertices");
                }
                crate::area::Shape::Circle(_, 0) => return fault("a circle has a radius"),
                crate::area::Shape::Polygon(_) | crate::area::Shape::Circle(..) => {}
            }
        }
        Ok(())
    }
}
