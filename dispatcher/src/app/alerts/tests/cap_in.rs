//! CAP messages as they come in.

use super::*;
use crate::app::auto_issue_rules;
use crate::app::cap_in::{CapError, Taken, take};
use crate::domain::alert::closure::Closure;
use crate::domain::auto_issue::Limits;

fn upstream() -> Actor {
    Actor { id: ActorId::Token(Uuid::from_u128(9)), ..person(9, Role::Upstream, CITY) }
}

struct Message {
    identifier: &'static str,
    kind: &'static str,
    references: &'static str,
    severity: &'static str,
    area: String,
    extra: &'static str,
}

fn place(codes: &[(&str, &str)]) -> String {
    let geocode = |(scheme, code): &(&str, &str)| {
        format!("<geocode><valueName>{scheme}</valueName><value>{code}</value></geocode>")
    };
    let codes = codes.iter().map(geocode).collect::<String>();
    format!("<area><areaDesc>某地</areaDesc>{codes}</area>")
}

fn alert(identifier: &'static str) -> Message {
    Message {
        identifier,
        kind: "Alert",
        references: "",
        severity: "Severe",
        area: place(&[("NBS", TOWN)]),
        extra: "",
    }
}

impl Message {
    fn xml(&self) -> String {
        let Self { identifier, kind, references, severity, area, extra } = self;
        let references = match *references {
            "" => String::new(),
            text => format!("<references>{text}</references>"),
        };
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
<alert xmlns=\"urn:oasis:names:tc:emergency:cap:1.2\"><identifier>{identifier}</identifier>\
<sender>weather@xm</sender><sent>2026-05-28T20:26:40+00:00</sent><status>Actual</status>\
<msgType>{kind}</msgType><scope>Public</scope>{references}<info><language>zh-CN</language>\
<category>Met</category><event>台风</event><urgency>Immediate</urgency>\
<severity>{severity}</severity><certainty>Likely</certainty>\
<eventCode><valueName>GB/T 35561-2017</valueName><value>11B01</value></eventCode>\
<expires>2026-05-28T23:26:40+00:00</expires><headline>台风预警</headline>\
<description>台风今晚登陆。</description><instruction>请留在室内。</instruction>{extra}{area}\
</info></alert>"
        )
    }
}

impl City {
    async fn take(&self, xml: &str) -> Result<Taken, CapError> {
        let mut tx = self.app.db.begin().await.expect("begun");
        let taken = take(&mut tx, &self.app, &upstream(), xml.as_bytes()).await;
        match &taken {
            Ok(_) | Err(CapError::Tampered) => tx.commit().await.expect("committed"),
            Err(_) => drop(tx),
        }
        taken
    }

    async fn found(&self, taken: &Taken) -> Alert {
        let mut read = self.app.db.read().await.expect("a connection");
        let id = taken.alert.as_ref().expect("an alert");
        store::alerts::find(&mut read, id).await.expect("read").expect("there")
    }

    /// An approver with a second factor just shown.
    fn fresh(&self, number: u128) -> Actor {
        Actor { stepped_up_at: Some(self.app.now()), ..approver(number) }
    }

    async fn end_rules(&self) {
        let mut tx = self.app.db.begin().await.expect("begun");
        let token = upstream().id.to_string();
        let now = self.app.now();
        for rule in store::auto_issue_rules::active(&mut tx, &token, now).await.expect("read") {
            auto_issue_rules::end(&mut tx, &self.app, &self.fresh(2), &rule.id, "over")
                .await
                .expect("ended");
        }
        tx.commit().await.expect("committed");
    }

    async fn rule(&self) {
        let limits = Limits {
            token: upstream().id.to_string(),
            sender: "weather@xm".to_owned(),
            region: code(DISTRICT),
            events: vec!["11B01".parse().expect("a code")],
            highest_color: AlertColor::Orange,
            terminals_max: 10,
            alerts_per_hour: 1,
            ends_at: NOW + SignedDuration::from_hours(48),
        };
        let mut tx = self.app.db.begin().await.expect("begun");
        let rule = auto_issue_rules::propose(&mut tx, &self.app, &self.fresh(2), limits).await;
        let rule = rule.expect("proposed");
        let own = auto_issue_rules::approve(&mut tx, &self.app, &self.fresh(2), &rule.id).await;
        assert!(own.is_err(), "the author is not the second person");
        auto_issue_rules::approve(&mut tx, &self.app, &self.fresh(3), &rule.id)
            .await
            .expect("approved");
        tx.commit().await.expect("committed");
    }
}

