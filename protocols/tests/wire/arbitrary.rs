//! Any well-formed value of each wire type.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use protocols::Timestamp;
use protocols::alert::{AlertColor, AlertKey, AlertReference, BroadcastKind, EventCode};
use protocols::area::{PartialVillage, Position, Shape, Target};
use protocols::audit::AuditHead;
use protocols::certificate::{Algorithm, Certificate, RevocationList};
use protocols::command::{Command, CommandAction};
use protocols::digest::Digest;
use protocols::enrolment::{EnrolmentCode, KeyProof};
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
use protocols::wire::KeyId;

/// Reasons of the table, each once.
pub(crate) const REASONS: [Reason; 30] = [
    Reason::Malformed,
    Reason::Oversize,
    Reason::BadSignature,
    Reason::UnknownSigner,
    Reason::CertificateExpired,
    Reason::KeyRevoked,
    Reason::OutOfScope,
    Reason::Tampered,
    Reason::BelowWindow,
    Reason::Invalid,
    Reason::OutOfArea,
    Reason::Expired,
    Reason::NotInDrill,
    Reason::StrayCancel,
    Reason::Superseded,
    Reason::Unneeded,
    Reason::Preempted,
    Reason::DrillSuspended,
    Reason::Cancelled,
    Reason::Updated,
    Reason::Stopped,
    Reason::StoppedLocally,
    Reason::PowerCut,
    Reason::ExpiredWhileSounding,
    Reason::NoAudioDevice,
    Reason::DeviceStalled,
    Reason::NoSpeech,
    Reason::JournalFull,
    Reason::QuietHours,
    Reason::TooManyOrders,
];

/// States of a receipt, each once.
pub(crate) const STATES: [ReceiptState; 7] = [
    ReceiptState::Accepted,
    ReceiptState::Verified,
    ReceiptState::Started,
    ReceiptState::Finished,
    ReceiptState::Interrupted,
    ReceiptState::Failed,
    ReceiptState::Refused,
];

pub(crate) fn region() -> impl Strategy<Value = RegionCode> {
    (11_u64..=99, 1_u64..=99, 0_u64..=99, 0_u64..=999, 0_u64..=999).prop_map(
        |(province, city, district, town, village)| {
            let town = if district == 0 { 0 } else { town };
            let village = if town == 0 { 0 } else { village };
            let above = (province * 100 + city) * 100 + district;
            RegionCode::new((above * 1_000 + town) * 1_000 + village).expect("no gap")
        },
    )
}

/// Regions that are often near each other.
pub(crate) fn near_region() -> impl Strategy<Value = RegionCode> {
    (3_502_u64..=3_503, 0_u64..=2, 0_u64..=2, 0_u64..=2).prop_map(
        |(city, district, town, village)| {
            let town = if district == 0 { 0 } else { town };
            let village = if town == 0 { 0 } else { village };
            RegionCode::new(((city * 100 + district) * 1_000 + town) * 1_000 + village)
                .expect("no gap")
        },
    )
}

fn village() -> impl Strategy<Value = RegionCode> {
    (11_u64..=99, 1_u64..=99, 1_u64..=99, 1_u64..=999, 1_u64..=999).prop_map(|(p, c, d, t, v)| {
        RegionCode::new((((p * 100 + c) * 100 + d) * 1_000 + t) * 1_000 + v).expect("no gap")
    })
}

pub(crate) fn terminal() -> impl Strategy<Value = TerminalId> {
    (village(), 1_u16..=1_024).prop_map(|(v, n)| TerminalId::new(v, n).expect("a village"))
}

pub(crate) fn instant() -> impl Strategy<Value = Timestamp> {
    (-62_135_596_800_000_000_i64..253_402_207_200_000_000)
        .prop_map(|micros| Timestamp::from_microsecond(micros).expect("in the calendar"))
}

fn digest() -> impl Strategy<Value = Digest> {
    any::<[u8; 32]>().prop_map(Digest)
}

