//! CAP as it comes in, the rules by which it issues itself, and clips.

use dispatcher::app::auto_issue_rules as cases;
use dispatcher::domain::authority::Role;
use dispatcher::domain::auto_issue::{AutoIssueRule, Limits};
use dispatcher::store::cap_documents::{self, CapImport, Direction};
use dispatcher::store::{StoreError, auto_issue_rules, clips};
use dispatcher::voice::Clip;
use jiff::SignedDuration;
use protocols::alert::{AlertColor, AlertKey};
use protocols::digest::Digest;
use protocols::order::ClipReference;

use crate::Notes;
use crate::city::{CITY, City, DISTRICT, NOW, code, person};

pub(crate) async fn run(city: &City, notes: &mut Notes) {
    documents(city, notes).await;
    rules(city, notes).await;
    sounds(city, notes).await;
}

async fn documents(city: &City, notes: &mut Notes) {
    let mut tx = city.app.db.begin().await.expect("begins");
    let text = "<alert>厦门</alert>".as_bytes();
    for direction in [Direction::In, Direction::Out] {
        let kept = cap_documents::insert(&mut tx, text, direction, NOW).await.expect("keeps");
        assert_eq!(kept, Digest::of(text), "twice is once");
    }
    let found = cap_documents::find(&mut tx, Digest::of(text)).await.expect("asks");
    assert_eq!(found.as_deref(), Some(text));
    assert_eq!(cap_documents::find(&mut tx, Digest([0; 32])).await.expect("asks"), None);
    let import = |second: i64| CapImport {
        key: AlertKey {
            sender: "weather@xm".to_owned(),
            identifier: "a,1 2".to_owned(),
            sent: NOW + SignedDuration::from_secs(second),
        },
        digest: Digest::of(text),
        alert: (second > 0).then(|| "an alert".to_owned()),
        token: "token:1".to_owned(),
        outcome: "draft".to_owned(),
    };
    for (second, is_new) in [(0, true), (5, true), (0, false)] {
        let kept = cap_documents::insert_import(&mut tx, &import(second), NOW).await;
        assert_eq!(kept.expect("keeps"), is_new);
    }
    let imports = cap_documents::imports(&mut tx, "weather@xm", "a,1 2").await.expect("asks");
    assert_eq!(imports, [import(5), import(0)], "the newest first");
    assert!(cap_documents::imports(&mut tx, "weather@xm", "b").await.expect("asks").is_empty());
    notes.keep("cap_documents.imports", &imports);
    tx.commit().await.expect("commits");
}

async fn rules(city: &City, notes: &mut Notes) {
    let app = &city.app;
    let limits = |token: &str| Limits {
        token: token.to_owned(),
        sender: "weather@xm".to_owned(),
        region: code(DISTRICT),
        events: vec!["11B01".parse().expect("a code")],
        highest_color: AlertColor::Orange,
        terminals_max: 10,
        alerts_per_hour: 1,
        ends_at: NOW + SignedDuration::from_hours(48),
    };
    let (one, other) = (person(2, Role::Commander), person(3, Role::Commander));
    let mut tx = app.db.begin().await.expect("begins");
    let rule = cases::propose(&mut tx, app, &one, limits("token:1")).await.expect("proposes");
    city.tick();
    let second = cases::propose(&mut tx, app, &one, limits("token:2")).await.expect("proposes");
    assert!(auto_issue_rules::active(&mut tx, "token:1", NOW).await.expect("asks").is_empty());
    let rule = cases::approve(&mut tx, app, &other, &rule.id).await.expect("approves");
    let active = auto_issue_rules::active(&mut tx, "token:1", NOW).await.expect("asks");
    assert_eq!(active, std::slice::from_ref(&rule));
    let over = NOW + SignedDuration::from_hours(48);
    assert!(auto_issue_rules::active(&mut tx, "token:1", over).await.expect("asks").is_empty());
    let found = auto_issue_rules::find(&mut tx, &rule.id).await.expect("asks");
    assert_eq!(found.as_ref(), Some(&rule));
    let early = AutoIssueRule { version: 1, ..rule.clone() };
    let stale = auto_issue_rules::save(&mut tx, &early).await;
    assert!(matches!(stale, Err(StoreError::Conflict { .. })), "{stale:?}");
    for (alert, minute) in [("a", 0), ("b", 30)] {
        let at = NOW + SignedDuration::from_mins(minute);
        auto_issue_rules::record_issue(&mut tx, &rule.id, alert, at).await.expect("records");
    }
    auto_issue_rules::hold(&mut tx, &rule.id).await.expect("holds");
    let since = auto_issue_rules::issued_since(&mut tx, &rule.id, NOW).await.expect("counts");
    assert_eq!(since, 1, "after, not at");
    let (from, until) = code(CITY).range();
    let page = auto_issue_rules::page(&mut tx, &from, &until, "", 1).await.expect("lists");
    let before = page[0].id.clone();
    let rest = auto_issue_rules::page(&mut tx, &from, &until, &before, 9).await.expect("lists");
    assert_eq!((page[0].id.as_str(), rest[0].id.as_str()), (&*second.id, &*rule.id));
    notes.keep("auto_issue_rules", &(page, rest));
    tx.commit().await.expect("commits");
}

async fn sounds(city: &City, notes: &mut Notes) {
    let mut tx = city.app.db.begin().await.expect("begins");
    let text = Digest::of("台风".as_bytes());
    let bytes = (0..=255).collect::<Vec<u8>>();
    let reference = ClipReference { digest: Digest::of(&bytes), bytes: 256, duration_ms: 1_234 };
    let clip = Clip { bytes: bytes.clone(), reference: reference.clone() };
    for _ in 0..2 {
        clips::insert(&mut tx, &clip, "zh-CN", "voice 1", &text, NOW).await.expect("keeps");
    }
    let found = clips::find(&mut tx, &text, "voice 1").await.expect("asks");
    assert_eq!(found, Some(reference));
    assert_eq!(clips::find(&mut tx, &text, "voice 2").await.expect("asks"), None);
    let digest = Digest::of(&bytes);
    assert_eq!(clips::bytes(&mut tx, &digest).await.expect("asks"), Some(bytes));
    assert_eq!(clips::bytes(&mut tx, &text).await.expect("asks"), None);
    notes.keep("clips.find", &found);
    tx.commit().await.expect("commits");
}
