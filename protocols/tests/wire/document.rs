//! `docs/wire.md` says what the code says: limits, enumerations, types, topics, hazards.

use std::collections::BTreeMap;

use protocols::alert::{AlertColor, BroadcastKind};
use protocols::certificate::Algorithm;
use protocols::command::CommandAction;
use protocols::hazard::{MOVING_OUT_CODE, OTHER_CODE};
use protocols::order::Purpose;
use protocols::receipt::{Reason, ReceiptState, SoundSource};
use protocols::region::RegionLevel;
use protocols::vitals::AudioState;
use protocols::wire::{MessageType, Topic};
use protocols::{limits, wire};

use crate::samples::{samples, stream, terminal};

const DOCUMENT: &str = include_str!("../../docs/wire.md");
const LIMITS: &str = include_str!("../../src/limits.rs");

/// Values above every enumeration.
const NUMBERS: std::ops::Range<u64> = 0..256;

macro_rules! values {
    ($($name:ident)*) => {
        BTreeMap::from([$((stringify!($name), limits::$name.to_string()),)*])
    };
}

/// Cells of the first table under this heading, without its head.
pub(crate) fn table(heading: &str) -> Vec<Vec<&'static str>> {
    let is_heading = |line: &&str| line.trim_start_matches('#').trim() == heading;
    let mut lines = DOCUMENT.lines().skip_while(|line| !line.starts_with('#') || !is_heading(line));
    assert!(lines.next().is_some(), "the heading {heading:?} is there");
    let rows = lines.skip_while(|line| !line.starts_with('|')).take_while(|l| l.starts_with('|'));
    let cells = |line: &'static str| {
        line.trim_matches('|').split('|').map(|cell| cell.trim().trim_matches('`')).collect()
    };
    rows.skip(2).map(cells).collect()
}

#[test]
fn the_table_of_limits_is_the_file_of_limits() {
    let values = values! {
        ORDER_BYTES_MAX MESSAGE_BYTES_MAX PACKET_BYTES_MAX TEXT_BYTES_MAX LANGUAGES_MAX
        TERMINALS_PER_VILLAGE_MAX REGIONS_PER_ORDER_MAX PARTIAL_VILLAGES_PER_ORDER_MAX
        SHAPES_PER_ORDER_MAX VERTICES_PER_POLYGON_MAX SIMPLIFY_M_MAX REFERENCES_MAX
        ALERT_KEY_PART_BYTES_MAX EXPIRY_DEFAULT_H EXPIRY_MAX_H REPEATS_MAX REPEAT_INTERVAL_S_MAX
        SEQUENCE_WINDOW RECEIPTS_PER_BATCH_MAX HELLO_LIST_MAX CERTIFICATE_DAYS_MAX
        CERTIFICATE_NAME_BYTES_MAX REVOCATIONS_MAX PHRASES_MAX PHRASE_SET_BYTES_MAX CLIP_BYTES_MAX
        CAP_BYTES_MAX CAP_DEPTH_MAX STICK_BYTES_MAX STICK_MESSAGES_MAX
        CAP_TAGS_MAX CAP_ATTRIBUTES_PER_ELEMENT_MAX CAP_ATTRIBUTES_MAX CAP_EDGE_COMPARISONS_MAX
    };
    let declared: Vec<&str> = LIMITS
        .lines()
        .filter_map(|line| line.strip_prefix("pub const ")?.split(':').next())
        .collect();
    assert_eq!(declared.len(), values.len(), "a limit is missing in this test");
    let rows = table("Limits");
    let listed: BTreeMap<&str, String> =
        rows.iter().map(|row| (row[0], row[1].replace(',', ""))).collect();
    assert_eq!(listed, values);
    assert_eq!(rows.len(), values.len(), "one row a limit");
}

/// Every number that the code reads as `T`, with its name.
fn read<T>() -> BTreeMap<u64, String>
where
    T: for<'b> minicbor::Decode<'b, ()> + serde::Serialize,
{
    let name = |value: &T| {
        let text = serde_json::to_string(value).expect("a name");
        text.trim_matches('"').to_owned()
    };
    let read = |number: u64| wire::decode::<T>(&wire::encode(&number)).ok();
    NUMBERS.filter_map(|number| Some((number, name(&read(number)?)))).collect()
}

fn listed<'r>(rows: impl Iterator<Item = (&'r str, &'r str)>) -> BTreeMap<u64, String> {
    let number = |text: &str| text.parse().expect("a number");
    rows.map(|(value, name)| (number(value), name.to_owned())).collect()
}

