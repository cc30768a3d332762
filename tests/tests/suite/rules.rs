//! Auto-issue rules under attack: whatever lies outside one limit becomes a draft that the duty
//! officer is told of, and only what lies inside all of them issues itself.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde_json::{Value, json};
use tests::harness::api::{Api, Reply};
use tests::harness::bulletin::{Bulletin, TOWNS};
use tests::harness::city::text;
use tests::harness::clock;
use tests::harness::listener::Listener;

use crate::cases::{NEIGHBOUR_TOWN, Rig, TOWN, Token, expect_problem};

const EVENT_DEADLINE: Duration = Duration::from_secs(20);

/// 集美区, in which the rule holds.
const DISTRICT: &str = "350211000000";

const SENDER: &str = "xiamen-meteorology@example.cn";

fn limits(rig: &Rig, ends_at: Timestamp) -> Value {
    json!({
        "token": rig.token.actor,
        "sender": SENDER,
        "region": DISTRICT,
        "events": ["11B01"],
        "highest_color": "orange",
        "terminals_max": 1,
        "alerts_per_hour": 1,
        "ends_at": ends_at,
    })
}

/// What the rule admits: orange, one town of the district, one loudspeaker.
fn inside(identifier: &str) -> anyhow::Result<Bulletin> {
    orange(identifier)?.with(TOWNS[1], TOWN)
}

fn orange(identifier: &str) -> anyhow::Result<Bulletin> {
    Bulletin::typhoon(identifier)?
        .with("<value>red</value>", "<value>orange</value>")?
        .with("<severity>Extreme</severity>", "<severity>Severe</severity>")
}

async fn propose(api: &Api, limits: &Value) -> anyhow::Result<Reply> {
    api.send(Method::POST, "/api/v1/auto-issue-rules", Some(limits)).await
}

async fn press(api: &Api, rule: &str, verb: &str, body: &Value) -> anyhow::Result<Reply> {
    api.send(Method::POST, &format!("/api/v1/auto-issue-rules/{rule}/{verb}"), Some(body)).await
}

/// Hands a message in and fails unless it is a draft that the duty officer was told of, kept from
/// issuing by `limit` of `rule` (no rule was asked when `None`).
async fn expect_draft(
    rig: &Rig,
    listener: &mut Listener,
    bulletin: &Bulletin,
    token: &Token,
    kept_by: Option<(&str, &str)>,
) -> anyhow::Result<()> {
    let service = rig.city.anonymous()?.bearing(&token.secret);
    let taken = bulletin.hand_in(&service).await?.ok()?;
    ensure!(taken["outcome"] == "draft", "{kept_by:?}: {taken}");
    let alert = text(&taken, "alert")?;
    let told = listener
        .until("the draft for the duty officer", EVENT_DEADLINE, |told| {
            told.kind() == "cap_draft" && told.data["alert"] == alert
        })
        .await?;
    ensure!(told.topic == "attention", "{told:?}");
    let expected = match kept_by {
        None => json!([]),
        Some((rule, limit)) => json!([{ "rule": rule, "limit": limit }]),
    };
    ensure!(told.data["outside_rules"] == expected, "{expected} is not {told:?}");
    let draft = rig.composer.get(&format!("/api/v1/alerts/{alert}")).await?;
    ensure!(draft["state"] == "draft" && draft["issued"].is_null(), "{draft}");
    ensure!(draft["origin"] == format!("cap:{}", token.actor), "{draft}");
    Ok(())
}

pub(crate) async fn a_rule_without_a_limit_or_from_the_wrong_hand_is_refused(
    rig: &Rig,
) -> anyhow::Result<()> {
    let later = clock::now().checked_add(SignedDuration::from_hours(24))?;
    expect_problem(&propose(&rig.composer, &limits(rig, later)).await?, 403, "by a composer")?;
    expect_problem(&propose(&rig.stranger, &limits(rig, later)).await?, 403, "by a stranger")?;
    let too_long = clock::now().checked_add(SignedDuration::from_hours(24 * 201))?;
    for (pointer, value) in [
        ("/token", json!("")),
        ("/sender", json!(" ")),
        ("/events", json!([])),
        ("/terminals_max", json!(0)),
        ("/alerts_per_hour", json!(0)),
        ("/alerts_per_hour", json!(61)),
        ("/ends_at", json!(clock::now())),
        ("/ends_at", json!(too_long)),
    ] {
        let mut bad = limits(rig, later);
        *bad.pointer_mut(pointer).context("a limit")? = value;
        let reply = propose(&rig.approver, &bad).await?;
        expect_problem(&reply, 422, pointer)?;
        ensure!(reply.body["errors"][0]["pointer"] == pointer, "{}", reply.body);
    }
    let mut endless = limits(rig, later);
    endless.as_object_mut().context("an object")?.remove("ends_at");
    expect_problem(&propose(&rig.approver, &endless).await?, 400, "no limit is optional")?;
    let rules = rig.viewer.get("/api/v1/auto-issue-rules").await?;
    ensure!(rules["items"] == json!([]), "a refusal left a rule: {rules}");
    Ok(())
}

