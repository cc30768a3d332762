//! What messages mean to us, and what is asked.

use protocols::alert::{AlertColor, AlertKey, BroadcastKind};
use protocols::cap;
use protocols::cap::profile::{
    AreaScheme, Composition, Meaning, Place, Words, compose, understand,
};
use protocols::order::Purpose;

use crate::fixtures::{TYPHOON, fixture};
use crate::rules::changed;

fn meaning(text: &str) -> Meaning {
    let reading = cap::read(text.as_bytes());
    understand(&reading.alert.unwrap_or_else(|| panic!("{:#?}", reading.findings)))
}

fn asked(meaning: &Meaning) -> Vec<&'static str> {
    meaning.asked.iter().map(|asked| asked.field).collect()
}

#[test]
fn the_typhoon_warning_is_red_for_two_towns_in_two_languages_and_nothing_is_asked() {
    let meaning = meaning(TYPHOON);
    assert_eq!(meaning.asked, []);
    assert_eq!(meaning.kind, Some(BroadcastKind::Actual));
    assert_eq!(meaning.purpose, Some(Purpose::Alert));
    assert_eq!(meaning.color, Some(AlertColor::Red));
    assert_eq!(meaning.event, "11B01".parse().ok());
    let regions = meaning.areas.iter().flat_map(|area| &area.codes).map(|code| code.region);
    let wanted = ["350211102000", "350212105000"].map(|code| code.parse().ok());
    assert_eq!(regions.collect::<Vec<_>>(), wanted);
    assert!(meaning.areas.iter().all(|area| area.codes[0].scheme == AreaScheme::Nbs));
    let languages = meaning.words.iter().map(|words| words.language.as_str());
    assert_eq!(languages.collect::<Vec<_>>(), ["zh-CN", "en-US"]);
    assert!(meaning.words[0].spoken().ends_with("听从村干部安排。"));
    assert!(!meaning.is_expiry_assumed);
}

#[test]
fn a_county_message_has_its_colour_from_the_severity_and_asks_for_hazard_and_instruction() {
    let alert = cap::read(&fixture("county-no-geometry.xml")).alert.expect("reads");
    let meaning = understand(&alert);
    assert_eq!(meaning.color, Some(AlertColor::Orange));
    assert_eq!(meaning.areas[0].codes[0].scheme, AreaScheme::Unstated);
    assert_eq!(asked(&meaning), ["event", "words"]);
    assert!(meaning.is_expiry_assumed);
    assert_eq!(meaning.expires_at.to_string(), "2026-06-20T13:30:00Z");
}

#[test]
fn a_cancel_says_lifted_or_withdrawn_or_is_asked() {
    let text = String::from_utf8(fixture("typhoon-withdrawn.xml")).expect("UTF-8");
    assert_eq!(meaning(&text).purpose, Some(Purpose::Withdrawn));
    assert_eq!(asked(&meaning(&text)), [""; 0]);
    let lifted = text.replace("误发，撤销", "解除");
    assert_eq!(meaning(&lifted).purpose, Some(Purpose::Lifted));
    for words in ["完成", "误发后解除"] {
        let open = meaning(&text.replace("误发，撤销", words));
        assert_eq!((open.purpose, asked(&open)), (None, vec!["purpose"]), "{words}");
    }
}

#[test]
fn an_update_that_is_all_clear_everywhere_lifts_and_in_part_is_asked() {
    let reference = "<references>a,b,2026-08-15T08:00:00+08:00</references>";
    let scope = "<scope>Public</scope>";
    let update = TYPHOON.replacen("<msgType>Alert", "<msgType>Update", 1).replacen(
        scope,
        &format!("{scope}{reference}"),
        1,
    );
    assert_eq!(meaning(&update).purpose, Some(Purpose::Update));
    let clear = update.replace("Evacuate", "AllClear");
    assert_eq!(meaning(&clear).purpose, Some(Purpose::Lifted));
    let partly = update.replacen("Evacuate", "AllClear", 1);
    assert_eq!((meaning(&partly).purpose, asked(&meaning(&partly))), (None, vec!["purpose"]));
    let past = update.replace("Immediate", "Past");
    assert_eq!(asked(&meaning(&past)), ["purpose"]);
    let minor =
        "<parameter><valueName>tongluo:minor_change</valueName><value>true</value></parameter>";
    let minor = update.replacen("<parameter>", &format!("{minor}<parameter>"), 1);
    assert_eq!(meaning(&minor).purpose, Some(Purpose::MinorUpdate));
}

#[test]
fn the_stated_colour_wins_over_the_severity_and_contradictions_are_asked() {
    let stated = changed("Extreme", "Minor");
    assert_eq!(meaning(&stated).color, Some(AlertColor::Red));
    let contradicting = changed("<value>red</value>", "<value>黄色</value>");
    assert_eq!(asked(&meaning(&contradicting)), ["color"]);
    let unknown = TYPHOON.replace("tongluo:color", "other").replace("Extreme", "Unknown");
    assert_eq!(asked(&meaning(&unknown)), ["color"]);
    let notice = TYPHOON.replace("<value>red</value>", "<value>none</value>");
    assert_eq!((meaning(&notice).color, asked(&meaning(&notice))), (None, vec![]));
}