#[tokio::test]
async fn a_message_becomes_a_draft_and_its_repeat_changes_nothing() {
    let city = city().await;
    let first = city.take(&alert("a1").xml()).await.expect("taken in");
    assert_eq!((first.outcome.as_str(), first.is_replay), ("draft", false));
    assert_eq!(first.asked, Vec::new());
    let draft = city.found(&first).await;
    assert_eq!(draft.content.color, Some(AlertColor::Orange));
    assert_eq!(draft.region, code(TOWN));
    assert_eq!(draft.origin, format!("cap:{}", upstream().id));
    // Written otherwise, said the same.
    let again = city.take(&alert("a1").xml().replace("+00:00", "-00:00")).await;
    let again = again.expect("taken in before");
    assert!(again.is_replay && again.alert == first.alert);
}

#[tokio::test]
async fn the_same_key_with_other_content_is_tampering_and_recorded() {
    let city = city().await;
    city.take(&alert("a1").xml()).await.expect("taken in");
    let other = city.take(&alert("a1").xml().replace("请留在室内", "请立即外出")).await;
    assert!(matches!(other, Err(CapError::Tampered)), "{other:?}");
    let mut read = city.app.db.read().await.expect("a connection");
    let recorded: i64 = sqlx::query_scalar(
        "select cast(count(*) as bigint) from audit where action = 'cap_tampered'",
    )
    .fetch_one(&mut *read)
    .await
    .expect("read");
    assert_eq!(recorded, 1);
}

#[tokio::test]
async fn a_message_without_an_area_is_refused_aloud() {
    let city = city().await;
    let nowhere = Message { area: String::new(), ..alert("a1") };
    let Err(CapError::Refused(faults)) = city.take(&nowhere.xml()).await else { panic!("refused") };
    assert_eq!(faults[0].rule, "area-missing");
    assert!(faults[0].zh.contains("覆盖区域") && faults[0].en.contains("area"));
}

#[tokio::test]
async fn a_code_that_names_two_towns_is_asked_and_never_issued_by_a_rule() {
    let city = city().await;
    city.rule().await;
    let twofold = Message { area: place(&[("", "350213003000")]), ..alert("a1") };
    let taken = city.take(&twofold.xml()).await.expect("taken in");
    assert_eq!(taken.outcome, "draft");
    assert!(taken.asked.iter().any(|asked| asked.rule == "region-ambiguous"), "{:?}", taken.asked);
    let refused = city.submit(taken.alert.as_deref().expect("an alert")).await;
    assert!(matches!(refused, Err(AlertError::Faults(_))), "{refused:?}");
}

#[tokio::test]
async fn a_rule_issues_what_lies_inside_it_and_the_rest_becomes_a_draft() {
    let city = city().await;
    city.rule().await;
    let red = Message { severity: "Extreme", ..alert("red") };
    assert_eq!(city.take(&red.xml()).await.expect("taken in").outcome, "draft");
    let inside = city.take(&alert("a1").xml()).await.expect("taken in");
    assert_eq!(inside.outcome, "issued");
    assert_eq!(city.orders(inside.alert.as_deref().expect("an alert")).await.len(), 1);
    let second = city.take(&alert("a2").xml()).await.expect("taken in");
    assert_eq!(second.outcome, "draft", "one alert an hour is the limit");
}

