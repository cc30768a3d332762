//! The life of an alert, as officers live it.

use anyhow::{Context as _, ensure};
use reqwest::Method;
use serde_json::{Value, json};
use tests::harness::api::{Api, Reply, fresh_key};
use tests::harness::city::{CITY, text};

use crate::cases::{Rig, TOWN, content, expect_problem};

/// What makes a content bad.
type Spoil = fn(&mut Value);

async fn draft(api: &Api, region: &str, content: &Value) -> anyhow::Result<String> {
    let made = api.post("/api/v1/alerts", &json!({ "region": region, "content": content })).await?;
    Ok(format!("/api/v1/alerts/{}", text(&made, "id")?))
}

async fn approve(api: &Api, path: &str) -> anyhow::Result<Reply> {
    let shown = api.get(path).await?;
    let approval = json!({ "digest": text(&shown, "digest")?, "reason": "同意" });
    api.send(Method::POST, &format!("{path}/approve"), Some(&approval)).await
}

async fn press(api: &Api, path: &str, verb: &str) -> anyhow::Result<Reply> {
    api.send(Method::POST, &format!("{path}/{verb}"), Some(&json!({}))).await
}

pub(crate) async fn one_officer_issues_blue_in_one_town(rig: &Rig) -> anyhow::Result<()> {
    let path = draft(&rig.composer, TOWN, &content("blue", TOWN)).await?;
    press(&rig.composer, &path, "submit").await?.ok()?;
    let issued = press(&rig.composer, &path, "issue").await?.ok()?;
    ensure!(issued["state"] == "issued", "{issued}");
    let again = press(&rig.composer, &path, "issue").await?;
    expect_problem(&again, 409, "issuing twice")?;
    let deliveries = rig.composer.get(&format!("{path}/deliveries")).await?;
    ensure!(deliveries["coverage"]["targeted"] == 1, "one terminal is meant: {deliveries}");
    let cap = issued["issued"]["cap_digest"].as_str().context("an issue has a CAP document")?;
    let document = rig.city.anonymous()?;
    let document =
        document.send(Method::GET, &format!("/api/v1/cap-documents/{cap}"), None).await?;
    let xml = String::from_utf8_lossy(&document.bytes).into_owned();
    ensure!(document.status.is_success() && xml.contains(TOWN), "{}: {xml}", document.status);
    Ok(())
}

pub(crate) async fn red_takes_an_approver_who_is_no_author(rig: &Rig) -> anyhow::Result<()> {
    let path = draft(&rig.composer, TOWN, &content("red", TOWN)).await?;
    press(&rig.composer, &path, "submit").await?.ok()?;
    let early = press(&rig.composer, &path, "issue").await?;
    ensure!(early.status.is_client_error(), "issued without approval: {}", early.status);
    let own = approve(&rig.composer, &path).await?;
    ensure!(own.status.is_client_error(), "a composer approved: {}", own.status);
    approve(&rig.approver, &path).await?.ok()?;
    let issued = press(&rig.composer, &path, "issue").await?.ok()?;
    ensure!(issued["state"] == "issued", "{issued}");
    Ok(())
}

pub(crate) async fn two_districts_take_two_approvers(rig: &Rig) -> anyhow::Result<()> {
    let mut wide = content("blue", TOWN);
    wide["area"]["regions"] = json!([TOWN, "350212105000"]);
    let path = draft(&rig.composer, CITY, &wide).await?;
    let submitted = press(&rig.composer, &path, "submit").await?.ok()?;
    ensure!(submitted["needed"] == "author_and_two", "{submitted}");
    approve(&rig.approver, &path).await?.ok()?;
    let early = press(&rig.composer, &path, "issue").await?;
    ensure!(early.status.is_client_error(), "issued with one approval: {}", early.status);
    let twice = approve(&rig.approver, &path).await?;
    ensure!(twice.status.is_client_error(), "one person counted twice: {}", twice.status);
    approve(&rig.commander, &path).await?.ok()?;
    press(&rig.composer, &path, "issue").await?.ok()?;
    Ok(())
}

