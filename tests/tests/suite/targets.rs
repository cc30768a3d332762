//! Who is meant: the preview that names the silent ones, targets that are nobody, pseudo-units.

use anyhow::{Context as _, ensure};
use reqwest::Method;
use serde_json::{Value, json};
use tests::harness::city::text;

use crate::cases::{Rig, TOWN, VILLAGE, content, expect_problem};

async fn draft(rig: &Rig, region: &str, area: Value) -> anyhow::Result<String> {
    let mut content = content("blue", TOWN);
    content["area"] = area;
    let body = json!({ "region": region, "content": content });
    let made = rig.composer.post("/api/v1/alerts", &body).await?;
    Ok(format!("/api/v1/alerts/{}", text(&made, "id")?))
}

/// Preview and submit give the same refusal, under the same field and rule.
async fn expect_refused(rig: &Rig, area: Value, rule: &str) -> anyhow::Result<()> {
    let what = area.to_string();
    let path = draft(rig, tests::harness::city::CITY, area).await?;
    let preview = rig.composer.send(Method::GET, &format!("{path}/preview"), None).await?;
    let submit =
        rig.composer.send(Method::POST, &format!("{path}/submit"), Some(&json!({}))).await?;
    for reply in [&preview, &submit] {
        expect_problem(reply, 422, &what)?;
        let errors = reply.body["errors"].as_array().cloned().unwrap_or_default();
        let names = |error: &Value| {
            let pointer = error["pointer"].as_str().unwrap_or_default();
            pointer.contains("area") && error["slug"].as_str() == Some(rule)
        };
        ensure!(errors.iter().any(names), "{what}: {rule} is not in {errors:?}");
    }
    let after = rig.composer.get(&path).await?;
    ensure!(after["state"] == "draft", "{what}: a refusal left {after}");
    Ok(())
}

pub(crate) async fn a_preview_names_who_would_stay_silent(rig: &Rig) -> anyhow::Result<()> {
    let path = draft(rig, TOWN, json!({ "regions": [TOWN] })).await?;
    let preview = rig.composer.get(&format!("{path}/preview")).await?;
    ensure!(preview["terminals"] == 1 && preview["silent"] == 1, "{preview}");
    let silent = &preview["silent_terminals"][0];
    // Enrolled and never switched on.
    let id = silent["terminal"].as_str().context("a silent terminal has a name")?;
    ensure!(id.starts_with(VILLAGE) && silent["liveness"] != "online", "{preview}");
    let villages = json!([{ "region": VILLAGE, "terminals": 1, "silent": 1 }]);
    ensure!(preview["villages"] == villages, "{preview}");
    ensure!(preview["needed"] == "one" && preview["topics"] == json!([TOWN]), "{preview}");
    let spoken = preview["spoken"][0]["text"].as_str().unwrap_or_default();
    ensure!(spoken.contains("请留在室内"), "{preview}");
    let after = rig.composer.get(&path).await?;
    ensure!(after["state"] == "draft", "a preview changes nothing: {after}");
    Ok(())
}

pub(crate) async fn nobody_is_never_everybody(rig: &Rig) -> anyhow::Result<()> {
    // 中华街道: no loudspeaker stands there.
    let without = json!({ "regions": ["350203003000"] });
    expect_refused(rig, without, "area-without-terminal").await?;
    let at_sea = json!([
        { "lat": 24.30, "lon": 118.30 },
        { "lat": 24.30, "lon": 118.31 },
        { "lat": 24.31, "lon": 118.31 },
    ]);
    let reply = draft(rig, TOWN, json!({ "polygons": [at_sea] })).await?;
    let reply = rig.composer.send(Method::GET, &format!("{reply}/preview"), None).await?;
    expect_problem(&reply, 422, "a polygon at sea")?;
    let emptied = json!({ "regions": [TOWN], "excluded": [TOWN] });
    let path = draft(rig, TOWN, emptied).await?;
    let reply =
        rig.composer.send(Method::POST, &format!("{path}/submit"), Some(&json!({}))).await?;
    expect_problem(&reply, 422, "a town minus itself")
}

pub(crate) async fn no_pseudo_unit_is_a_target(rig: &Rig) -> anyhow::Result<()> {
    let mut listed = Vec::new();
    let mut cursor = String::new();
    loop {
        let path = format!("/api/v1/regions?limit=200{cursor}");
        let page = rig.viewer.get(&path).await?;
        listed.extend(page["items"].as_array().cloned().context("a page of regions")?);
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    let of_level = |level: &str, is_target: bool| {
        let is_wanted =
            |r: &&Value| r["level"] == level && r["is_target"].as_bool() == Some(is_target);
        let found = listed.iter().filter(is_wanted);
        found.filter_map(|r| r["code"].as_str().map(str::to_owned)).collect::<Vec<_>>()
    };
    ensure!(of_level("village", true).len() == 546, "villages of the bureau");
    let pseudo = of_level("village", false);
    ensure!(pseudo.len() == 9, "pseudo-units: {pseudo:?}");
    for code in pseudo.into_iter().chain(of_level("town", false)) {
        expect_refused(rig, json!({ "regions": [code] }), "region-pseudo-unit").await?;
    }
    Ok(())
}
