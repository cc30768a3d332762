//! The MQTT topics: a grammar of eleven shapes. No `.`, no space, no leading slash, so that any
//! 3.1.1 broker serves.
//!
//! ```text
//! tongluo/1/region/<12 digits>/order          dispatcher → terminals of the region
//! tongluo/1/region/<12 digits>/command        dispatcher → terminals of the region
//! tongluo/1/region/<12 digits>/revocation     dispatcher → terminals of the region, retained
//! tongluo/1/terminal/<terminal>/order         dispatcher → one terminal: orders it lacked
//! tongluo/1/terminal/<terminal>/command       dispatcher → one terminal: commands it lacked
//! tongluo/1/terminal/<terminal>/reply         dispatcher → one terminal: answer to its hello
//! tongluo/1/terminal/<terminal>/ack           dispatcher → one terminal: receipts on disk
//! tongluo/1/terminal/<terminal>/hello         terminal → dispatcher
//! tongluo/1/terminal/<terminal>/receipt       terminal → dispatcher
//! tongluo/1/terminal/<terminal>/vitals        terminal → dispatcher
//! tongluo/1/terminal/<terminal>/status        terminal → dispatcher, retained, unsigned hint
//! ```

use std::fmt;
use std::str::FromStr;

use crate::region::RegionCode;
use crate::terminal::TerminalId;
use crate::wire::MessageType;

const ROOT: &str = "tongluo/1/";

/// A topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Topic {
    /// Orders for a region.
    RegionOrder(RegionCode),
    /// Commands for a region.
    RegionCommand(RegionCode),
    /// The revocation list for a region, retained.
    RegionRevocation(RegionCode),
    /// Orders that one terminal lacked.
    TerminalOrder(TerminalId),
    /// Commands that one terminal lacked.
    TerminalCommand(TerminalId),
    /// The answer to a hello.
    TerminalReply(TerminalId),
    /// Which receipts are on disk.
    TerminalAck(TerminalId),
    /// What a terminal has.
    TerminalHello(TerminalId),
    /// What a terminal did.
    TerminalReceipt(TerminalId),
    /// How a terminal is.
    TerminalVitals(TerminalId),
    /// Online or offline: a hint.
    TerminalStatus(TerminalId),
}

impl Topic {
    /// The type of message that this topic carries; `None` for the unsigned status hint.
    pub const fn message_type(self) -> Option<MessageType> {
        match self {
            Self::RegionOrder(_) | Self::TerminalOrder(_) => Some(MessageType::Order),
            Self::RegionCommand(_) | Self::TerminalCommand(_) => Some(MessageType::Command),
            Self::RegionRevocation(_) => Some(MessageType::RevocationList),
            Self::TerminalReply(_) => Some(MessageType::HelloReply),
            Self::TerminalAck(_) => Some(MessageType::ReceiptAck),
            Self::TerminalHello(_) => Some(MessageType::Hello),
            Self::TerminalReceipt(_) => Some(MessageType::Receipts),
            Self::TerminalVitals(_) => Some(MessageType::Vitals),
            Self::TerminalStatus(_) => None,
        }
    }

    /// Whether the broker keeps the last message for late subscribers.
    pub const fn is_retained(self) -> bool {
        matches!(self, Self::RegionRevocation(_) | Self::TerminalStatus(_))
    }

    /// Whether this terminal may publish here.
    pub fn may_publish(self, terminal: TerminalId) -> bool {
        match self {
            Self::TerminalHello(id)
            | Self::TerminalReceipt(id)
            | Self::TerminalVitals(id)
            | Self::TerminalStatus(id) => id == terminal,
            Self::RegionOrder(_)
            | Self::RegionCommand(_)
            | Self::RegionRevocation(_)
            | Self::TerminalOrder(_)
            | Self::TerminalCommand(_)
            | Self::TerminalReply(_)
            | Self::TerminalAck(_) => false,
        }
    }
}

/// The filters of one terminal, literally as it sends them and as the broker permits them: orders,
/// commands and revocations of its village and the three regions above, and its own four.
pub fn terminal_filters(terminal: TerminalId) -> Vec<String> {
    let mut filters = Vec::with_capacity(16);
    for region in terminal.village().lineage() {
        filters.push(Topic::RegionOrder(region).to_string());
        filters.push(Topic::RegionCommand(region).to_string());
        filters.push(Topic::RegionRevocation(region).to_string());
    }
    filters.push(Topic::TerminalOrder(terminal).to_string());
    filters.push(Topic::TerminalCommand(terminal).to_string());
    filters.push(Topic::TerminalReply(terminal).to_string());
    filters.push(Topic::TerminalAck(terminal).to_string());
    filters
}

/// The filters of a dispatcher: what terminals say.
pub fn dispatcher_filters() -> Vec<String> {
    ["hello", "receipt", "vitals", "status"].map(|leaf| format!("{ROOT}terminal/+/{leaf}")).to_vec()
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RegionOrder(region) => write!(f, "{ROOT}region/{region}/order"),
            Self::RegionCommand(region) => write!(f, "{ROOT}region/{region}/command"),
            Self::RegionRevocation(region) => write!(f, "{ROOT}region/{region}/revocation"),
            Self::TerminalOrder(id) => write!(f, "{ROOT}terminal/{id}/order"),
            Self::TerminalCommand(id) => write!(f, "{ROOT}terminal/{id}/command"),
            Self::TerminalReply(id) => write!(f, "{ROOT}terminal/{id}/reply"),
            Self::TerminalAck(id) => write!(f, "{ROOT}terminal/{id}/ack"),
            Self::TerminalHello(id) => write!(f, "{ROOT}terminal/{id}/hello"),
            Self::TerminalReceipt(id) => write!(f, "{ROOT}terminal/{id}/receipt"),
            Self::TerminalVitals(id) => write!(f, "{ROOT}terminal/{id}/vitals"),
            Self::TerminalStatus(id) => write!(f, "{ROOT}terminal/{id}/status"),
        }
    }
}

/// A text is not a topic of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a topic of this protocol")]
pub struct ParseTopicError;

impl FromStr for Topic {
    type Err = ParseTopicError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let rest = text.strip_prefix(ROOT).ok_or(ParseTopicError)?;
        let mut parts = rest.split('/');
        let (Some(space), Some(name), Some(leaf), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(ParseTopicError);
        };
        if space == "region" {
            let region = name.parse().map_err(|_| ParseTopicError)?;
            return match leaf {
                "order" => Ok(Self::RegionOrder(region)),
                "command" => Ok(Self::RegionCommand(region)),
                "revocation" => Ok(Self::RegionRevocation(region)),
                _ => Err(ParseTopicError),
            };
        }
        if space != "terminal" {
            return Err(ParseTopicError);
        }
        let id = name.parse().map_err(|_| ParseTopicError)?;
        match leaf {
            "order" => Ok(Self::TerminalOrder(id)),
            "command" => Ok(Self::TerminalCommand(id)),
            "reply" => Ok(Self::TerminalReply(id)),
            "ack" => Ok(Self::TerminalAck(id)),
            "hello" => Ok(Self::TerminalHello(id)),
            "receipt" => Ok(Self::TerminalReceipt(id)),
            "vitals" => Ok(Self::TerminalVitals(id)),
            "status" => Ok(Self::TerminalStatus(id)),
            _ => Err(ParseTopicError),
        }
    }
}
