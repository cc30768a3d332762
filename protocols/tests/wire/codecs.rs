//! What was encoded is decoded equal; whatever bytes come, no decoder panics.

use proptest::prelude::*;
use protocols::audit::AuditHead;
use protocols::certificate::{Certificate, RevocationList};
use protocols::command::Command;
use protocols::enrolment::{EnrolmentCode, KeyProof};
use protocols::hazard::PhraseSet;
use protocols::hello::{Hello, HelloReply};
use protocols::limits;
use protocols::order::Order;
use protocols::receipt::{ReceiptAck, ReceiptBatch};
use protocols::trust::{self, Roots};
use protocols::vitals::Vitals;
use protocols::wire::{self, MessageType, Sealed, SigningKey};

use crate::arbitrary;

macro_rules! round_trips {
    ($($name:ident: $strategy:ident;)*) => {
        proptest! {
            $(
                #[test]
                fn $name(message in arbitrary::$strategy()) {
                    let bytes = wire::encode(&message);
                    prop_assert_eq!(wire::decode(&bytes).ok(), Some(message));
                }
            )*
        }
    };
}

round_trips! {
    an_order_is_decoded_equal: order;
    a_command_is_decoded_equal: command;
    a_batch_of_receipts_is_decoded_equal: receipts;
    a_receipt_ack_is_decoded_equal: receipt_ack;
    a_hello_is_decoded_equal: hello;
    a_hello_reply_is_decoded_equal: hello_reply;
    vitals_are_decoded_equal: vitals;
    a_certificate_is_decoded_equal: certificate;
    a_revocation_list_is_decoded_equal: revocations;
    a_phrase_set_is_decoded_equal: phrases;
    a_key_proof_is_decoded_equal: key_proof;
    an_audit_head_is_decoded_equal: audit_head;
    an_enrolment_code_is_decoded_equal: enrolment_code;
}

/// Tries every decoder on the same bytes.
fn decode_as_everything(bytes: &[u8]) {
    let _ = wire::decode::<Order>(bytes).map(|order| order.validate());
    let _ = wire::decode::<Command>(bytes);
    let _ = wire::decode::<ReceiptBatch>(bytes);
    let _ = wire::decode::<ReceiptAck>(bytes);
    let _ = wire::decode::<Hello>(bytes);
    let _ = wire::decode::<HelloReply>(bytes);
    let _ = wire::decode::<Vitals>(bytes);
    let _ = wire::decode::<Certificate>(bytes);
    let _ = wire::decode::<RevocationList>(bytes);
    let _ = wire::decode::<PhraseSet>(bytes);
    let _ = wire::decode::<KeyProof>(bytes);
    let _ = wire::decode::<AuditHead>(bytes);
    let _ = wire::decode::<EnrolmentCode>(bytes);
    let roots = Roots::new([SigningKey::from_seed(&[1; 32]).verifying_key()]);
    let _ = Sealed::parse(bytes, limits::MESSAGE_BYTES_MAX);
    let _ = trust::open_certificate(bytes, &roots);
    let _ = trust::open_revocations(bytes, &roots);
    let max = limits::ORDER_BYTES_MAX;
    let _ = trust::open::<Order>(bytes, max, MessageType::Order, &roots, &[], None);
}

proptest! {
    #[test]
    fn arbitrary_bytes_panic_no_decoder(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        decode_as_everything(&bytes);
    }

    #[test]
    fn an_order_altered_anywhere_panics_no_decoder(
        order in arbitrary::order(),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<prop::sample::Index>(),
    ) {
        let key = SigningKey::from_seed(&[2; 32]);
        let payload = wire::encode(&order);
        let sealed =
            wire::seal(MessageType::Order, Some(order.stream), payload.clone(), &key, None);
        for mut bytes in [payload, sealed] {
            for (at, value) in &changes {
                let at = at.index(bytes.len());
                bytes[at] = *value;
            }
            decode_as_everything(&bytes);
            bytes.truncate(cut.index(bytes.len()));
            decode_as_everything(&bytes);
        }
    }

    #[test]
    fn a_sealed_order_altered_in_one_byte_is_never_verified_as_other_content(
        order in arbitrary::order(),
        at in any::<prop::sample::Index>(),
        change in 1_u8..,
    ) {
        let key = SigningKey::from_seed(&[2; 32]);
        let payload = wire::encode(&order);
        let mut sealed =
            wire::seal(MessageType::Order, Some(order.stream), payload.clone(), &key, None);
        let at = at.index(sealed.len());
        sealed[at] ^= change;
        if let Ok(parsed) = Sealed::parse(&sealed, usize::MAX)
            && let Ok(verified) = parsed.verify(MessageType::Order, &key.verifying_key())
        {
            prop_assert_eq!(verified, &payload[..]);
            prop_assert_eq!(parsed.stream(), Some(order.stream));
        }
    }

    #[test]
    fn an_enrolment_code_survives_paper(code in arbitrary::enrolment_code()) {
        let text = format!(" {}\n", code.to_text());
        prop_assert_eq!(EnrolmentCode::from_text(&text), Ok(code));
    }

    #[test]
    fn an_event_code_is_read_back(event in arbitrary::event()) {
        prop_assert_eq!(event.to_string().parse(), Ok(event));
    }
}

#[test]
fn bytes_after_a_message_are_an_error() {
    let proof =
        KeyProof { secret_digest: protocols::digest::Digest([0; 32]), public_key: vec![1; 32] };
    let mut bytes = wire::encode(&proof);
    bytes.push(0);
    assert!(wire::decode::<KeyProof>(&bytes).is_err());
}
