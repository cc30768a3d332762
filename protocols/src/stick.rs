//! 应急U盘: what a dispatcher puts on a USB stick for terminals whose every link is down.
//!
//! A stick carries signed messages and nothing else of weight: it is believed as little as a broker.
//! The terminal treats each message as if it had come on its own topic, so authority, scope, order,
//! time and revocation are judged as always.

use crate::limits::{MESSAGE_BYTES_MAX, STICK_BYTES_MAX, STICK_MESSAGES_MAX};
use crate::terminal::TerminalId;
use crate::wire::{self, MessageType, Topic};

/// Name of the file, in the root folder of the stick.
pub const FILE_NAME: &str = "tongluo.stick";

/// The version of this form.
const VERSION: u32 = 1;

/// The file as it is written.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct Stick {
    /// 1.
    #[n(0)]
    version: u32,
    /// At most [`STICK_MESSAGES_MAX`], in the order in which they are to be taken in.
    #[n(1)]
    messages: Vec<StickMessage>,
}

/// One message of a stick.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
pub struct StickMessage {
    /// A revocation list, a command or an order.
    #[n(0)]
    pub kind: MessageType,
    /// The signed bytes as on the wire.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub sealed: Vec<u8>,
}

/// Why a file is no stick.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StickError {
    /// Longer than [`STICK_BYTES_MAX`].
    #[error("the file has {0} bytes, {STICK_BYTES_MAX} at most are read")]
    TooLong(usize),
    /// No CBOR of this shape.
    #[error("the file is not a stick of this protocol: {0}")]
    Malformed(String),
    /// Of a later version.
    #[error("version {0} is not known here")]
    Version(u32),
    /// More messages than [`STICK_MESSAGES_MAX`].
    #[error("{0} messages, {STICK_MESSAGES_MAX} at most are read")]
    TooMany(usize),
    /// A message of a type that does not travel this way, or too long for any.
    #[error("message {0} is of a type or length that does not travel on a stick")]
    Foreign(usize),
}

impl Stick {
    /// A stick with these messages; revocation lists and commands belong before orders.
    pub fn new(messages: Vec<StickMessage>) -> Result<Self, StickError> {
        let stick = Self { version: VERSION, messages };
        stick.check()?;
        Ok(stick)
    }

    /// The bytes of the file.
    pub fn encode(&self) -> Result<Vec<u8>, StickError> {
        let bytes = wire::encode(self);
        if bytes.len() > STICK_BYTES_MAX {
            Err(StickError::TooLong(bytes.len()))
        } else {
            Ok(bytes)
        }
    }

    /// Reads a file.
    pub fn decode(bytes: &[u8]) -> Result<Self, StickError> {
        if bytes.len() > STICK_BYTES_MAX {
            return Err(StickError::TooLong(bytes.len()));
        }
        let stick: Self =
            wire::decode(bytes).map_err(|error| StickError::Malformed(error.to_string()))?;
        stick.check()?;
        Ok(stick)
    }

    /// How many messages there are.
    pub const fn len(&self) -> usize {
        self.messages.len()
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// The messages with the topics on which `terminal` takes them.
    pub fn into_messages(self, terminal: TerminalId) -> impl Iterator<Item = (Topic, Vec<u8>)> {
        self.messages
            .into_iter()
            .filter_map(move |message| Some((topic(message.kind, terminal)?, message.sealed)))
    }

    fn check(&self) -> Result<(), StickError> {
        if self.version != VERSION {
            return Err(StickError::Version(self.version));
        }
        if self.messages.len() > STICK_MESSAGES_MAX {
            return Err(StickError::TooMany(self.messages.len()));
        }
        let is_foreign = |message: &StickMessage| {
            !travels(message.kind) || message.sealed.len() > MESSAGE_BYTES_MAX
        };
        match self.messages.iter().position(is_foreign) {
            Some(index) => Err(StickError::Foreign(index)),
            None => Ok(()),
        }
    }
}

const fn travels(kind: MessageType) -> bool {
    matches!(kind, MessageType::RevocationList | MessageType::Command | MessageType::Order)
}

const fn topic(kind: MessageType, terminal: TerminalId) -> Option<Topic> {
    match kind {
        MessageType::RevocationList => Some(Topic::RegionRevocation(terminal.village())),
        MessageType::Command => Some(Topic::TerminalCommand(terminal)),
        MessageType::Order => Some(Topic::TerminalOrder(terminal)),
        MessageType::Receipts
        | MessageType::ReceiptAck
        | MessageType::Hello
        | MessageType::HelloReply
        | MessageType::Vitals
        | MessageType::Certificate
        | MessageType::PhraseSet
        | MessageType::KeyProof
        | MessageType::AuditHead => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: MessageType, length: usize) -> StickMessage {
        StickMessage { kind, sealed: vec![7; length] }
    }

    fn terminal() -> TerminalId {
        "350212105201-0001".parse().expect("an id")
    }

    #[test]
    fn what_was_written_is_read_on_the_topics_of_the_terminal() {
        let kinds = [MessageType::RevocationList, MessageType::Command, MessageType::Order];
        let stick = Stick::new(kinds.map(|kind| message(kind, 9)).to_vec()).expect("a stick");
        let bytes = stick.encode().expect("short");
        let read = Stick::decode(&bytes).expect("its own bytes");
        assert_eq!(read, stick);
        let topics = read.into_messages(terminal()).map(|(topic, _)| topic).collect::<Vec<_>>();
        let own = terminal();
        let expected = [
            Topic::RegionRevocation(own.village()),
            Topic::TerminalCommand(own),
            Topic::TerminalOrder(own),
        ];
        assert_eq!(topics, expected);
    }

    #[test]
    fn every_cut_and_every_limit_is_an_error_with_its_name() {
        let stick = Stick::new(vec![message(MessageType::Order, 50)]).expect("a stick");
        let bytes = stick.encode().expect("short");
        for length in 0..bytes.len() {
            assert!(matches!(Stick::decode(&bytes[..length]), Err(StickError::Malformed(_))));
        }
        let long = vec![0; STICK_BYTES_MAX + 1];
        assert_eq!(Stick::decode(&long), Err(StickError::TooLong(long.len())));
        let many = vec![message(MessageType::Order, 1); STICK_MESSAGES_MAX + 1];
        assert_eq!(Stick::new(many), Err(StickError::TooMany(STICK_MESSAGES_MAX + 1)));
        let foreign = vec![message(MessageType::Order, 1), message(MessageType::HelloReply, 1)];
        assert_eq!(Stick::new(foreign), Err(StickError::Foreign(1)));
        let later = Stick { version: 2, messages: Vec::new() };
        assert_eq!(Stick::decode(&wire::encode(&later)), Err(StickError::Version(2)));
    }

    #[test]
    fn a_claim_of_billions_of_messages_costs_nothing() {
        // {0: 1, 1: [… 4,294,967,295 elements
        let bytes = [0xa2, 0x00, 0x01, 0x01, 0x9a, 0xff, 0xff, 0xff, 0xff];
        assert!(matches!(Stick::decode(&bytes), Err(StickError::Malformed(_))));
    }
}