fn key() -> impl Strategy<Value = AlertKey> {
    (".{0,40}", ".{0,40}", instant()).prop_map(|(sender, identifier, sent)| AlertKey {
        sender,
        identifier,
        sent,
    })
}

fn reference() -> impl Strategy<Value = AlertReference> {
    (key(), digest()).prop_map(|(key, digest)| AlertReference { key, digest })
}

fn stream() -> impl Strategy<Value = Stream> {
    (region(), region()).prop_map(|(authority, topic)| Stream { authority, topic })
}

fn sequence() -> impl Strategy<Value = Sequence> {
    (any::<u32>(), any::<u64>()).prop_map(|(epoch, number)| Sequence { epoch, number })
}

fn level() -> impl Strategy<Value = RegionLevel> {
    select(&RegionLevel::ALL[..])
}

fn position() -> impl Strategy<Value = Position> {
    (-90_000_000_i32..=90_000_000, -180_000_000_i32..=180_000_000)
        .prop_map(|(lat_e6, lon_e6)| Position { lat_e6, lon_e6 })
}

fn shape() -> impl Strategy<Value = Shape> {
    prop_oneof![
        vec(position(), 0..9).prop_map(Shape::Polygon),
        (position(), any::<u32>()).prop_map(|(at, radius_m)| Shape::Circle(at, radius_m)),
    ]
}

pub(crate) fn partial() -> impl Strategy<Value = PartialVillage> {
    (village(), vec(1_u16..=1_024, 0..20)).prop_map(|(v, numbers)| PartialVillage::new(v, numbers))
}

fn target() -> impl Strategy<Value = Target> {
    let regions = || vec(region(), 0..5);
    let parts = || vec(partial(), 0..3);
    (regions(), regions(), parts(), parts(), vec(shape(), 0..3)).prop_map(
        |(regions, excluded, partial, excluded_terminals, shapes)| Target {
            regions,
            excluded,
            partial,
            excluded_terminals,
            shapes,
        },
    )
}

pub(crate) fn event() -> impl Strategy<Value = EventCode> {
    "1[0-9][0-9A-Z][0-9]{2}".prop_map(|text| text.parse().expect("of the form"))
}

fn clip() -> impl Strategy<Value = ClipReference> {
    (digest(), any::<u32>(), any::<u32>()).prop_map(|(digest, bytes, duration_ms)| ClipReference {
        digest,
        bytes,
        duration_ms,
    })
}

fn spoken() -> impl Strategy<Value = SpokenText> {
    ("[a-z]{2}(-[A-Z]{2})?", ".{0,40}", option::of(clip()))
        .prop_map(|(language, text, clip)| SpokenText { language, text, clip })
}

pub(crate) fn order() -> impl Strategy<Value = Order> {
    let purposes = [
        Purpose::Alert,
        Purpose::Update,
        Purpose::MinorUpdate,
        Purpose::Lifted,
        Purpose::Withdrawn,
    ];
    let kinds = [
        BroadcastKind::Routine,
        BroadcastKind::Test,
        BroadcastKind::Exercise,
        BroadcastKind::Actual,
        BroadcastKind::LiveTalk,
    ];
    let what = (key(), digest(), stream(), sequence(), level(), select(purposes.to_vec()));
    let about =
        (vec(reference(), 0..3), select(kinds.to_vec()), option::of(select(&AlertColor::ALL[..])));
    let when = (event(), instant(), instant(), option::of(instant()), target());
    let how = (vec(spoken(), 0..4), any::<(u8, u16)>(), any::<u8>(), option::of(".{0,20}"));
    (what, about, when, how, any::<bool>(), option::of(any::<[u8; 16]>())).prop_map(
        |(what, about, when, how, wants_out_of_area, trace)| Order {
            alert: what.0,
            alert_digest: what.1,
            stream: what.2,
            sequence: what.3,
            level: what.4,
            purpose: what.5,
            references: about.0,
            kind: about.1,
            color: about.2,
            event: when.0,
            sent: when.1,
            expires: when.2,
            play_at: when.3,
            target: when.4,
            texts: how.0,
            repeats: Repeats { times: how.1.0, interval_s: how.1.1 },
            outputs: Outputs(how.2),
            drill: how.3,
            wants_out_of_area,
            trace,
        },
    )
}

