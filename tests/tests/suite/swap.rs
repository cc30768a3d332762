//! The four towns of Xiang'an whose codes the two lists swap, both ways: with the name of its list
//! a code is issued to its town, without it never.

use anyhow::ensure;
use jiff::SignedDuration;
use reqwest::Method;
use serde_json::json;
use tests::harness::bulletin::{Bulletin, TOWNS};
use tests::harness::city::text;
use tests::harness::clock;
use tests::harness::village::Village;

use crate::cases::Rig;

/// Each code as the bureau reads it and as the ministry reads it.
const SWAPPED: [(&str, &str, &str); 4] = [
    ("350213003000", "新店街道", "350213005000"),
    ("350213005000", "民安街道", "350213003000"),
    ("350213006000", "香山街道", "350213007000"),
    ("350213007000", "金海街道", "350213006000"),
];

/// A loudspeaker in each of them, so that nothing but the question keeps an alert back.
const VILLAGES: [&str; 4] = ["350213003001", "350213005001", "350213006001", "350213007001"];

const DISTRICT: &str = "350213000000";

pub(crate) async fn a_code_is_issued_to_the_town_of_its_list_and_never_without_one(
    rig: &Rig,
) -> anyhow::Result<()> {
    for village in VILLAGES {
        let code = rig.city.enrolment_code(village, None)?;
        Village::enrol(&rig.folder.join(village), village, &code)?;
    }
    let limits = json!({
        "token": rig.token.actor,
        "sender": "xiamen-meteorology@example.cn",
        "region": DISTRICT,
        "events": ["11B01"],
        "highest_color": "red",
        "terminals_max": 10,
        "alerts_per_hour": 60,
        "ends_at": clock::now().checked_add(SignedDuration::from_hours(24))?,
    });
    let rule = rig.commander.post("/api/v1/auto-issue-rules", &limits).await?;
    let approve = format!("/api/v1/auto-issue-rules/{}/approve", text(&rule, "id")?);
    // A red rule of a district is within an approver's reach.
    rig.approver.post(&approve, &json!({})).await?;
    for (code, name, elsewhere) in SWAPPED {
        issued_to(rig, "NBS", code, code).await?;
        issued_to(rig, "MCA", code, elsewhere).await?;
        for scheme in ["areaCode", "行政区划代码", ""] {
            asked(rig, scheme, code, name).await?;
        }
    }
    let end = format!("/api/v1/auto-issue-rules/{}/end", text(&rule, "id")?);
    rig.commander.post(&end, &json!({ "reason": "用毕" })).await?;
    Ok(())
}

fn bulletin(scheme: &str, code: &str) -> anyhow::Result<Bulletin> {
    Bulletin::typhoon(&format!("swap-{code}-{}", hex::encode(scheme)))?
        .with("<valueName>NBS</valueName>", &format!("<valueName>{scheme}</valueName>"))?
        .with(TOWNS[0], code)?
        .with(TOWNS[1], code)
}

async fn issued_to(rig: &Rig, scheme: &str, code: &str, town: &str) -> anyhow::Result<()> {
    let taken = bulletin(scheme, code)?.hand_in(&rig.service()?).await?.ok()?;
    ensure!(taken["outcome"] == "issued", "{scheme} {code}: {taken}");
    let path = format!("/api/v1/alerts/{}", text(&taken, "alert")?);
    let alert = rig.composer.get(&path).await?;
    let regions = alert["content"]["area"]["regions"].as_array().cloned().unwrap_or_default();
    ensure!(!regions.is_empty() && regions.iter().all(|r| r == town), "{scheme} {code}: {alert}");
    let listed = rig.composer.get(&format!("{path}/deliveries")).await?;
    let items = listed["items"].as_array().cloned().unwrap_or_default();
    let in_town = |item: &serde_json::Value| {
        item["terminal"].as_str().is_some_and(|id| id.starts_with(&town[..9]))
    };
    ensure!(items.len() == 1 && items.iter().all(in_town), "{scheme} {code}: {listed}");
    // Its end, so that the next one stands alone.
    let end = json!({ "reason": "更换下一条" });
    let reply = rig.commander.send(Method::POST, &format!("{path}/withdraw"), Some(&end)).await?;
    reply.ok()?;
    Ok(())
}

async fn asked(rig: &Rig, scheme: &str, code: &str, name: &str) -> anyhow::Result<()> {
    let taken = bulletin(scheme, code)?.hand_in(&rig.service()?).await?.ok()?;
    ensure!(taken["outcome"] == "draft", "{name} {code} under {scheme:?} issued itself: {taken}");
    let questions = taken["asked"].as_array().cloned().unwrap_or_default();
    let question = questions.iter().find(|asked| asked["rule"] == "region-ambiguous");
    let words = question.map(ToString::to_string).unwrap_or_default();
    ensure!(words.contains(code), "{name} is not asked about under {scheme:?}: {taken}");
    let path = format!("/api/v1/alerts/{}/submit", text(&taken, "alert")?);
    let reply = rig.composer.send(Method::POST, &path, Some(&json!({}))).await?;
    crate::cases::expect_problem(&reply, 422, "submitted with an open question")
}
