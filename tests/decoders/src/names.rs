//! Names as text: topics, regions, terminals, hazards, digests, codes on paper.

use std::fmt::{Debug, Display};
use std::str::FromStr;

use protocols::alert::EventCode;
use protocols::digest::Digest;
use protocols::enrolment::EnrolmentCode;
use protocols::region::{AliasTable, CodeScheme, McaCode, RegionCode};
use protocols::terminal::TerminalId;
use protocols::wire::Topic;

use crate::{Decoder, vectors};

pub(crate) const NAMES: Decoder = Decoder {
    name: "names",
    bytes_max: 1_024,
    seeds: || {
        let texts = [
            "tongluo/1/region/350212103000/order",
            "tongluo/1/region/350200000000/revocation",
            "tongluo/1/terminal/350212103201-0007/receipt",
            "tongluo/1/terminal/350212103201-0007/status",
            "350212103201",
            "350212",
            "350212103201-1024",
            "11B01",
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        ];
        texts.map(|text| text.as_bytes().to_vec()).to_vec()
    },
    words: &["tongluo/1/", "region/", "terminal/", "/order", "/hello", "/status", "-0001"],
    read: |bytes| {
        let Ok(text) = std::str::from_utf8(bytes) else { return };
        name::<Topic>(text);
        name::<RegionCode>(text);
        name::<TerminalId>(text);
        name::<EventCode>(text);
        name::<Digest>(text);
        name::<McaCode>(text);
        let regions = ["350212103201", "350212103000", "350212000000", "350200000000"];
        let table = AliasTable::new(regions.into_iter().filter_map(|code| code.parse().ok()));
        for scheme in [CodeScheme::Nbs, CodeScheme::Mca, CodeScheme::Unstated] {
            std::hint::black_box(&table.resolve(scheme, text, vectors::judged_at()));
        }
    },
};

pub(crate) const ENROLMENT_CODE: Decoder = Decoder {
    name: "enrolment-code",
    bytes_max: 4_096,
    seeds: || {
        let code = EnrolmentCode {
            root_fingerprints: vec![Digest([1; 32]), Digest([2; 32])],
            url: "http://10.0.0.5:8480".to_owned(),
            secret: *b"0123456789",
        };
        vec![code.to_text().into_bytes()]
    },
    words: &["tongluo1:", "gg", "__", "--"],
    read: |bytes| {
        let Ok(text) = std::str::from_utf8(bytes) else { return };
        let Ok(code) = EnrolmentCode::from_text(text) else { return };
        assert_eq!(EnrolmentCode::from_text(&code.to_text()), Ok(code));
    },
};

/// Reads a name. What was read is written and read again the same.
fn name<T: FromStr<Err: Debug> + Display + PartialEq + Debug>(text: &str) {
    let Ok(name) = text.parse::<T>() else { return };
    let written = name.to_string();
    assert_eq!(written.parse::<T>().expect("what we write we read"), name);
}
