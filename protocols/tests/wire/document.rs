//! `docs/wire.md` says what the code says: limits, enumerations, topics.

use std::collections::BTreeMap;

use protocols::{limits, wire};

use crate::arbitrary::{REASONS, STATES};

const DOCUMENT: &str = include_str!("../../docs/wire.md");
const LIMITS: &str = include_str!("../../src/limits.rs");

macro_rules! values {
    ($($name:ident)*) => {
        BTreeMap::from([$((stringify!($name), limits::$name.to_string()),)*])
    };
}

/// Cells of the table rows in the section with this heading.
fn rows(heading: &str) -> Vec<Vec<&'static str>> {
    let section = DOCUMENT.split("\n## ").find(|section| section.starts_with(heading));
    section
        .expect("the section is there")
        .lines()
        .filter(|line| line.starts_with("| ") && !line.contains("|---"))
        .map(|line| {
            line.trim_matches('|').split('|').map(|cell| cell.trim().trim_matches('`')).collect()
        })
        .collect()
}

#[test]
fn the_table_of_limits_is_the_file_of_limits() {
    let values = values! {
        ORDER_BYTES_MAX MESSAGE_BYTES_MAX PACKET_BYTES_MAX TEXT_BYTES_MAX LANGUAGES_MAX
        TERMINALS_PER_VILLAGE_MAX REGIONS_PER_ORDER_MAX PARTIAL_VILLAGES_PER_ORDER_MAX
        SHAPES_PER_ORDER_MAX VERTICES_PER_POLYGON_MAX SIMPLIFY_M_MAX REFERENCES_MAX
        ALERT_KEY_PART_BYTES_MAX EXPIRY_DEFAULT_H EXPIRY_MAX_H REPEATS_MAX REPEAT_INTERVAL_S_MAX
        SEQUENCE_WINDOW RECEIPTS_PER_BATCH_MAX HELLO_LIST_MAX CERTIFICATE_DAYS_MAX REVOCATIONS_MAX
        PHRASES_MAX CLIP_BYTES_MAX CAP_BYTES_MAX CAP_DEPTH_MAX
        CAP_TAGS_MAX CAP_ATTRIBUTES_PER_ELEMENT_MAX CAP_ATTRIBUTES_MAX CAP_EDGE_COMPARISONS_MAX
    };
    let declared: Vec<&str> = LIMITS
        .lines()
        .filter_map(|line| line.strip_prefix("pub const ")?.split(':').next())
        .collect();
    assert_eq!(declared.len(), values.len(), "a limit is missing in this test");
    let table: BTreeMap<&str, String> =
        rows("Limits").into_iter().skip(1).map(|row| (row[0], row[1].replace(',', ""))).collect();
    assert_eq!(table, values);
}

fn number<T: minicbor::Encode<()>>(value: &T) -> String {
    let bytes = wire::encode(value);
    minicbor::decode::<u64>(&bytes).expect("an enumeration is a number").to_string()
}

#[test]
fn the_tables_of_reasons_and_states_are_those_of_the_code() {
    let name = |text: String| text.trim_matches('"').to_owned();
    let has = |heading: &str, number: String, name: &str| {
        rows(heading).iter().any(|row| row[0] == number && row[1] == name)
    };
    for reason in REASONS {
        let text = name(serde_json::to_string(&reason).expect("a name"));
        assert!(has("Reasons", number(&reason), &text), "{text}");
    }
    assert_eq!(rows("Reasons").len(), REASONS.len() + 1, "one row a reason, and the head");
    for state in STATES {
        let text = name(serde_json::to_string(&state).expect("a name"));
        assert!(has("Receipts", number(&state), &text), "{text}");
    }
}

#[test]
fn every_type_of_message_has_a_vector_and_the_document_names_it() {
    for sample in crate::samples::samples() {
        let file = format!("{}.json", sample.name);
        assert!(DOCUMENT.contains(&file), "{file}");
        let row = number(&sample.kind);
        assert!(rows("Envelope").iter().any(|cells| cells[0] == row), "type {row}");
    }
}