pub(crate) fn command() -> impl Strategy<Value = Command> {
    let action = prop_oneof![
        (region(), ".{0,40}").prop_map(|(region, reason)| CommandAction::Stop { region, reason }),
        region().prop_map(|region| CommandAction::LiftStop { region }),
        (".{0,20}", vec(terminal(), 0..5), instant(), instant()).prop_map(
            |(drill, terminals, from, until)| CommandAction::EnrolDrill {
                drill,
                terminals,
                from,
                until
            }
        ),
    ];
    (stream(), sequence(), level(), instant(), instant(), action).prop_map(
        |(stream, sequence, level, sent, expires, action)| Command {
            stream,
            sequence,
            level,
            sent,
            expires,
            action,
        },
    )
}

fn evidence() -> impl Strategy<Value = Evidence> {
    let source = select(vec![SoundSource::Clip, SoundSource::LocalVoice]);
    (
        option::of(instant()),
        any::<u64>(),
        any::<u32>(),
        option::of(source),
        option::of(any::<u32>()),
        option::of(any::<i32>()),
    )
        .prop_map(|(first_sound_at, frames, underruns, source, amplifier_ma, microphone)| {
            Evidence {
                first_sound_at,
                frames,
                underruns,
                source,
                amplifier_ma,
                microphone_dbfs_x10: microphone,
            }
        })
}

fn receipt() -> impl Strategy<Value = Receipt> {
    let reason = option::of(select(&REASONS[..]));
    let rest = (any::<u8>(), instant(), any::<bool>(), option::of(evidence()));
    (digest(), option::of(key()), select(&STATES[..]), reason, rest).prop_map(
        |(order, alert, state, reason, (repeat, at, clock_unsure, evidence))| Receipt {
            order,
            alert,
            state,
            reason,
            repeat,
            at,
            clock_unsure,
            evidence,
        },
    )
}

pub(crate) fn receipts() -> impl Strategy<Value = ReceiptBatch> {
    (terminal(), any::<u64>(), any::<u64>(), vec(receipt(), 0..5)).prop_map(
        |(terminal, journal_id, first_number, receipts)| ReceiptBatch {
            terminal,
            journal_id,
            first_number,
            receipts,
        },
    )
}

pub(crate) fn receipt_ack() -> impl Strategy<Value = ReceiptAck> {
    (terminal(), any::<u64>(), any::<u64>()).prop_map(|(terminal, journal_id, up_to)| ReceiptAck {
        terminal,
        journal_id,
        up_to,
    })
}

pub(crate) fn hello() -> impl Strategy<Value = Hello> {
    let head = (stream(), sequence()).prop_map(|(stream, highest)| StreamHead { stream, highest });
    let what = (vec(head, 0..5), vec(digest(), 0..5), instant());
    let rest = (any::<bool>(), any::<u64>(), ".{0,20}");
    (terminal(), any::<[u8; 16]>(), any::<u64>(), what, rest).prop_map(
        |(terminal, nonce, journal_id, what, rest)| Hello {
            terminal,
            nonce,
            journal_id,
            heads: what.0,
            held: what.1,
            time_floor: what.2,
            clock_unsure: rest.0,
            revocation_number: rest.1,
            version: rest.2,
        },
    )
}

pub(crate) fn hello_reply() -> impl Strategy<Value = HelloReply> {
    let rest = (any::<u64>(), any::<u64>(), option::of(digest()));
    (terminal(), any::<[u8; 16]>(), instant(), vec(digest(), 0..5), rest).prop_map(
        |(terminal, nonce, at, live, rest)| HelloReply {
            terminal,
            nonce,
            at,
            live,
            receipts_up_to: rest.0,
            revocation_number: rest.1,
            audit_head: rest.2,
        },
    )
}

