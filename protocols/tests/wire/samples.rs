//! Fixed keys and one fixed message of each type: the inputs of the golden vectors.

use protocols::Timestamp;
use protocols::alert::{AlertColor, AlertKey, AlertReference, BroadcastKind};
use protocols::area::{PartialVillage, Position, Shape, Target};
use protocols::audit::AuditHead;
use protocols::certificate::{Algorithm, Certificate, RevocationList};
use protocols::command::{Command, CommandAction};
use protocols::digest::Digest;
use protocols::enrolment::KeyProof;
use protocols::hazard::{PhraseClip, PhraseSet};
use protocols::hello::{Hello, HelloReply, StreamHead};
use protocols::order::{
    ClipReference, Order, Outputs, Purpose, Repeats, Sequence, SpokenText, Stream,
};
use protocols::receipt::{
    Evidence, Reason, Receipt, ReceiptAck, ReceiptBatch, ReceiptState, SoundSource,
};
use protocols::region::{RegionCode, RegionLevel};
use protocols::terminal::TerminalId;
use protocols::vitals::{AudioState, Counter, SelfTest, Vitals};
use protocols::wire::{self, KeyId, MessageType, SigningKey};

pub(crate) const ROOT_SEED: [u8; 32] = [1; 32];
pub(crate) const DISPATCHER_SEED: [u8; 32] = [2; 32];
pub(crate) const TERMINAL_SEED: [u8; 32] = [3; 32];
pub(crate) const STRANGER_SEED: [u8; 32] = [4; 32];

pub(crate) fn key(seed: [u8; 32]) -> SigningKey {
    SigningKey::from_seed(&seed)
}

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().expect("an instant")
}

/// The instant at which the vectors are judged.
pub(crate) fn now() -> Timestamp {
    at("2026-11-23T12:00:00Z")
}

pub(crate) fn region(number: u64) -> RegionCode {
    RegionCode::new(number).expect("a region")
}

pub(crate) fn terminal() -> TerminalId {
    TerminalId::new(region(350_212_103_201), 7).expect("a terminal")
}

/// City authority, topic of one town.
pub(crate) fn stream() -> Stream {
    Stream { authority: region(350_200_000_000), topic: region(350_212_103_000) }
}

pub(crate) fn certificate() -> Certificate {
    Certificate {
        serial: 1,
        public_key: key(DISPATCHER_SEED).verifying_key().to_bytes().to_vec(),
        algorithm: Algorithm::Ed25519,
        region: region(350_200_000_000),
        level: RegionLevel::City,
        not_before: at("2026-11-01T00:00:00Z"),
        not_after: at("2027-11-01T00:00:00Z"),
        name: "厦门市".to_owned(),
    }
}

pub(crate) fn sealed_certificate(certificate: &Certificate, root: [u8; 32]) -> Vec<u8> {
    wire::seal(MessageType::Certificate, None, wire::encode(certificate), &key(root), None)
}

pub(crate) fn alert() -> AlertKey {
    AlertKey {
        sender: "xm.weather@example.cn".to_owned(),
        identifier: "35020041600000_20261123115900".to_owned(),
        sent: at("2026-11-23T11:59:00Z"),
    }
}

pub(crate) fn clip(byte: u8) -> ClipReference {
    ClipReference { digest: Digest([byte; 32]), bytes: 25_000, duration_ms: 8_120 }
}