pub(crate) async fn an_edit_voids_approvals(rig: &Rig) -> anyhow::Result<()> {
    let path = draft(&rig.composer, TOWN, &content("red", TOWN)).await?;
    press(&rig.composer, &path, "submit").await?.ok()?;
    let shown = rig.approver.get(&path).await?;
    approve(&rig.approver, &path).await?.ok()?;
    let before = rig.commander.send(Method::GET, &path, None).await?;
    let etag = before.etag.clone().context("an alert has an ETag")?;
    let mut changed = content("red", TOWN);
    changed["texts"][0]["instruction"] = json!("请到高处去");
    let edit = json!({ "content": changed });
    let missing = rig.commander.send(Method::PUT, &path, Some(&edit)).await?;
    expect_problem(&missing, 428, "an edit without If-Match")?;
    let headers = [("if-match", etag.as_str())];
    rig.commander.send_with(Method::PUT, &path, Some(&edit), &headers).await?.ok()?;
    let stale = rig.composer.send_with(Method::PUT, &path, Some(&edit), &headers).await?;
    expect_problem(&stale, 412, "an edit of what somebody else changed")?;
    let early = press(&rig.composer, &path, "issue").await?;
    ensure!(early.status.is_client_error(), "an approval survived an edit: {}", early.status);
    // What was shown before the edit can't be approved after it.
    let after = rig.composer.get(&path).await?;
    if after["state"] == "draft" {
        press(&rig.composer, &path, "submit").await?.ok()?;
    }
    let old = json!({ "digest": text(&shown, "digest")?, "reason": "同意" });
    let old = rig.approver.send(Method::POST, &format!("{path}/approve"), Some(&old)).await?;
    ensure!(old.status.is_client_error(), "an old digest was approved: {}", old.status);
    let by_editor = approve(&rig.commander, &path).await?;
    ensure!(by_editor.status.is_client_error(), "an editor approved: {}", by_editor.status);
    Ok(())
}

pub(crate) async fn the_same_request_twice_is_one(rig: &Rig) -> anyhow::Result<()> {
    let key = fresh_key();
    let headers = [("idempotency-key", key.as_str())];
    let body = json!({ "region": TOWN, "content": content("blue", TOWN) });
    let send = async |body: &Value| {
        rig.composer.send_with(Method::POST, "/api/v1/alerts", Some(body), &headers).await
    };
    let first = send(&body).await?.ok()?;
    let second = send(&body).await?.ok()?;
    ensure!(first["id"] == second["id"], "the same request made two alerts");
    let other = json!({ "region": TOWN, "content": content("yellow", TOWN) });
    expect_problem(&send(&other).await?, 422, "another body under the same key")
}

pub(crate) async fn bad_content_names_field_rule_and_reason(rig: &Rig) -> anyhow::Result<()> {
    let mut unknown = content("blue", TOWN);
    unknown["colour"] = json!("blue");
    let body = json!({ "region": TOWN, "content": unknown });
    let reply = rig.composer.send(Method::POST, "/api/v1/alerts", Some(&body)).await?;
    expect_problem(&reply, 400, "an unknown field")?;
    let breaks: [(&str, Spoil); 4] = [
        ("instruction", |c| c["texts"][0]["instruction"] = json!("")),
        ("text", |c| c["texts"][0]["description"] = json!("雨".repeat(500))),
        ("area", |c| c["area"] = json!({})),
        ("expires_at", |c| c["expires_at"] = json!("2099-01-01T00:00:00Z")),
    ];
    for (field, spoil) in breaks {
        let mut bad = content("blue", TOWN);
        spoil(&mut bad);
        let path = draft(&rig.composer, TOWN, &bad).await?;
        let reply = press(&rig.composer, &path, "submit").await?;
        expect_problem(&reply, 422, field)?;
        let errors = reply.body["errors"].as_array().context("errors")?;
        ensure!(
            errors.iter().any(|e| e["pointer"].as_str().is_some_and(|p| p.contains(field))),
            "{field} is not named: {errors:?}"
        );
        let after = rig.composer.get(&path).await?;
        ensure!(after["state"] == "draft", "a refused submit left {after}");
    }
    Ok(())
}

