//! CAP documents: read, understood, written, and read again.

use protocols::cap::{self, Verdict, profile};
use protocols::limits::CAP_BYTES_MAX;

use crate::Decoder;

macro_rules! fixture {
    ($name:literal) => {
        include_bytes!(concat!("../../../protocols/fixtures/cap/", $name)).as_slice()
    };
}

pub(crate) const CAP: Decoder = Decoder {
    name: "cap",
    bytes_max: CAP_BYTES_MAX + 1_024,
    seeds: || {
        let fixtures = [
            fixture!("county-no-geometry.xml"),
            fixture!("rainstorm-gb18030.xml"),
            fixture!("rainstorm-polygon.xml"),
            fixture!("rainstorm-utf16.xml"),
            fixture!("typhoon-red.xml"),
            fixture!("typhoon-withdrawn-1.1.xml"),
            fixture!("typhoon-withdrawn.xml"),
        ];
        fixtures.map(<[u8]>::to_vec).to_vec()
    },
    words: WORDS,
    read,
};

fn read(bytes: &[u8]) {
    let reading = cap::read(bytes);
    assert_eq!(reading.alert.is_none(), reading.verdict == Verdict::Refuse);
    let Some(alert) = reading.alert else { return };
    let meaning = profile::understand(&alert);
    std::hint::black_box(&meaning);
    let digest = cap::content_digest(&alert);
    // What is refused here can't be said in CAP 1.2; what is written means the same.
    let Ok(written) = cap::write(&alert) else { return };
    if written.len() > CAP_BYTES_MAX {
        return;
    }
    let again = cap::read(&written);
    let again = again.alert.unwrap_or_else(|| panic!("own words refused: {:?}", again.findings));
    assert_eq!(cap::content_digest(&again), digest, "written otherwise than read");
}

/// Elements, values and markup of CAP.
const WORDS: &[&str] = &[
    "<alert",
    "</alert>",
    "<info>",
    "</info>",
    "<area>",
    "</area>",
    "<polygon>",
    "</polygon>",
    "<circle>",
    "</circle>",
    "<geocode>",
    "</geocode>",
    "<valueName>",
    "<value>",
    "<eventCode>",
    "<parameter>",
    "<resource>",
    "</resource>",
    "<derefUri>",
    "<digest>",
    "<size>",
    "<mimeType>",
    "<references>",
    "<incidents>",
    "<expires>",
    "<effective>",
    "<onset>",
    "<sent>",
    "<msgType>",
    "<status>",
    "<scope>",
    "<restriction>",
    "<addresses>",
    "<language>",
    "<category>",
    "<event>",
    "<responseType>",
    "<urgency>",
    "<severity>",
    "<certainty>",
    "<audience>",
    "<headline>",
    "<description>",
    "<instruction>",
    "<web>",
    "<contact>",
    "<altitude>",
    "<ceiling>",
    "<areaDesc>",
    "<identifier>",
    "<sender>",
    "<senderName>",
    "<note>",
    "<code>",
    "<source>",
    "Actual",
    "Exercise",
    "Update",
    "Cancel",
    "Restricted",
    "Private",
    "Immediate",
    "Extreme",
    "Observed",
    "<![CDATA[",
    "]]>",
    "<!--",
    "-->",
    "<?xml",
    "?>",
    "<!DOCTYPE",
    "<!ENTITY",
    "&amp;",
    "&#x0;",
    "&#65536;",
    "xmlns=",
    "urn:oasis:names:tc:emergency:cap:1.2",
    "urn:oasis:names:tc:emergency:cap:1.1",
    "encoding=",
    "GB18030",
    "UTF-16",
    "ISO-8859-1",
    "2026-11-23T12:00:00+08:00",
    "-00:00",
    "1e308",
    "NaN",
    "-180",
    "90.0",
    "zh-CN",
];
