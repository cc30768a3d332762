//! Golden vectors: what the code makes today is what the committed files say. With
//! `TONGLUO_WRITE_VECTORS=1` the files are written anew; look at the difference before committing.

use std::fs;
use std::path::PathBuf;

use protocols::alert::BroadcastKind;
use protocols::limits;
use protocols::order::{Order, Stream};
use protocols::receipt::Reason;
use protocols::trust::{self, Roots};
use protocols::wire::{self, MessageType, PROTOCOL_VERSION, Sealed};
use serde_json::{Value, json};

use crate::samples::{
    DISPATCHER_SEED, ROOT_SEED, STRANGER_SEED, Sample, TERMINAL_SEED, at, certificate, key, now,
    order, region, samples, sealed_certificate, stream, terminal,
};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("vectors")
}

/// Compares with the committed file, or writes it.
fn check(name: &str, value: &Value) {
    let text = format!("{}\n", serde_json::to_string_pretty(value).expect("JSON"));
    let path = folder().join(format!("{name}.json"));
    if std::env::var_os("TONGLUO_WRITE_VECTORS").is_some_and(|on| on == "1") {
        fs::create_dir_all(folder()).expect("a folder");
        fs::write(&path, &text).expect("a file");
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(committed, text, "{} differs: see the head of vectors.rs", path.display());
}

fn external_aad(kind: MessageType, stream: Option<Stream>) -> Vec<u8> {
    wire::encode(&(PROTOCOL_VERSION, kind, stream))
}

fn type_number(kind: MessageType) -> u64 {
    minicbor::decode(&wire::encode(&kind)).expect("an enumeration is a number")
}

fn sealed(sample: &Sample) -> Vec<u8> {
    let certificate = sealed_certificate(&certificate(), ROOT_SEED);
    let attached = sample.has_certificate.then_some(&certificate[..]);
    let payload = sample.payload.clone();
    wire::seal(sample.kind, sample.stream, payload, &key(sample.signer), attached)
}

#[test]
fn each_type_of_message_is_sealed_as_its_vector_says() {
    for sample in samples() {
        let sealed = sealed(&sample);
        let stream = sample.stream.map(|s| json!([s.authority.number(), s.topic.number()]));
        let value = json!({
            "message": sample.name,
            "type": type_number(sample.kind),
            "stream": stream,
            "signer_seed": hex::encode(sample.signer),
            "signer_public_key": hex::encode(key(sample.signer).verifying_key().to_bytes()),
            "signer_key_id": key(sample.signer).key_id().to_string(),
            "certificate_attached": sample.has_certificate,
            "payload_diagnostic": minicbor::display(&sample.payload).to_string(),
            "payload": hex::encode(&sample.payload),
            "external_aad": hex::encode(external_aad(sample.kind, sample.stream)),
            "sealed": hex::encode(&sealed),
            "sealed_sha256": protocols::digest::Digest::of(&sealed).to_string(),
        });
        check(sample.name, &value);
        let parsed = Sealed::parse(&sealed, limits::MESSAGE_BYTES_MAX).expect("an envelope");
        let payload = parsed.verify(sample.kind, &key(sample.signer).verifying_key());
        assert_eq!(payload, Ok(&sample.payload[..]), "{}", sample.name);
    }
}

#[test]
fn the_keys_of_the_vectors_are_as_their_file_says() {
    let of = |name: &str, seed| {
        json!({
            "name": name,
            "seed": hex::encode(seed),
            "public_key": hex::encode(key(seed).verifying_key().to_bytes()),
            "key_id": key(seed).key_id().to_string(),
        })
    };
    let keys = [
        of("root", ROOT_SEED),
        of("dispatcher", DISPATCHER_SEED),
        of("terminal", TERMINAL_SEED),
        of("stranger", STRANGER_SEED),
    ];
    check("keys", &json!({ "judged_at": now().to_string(), "keys": keys }));
}

/// What a terminal that trusts the root, knows no revocation and has an empty journal says of an
/// order at `now`: the acceptance of `wire.md`.
fn verdict(bytes: &[u8], kind: MessageType) -> String {
    let roots = Roots::new([key(ROOT_SEED).verifying_key()]);
    let max = limits::ORDER_BYTES_MAX;
    let opened = trust::open::<Order>(bytes, max, kind, &roots, &[], Some(now()));
    let authentic = match opened {
        Ok(authentic) => authentic,
        Err(error) => return slug(error.reason()),
    };
    let (order, certificate) = (authentic.message, authentic.certificate);
    let header = Sealed::parse(bytes, max).ok().and_then(|sealed| sealed.stream());
    let Some(header) = header else { return slug(Reason::Malformed) };
    let Stream { authority, topic } = order.stream;
    let village = terminal().village();
    if header != order.stream
        || authority != certificate.region
        || !authority.contains(village)
        || !topic.contains(village)
    {
        return slug(Reason::OutOfScope);
    }
    if !(certificate.not_before..certificate.not_after).contains(&order.sent) {
        return slug(Reason::CertificateExpired);
    }
    if order.validate().is_err() || order.kind == BroadcastKind::LiveTalk {
        return slug(Reason::Invalid);
    }
    if order.expires <= now() {
        return slug(Reason::Expired);
    }
    if !order.target.includes(terminal(), None) {
        return slug(Reason::OutOfArea);
    }
    if order.kind == BroadcastKind::Exercise {
        return slug(Reason::NotInDrill);
    }
    "accepted".to_owned()
}

fn slug(reason: Reason) -> String {
    let text = serde_json::to_string(&reason).expect("a name");
    text.trim_matches('"').to_owned()
}

fn seal_order(order: &Order) -> Vec<u8> {
    let certificate = sealed_certificate(&certificate(), ROOT_SEED);
    let (kind, payload) = (MessageType::Order, wire::encode(order));
    wire::seal(kind, Some(order.stream), payload, &key(DISPATCHER_SEED), Some(&certificate))
}

/// Puts `with` in the place of the first `what`; both of one length.
fn replaced(bytes: &[u8], what: &[u8], with: &[u8]) -> Vec<u8> {
    assert_eq!(what.len(), with.len());
    let place = bytes.windows(what.len()).position(|window| window == what).expect("it is there");
    let mut bytes = bytes.to_vec();
    bytes[place..place + with.len()].copy_from_slice(with);
    bytes
}

#[expect(clippy::too_many_lines, reason = "one table of cases")]
fn negatives() -> Vec<(&'static str, &'static str, MessageType, Vec<u8>)> {
    let good = order();
    let sealed = seal_order(&good);
    let payload = wire::encode(&good);
    let (dispatcher, kind) = (key(DISPATCHER_SEED), MessageType::Order);
    let under = |certificate: &[u8]| {
        wire::seal(kind, Some(good.stream), payload.clone(), &dispatcher, Some(certificate))
    };
    let with = |change: &dyn Fn(&mut Order)| {
        let mut order = order();
        change(&mut order);
        seal_order(&order)
    };
    let mut altered_signature = sealed.clone();
    *altered_signature.last_mut().expect("bytes") ^= 1;
    let own_stream = wire::encode(&stream());
    let other_stream =
        wire::encode(&Stream { authority: stream().authority, topic: region(350_213_103_000) });
    let mut expired = certificate();
    expired.not_before = at("2026-01-01T00:00:00Z");
    expired.not_after = at("2026-11-23T11:59:59Z");
    let mut longer = certificate();
    longer.not_after = at("2028-11-01T00:00:00Z");
    let mut trailing = payload.clone();
    trailing.push(0);
    let root_certificate = sealed_certificate(&certificate(), ROOT_SEED);
    let sealed_trailing =
        wire::seal(kind, Some(good.stream), trailing, &dispatcher, Some(&root_certificate));
    let as_command = wire::seal(
        MessageType::Command,
        Some(good.stream),
        payload.clone(),
        &dispatcher,
        Some(&root_certificate),
    );
    let by_stranger = wire::seal(
        kind,
        Some(good.stream),
        payload.clone(),
        &key(STRANGER_SEED),
        Some(&root_certificate),
    );
    let altered_certificate = {
        let mut bytes = root_certificate.clone();
        *bytes.last_mut().expect("bytes") ^= 1;
        bytes
    };
    let streamless = wire::seal(kind, None, payload.clone(), &dispatcher, Some(&root_certificate));
    let reading = |what: &[u8], with: &[u8]| {
        let payload = replaced(&payload, what, with);
        wire::seal(kind, Some(good.stream), payload, &dispatcher, Some(&root_certificate))
    };
    vec![
        ("good", "accepted", kind, sealed.clone()),
        // Keys 4 to 8 of the order lie one after the other, each value one byte.
        ("an unknown level", "malformed", kind, reading(&[4, 1, 5, 1, 6], &[4, 9, 5, 1, 6])),
        ("an unknown purpose", "malformed", kind, reading(&[4, 1, 5, 1, 6], &[4, 1, 5, 9, 6])),
        ("an unknown kind", "malformed", kind, reading(&[7, 3, 8, 1, 9], &[7, 9, 8, 1, 9])),
        ("an unknown colour", "malformed", kind, reading(&[7, 3, 8, 1, 9], &[7, 3, 8, 9, 9])),
        ("no stream in the header", "malformed", kind, streamless),
        ("an altered certificate", "unknown_signer", kind, under(&altered_certificate)),
        ("a live talk", "invalid", kind, with(&|order| order.kind = BroadcastKind::LiveTalk)),
        (
            "another town's topic",
            "out_of_scope",
            kind,
            with(&|order| order.stream.topic = region(350_212_104_000)),
        ),
        (
            "made before its certificate",
            "certificate_expired",
            kind,
            with(&|order| {
                order.sent = at("2026-10-31T23:00:00Z");
                order.expires = at("2026-11-01T23:00:00Z");
            }),
        ),
        (
            "for another village",
            "out_of_area",
            kind,
            with(&|order| {
                order.target.regions = vec![region(350_212_104_000)];
                order.target.shapes.clear();
            }),
        ),
        (
            "an excluded village",
            "out_of_area",
            kind,
            with(&|order| order.target.excluded = vec![terminal().village()]),
        ),
        (
            "an exercise without an enrolment",
            "not_in_drill",
            kind,
            with(&|order| {
                order.kind = BroadcastKind::Exercise;
                order.drill = Some("2026-autumn".to_owned());
            }),
        ),
        (
            "altered payload byte",
            "bad_signature",
            kind,
            replaced(&sealed, "台风".as_bytes(), "暴雨".as_bytes()),
        ),
        ("altered signature byte", "bad_signature", kind, altered_signature),
        ("an order read as a command", "bad_signature", MessageType::Command, sealed.clone()),
        ("a command read as an order", "bad_signature", kind, as_command),
        (
            "another stream in the header",
            "bad_signature",
            kind,
            replaced(&sealed, &own_stream, &other_stream),
        ),
        ("another key than the certificate's", "bad_signature", kind, by_stranger),
        (
            "certificate by a stranger",
            "unknown_signer",
            kind,
            under(&sealed_certificate(&certificate(), STRANGER_SEED)),
        ),
        (
            "no certificate",
            "unknown_signer",
            kind,
            wire::seal(kind, Some(good.stream), payload.clone(), &dispatcher, None),
        ),
        (
            "certificate expired",
            "certificate_expired",
            kind,
            under(&sealed_certificate(&expired, ROOT_SEED)),
        ),
        (
            "certificate valid for more than 400 days",
            "unknown_signer",
            kind,
            under(&sealed_certificate(&longer, ROOT_SEED)),
        ),
        ("bytes after the payload", "malformed", kind, sealed_trailing),
        ("cut in the middle", "malformed", kind, sealed[..sealed.len() / 2].to_vec()),
        (
            "an authority other than the certificate's",
            "out_of_scope",
            kind,
            with(&|order| {
                order.stream.authority = region(350_212_000_000);
                order.level = protocols::region::RegionLevel::District;
            }),
        ),
        (
            "a target outside the authority",
            "invalid",
            kind,
            with(&|order| order.target.regions = vec![region(350_502_000_000)]),
        ),
        (
            "an empty target",
            "invalid",
            kind,
            with(&|order| order.target = protocols::area::Target::default()),
        ),
        (
            "an exercise without its drill",
            "invalid",
            kind,
            with(&|order| order.kind = BroadcastKind::Exercise),
        ),
        ("expired", "expired", kind, with(&|order| order.expires = at("2026-11-23T11:59:59Z"))),
        (
            "larger than an order may be",
            "oversize",
            kind,
            with(&|order| {
                order.texts[1].text = "a".repeat(4_096);
            }),
        ),
    ]
}

#[test]
fn each_bad_order_is_refused_for_its_reason() {
    let mut cases = Vec::new();
    for (name, expected, kind, bytes) in negatives() {
        assert_eq!(verdict(&bytes, kind), expected, "{name}");
        cases.push(json!({
            "name": name,
            "read_as_type": type_number(kind),
            "sealed": hex::encode(&bytes),
            "expected": expected,
        }));
    }
    check("orders_judged", &json!({ "judged_at": now().to_string(), "cases": cases }));
}