pub(crate) async fn an_override_acts_at_once_and_waits_for_its_countersign(
    rig: &Rig,
) -> anyhow::Result<()> {
    let path = draft(&rig.composer, TOWN, &content("red", TOWN)).await?;
    let reason = json!({ "reason": "山洪已到村口" });
    let issued =
        rig.composer.send(Method::POST, &format!("{path}/emergency"), Some(&reason)).await?;
    let issued = issued.ok()?;
    ensure!(issued["issued"]["grounds"] == "emergency", "{issued}");
    let countersign = format!("{path}/countersign");
    let own = rig.composer.send(Method::POST, &countersign, None).await?;
    expect_problem(&own, 403, "countersigned by who composed it")?;
    let strange = rig.commander.send(Method::POST, &countersign, Some(&reason)).await?;
    expect_problem(&strange, 400, "a body where none is taken")?;
    ensure!(strange.body["errors"][0]["pointer"] == "/reason", "{}", strange.body);
    ensure!(strange.body["errors"][0]["slug"] == "unknown-field", "{}", strange.body);
    let signed = rig.commander.send(Method::POST, &countersign, None).await?.ok()?;
    let by = &signed["issued"]["emergency"]["countersigned_by"];
    ensure!(by.is_string(), "{signed}");
    Ok(())
}

pub(crate) async fn hostile_bodies_are_refused_by_name_and_leave_nothing(
    rig: &Rig,
) -> anyhow::Result<()> {
    let path = draft(&rig.composer, TOWN, &content("blue", TOWN)).await?;
    let before = rig.composer.get(&path).await?;
    let huge = format!(r#"{{"reason":"{}"}}"#, "x".repeat(10_000_000)).into_bytes();
    let deep = [b"[".repeat(20_000), b"]".repeat(20_000)].concat();
    let bodies: [(&str, Vec<u8>, u16, &str); 7] = [
        ("ten megabytes", huge, 413, "too-large"),
        ("deep", deep, 400, ""),
        ("not a number", br#"{"reason":NaN}"#.to_vec(), 400, "not-json"),
        ("a NUL", br#"{"reason":"\u0000"}"#.to_vec(), 400, "nul-character"),
        ("no text", b"{\"reason\":\"\xff\"}".to_vec(), 400, "not-json"),
        ("a list", b"[]".to_vec(), 400, ""),
        ("a word", br#"{"reason":"x","because":"y"}"#.to_vec(), 400, "unknown-field"),
    ];
    for (what, body, status, slug) in bodies {
        for verb in ["emergency", "lift", "withdraw", "reject"] {
            let to = format!("{path}/{verb}");
            let reply = rig.composer.post_raw(&to, "application/json", body.clone()).await;
            let reply = reply.with_context(|| format!("{what} to {verb}"))?;
            expect_problem(&reply, status, what)?;
            let found = reply.body["errors"][0]["slug"].as_str().unwrap_or_default();
            ensure!(!found.is_empty() && (slug.is_empty() || found == slug), "{what}: {found}");
        }
    }
    let long = json!({ "reason": "长".repeat(400) });
    let reply = rig.composer.send(Method::POST, &format!("{path}/emergency"), Some(&long)).await?;
    expect_problem(&reply, 422, "a reason without end")?;
    ensure!(reply.body["errors"][0]["pointer"] == "/reason", "{}", reply.body);
    ensure!(rig.composer.get(&path).await? == before, "a refusal changed the draft");
    Ok(())
}

pub(crate) async fn three_ends_have_three_texts(rig: &Rig) -> anyhow::Result<()> {
    let path = draft(&rig.composer, TOWN, &content("blue", TOWN)).await?;
    press(&rig.composer, &path, "submit").await?.ok()?;
    let issued = press(&rig.composer, &path, "issue").await?.ok()?;
    let closures = issued["closures"].as_object().context("closures are ready at issue")?;
    let said = |how: &str| closures.get(how).map(ToString::to_string);
    let (lifted, withdrawn, expired) = (said("lifted"), said("withdrawn"), said("expired"));
    ensure!(
        lifted.is_some() && lifted != withdrawn && withdrawn != expired && lifted != expired,
        "{closures:?}"
    );
    let reason = json!({ "reason": "雨已停" });
    let closed = rig.composer.post(&format!("{path}/lift"), &reason).await?;
    ensure!(closed["state"] == "closed" && closed["closed"]["how"] == "lifted", "{closed}");
    let again = rig.composer.send(Method::POST, &format!("{path}/withdraw"), Some(&reason)).await?;
    expect_problem(&again, 409, "a second end")
}