pub(crate) fn vitals() -> impl Strategy<Value = Vitals> {
    let audio = select(vec![AudioState::Present, AudioState::Absent, AudioState::Stalled]);
    let counter =
        (select(&REASONS[..]), any::<u64>()).prop_map(|(reason, times)| Counter { reason, times });
    let who = (terminal(), instant(), any::<(u64, u64, bool, u64)>(), ".{0,20}", audio);
    let disk = (option::of(digest()), any::<bool>(), any::<(u64, Option<u64>)>());
    let trust = (option::of(instant()), any::<(u64, u32)>(), vec(counter, 0..5));
    let tests = (option::of(self_test()), option::of(self_test()));
    let power = any::<(Option<u8>, Option<bool>)>();
    (who, disk, trust, power, tests).prop_map(|(who, disk, trust, power, tests)| Vitals {
        terminal: who.0,
        at: who.1,
        journal_id: who.2.0,
        number: who.2.1,
        clock_unsure: who.2.2,
        uptime_s: who.2.3,
        version: who.3,
        audio: who.4,
        sounding: disk.0,
        is_stopped: disk.1,
        journal_bytes: disk.2.0,
        disk_free_bytes: disk.2.1,
        certificate_expires: trust.0,
        revocation_number: trust.1.0,
        receipts_waiting: trust.1.1,
        counters: trust.2,
        battery_percent: power.0,
        is_on_mains: power.1,
        silent_test: tests.0,
        audible_test: tests.1,
    })
}

fn self_test() -> impl Strategy<Value = SelfTest> {
    (instant(), option::of(select(&REASONS[..])), evidence())
        .prop_map(|(at, reason, evidence)| SelfTest { at, reason, evidence })
}

pub(crate) fn certificate() -> impl Strategy<Value = Certificate> {
    let algorithm = select(vec![Algorithm::Ed25519, Algorithm::Sm2Sm3]);
    let rest = (level(), instant(), instant(), ".{0,30}");
    (any::<u64>(), vec(any::<u8>(), 0..40), algorithm, region(), rest).prop_map(
        |(serial, public_key, algorithm, region, rest)| Certificate {
            serial,
            public_key,
            algorithm,
            region,
            level: rest.0,
            not_before: rest.1,
            not_after: rest.2,
            name: rest.3,
        },
    )
}

pub(crate) fn revocations() -> impl Strategy<Value = RevocationList> {
    (any::<u64>(), instant(), vec(any::<[u8; 8]>().prop_map(KeyId), 0..5))
        .prop_map(|(number, at, keys)| RevocationList { number, at, keys })
}

pub(crate) fn phrases() -> impl Strategy<Value = PhraseSet> {
    let phrase = (event(), "[a-z]{2}", clip()).prop_map(|(event, language, clip)| PhraseClip {
        event,
        language,
        clip,
    });
    vec(phrase, 0..5).prop_map(|phrases| PhraseSet { phrases })
}

pub(crate) fn key_proof() -> impl Strategy<Value = KeyProof> {
    (digest(), vec(any::<u8>(), 0..40))
        .prop_map(|(secret_digest, public_key)| KeyProof { secret_digest, public_key })
}

pub(crate) fn audit_head() -> impl Strategy<Value = AuditHead> {
    (region(), any::<u32>(), any::<u64>(), digest(), instant()).prop_map(
        |(authority, epoch, number, digest, at)| AuditHead { authority, epoch, number, digest, at },
    )
}

pub(crate) fn enrolment_code() -> impl Strategy<Value = EnrolmentCode> {
    (vec(digest(), 0..3), ".{0,40}", any::<[u8; 10]>()).prop_map(
        |(root_fingerprints, url, secret)| EnrolmentCode { root_fingerprints, url, secret },
    )
}
