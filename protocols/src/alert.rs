//! What identifies an alert and how serious it is: key, colour, kind, hazard code.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;

use crate::digest::Digest;

/// The identity of an alert in CAP: two alerts with the same key are the same alert, and the same
/// key with other content is tampering.
#[derive(
    Debug,
    Clone,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    minicbor::Encode,
    minicbor::Decode,
    serde::Serialize,
    serde::Deserialize,
)]
#[cbor(map)]
pub struct AlertKey {
    /// CAP `sender`: free text without blanks, commas, `<` and `&`.
    #[n(0)]
    pub sender: String,
    /// CAP `identifier`, as above.
    #[n(1)]
    pub identifier: String,
    /// CAP `sent`.
    #[cbor(n(2), with = "crate::micros")]
    pub sent: Timestamp,
}

/// An alert as another one names it: its key and the digest of its CAP document as stored.
#[derive(Debug, Clone, PartialEq, Eq, Hash, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct AlertReference {
    /// Which alert.
    #[n(0)]
    pub key: AlertKey,
    /// Which content of it.
    #[n(1)]
    pub digest: Digest,
}

/// 预警颜色. `Ord` by seriousness: `Red > Orange > Yellow > Blue`. A notice of one's own has none
/// (`Option::None`, which sorts below blue).
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    minicbor::Encode,
    minicbor::Decode,
    serde::Serialize,
    serde::Deserialize,
)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum AlertColor {
    /// 蓝色, IV
    #[n(4)]
    Blue,
    /// 黄色, III
    #[n(3)]
    Yellow,
    /// 橙色, II
    #[n(2)]
    Orange,
    /// 红色, I
    #[n(1)]
    Red,
}

impl AlertColor {
    /// All colours, most serious first.
    pub const ALL: [Self; 4] = [Self::Red, Self::Orange, Self::Yellow, Self::Blue];
}

/// What a broadcast is for. `Ord` is the place in the playout order: a higher kind may cut in.
/// CAP status Actual, Exercise and Test map to the kinds of the same name; System and Draft map to
/// none and never sound.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    minicbor::Encode,
    minicbor::Decode,
    serde::Serialize,
    serde::Deserialize,
)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum BroadcastKind {
    /// 日常广播
    #[n(0)]
    Routine,
    /// 试播
    #[n(1)]
    Test,
    /// 演练
    #[n(2)]
    Exercise,
    /// 真实预警
    #[n(3)]
    Actual,
    /// 现场喊话
    #[n(4)]
    LiveTalk,
}

/// A GB/T 35561 event code: five characters such as `11B01` (typhoon).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventCode([u8; 5]);

/// A text is not of the form of GB/T 35561.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an event code of GB/T 35561 is '1', a digit, a letter or digit, two digits")]
pub struct ParseEventCodeError;

impl EventCode {
    /// The five characters.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("only ASCII passes the constructor")
    }
}

impl FromStr for EventCode {
    type Err = ParseEventCodeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bytes: [u8; 5] = text.as_bytes().try_into().map_err(|_| ParseEventCodeError)?;
        let [first, class, sub_class, rest @ ..] = bytes;
        let is_code = first == b'1'
            && class.is_ascii_digit()
            && (sub_class.is_ascii_uppercase() || sub_class.is_ascii_digit())
            && rest.iter().all(u8::is_ascii_digit);
        is_code.then_some(Self(bytes)).ok_or(ParseEventCodeError)
    }
}

impl fmt::Display for EventCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for EventCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EventCode({self})")
    }
}

impl serde::Serialize for EventCode {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for EventCode {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl<C> minicbor::Encode<C> for EventCode {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.str(self.as_str())?.ok()
    }
}

impl<'b, C> minicbor::Decode<'b, C> for EventCode {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        d.str()?.parse().map_err(minicbor::decode::Error::message)
    }
}
