//! The messages of `fixtures/cap` and their verdicts.

use protocols::cap::{self, Reading, Verdict};

pub(crate) const TYPHOON: &str = include_str!("../../fixtures/cap/typhoon-red.xml");

/// Reads a fixture.
pub(crate) fn fixture(name: &str) -> Vec<u8> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/cap/");
    std::fs::read(format!("{folder}{name}")).expect("a fixture")
}

/// Codes of all findings, in order.
pub(crate) fn codes(reading: &Reading) -> Vec<&'static str> {
    reading.findings.iter().map(|finding| finding.code).collect()
}

#[test]
fn the_bilingual_typhoon_warning_is_sound_without_a_word_to_say() {
    let reading = cap::read(TYPHOON.as_bytes());
    assert_eq!((reading.verdict, codes(&reading)), (Verdict::Accept, Vec::new()));
}

#[test]
fn a_chinese_county_message_with_a_code_and_no_geometry_is_accepted() {
    let reading = cap::read(&fixture("county-no-geometry.xml"));
    assert_eq!(reading.verdict, Verdict::Accept, "{:#?}", reading.findings);
    assert!(codes(&reading).contains(&"geocode_unstated"));
    let path = "/alert/info[1]/area[1]/geocode[1]";
    assert!(reading.findings.iter().any(|finding| finding.path == path));
}

#[test]
fn the_same_message_in_gb18030_and_utf_16_has_the_same_digest() {
    let gb18030 = cap::read(&fixture("rainstorm-gb18030.xml")).alert.expect("reads");
    let utf_16 = cap::read(&fixture("rainstorm-utf16.xml")).alert.expect("reads");
    assert_eq!(gb18030.infos[0].event, "暴雨");
    assert_eq!(cap::content_digest(&gb18030), cap::content_digest(&utf_16));
    assert_eq!(gb18030.key(), utf_16.key());
}

#[test]
fn every_fixture_is_accepted() {
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/cap"))
        .expect("the folder is there")
    {
        let path = entry.expect("an entry").path();
        let reading = cap::read(&std::fs::read(&path).expect("a fixture"));
        assert_eq!(reading.verdict, Verdict::Accept, "{path:?} {:#?}", reading.findings);
    }
}
