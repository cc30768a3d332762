//! Each rule by example: one change to a sound message, and what is said about it.

use protocols::cap::{self, Level, Verdict};

use crate::fixtures::{TYPHOON, codes};

/// The typhoon warning with the first `from` replaced.
pub(crate) fn changed(from: &str, to: &str) -> String {
    assert!(TYPHOON.contains(from), "nothing to replace: {from}");
    TYPHOON.replacen(from, to, 1)
}

const SENT: &str = "<sent>2026-08-15T09:00:00+08:00</sent>";
const EXPIRES: &str = "<expires>2026-08-15T12:00:00+08:00</expires>";
const GEOCODE: &str = "<value>350211102000</value>";
const DESC: &str = "<areaDesc>集美区灌口镇</areaDesc>";
const SCOPE: &str = "<scope>Public</scope>";
const CONTACT: &str = "<contact>12379</contact>";
const MSG_TYPE: &str = "<msgType>Alert</msgType>";
const HEAD: &str = "<msgType>Alert</msgType>\n  <scope>Public</scope>";
const PARAMETER_END: &str = "</parameter>";
const SELF: &str = "xiamen-meteorology@example.cn,350200-11B01-20260815T090000-1";

/// What is replaced, by what, which rule speaks, and the verdict.
fn examples() -> Vec<(&'static str, String, &'static str, Verdict)> {
    use Verdict::{Accept, Refuse, Warn};
    let update = |references: &str| {
        format!("<msgType>Update</msgType>{SCOPE}<references>{references}</references>")
    };
    let resource = |inside: &str| {
        format!(
            "</parameter><resource><resourceDesc>x</resourceDesc><mimeType>a/b</mimeType>\
             {inside}</resource>"
        )
    };
    let mut list = vec![
        (SENT, "<sent>2026-08-15T01:00:00Z</sent>".to_owned(), "time_z", Refuse),
        (SENT, "<sent>2026-08-15T09:00:00.5+08:00</sent>".to_owned(), "time_fraction", Refuse),
        (SENT, "<sent>2026-08-15T09:00:00</sent>".to_owned(), "time_no_offset", Refuse),
        (SENT, "<sent>2026-08-15T09:00:00,08:00</sent>".to_owned(), "time_malformed", Refuse),
        (EXPIRES, "<expires/>".to_owned(), "time_malformed", Refuse),
        (SCOPE, String::new(), "missing", Refuse),
        (DESC, String::new(), "missing", Refuse),
        (DESC, "<areaDesc> </areaDesc>".to_owned(), "text_empty", Warn),
        (SCOPE, "<scope>public</scope>".to_owned(), "enum_value", Refuse),
        (SCOPE, "<scope> Public</scope>".to_owned(), "enum_value", Refuse),
        (SCOPE, format!("{SCOPE}{SCOPE}"), "repeated", Refuse),
        (SCOPE, "<scope>Restricted</scope>".to_owned(), "restriction_missing", Warn),
        (SCOPE, "<scope>Private</scope>".to_owned(), "addresses_missing", Warn),
        (SCOPE, format!("{SCOPE}<restriction>staff</restriction>"), "restriction_unused", Warn),
        (EXPIRES, "<expires>9999-12-31T23:59:59+08:00</expires>".to_owned(), "expiry_far", Accept),
        (CONTACT, "<contact/>".to_owned(), "empty_element", Accept),
        (CONTACT, "<contact>a<b/></contact>".to_owned(), "not_text", Refuse),
        (CONTACT, format!("{CONTACT}<web>http://a/</web>"), "order", Warn),
        (CONTACT, "<web>http://a:b/</web>".to_owned(), "uri_malformed", Refuse),
        (CONTACT, "<phone>12379</phone>".to_owned(), "unknown_element", Warn),
        (CONTACT, "<x:phone xmlns:x='urn:x'/>".to_owned(), "foreign_element", Warn),
        (CONTACT, "<contact type='a'>1</contact>".to_owned(), "attribute", Warn),
        (CONTACT, "stray".to_owned(), "stray_text", Warn),
        ("zh-CN", "zh_CN".to_owned(), "language_malformed", Refuse),
        ("<language>zh-CN</language>", "<language/>".to_owned(), "empty_element", Accept),
        ("en-US", "zh-cn".to_owned(), "language_repeated", Accept),
        (EXPIRES, String::new(), "no_expiry", Accept),
        (
            EXPIRES,
            "<expires>2026-08-14T12:00:00+08:00</expires>".to_owned(),
            "expires_before_sent",
            Warn,
        ),
        (EXPIRES, "<expires>2026-08-19T12:00:00+08:00</expires>".to_owned(), "expiry_far", Accept),
        (MSG_TYPE, "<msgType>Update</msgType>".to_owned(), "references_missing", Warn),
        (MSG_TYPE, "<msgType>Cancel</msgType>".to_owned(), "references_missing", Warn),
        (GEOCODE, "<value>12</value>".to_owned(), "geocode_malformed", Accept),
        ("<valueName>NBS<", "<valueName><".to_owned(), "geocode_unstated", Accept),
        ("<valueName>NBS<", "<valueName>SAME<".to_owned(), "geocode_foreign", Accept),
        (GEOCODE, "<value></value>".to_owned(), "empty_value", Accept),
        ("<identifier>", "<identifier>a,".to_owned(), "key_characters", Warn),
        ("<sender>", "<sender>a ".to_owned(), "sender_blank", Accept),
        ("<sender>", "<sender>\n".to_owned(), "white_space", Accept),
        ("cap:1.2", "cap:1.3".to_owned(), "wrong_namespace", Refuse),
        ("cap:1.2", "cap:1.0".to_owned(), "wrong_namespace", Refuse),
        ("<alert", "<!DOCTYPE alert><alert".to_owned(), "doctype", Refuse),
        ("UTF-8", "Big5".to_owned(), "encoding_unsupported", Refuse),
        ("</alert>", "</alert>x".to_owned(), "text_after_root", Refuse),
        ("</alert>", String::new(), "not_well_formed", Refuse),
        ("</info>", "&nbsp;</info>".to_owned(), "not_well_formed", Refuse),
    ];
    list.extend([
        (HEAD, update(&format!("{SELF},2026-08-15T09:00:00+08:00")), "reference_self", Warn),
        (HEAD, update("a,b,2026-08-16T09:00:00+08:00"), "reference_later", Warn),
        (HEAD, update("a,b,2026-08-15T09:00:00+08:00"), "reference_same_time", Accept),
        (HEAD, update("a,b,2026-08-15T00:00:00Z"), "reference_time", Accept),
        (HEAD, update("a b"), "reference_malformed", Warn),
    ]);
    list.extend([
        (PARAMETER_END, resource("<size>x</size>"), "integer_malformed", Refuse),
        (PARAMETER_END, resource("<size/>"), "integer_malformed", Refuse),
        (PARAMETER_END, resource("<size>-1</size>"), "size_negative", Warn),
        (PARAMETER_END, resource("<uri>a.mp3</uri>"), "uri_relative", Warn),
        (PARAMETER_END, resource("<derefUri>!</derefUri>"), "base64_malformed", Warn),
        (PARAMETER_END, resource("<derefUri>YWJj</derefUri><digest>a9993e364706816aba3e25717850c26c9cd0d89e</digest>"), "digest_mismatch", Warn),
        (PARAMETER_END, resource("<derefUri>YWJj</derefUri><digest>abc</digest>"), "digest_malformed", Warn),
        (PARAMETER_END, resource("<size>9</size><derefUri>YWJj</derefUri>"), "size_differs", Accept),
        (PARAMETER_END, resource(""), "resource_empty", Accept),
    ]);
    for (shape, code, verdict) in [
        ("<polygon/>", "empty_element", Accept),
        ("<polygon>1,1 1,2 2,2 2,1</polygon>", "polygon_open", Warn),
        ("<polygon>1,1 1,2 1,1</polygon>", "polygon_few", Warn),
        ("<polygon>1,1 2,2 1,2 2,1 1,1</polygon>", "polygon_crossing", Warn),
        ("<polygon>1,1 2,2 3,3 3,1 2,2 1,3 1,1</polygon>", "polygon_crossing", Warn),
        ("<polygon>1,1 1,2 1,3 1,1</polygon>", "polygon_flat", Warn),
        ("<polygon>1,1 1,1 1,1 1,1</polygon>", "polygon_flat", Warn),
        ("<polygon>10,179 10,-179 12,-179 12,179 10,179</polygon>", "polygon_wide", Warn),
        ("<polygon>118,24 118,25 119,25 118,24</polygon>", "off_globe", Refuse),
        ("<polygon>1 1</polygon>", "polygon_malformed", Refuse),
        ("<circle>1,1 0</circle>", "circle_zero", Accept),
        ("<circle>1,1</circle>", "circle_malformed", Refuse),
        ("<circle>1,1 30000</circle>", "circle_huge", Warn),
    ] {
        list.push((DESC, format!("{DESC}{shape}"), code, verdict));
    }
    for (heights, code, verdict) in [
        ("<ceiling>10</ceiling>", "ceiling_alone", Warn),
        ("<altitude>20</altitude><ceiling>10</ceiling>", "ceiling_below", Warn),
        ("<altitude>1e3</altitude>", "decimal_malformed", Refuse),
        ("<altitude/>", "decimal_malformed", Refuse),
    ] {
        list.push(("</area>", format!("{heights}</area>"), code, verdict));
    }
    list
}