pub(crate) async fn each_limit_alone_keeps_an_alert_from_issuing_itself(
    rig: &Rig,
) -> anyhow::Result<()> {
    let token = &rig.token;
    let mut listener = Listener::open(&rig.viewer, None).await?;
    let later = clock::now().checked_add(SignedDuration::from_hours(24))?;
    let proposed = propose(&rig.approver, &limits(rig, later)).await?.ok()?;
    let rule = text(&proposed, "id")?.to_owned();
    ensure!(proposed["state"] == "proposed", "{proposed}");
    expect_draft(rig, &mut listener, &inside("rule-proposed")?, token, None).await?;
    let own = press(&rig.approver, &rule, "approve", &json!({})).await?;
    expect_problem(&own, 422, "approved by its author")?;
    expect_draft(rig, &mut listener, &inside("rule-self")?, token, None).await?;
    let active = press(&rig.commander, &rule, "approve", &json!({})).await?.ok()?;
    ensure!(active["state"] == "active", "{active}");

    expect_draft(rig, &mut listener, &inside("rule-token")?, &rig.other_token, None).await?;
    for (limit, bulletin) in [
        ("sender", inside("rule-sender")?.with(SENDER, "XIAMEN-meteorology@example.cn")?),
        ("region", orange("rule-region")?),
        ("event", inside("rule-event")?.with("11B01", "11B03")?),
        ("color", Bulletin::typhoon("rule-color")?.with(TOWNS[1], TOWN)?),
        ("terminals", orange("rule-terminals")?.with(TOWNS[1], NEIGHBOUR_TOWN)?),
        ("kind", inside("rule-kind")?.with("<status>Actual</status>", "<status>Test</status>")?),
        ("questions", inside("rule-questions")?.with("GB/T 35561-2017", "SAME")?),
    ] {
        let kept_by = Some((rule.as_str(), limit));
        expect_draft(rig, &mut listener, &bulletin, token, kept_by).await?;
    }
    issues_itself_once(rig, &mut listener, &rule).await?;
    let ended = press(&rig.composer, &rule, "end", &json!({ "reason": "汛期已过" })).await?;
    expect_problem(&ended, 403, "ended by a composer")?;
    let unsaid = press(&rig.commander, &rule, "end", &json!({ "reason": " " })).await?;
    expect_problem(&unsaid, 422, "ended without a reason")?;
    let ended =
        press(&rig.commander, &rule, "end", &json!({ "reason": "汛期已过" })).await?.ok()?;
    ensure!(ended["state"] == "ended", "{ended}");
    expect_draft(rig, &mut listener, &inside("rule-ended")?, token, None).await?;
    let again = press(&rig.approver, &rule, "approve", &json!({})).await?;
    expect_problem(&again, 409, "an ended rule")
}

/// Inside all limits: issued, and every officer sees by which rule. The second one in the hour is
/// a draft.
async fn issues_itself_once(rig: &Rig, listener: &mut Listener, rule: &str) -> anyhow::Result<()> {
    let service = rig.service()?;
    let taken = inside("rule-inside")?.hand_in(&service).await?.ok()?;
    ensure!(taken["outcome"] == "issued", "{taken}");
    let alert = text(&taken, "alert")?;
    let told = listener
        .until("the rule fires", EVENT_DEADLINE, |told| {
            told.kind() == "alert_issued_by_rule" && told.data["alert"] == alert
        })
        .await?;
    ensure!(told.topic == "alerts" && told.data["state"] == "issued", "{told:?}");
    let shown = rig.composer.get(&format!("/api/v1/alerts/{alert}")).await?;
    let issued = &shown["issued"];
    ensure!(issued["grounds"] == "auto_issue" && issued["by"] == rule, "{shown}");
    let deliveries = rig.composer.get(&format!("/api/v1/alerts/{alert}/deliveries")).await?;
    ensure!(deliveries["coverage"]["targeted"] == 1, "{deliveries}");
    let kept_by = Some((rule, "rate"));
    expect_draft(rig, listener, &inside("rule-rate")?, &rig.token, kept_by).await
}

pub(crate) async fn after_its_date_a_rule_issues_nothing(rig: &Rig) -> anyhow::Result<()> {
    let mut listener = Listener::open(&rig.viewer, None).await?;
    let soon = clock::now().checked_add(SignedDuration::from_secs(3))?;
    let late = propose(&rig.approver, &limits(rig, soon)).await?.ok()?;
    let proposed = propose(&rig.approver, &limits(rig, soon)).await?.ok()?;
    press(&rig.commander, text(&proposed, "id")?, "approve", &json!({})).await?.ok()?;
    clock::eventually("the rule's date passes", EVENT_DEADLINE, async || {
        Ok((clock::now() >= soon).then_some(()))
    })
    .await?;
    expect_draft(rig, &mut listener, &inside("rule-date")?, &rig.token, None).await?;
    let reply = press(&rig.commander, text(&late, "id")?, "approve", &json!({})).await?;
    expect_problem(&reply, 409, "approved after its date")
}
