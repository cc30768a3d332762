//! Whatever the bytes: an answer, bounded in time and memory, and never a panic.

use proptest::prelude::*;
use protocols::cap::{self, Verdict};

use crate::fixtures::{TYPHOON, codes, fixture};

proptest! {
    #[test]
    fn arbitrary_bytes_are_answered(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let reading = cap::read(&bytes);
        prop_assert_eq!(reading.verdict, Verdict::Refuse);
        prop_assert!(reading.alert.is_none());
    }

    #[test]
    fn arbitrary_markup_is_answered(
        text in "(<[/!?]?|[>&;=\"' a-c:\\[\\]-]|<alert>|</alert>|CDATA|DOCTYPE|厦|xmlns){0,120}",
    ) {
        prop_assert_eq!(cap::read(text.as_bytes()).verdict, Verdict::Refuse);
    }

    #[test]
    fn sound_messages_with_damage_are_answered(
        which in 0..3_usize,
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        cut in proptest::option::of(any::<prop::sample::Index>()),
    ) {
        let names = ["typhoon-red.xml", "rainstorm-gb18030.xml", "rainstorm-utf16.xml"];
        let mut bytes = fixture(names[which]);
        for (at, byte) in damage {
            let index = at.index(bytes.len());
            bytes[index] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        let reading = cap::read(&bytes);
        prop_assert_eq!(reading.alert.is_none(), reading.verdict == Verdict::Refuse);
    }

    #[test]
    fn elements_in_any_order_number_and_emptiness_are_answered(
        lines in proptest::collection::vec(any::<prop::sample::Index>(), 0..60),
    ) {
        let all = TYPHOON.lines().collect::<Vec<_>>();
        let chosen = lines.iter().map(|line| *line.get(&all)).collect::<Vec<_>>().join("\n");
        let head = "<alert xmlns='urn:oasis:names:tc:emergency:cap:1.2'>";
        cap::read(format!("{head}{chosen}</alert>").as_bytes());
        cap::read(chosen.as_bytes());
    }
}

#[test]
fn hostile_files_are_refused_by_name() {
    let alert = "<alert xmlns='urn:oasis:names:tc:emergency:cap:1.2'>";
    let laughs = "<!DOCTYPE a [<!ENTITY a 'ha'><!ENTITY b '&a;&a;'>]><alert>&b;</alert>";
    let many_namespaces = "<a xmlns:n='u:n'>".repeat(5_000);
    for (text, code) in [
        (laughs.to_owned(), "doctype"),
        (alert.repeat(20_000), "too_deep"),
        (format!("{alert}{}", "<a/>".repeat(400_000)), "too_complex"),
        (format!("{alert}{many_namespaces}"), "too_deep"),
        (" ".repeat(3 * 1024 * 1024), "too_large"),
        (String::new(), "not_well_formed"),
        (format!("{alert}<![CDATA[]]></alert><!-- -- -->"), "not_well_formed"),
        (format!("{alert}&#0;</alert>"), "not_well_formed"),
        (format!("{alert}\u{1}</alert>"), "not_well_formed"),
        (format!("{alert}]]></alert>"), "not_well_formed"),
    ] {
        assert_eq!(codes(&cap::read(text.as_bytes())), [code]);
    }
}

#[test]
fn two_mebibytes_of_the_worst_legal_content_are_answered() {
    let zigzag = (0..130_000).map(|n| format!("{}.{n:05},{} ", n % 89, n % 179));
    let polygon = format!("<polygon>{}</polygon>", zigzag.collect::<String>());
    let text = TYPHOON.replacen("<geocode>", &format!("{polygon}<geocode>"), 1);
    assert_eq!(cap::read(text.as_bytes()).verdict, Verdict::Warn);
    let shuttle = format!("<polygon>{}</polygon>", "0,0 1,1 2,0 ".repeat(60_000));
    let text = TYPHOON.replacen("<geocode>", &format!("{shuttle}<geocode>"), 1);
    assert_eq!(cap::read(text.as_bytes()).verdict, Verdict::Warn);
    let references = "a,b,2026-01-01T00:00:00+08:00 ".repeat(60_000);
    let references = format!("<references>{references}</references><info>");
    let reading = cap::read(TYPHOON.replacen("<info>", &references, 1).as_bytes());
    assert_eq!(reading.verdict, Verdict::Accept);
    assert!(reading.findings.len() < 500);
}