#[test]
fn evacuate_is_a_move_out_and_its_end_is_none() {
    assert!(meaning(TYPHOON).is_move_out);
    assert!(!meaning(&TYPHOON.replace("Evacuate", "Prepare")).is_move_out);
    let text = String::from_utf8(fixture("typhoon-withdrawn.xml")).expect("UTF-8");
    assert!(!meaning(&text).is_move_out);
}

#[test]
fn words_that_take_effect_tomorrow_are_asked_about() {
    let from = "<effective>2026-08-15T09:00:00+08:00";
    let at = |time: &str| meaning(&changed(from, &format!("<effective>2026-08-15T{time}+08:00")));
    assert_eq!(asked(&at("10:00:00")), [""; 0]);
    assert_eq!(asked(&at("10:00:01")), ["effective"]);
}

#[test]
fn chinese_words_without_their_language_are_asked_about_rather_than_read_in_english() {
    let unnamed = changed("<language>zh-CN</language>", "").replace("en-US", "fr");
    assert_eq!(asked(&meaning(&unnamed)), ["words"]);
}

#[test]
fn a_hole_that_is_published_as_a_geocode_is_asked_about() {
    let hole = "<geocode><valueName>EXCLUDE_POLYGON</valueName>\
        <value>24.6,118 24.6,118.1 24.7,118.1 24.6,118</value></geocode><geocode>";
    assert_eq!(asked(&meaning(&changed("<geocode>", hole))), ["areas"]);
}

#[test]
fn system_and_draft_never_sound_and_a_test_code_makes_an_actual_message_a_test() {
    assert_eq!(meaning(&changed("Actual", "System")).kind, None);
    assert_eq!(meaning(&changed("Actual", "Draft")).kind, None);
    let code = "<eventCode><valueName>SAME</valueName><value>RWT</value></eventCode><eventCode>";
    assert_eq!(meaning(&changed("<eventCode>", code)).kind, Some(BroadcastKind::Test));
}

#[test]
fn an_area_in_words_or_of_a_foreign_scheme_is_asked_about() {
    let foreign = TYPHOON.replace(">NBS<", ">UGC<");
    assert!(asked(&meaning(&foreign)).contains(&"areas"));
    let start = TYPHOON.find("    <area>").expect("an area");
    let end = TYPHOON.find("  </info>").expect("an info");
    let none = format!("{}{}", &TYPHOON[..start], "  </info></alert>");
    assert!(end > start);
    assert_eq!(asked(&meaning(&none)), ["areas"]);
}

#[test]
fn what_we_compose_is_accepted_and_understood_as_it_was_meant() {
    let key = |identifier: &str| AlertKey {
        sender: "tongluo@example.cn".to_owned(),
        identifier: identifier.to_owned(),
        sent: "2026-08-15T01:00:00.123456Z".parse().expect("a time"),
    };
    let words = [Words {
        language: "zh-CN".to_owned(),
        headline: "解除台风红色预警".to_owned(),
        description: String::new(),
        instruction: "可以回家。".to_owned(),
    }];
    let places = [Place {
        name: "灌口镇".to_owned(),
        regions: vec!["350211102000".parse().expect("a region")],
        polygons: Vec::new(),
        circles: Vec::new(),
    }];
    for purpose in
        [Purpose::Alert, Purpose::Update, Purpose::MinorUpdate, Purpose::Lifted, Purpose::Withdrawn]
    {
        for color in [Some(AlertColor::Red), Some(AlertColor::Blue), None] {
            let references = [key("1")];
            let alert = compose(&Composition {
                key: &key("2"),
                kind: BroadcastKind::Actual,
                purpose,
                references: if purpose == Purpose::Alert { &[] } else { &references },
                color,
                event: "11B01".parse().expect("a code"),
                is_move_out: color.is_some(),
                event_name: "台风",
                expires_at: "2026-08-15T04:00:00Z".parse().expect("a time"),
                sender_name: "厦门市应急管理局",
                words: &words,
                places: &places,
            });
            let reading = cap::read(&cap::write(&alert).expect("is written"));
            assert_eq!(reading.verdict, cap::Verdict::Accept, "{:#?}", reading.findings);
            let meaning = understand(&reading.alert.expect("reads"));
            assert_eq!((meaning.purpose, meaning.color), (Some(purpose), color));
            assert_eq!(meaning.is_move_out, color.is_some() && !purpose.is_closing());
            assert_eq!((asked(&meaning), &meaning.words[..]), (vec![], &words[..]));
        }
    }
}