#[test]
fn each_change_is_found_by_its_rule_and_has_its_verdict() {
    for (from, to, code, verdict) in examples() {
        let text = changed(from, &to);
        let reading = cap::read(text.as_bytes());
        assert!(codes(&reading).contains(&code), "{code}: {to}\n{:#?}", reading.findings);
        assert_eq!(reading.verdict, verdict, "{code}: {to}\n{:#?}", reading.findings);
        assert_eq!(reading.alert.is_some(), verdict != Verdict::Refuse, "{code}");
        let is_named = |c: &cap::Finding| !c.message_zh.is_empty() && c.path.starts_with('/');
        assert!(reading.findings.iter().all(is_named));
    }
}

#[test]
fn a_right_digest_passes_in_either_case() {
    let resource = "</parameter><resource><resourceDesc>x</resourceDesc><mimeType>a/b</mimeType>\
        <derefUri>YW\nJj</derefUri><digest>A9993E364706816ABA3E25717850C26C9CD0D89D</digest></resource>";
    let reading = cap::read(changed(PARAMETER_END, resource).as_bytes());
    assert_eq!((reading.verdict, codes(&reading)), (Verdict::Accept, Vec::new()));
}

#[test]
fn signatures_at_the_end_are_a_note_and_before_the_end_a_breach_of_order() {
    let signature = "<s:Signature xmlns:s='http://www.w3.org/2000/09/xmldsig#' Id='a b'><s:x><y/>t</s:x></s:Signature>";
    let reading = cap::read(changed("</alert>", &format!("{signature}</alert>")).as_bytes());
    assert_eq!((reading.verdict, codes(&reading)), (Verdict::Accept, vec!["signature"]));
    let first = changed("<identifier>", &format!("{signature}<identifier>"));
    let reading = cap::read(first.as_bytes());
    assert_eq!((reading.verdict, codes(&reading)), (Verdict::Warn, vec!["signature", "order"]));
}

