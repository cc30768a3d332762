//! The tables of keys in `docs/wire.md`: each key of each map is there, and exactly those that a
//! reader can do without are called optional.

use minicbor::{Decode, Decoder, Encode};
use protocols::audit::AuditHead;
use protocols::certificate::RevocationList;
use protocols::digest::Digest;
use protocols::enrolment::{EnrolmentCode, KeyProof};
use protocols::hazard::{PhraseClip, PhraseSet};
use protocols::order::Order;
use protocols::receipt::{Evidence, Receipt, ReceiptAck, ReceiptState};
use protocols::vitals::Vitals;
use protocols::wire;

use crate::document::table;
use crate::samples::{
    alert, certificate, clip, command, hello, key, now, order, receipts, reply, terminal, vitals,
};

/// The map's entries: key, and the bytes of key and value.
fn entries(bytes: &[u8]) -> Vec<(u64, Vec<u8>)> {
    let mut decoder = Decoder::new(bytes);
    let count = decoder.map().expect("a map").expect("of definite length");
    let mut entry = || {
        let begin = decoder.position();
        let key = decoder.u64().expect("an unsigned key");
        decoder.skip().expect("a value");
        (key, bytes[begin..decoder.position()].to_vec())
    };
    (0..count).map(|_| entry()).collect()
}

fn map(entries: &[&(u64, Vec<u8>)]) -> Vec<u8> {
    let mut encoder = minicbor::Encoder::new(Vec::new());
    encoder.map(entries.len() as u64).expect("writing into a Vec cannot fail");
    let mut bytes = encoder.into_writer();
    for (_, entry) in entries {
        bytes.extend(entry);
    }
    bytes
}

/// `full` has every field.
fn check<T: Encode<()> + for<'b> Decode<'b, ()>>(heading: &str, full: &T) {
    let rows = table(heading);
    let listed: Vec<String> = rows.iter().map(|row| row[0].to_owned()).collect();
    let entries = entries(&wire::encode(full));
    let written: Vec<String> = entries.iter().map(|(key, _)| key.to_string()).collect();
    assert_eq!(listed, written, "the keys of {heading}");
    for ((key, _), row) in entries.iter().zip(&rows) {
        let rest: Vec<_> = entries.iter().filter(|(other, _)| other != key).collect();
        let is_readable = wire::decode::<T>(&map(&rest)).is_ok();
        assert_eq!(row[2].starts_with("optional"), is_readable, "{heading} without key {key}");
    }
    let unknown = (23, [vec![23], wire::encode(&"a later version's")].concat());
    let more: Vec<_> = entries.iter().chain([&unknown]).collect();
    assert!(wire::decode::<T>(&map(&more)).is_ok(), "{heading} skips a key it does not know");
}

fn full_order() -> Order {
    Order { play_at: Some(now()), drill: Some("2026-秋".to_owned()), ..order() }
}

#[test]
fn the_keys_of_orders_and_what_is_in_them_are_those_of_the_code() {
    let order = full_order();
    check("Order", &order);
    check("Alert key", &order.alert);
    check("Reference", &order.references[0]);
    check("Text", &order.texts[0]);
    check("Clip", &clip(1));
    check("Target", &order.target);
    check("Command", &command());
}

#[test]
fn the_keys_of_receipts_are_those_of_the_code() {
    let batch = receipts();
    let evidence = Evidence {
        first_sound_at: Some(now()),
        frames: 1,
        underruns: 0,
        source: Some(protocols::receipt::SoundSource::Clip),
        amplifier_ma: Some(700),
        microphone_dbfs_x10: Some(-231),
    };
    let receipt = Receipt {
        order: Digest([1; 32]),
        alert: Some(alert()),
        state: ReceiptState::Interrupted,
        reason: Some(protocols::receipt::Reason::Preempted),
        repeat: 1,
        at: now(),
        clock_unsure: true,
        evidence: Some(evidence.clone()),
    };
    check("ReceiptBatch", &batch);
    check("Receipt", &receipt);
    check("Evidence", &evidence);
    let ack = ReceiptAck { terminal: terminal(), journal_id: 1, up_to: 12 };
    check("ReceiptAck", &ack);
}

#[test]
fn the_keys_of_all_other_messages_are_those_of_the_code() {
    check("Certificate", &certificate());
    let keys = vec![key([9; 32]).key_id()];
    check("RevocationList", &RevocationList { number: 2, at: now(), keys });
    check("Hello", &hello());
    check("HelloReply", &reply());
    check("Vitals message", &Vitals { battery_percent: Some(80), ..vitals() });
    let phrase = PhraseClip {
        event: "11B01".parse().expect("a code"),
        language: "zh-CN".to_owned(),
        clip: clip(2),
    };
    check("PhraseSet", &PhraseSet { phrases: vec![phrase] });
    let (authority, digest) = (certificate().region, Digest([1; 32]));
    check("AuditHead", &AuditHead { authority, epoch: 1, number: 1, digest, at: now() });
    let secret_digest = Digest::of(b"0123456789");
    check("KeyProof", &KeyProof { secret_digest, public_key: vec![1; 32] });
    let code = EnrolmentCode {
        root_fingerprints: vec![Digest::of(b"a")],
        url: "http://10.0.0.5:8480".to_owned(),
        secret: *b"0123456789",
    };
    check("Enrolment code", &code);
}