#[tokio::test]
async fn a_cancel_ends_what_its_rule_issued_even_with_a_wrong_time_in_the_reference() {
    let city = city().await;
    city.rule().await;
    let issued = city.take(&alert("a1").xml()).await.expect("taken in");
    let cancel = Message {
        kind: "Cancel",
        references: "weather@xm,a1,2026-05-28T21:00:00+00:00",
        extra: "<parameter><valueName>tongluo:closure</valueName><value>withdrawn</value>\
</parameter>",
        ..alert("c1")
    };
    let ended = city.take(&cancel.xml()).await.expect("taken in");
    assert_eq!((ended.outcome.as_str(), &ended.alert), ("closed", &issued.alert));
    assert_eq!(city.found(&ended).await.lifecycle.state(), "closed");
}

#[tokio::test]
async fn a_cancel_of_what_persons_issued_is_proposed_and_a_strangers_is_refused() {
    let city = city().await;
    let taken = city.take(&alert("a1").xml()).await.expect("taken in");
    let id = taken.alert.clone().expect("an alert");
    city.submit(&id).await.expect("submitted");
    city.approve(&id, &approver(2)).await.expect("approved");
    city.issue(&id).await.expect("issued");
    let cancel = Message {
        kind: "Cancel",
        references: "weather@xm,a1,2026-05-28T20:26:40+00:00",
        ..alert("c1")
    };
    let stranger = cancel.xml().replace("<sender>weather@xm", "<sender>stranger@xm");
    assert!(matches!(city.take(&stranger).await, Err(CapError::Refused(_))));
    let proposed = city.take(&cancel.xml()).await.expect("taken in");
    assert_eq!((proposed.outcome.as_str(), &proposed.alert), ("closing_proposed", &taken.alert));
    assert_eq!(city.found(&proposed).await.lifecycle.state(), "issued");
    city.close(&id, Closure::Lifted).await.expect("an officer decides");
}

#[tokio::test]
async fn an_update_by_another_rule_than_the_one_that_issued_becomes_a_draft() {
    let city = city().await;
    city.rule().await;
    let first = city.take(&alert("a1").xml()).await.expect("taken in");
    assert_eq!(first.outcome, "issued");
    city.clock.advance(SignedDuration::from_mins(61));
    let update = |identifier| Message {
        kind: "Update",
        references: "weather@xm,a1,2026-05-28T20:26:40+00:00",
        ..alert(identifier)
    };
    let second = city.take(&update("u1").xml()).await.expect("taken in");
    assert_eq!(second.outcome, "issued", "by the rule that issued its predecessor");
    city.clock.advance(SignedDuration::from_mins(61));
    city.end_rules().await;
    city.rule().await;
    let third = Message { references: "weather@xm,u1,2026-05-28T20:26:40+00:00", ..update("u2") };
    assert_eq!(city.take(&third.xml()).await.expect("taken in").outcome, "draft");
}

#[tokio::test]
async fn a_move_out_counts_as_orange_for_a_rule_and_a_pseudo_unit_is_asked() {
    let city = city().await;
    city.rule().await;
    let out = "<urgency>Immediate</urgency>";
    let blue = Message { severity: "Minor", ..alert("a1") }.xml();
    let moving = blue.replace(out, &format!("<responseType>Evacuate</responseType>{out}"));
    let taken = city.take(&moving).await.expect("taken in");
    assert_eq!(city.found(&taken).await.effective_color(), Some(AlertColor::Orange));
    let pseudo = Message { area: place(&[("NBS", "350211403000")]), ..alert("a2") };
    let taken = city.take(&pseudo.xml()).await.expect("taken in");
    assert_eq!(taken.outcome, "draft");
    assert!(taken.asked.iter().any(|asked| asked.rule == "region-pseudo-unit"));
}

#[tokio::test]
async fn the_last_instant_that_there_is_is_read_and_asked_and_breaks_nothing() {
    let city = city().await;
    let xml = alert("a1").xml();
    let for_ever = "9999-12-31T23:59:59+00:00";
    let far = xml.replace("2026-05-28T23:26:40+00:00", for_ever);
    let taken = city.take(&far).await.expect("taken in");
    assert!(taken.asked.iter().any(|asked| asked.rule == "expiry-too-late"));
    let sent = far.replace("<sent>2026-05-28T20:26:40+00:00", &format!("<sent>{for_ever}"));
    assert_eq!(city.take(&sent).await.expect("taken in").outcome, "draft");
}
