//! The messages of `wire.md`: envelope, each body, and what is done with a body once it is read.

use minicbor::{Decode, Encode};
use protocols::audit::AuditHead;
use protocols::certificate::{Certificate, RevocationList};
use protocols::command::Command;
use protocols::enrolment::KeyProof;
use protocols::hazard::PhraseSet;
use protocols::hello::{Hello, HelloReply};
use protocols::limits::{MESSAGE_BYTES_MAX, ORDER_BYTES_MAX, PHRASE_SET_BYTES_MAX};
use protocols::order::Order;
use protocols::receipt::{ReceiptAck, ReceiptBatch};
use protocols::terminal::TerminalId;
use protocols::trust::{self, Roots};
use protocols::vitals::Vitals;
use protocols::wire::{self, MessageType, Sealed, SigningKey};

use crate::{Decoder, vectors};

/// Bytes beyond a limit that are tried as well.
const BEYOND: usize = 64;

pub(crate) const ENVELOPE: Decoder = Decoder {
    name: "envelope",
    bytes_max: MESSAGE_BYTES_MAX + BEYOND,
    seeds: || {
        let mut seeds = vectors::orders_judged();
        let others = [
            &vectors::COMMAND,
            &vectors::RECEIPTS,
            &vectors::HELLO,
            &vectors::CERTIFICATE,
            &vectors::REVOCATION_LIST,
            &vectors::PHRASE_SET,
            &vectors::KEY_PROOF,
        ];
        seeds.extend(others.map(|vector| vector.sealed.clone()));
        seeds
    },
    words: &[],
    read: envelope,
};

pub(crate) const ORDER: Decoder = Decoder {
    name: "order",
    bytes_max: ORDER_BYTES_MAX + BEYOND,
    seeds: || vec![vectors::ORDER.payload.clone()],
    words: &[],
    read: |bytes| {
        let Some(order) = body::<Order>(bytes) else { return };
        if order.validate().is_ok() {
            for number in [1, 7, 1_024] {
                let region = order.stream.topic;
                let Ok(terminal) = TerminalId::new(region, number) else { continue };
                std::hint::black_box(order.target.includes(terminal, None));
            }
        }
    },
};

pub(crate) const RECEIPTS: Decoder = Decoder {
    name: "receipts",
    bytes_max: MESSAGE_BYTES_MAX + BEYOND,
    seeds: || vec![vectors::RECEIPTS.payload.clone(), vectors::RECEIPT_ACK.payload.clone()],
    words: &[],
    read: |bytes| {
        if let Some(batch) = body::<ReceiptBatch>(bytes) {
            std::hint::black_box(batch.is_bounded());
        }
        body::<ReceiptAck>(bytes);
    },
};

pub(crate) const HELLO: Decoder = Decoder {
    name: "hello",
    bytes_max: MESSAGE_BYTES_MAX + BEYOND,
    seeds: || vec![vectors::HELLO.payload.clone(), vectors::HELLO_REPLY.payload.clone()],
    words: &[],
    read: |bytes| {
        body::<Hello>(bytes);
        body::<HelloReply>(bytes);
    },
};

pub(crate) const COMMAND: Decoder = Decoder {
    name: "command",
    bytes_max: ORDER_BYTES_MAX + BEYOND,
    seeds: || vec![vectors::COMMAND.payload.clone()],
    words: &[],
    read: |bytes| {
        body::<Command>(bytes);
    },
};

pub(crate) const CERTIFICATE: Decoder = Decoder {
    name: "certificate",
    bytes_max: MESSAGE_BYTES_MAX + BEYOND,
    seeds: || {
        let files = [&vectors::CERTIFICATE, &vectors::REVOCATION_LIST, &vectors::AUDIT_HEAD];
        files.map(|vector| vector.payload.clone()).to_vec()
    },
    words: &[],
    read: certificate,
};

pub(crate) const VITALS: Decoder = Decoder {
    name: "vitals",
    bytes_max: MESSAGE_BYTES_MAX + BEYOND,
    seeds: || vec![vectors::VITALS.payload.clone()],
    words: &[],
    read: |bytes| {
        body::<Vitals>(bytes);
    },
};

pub(crate) const PHRASES: Decoder = Decoder {
    name: "phrases",
    bytes_max: PHRASE_SET_BYTES_MAX + BEYOND,
    seeds: || vec![vectors::PHRASE_SET.payload.clone()],
    words: &[],
    read: |bytes| {
        let Some(set) = body::<PhraseSet>(bytes) else { return };
        for phrase in &set.phrases {
            assert!(set.clip_for(phrase.event, &phrase.language).is_some());
        }
    },
};

/// Reads a body. What was read is written and read again the same.
fn body<T>(bytes: &[u8]) -> Option<T>
where
    T: for<'b> Decode<'b, ()> + Encode<()> + PartialEq + std::fmt::Debug,
{
    let message: T = wire::decode(bytes).ok()?;
    let written = wire::encode(&message);
    let again: T = wire::decode(&written).expect("what we write we read");
    assert_eq!(again, message, "written otherwise than read");
    Some(message)
}

fn root() -> SigningKey {
    SigningKey::from_seed(vectors::seed("root"))
}

fn envelope(bytes: &[u8]) {
    let roots = Roots::new([root().verifying_key()]);
    let now = Some(vectors::judged_at());
    if let Ok(sealed) = Sealed::parse(bytes, MESSAGE_BYTES_MAX) {
        std::hint::black_box((sealed.key_id(), sealed.stream(), sealed.certificate()));
    }
    let order = trust::open::<Order>(bytes, ORDER_BYTES_MAX, MessageType::Order, &roots, &[], now);
    if let Ok(order) = order {
        let dispatcher = SigningKey::from_seed(vectors::seed("dispatcher"));
        assert_eq!(order.key_id, dispatcher.key_id(), "nobody else holds a key");
    }
    let opened =
        trust::open::<Command>(bytes, ORDER_BYTES_MAX, MessageType::Command, &roots, &[], now);
    std::hint::black_box(&opened);
    std::hint::black_box(&trust::open_certificate(bytes, &roots));
    std::hint::black_box(&trust::open_revocations(bytes, &roots));
    std::hint::black_box(&KeyProof::open(bytes));
}

/// The bodies that a root signs, bare and under its true signature.
fn certificate(bytes: &[u8]) {
    body::<Certificate>(bytes);
    body::<RevocationList>(bytes);
    body::<AuditHead>(bytes);
    let roots = Roots::new([root().verifying_key()]);
    let seal = |kind| wire::seal(kind, None, bytes.to_vec(), &root(), None);
    if let Ok(certificate) = trust::open_certificate(&seal(MessageType::Certificate), &roots) {
        assert_eq!(certificate.region.level(), certificate.level);
        assert!(certificate.not_before <= certificate.not_after);
    }
    std::hint::black_box(&trust::open_revocations(&seal(MessageType::RevocationList), &roots));
}
