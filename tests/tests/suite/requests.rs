//! One request, one effect: keys across a restart, versions, pages.

use std::collections::BTreeSet;

use anyhow::{Context as _, ensure};
use reqwest::Method;
use serde_json::{Value, json};
use tests::harness::api::fresh_key;
use tests::harness::city::text;

use crate::cases::{Rig, TOWN, content, expect_problem};

pub(crate) async fn a_key_keeps_its_answer_over_a_pulled_plug(rig: &mut Rig) -> anyhow::Result<()> {
    let (key, stop_key) = (fresh_key(), fresh_key());
    let body = json!({ "region": TOWN, "content": content("blue", TOWN) });
    let stop = json!({ "region": TOWN, "reason": "先停" });
    let send = async |rig: &Rig, path: &str, key: &str, body: &Value| {
        let headers = [("idempotency-key", key)];
        rig.composer.send_with(Method::POST, path, Some(body), &headers).await
    };
    let first = send(rig, "/api/v1/alerts", &key, &body).await?;
    let stopped = send(rig, "/api/v1/stops", &stop_key, &stop).await?;
    ensure!(first.status == 201 && stopped.status == 201, "{} {}", first.status, stopped.status);
    rig.city.kill()?;
    rig.city.start().await.context("after the plug")?;
    for (path, key, body, before) in
        [("/api/v1/alerts", &key, &body, &first), ("/api/v1/stops", &stop_key, &stop, &stopped)]
    {
        let again = send(rig, path, key, body).await?;
        ensure!(again.status == before.status, "{path}: {}", again.status);
        ensure!(again.bytes == before.bytes, "{path}: another answer: {}", again.body);
        let mut other = body.clone();
        other["region"] = json!("350211103000");
        let refused = send(rig, path, key, &other).await?;
        expect_problem(&refused, 422, "another body under a key of before the plug")?;
        ensure!(refused.problem() == "idempotency-key-reused", "{}", refused.body);
    }
    // The same words of another person are another request.
    let headers = [("idempotency-key", key.as_str())];
    let path = "/api/v1/alerts";
    let other = rig.commander.send_with(Method::POST, path, Some(&body), &headers).await?.ok()?;
    ensure!(other["id"] != first.body["id"], "{other}");
    let missing = rig.composer.client().post(format!("{}{path}", rig.city.url)).json(&body);
    let missing = missing.bearer_auth(rig.composer.bearer().context("logged in")?).send().await?;
    ensure!(missing.status() == 428, "without a key: {}", missing.status());
    let lift = format!("/api/v1/stops/{}/lift", text(&stopped.body, "id")?);
    rig.composer.post(&lift, &json!({})).await?;
    Ok(())
}

pub(crate) async fn an_edit_names_the_version_it_was_made_from(rig: &Rig) -> anyhow::Result<()> {
    let body = json!({ "region": TOWN, "content": content("blue", TOWN) });
    let made = rig.composer.post("/api/v1/alerts", &body).await?;
    let path = format!("/api/v1/alerts/{}", text(&made, "id")?);
    let read = rig.composer.send(Method::GET, &path, None).await?;
    let etag = read.etag.clone().context("an alert has an ETag")?;
    let mut changed = content("blue", TOWN);
    changed["texts"][0]["description"] = json!("明晚有暴雨");
    let edit = json!({ "content": changed });
    let with = async |tag: &str| {
        let headers = [("if-match", tag)];
        rig.composer.send_with(Method::PUT, &path, Some(&edit), &headers).await
    };
    expect_problem(&with("\"999\"").await?, 412, "a version that is not there yet")?;
    expect_problem(&with("\"x\"").await?, 412, "no version at all")?;
    let edited = with(&etag).await?;
    let next = edited.etag.clone().context("an edit answers with the new ETag")?;
    ensure!(edited.status == 200 && next != etag, "{} {next}", edited.status);
    expect_problem(&with(&etag).await?, 412, "the version before the edit")?;
    let now = rig.composer.send(Method::GET, &path, None).await?;
    ensure!(now.etag.as_deref() == Some(&next), "{:?} is not {next}", now.etag);
    ensure!(now.body["content"]["texts"][0]["description"] == "明晚有暴雨", "{}", now.body);
    Ok(())
}

pub(crate) async fn pages_follow_each_other_without_gap_or_repeat(rig: &Rig) -> anyhow::Result<()> {
    let list = "/api/v1/alerts?state=draft";
    let all = rig.composer.get(&format!("{list}&limit=200")).await?;
    let all = ids(&all)?;
    ensure!(all.len() > 6, "there are drafts to page through: {}", all.len());
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = rig.composer.get(&format!("{list}&limit=3{cursor}")).await?;
        let found = ids(&page)?;
        ensure!((1..=3).contains(&found.len()), "{page}");
        seen.extend(found);
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
        if seen.len() == 3 {
            // One more draft, newer than all, does not move what follows.
            let body = json!({ "region": TOWN, "content": content("blue", TOWN) });
            rig.composer.post("/api/v1/alerts", &body).await?;
        }
    }
    ensure!(seen == all, "{seen:?} is not {all:?}");
    ensure!(seen.iter().collect::<BTreeSet<_>>().len() == seen.len(), "an alert came twice");

    let page = rig.composer.get(&format!("{list}&limit=1")).await?;
    let cursor = text(&page, "next_cursor")?;
    for (what, path) in [
        ("a cursor of other filters", format!("/api/v1/alerts?state=issued&cursor={cursor}")),
        ("no cursor", format!("{list}&cursor=AAAA")),
        ("a page of nothing", format!("{list}&limit=0")),
        ("a page of everything", format!("{list}&limit=201")),
        ("an unknown parameter", format!("{list}&offset=3")),
    ] {
        let reply = rig.composer.send(Method::GET, &path, None).await?;
        expect_problem(&reply, 400, what)?;
    }
    Ok(())
}

fn ids(page: &Value) -> anyhow::Result<Vec<String>> {
    let items = page["items"].as_array().context("a page has items")?;
    items.iter().map(|item| Ok(text(item, "id")?.to_owned())).collect()
}
