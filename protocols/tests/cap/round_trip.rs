//! What is written is read back the same.

use proptest::prelude::*;
use protocols::cap::{self, Verdict, WriteError};

use crate::arbitrary::alert;
use crate::fixtures::fixture;

proptest! {
    #[test]
    fn what_is_written_is_read_back_the_same(alert in alert()) {
        let bytes = cap::write(&alert).expect("a message the writer takes");
        let reading = cap::read(&bytes);
        prop_assert_ne!(reading.verdict, Verdict::Refuse, "{:#?}", reading.findings);
        prop_assert_eq!(reading.alert.as_ref(), Some(&alert));
        prop_assert_eq!(
            cap::content_digest(&alert),
            cap::content_digest(&reading.alert.expect("read"))
        );
    }

    #[test]
    fn another_content_has_another_digest(alert in alert(), other in alert()) {
        prop_assert_eq!(
            alert == other,
            cap::content_digest(&alert) == cap::content_digest(&other)
        );
    }
}

#[test]
fn what_would_not_be_read_back_is_not_written() {
    let alert = cap::read(&fixture("typhoon-red.xml")).alert.expect("reads");
    let error = |change: fn(&mut cap::Alert)| {
        let mut alert = alert.clone();
        change(&mut alert);
        cap::write(&alert).expect_err("is refused").to_string()
    };
    assert!(error(|a| a.sender = "a b".to_owned()).starts_with("sender: no blanks"));
    assert!(error(|a| a.identifier = "a,b".to_owned()).starts_with("identifier: no blanks"));
    assert!(error(|a| a.note = Some("\u{8}".to_owned())).contains("U+0008"));
    assert!(error(|a| a.note = Some(" \n".to_owned())).contains("is empty"));
    assert!(error(|a| a.infos[0].categories.clear()).contains("category"));
    assert!(error(|a| a.infos[0].web = Some("%zz".to_owned())).contains("not a URI"));
    assert!(error(|a| a.infos[0].language = Some("zh_CN".to_owned())).contains("language"));
    assert!(error(|a| a.infos[0].areas[0].altitude = Some(f64::NAN)).contains("altitude"));
    assert!(error(|a| a.sent += jiff::SignedDuration::from_millis(1)).contains("sent"));
    assert_eq!(cap::write(&alert).map(|bytes| bytes.is_empty()), Ok::<_, WriteError>(false));
}