#[test]
fn every_enumeration_of_the_document_is_the_codes_value_by_value() {
    let codes = [
        ("algorithm", read::<Algorithm>()),
        ("level", read::<RegionLevel>()),
        ("purpose", read::<Purpose>()),
        ("kind", read::<BroadcastKind>()),
        ("color", read::<AlertColor>()),
        ("state", read::<ReceiptState>()),
        ("source", read::<SoundSource>()),
        ("audio", read::<AudioState>()),
    ];
    let rows = table("Enumerations");
    for (enumeration, code) in &codes {
        let own = rows.iter().filter(|row| row[0] == *enumeration);
        assert_eq!(listed(own.map(|row| (row[1], row[2]))), *code, "{enumeration}");
    }
    let count: usize = codes.iter().map(|(_, code)| code.len()).sum();
    assert_eq!(rows.len(), count, "each row is of an enumeration of the code");
}

#[test]
fn the_table_of_reasons_is_that_of_the_code() {
    let rows = table("Reasons");
    assert_eq!(listed(rows.iter().map(|row| (row[0], row[1]))), read::<Reason>());
}

#[test]
fn every_action_that_the_code_knows_has_its_row() {
    let is_known = |number: &u64| {
        // The content is wrong for every action; only an unknown one is refused for its number.
        let bytes = [vec![0x82], wire::encode(number), vec![0x80]].concat();
        wire::decode::<CommandAction>(&bytes).is_err_and(|error| !error.is_unknown_variant())
    };
    let known: Vec<String> = NUMBERS.filter(is_known).map(|n| n.to_string()).collect();
    let rows = table("Actions");
    assert_eq!(rows.iter().map(|row| row[0]).collect::<Vec<_>>(), known);
}

#[test]
fn every_type_of_message_has_its_row_its_limit_and_its_vector() {
    let is_known = |number: &u64| wire::decode::<MessageType>(&wire::encode(number)).is_ok();
    let known: Vec<String> = NUMBERS.filter(is_known).map(|n| n.to_string()).collect();
    let rows = table("Envelope").len() + table_of_types().len();
    assert_eq!(rows, 4 + known.len());
    assert_eq!(table_of_types().iter().map(|row| row[0]).collect::<Vec<_>>(), known);
    for sample in samples() {
        let bytes = wire::encode(&sample.kind);
        let number = minicbor::decode::<u64>(&bytes).expect("a type is a number").to_string();
        let types = table_of_types();
        let row = types.iter().find(|row| row[0] == number).expect("a row");
        assert_eq!(row[4], format!("{}.json", sample.name));
        let largest = match sample.kind {
            MessageType::Order
            | MessageType::Command
            | MessageType::Certificate
            | MessageType::KeyProof
            | MessageType::AuditHead => limits::ORDER_BYTES_MAX,
            MessageType::PhraseSet => limits::PHRASE_SET_BYTES_MAX,
            MessageType::Receipts
            | MessageType::ReceiptAck
            | MessageType::Hello
            | MessageType::HelloReply
            | MessageType::Vitals
            | MessageType::RevocationList => limits::MESSAGE_BYTES_MAX,
        };
        assert_eq!(row[3].replace(',', ""), format!("{largest} bytes"), "{}", sample.name);
    }
}

fn table_of_types() -> Vec<Vec<&'static str>> {
    let begin = DOCUMENT.find("| type | message |").expect("the table of types");
    let rows = DOCUMENT[begin..].lines().take_while(|line| line.starts_with('|')).skip(2);
    rows.map(|line| line.trim_matches('|').split('|').map(|c| c.trim().trim_matches('`')).collect())
        .collect()
}

#[test]
fn every_topic_is_listed_with_what_the_broker_keeps() {
    let (region, terminal) = (stream().topic, terminal());
    let topics = [
        Topic::RegionOrder(region),
        Topic::RegionCommand(region),
        Topic::RegionRevocation(region),
        Topic::TerminalOrder(terminal),
        Topic::TerminalCommand(terminal),
        Topic::TerminalReply(terminal),
        Topic::TerminalAck(terminal),
        Topic::TerminalHello(terminal),
        Topic::TerminalReceipt(terminal),
        Topic::TerminalVitals(terminal),
        Topic::TerminalStatus(terminal),
    ];
    for topic in topics {
        let shape = topic
            .to_string()
            .replace(&terminal.to_string(), "<terminal id>")
            .replace(&region.to_string(), "<12 digits>");
        let line = DOCUMENT.lines().find(|line| line.split("  ").next() == Some(&shape));
        let line = line.unwrap_or_else(|| panic!("no line for {shape}"));
        assert_eq!(line.contains("retained"), topic.is_retained(), "{shape}");
        assert_eq!(line.contains("unsigned"), topic.message_type().is_none(), "{shape}");
    }
    let lines = DOCUMENT.lines().filter(|line| line.starts_with("tongluo/1/")).count();
    assert_eq!(lines, topics.len());
}

#[test]
fn the_codes_of_our_own_are_named() {
    for code in [MOVING_OUT_CODE, OTHER_CODE] {
        assert!(DOCUMENT.contains(&format!("`{code}`")), "{code}");
    }
}