#[test]
fn cap_1_1_has_its_own_times_words_and_heights() {
    let old = |from: &str, to: &str| changed(from, to).replacen("cap:1.2", "cap:1.1", 1);
    let reading = cap::read(old(SENT, "<sent>2026-08-15T01:00:00.5Z</sent>").as_bytes());
    assert_eq!((reading.verdict, codes(&reading)), (Verdict::Accept, vec!["time_general"]));
    let reading = cap::read(old("Shelter", "AllClear").as_bytes());
    assert_eq!((reading.verdict, codes(&reading)), (Verdict::Refuse, vec!["enum_value"]));
    let reading = cap::read(old("</area>", "<altitude>high</altitude></area>").as_bytes());
    assert_eq!((reading.verdict, codes(&reading)), (Verdict::Accept, vec!["height_not_number"]));
}

#[test]
fn a_test_may_refer_to_itself() {
    let text = changed("Actual", "Test").replacen(MSG_TYPE, "<msgType>Update</msgType>", 1);
    let text = text.replacen(
        SCOPE,
        &format!("{SCOPE}<references>{SELF},2026-08-15T09:00:00+08:00</references>"),
        1,
    );
    let reading = cap::read(text.as_bytes());
    assert_eq!((reading.verdict, codes(&reading)), (Verdict::Accept, vec!["reference_self_test"]));
}

#[test]
fn all_that_is_wrong_is_said_at_once() {
    let text = changed(SCOPE, "").replacen(SENT, "<sent>now</sent>", 1);
    let reading = cap::read(text.as_bytes());
    assert_eq!(codes(&reading), ["time_malformed", "missing"]);
    assert!(reading.findings.iter().all(|finding| finding.level == Level::Refuse));
}
