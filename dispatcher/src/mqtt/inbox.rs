//! What terminals say, opened: the envelope, the signature of exactly this terminal, and the
//! bounds. Pure; whoever fails here is counted and otherwise ignored.

use protocols::hello::Hello;
use protocols::limits::{HELLO_LIST_MAX, MESSAGE_BYTES_MAX};
use protocols::receipt::ReceiptBatch;
use protocols::terminal::TerminalId;
use protocols::vitals::Vitals;
use protocols::wire::{self, EnvelopeError, MessageType, Sealed, VerifyingKey};

/// Why a message of a terminal is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Disbelief {
    /// The terminal is unknown, not enrolled or retired.
    #[error("no such terminal is enrolled")]
    UnknownTerminal,
    /// The envelope or the signature.
    #[error(transparent)]
    Envelope(#[from] EnvelopeError),
    /// The payload is not what the topic carries, or breaks a bound.
    #[error("{0}")]
    Content(&'static str),
}

/// A message that names its sender.
pub trait Said: Sized {
    /// Its type on the wire.
    const KIND: MessageType;

    /// Reads the payload.
    fn read(payload: &[u8]) -> Option<Self>;

    /// Who claims to have said it.
    fn terminal(&self) -> TerminalId;

    /// Whether it is within its bounds.
    fn check(&self) -> Result<(), &'static str>;
}

impl Said for Hello {
    const KIND: MessageType = MessageType::Hello;

    fn read(payload: &[u8]) -> Option<Self> {
        wire::decode(payload).ok()
    }

    fn terminal(&self) -> TerminalId {
        self.terminal
    }

    fn check(&self) -> Result<(), &'static str> {
        let is_bounded = self.heads.len() <= HELLO_LIST_MAX && self.held.len() <= HELLO_LIST_MAX;
        if is_bounded { Ok(()) } else { Err("a hello lists more than 128 heads or orders") }
    }
}

impl Said for ReceiptBatch {
    const KIND: MessageType = MessageType::Receipts;

    fn read(payload: &[u8]) -> Option<Self> {
        wire::decode(payload).ok()
    }

    fn terminal(&self) -> TerminalId {
        self.terminal
    }

    fn check(&self) -> Result<(), &'static str> {
        if !self.is_bounded() {
            return Err("a batch has 1 to 32 receipts");
        }
        // The database counts in signed numbers.
        let last = self.first_number.checked_add(self.receipts.len() as u64);
        if self.first_number == 0 || last.is_none_or(|last| i64::try_from(last).is_err()) {
            return Err("receipts are numbered from 1");
        }
        Ok(())
    }
}

impl Said for Vitals {
    const KIND: MessageType = MessageType::Vitals;

    fn read(payload: &[u8]) -> Option<Self> {
        wire::decode(payload).ok()
    }

    fn terminal(&self) -> TerminalId {
        self.terminal
    }

    fn check(&self) -> Result<(), &'static str> {
        if i64::try_from(self.number).is_err() {
            return Err("vitals are numbered within 63 bits");
        }
        Ok(())
    }
}

/// Opens what came on a topic of `terminal`, whose key is `key`.
pub fn open<T: Said>(
    terminal: TerminalId,
    bytes: &[u8],
    key: &VerifyingKey,
) -> Result<T, Disbelief> {
    let sealed = Sealed::parse(bytes, MESSAGE_BYTES_MAX)?;
    let payload = sealed.verify(T::KIND, key)?;
    let said = T::read(payload).ok_or(Disbelief::Content("the payload is not of its type"))?;
    if said.terminal() != terminal {
        return Err(Disbelief::Content("speaks for another terminal"));
    }
    said.check().map_err(Disbelief::Content)?;
    Ok(said)
}

#[cfg(test)]
mod tests {
    use protocols::Timestamp;
    use protocols::wire::SigningKey;

    use super::*;

    fn hello(id: &str) -> Hello {
        Hello {
            terminal: id.parse().expect("an id"),
            nonce: [3; 16],
            journal_id: 1,
            heads: Vec::new(),
            held: Vec::new(),
            time_floor: Timestamp::UNIX_EPOCH,
            clock_unsure: true,
            revocation_number: 0,
            version: "test".into(),
        }
    }

    #[test]
    fn only_the_terminals_own_signed_word_of_the_right_kind_is_believed() {
        let key = SigningKey::from_seed(&[1; 32]);
        let id: TerminalId = "350212110201-0007".parse().expect("an id");
        let seal = |hello: &Hello, key: &SigningKey| {
            wire::seal(MessageType::Hello, None, wire::encode(hello), key, None)
        };
        let own = hello("350212110201-0007");
        let good = seal(&own, &key);
        assert_eq!(open::<Hello>(id, &good, &key.verifying_key()), Ok(own.clone()));
        let other = SigningKey::from_seed(&[2; 32]);
        assert!(open::<Hello>(id, &seal(&own, &other), &key.verifying_key()).is_err());
        let foreign = seal(&hello("350212110201-0008"), &key);
        assert_eq!(
            open::<Hello>(id, &foreign, &key.verifying_key()),
            Err(Disbelief::Content("speaks for another terminal"))
        );
        assert!(open::<Vitals>(id, &good, &key.verifying_key()).is_err());
        assert!(open::<Hello>(id, b"noise", &key.verifying_key()).is_err());
        assert!(open::<Hello>(id, &vec![0; MESSAGE_BYTES_MAX + 1], &key.verifying_key()).is_err());
    }
}