pub(crate) fn order() -> Order {
    let corner = |lat_e6, lon_e6| Position { lat_e6, lon_e6 };
    let text = |language: &str, text: &str, clip| SpokenText {
        language: language.to_owned(),
        text: text.to_owned(),
        clip,
    };
    Order {
        alert: alert(),
        alert_digest: Digest([0xA1; 32]),
        stream: stream(),
        sequence: Sequence { epoch: 1, number: 42 },
        level: RegionLevel::City,
        purpose: Purpose::Update,
        references: vec![AlertReference {
            key: AlertKey { sent: at("2026-11-23T10:00:00Z"), ..alert() },
            digest: Digest([0xA0; 32]),
        }],
        kind: BroadcastKind::Actual,
        color: Some(AlertColor::Red),
        event: "11B01".parse().expect("a code"),
        sent: at("2026-11-23T11:59:30.250001Z"),
        expires: at("2026-11-23T18:00:00Z"),
        play_at: None,
        target: Target {
            regions: vec![region(350_212_103_000)],
            excluded: vec![region(350_212_103_204)],
            partial: vec![PartialVillage::new(region(350_212_104_201), [1, 7, 9])],
            excluded_terminals: vec![PartialVillage::new(region(350_212_103_205), [2])],
            shapes: vec![
                Shape::Polygon(vec![
                    corner(24_700_000, 118_100_000),
                    corner(24_700_000, 118_200_000),
                    corner(24_800_000, 118_200_000),
                ]),
                Shape::Circle(corner(24_750_000, 118_150_000), 1_500),
            ],
        },
        texts: vec![
            text("zh-CN", "注意，台风红色预警，请立即转移到安全地点。", Some(clip(0xC1))),
            text("en", "Attention. Red typhoon warning. Move to a safe place now.", None),
        ],
        repeats: Repeats { times: 3, interval_s: 60 },
        outputs: Outputs::PLAY,
        drill: None,
        wants_out_of_area: true,
        trace: Some([0x77; 16]),
    }
}

pub(crate) fn command() -> Command {
    Command {
        stream: stream(),
        sequence: Sequence { epoch: 1, number: 3 },
        level: RegionLevel::City,
        sent: at("2026-11-23T11:59:40Z"),
        expires: at("2026-11-23T12:59:40Z"),
        action: CommandAction::Stop {
            region: region(350_212_103_000), reason: "误发".to_owned()
        },
    }
}

pub(crate) fn receipts() -> ReceiptBatch {
    let receipt = |state, reason, evidence| Receipt {
        order: Digest([0xB1; 32]),
        alert: Some(alert()),
        state,
        reason,
        repeat: 1,
        at: at("2026-11-23T12:00:01Z"),
        clock_unsure: false,
        evidence,
    };
    let evidence = Evidence {
        first_sound_at: Some(at("2026-11-23T11:59:31Z")),
        frames: 480_000,
        underruns: 0,
        source: Some(SoundSource::Clip),
        amplifier_ma: None,
        microphone_dbfs_x10: Some(-231),
    };
    ReceiptBatch {
        terminal: terminal(),
        journal_id: 0x0123_4567_89AB_CDEF,
        first_number: 11,
        receipts: vec![
            receipt(ReceiptState::Finished, None, Some(evidence)),
            receipt(ReceiptState::Refused, Some(Reason::OutOfArea), None),
        ],
    }
}

pub(crate) fn hello() -> Hello {
    Hello {
        terminal: terminal(),
        nonce: [0x55; 16],
        journal_id: 0x0123_4567_89AB_CDEF,
        heads: vec![StreamHead { stream: stream(), highest: Sequence { epoch: 1, number: 41 } }],
        held: vec![Digest([0xB0; 32])],
        time_floor: at("2026-11-23T11:00:00Z"),
        clock_unsure: true,
        revocation_number: 2,
        version: "edge-node 0.1.0".to_owned(),
    }
}

pub(crate) fn reply() -> HelloReply {
    HelloReply {
        terminal: terminal(),
        nonce: [0x55; 16],
        at: now(),
        live: vec![Digest([0xB0; 32]), Digest([0xB1; 32])],
        receipts_up_to: 10,
        revocation_number: 2,
        audit_head: Some(Digest([0xD0; 32])),
    }
}

pub(crate) fn vitals() -> Vitals {
    Vitals {
        terminal: terminal(),
        at: now(),
        journal_id: 0x0123_4567_89AB_CDEF,
        number: 900,
        clock_unsure: false,
        uptime_s: 54_321,
        version: "edge-node 0.1.0".to_owned(),
        audio: AudioState::Present,
        sounding: Some(Digest([0xB1; 32])),
        is_stopped: false,
        journal_bytes: 123_456,
        disk_free_bytes: Some(7_000_000_000),
        certificate_expires: Some(at("2027-11-01T00:00:00Z")),
        revocation_number: 2,
        receipts_waiting: 1,
        counters: vec![Counter { reason: Reason::OutOfArea, times: 5 }],
        battery_percent: None,
        is_on_mains: Some(true),
        silent_test: Some(SelfTest {
            at: at("2026-07-31T19:00:00Z"),
            reason: None,
            evidence: Evidence { frames: 72_000, ..Evidence::default() },
        }),
        audible_test: Some(SelfTest {
            at: at("2026-07-29T02:07:00Z"),
            reason: Some(Reason::NoSpeech),
            evidence: Evidence { frames: 38_400, ..Evidence::default() },
        }),
    }
}

/// One message with all that is needed to seal it.
pub(crate) struct Sample {
    pub(crate) name: &'static str,
    pub(crate) kind: MessageType,
    pub(crate) signer: [u8; 32],
    pub(crate) has_certificate: bool,
    pub(crate) stream: Option<Stream>,
    pub(crate) payload: Vec<u8>,
}

/// One of each type of message.
pub(crate) fn samples() -> Vec<Sample> {
    let by_root = |name, kind, payload| Sample {
        name,
        kind,
        signer: ROOT_SEED,
        has_certificate: false,
        stream: None,
        payload,
    };
    let by_dispatcher = |name, kind, stream, payload| Sample {
        name,
        kind,
        signer: DISPATCHER_SEED,
        has_certificate: true,
        stream,
        payload,
    };
    let by_terminal = |name, kind, payload| Sample {
        name,
        kind,
        signer: TERMINAL_SEED,
        has_certificate: false,
        stream: None,
        payload,
    };
    let revocations =
        RevocationList { number: 2, at: at("2026-11-20T00:00:00Z"), keys: vec![KeyId([9; 8])] };
    let ack = ReceiptAck { terminal: terminal(), journal_id: 0x0123_4567_89AB_CDEF, up_to: 12 };
    let phrases = PhraseSet {
        phrases: vec![PhraseClip {
            event: "11B01".parse().expect("a code"),
            language: "zh-CN".to_owned(),
            clip: clip(0xC2),
        }],
    };
    let proof = KeyProof {
        secret_digest: Digest::of(&[8; 10]),
        public_key: key(TERMINAL_SEED).verifying_key().to_bytes().to_vec(),
    };
    let head = AuditHead {
        authority: stream().authority,
        epoch: 1,
        number: 4_711,
        digest: Digest([0xD0; 32]),
        at: now(),
    };
    vec![
        by_dispatcher("order", MessageType::Order, Some(stream()), wire::encode(&order())),
        by_dispatcher("command", MessageType::Command, Some(stream()), wire::encode(&command())),
        by_terminal("receipts", MessageType::Receipts, wire::encode(&receipts())),
        by_dispatcher("receipt_ack", MessageType::ReceiptAck, None, wire::encode(&ack)),
        by_terminal("hello", MessageType::Hello, wire::encode(&hello())),
        by_dispatcher("hello_reply", MessageType::HelloReply, None, wire::encode(&reply())),
        by_terminal("vitals", MessageType::Vitals, wire::encode(&vitals())),
        by_root("certificate", MessageType::Certificate, wire::encode(&certificate())),
        by_root("revocation_list", MessageType::RevocationList, wire::encode(&revocations)),
        by_dispatcher("phrase_set", MessageType::PhraseSet, None, wire::encode(&phrases)),
        by_terminal("key_proof", MessageType::KeyProof, wire::encode(&proof)),
        by_dispatcher("audit_head", MessageType::AuditHead, None, wire::encode(&head)),
    ]
}
