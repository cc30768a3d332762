//! CAP over HTTP: drafts, replays, tampering, refusals, questions.

use anyhow::{Context as _, ensure};
use tests::harness::api::Reply;
use tests::harness::bulletin::Bulletin;

use crate::cases::{Rig, expect_problem};

async fn submit(rig: &Rig, text: &str) -> anyhow::Result<Reply> {
    let body = text.as_bytes().to_vec();
    rig.service()?.post_raw("/api/v1/cap", "application/cap+xml", body).await
}

pub(crate) async fn a_message_becomes_a_draft_and_its_twin_is_known(
    rig: &Rig,
) -> anyhow::Result<()> {
    let message = Bulletin::typhoon("suite-twin")?;
    let text = message.text();
    let nobody = rig.city.anonymous()?;
    let reply = nobody.post_raw("/api/v1/cap", "application/cap+xml", text.as_bytes().to_vec());
    expect_problem(&reply.await?, 401, "a message from nobody")?;
    let first = submit(rig, text).await?.ok()?;
    ensure!(first["outcome"] == "draft", "{first}");
    let alert = first["alert"].as_str().context("it became an alert")?;
    let draft = rig.composer.get(&format!("/api/v1/alerts/{alert}")).await?;
    ensure!(draft["content"]["color"] == "red", "{draft}");
    ensure!(draft["origin"].as_str().is_some_and(|o| o.starts_with("cap:")), "{draft}");
    let second = submit(rig, text).await?;
    ensure!(second.status == 200, "a twin: {}", second.status);
    ensure!(second.body["alert"] == first["alert"], "{}", second.body);
    let tampered = text.replace("14级", "17级");
    ensure!(tampered != *text, "the fixture's words were not found");
    expect_problem(&submit(rig, &tampered).await?, 409, "the same key with other content")
}

pub(crate) async fn a_hostile_or_unplaced_message_is_refused_aloud(
    rig: &Rig,
) -> anyhow::Result<()> {
    let message = Bulletin::typhoon("suite-refused")?;
    let text = message.text();
    let entity = text.replacen("?>", "?><!DOCTYPE alert [<!ENTITY a \"b\">]>", 1);
    let reply = submit(rig, &entity).await?;
    ensure!(reply.status.is_client_error(), "a DOCTYPE: {}", reply.status);
    let begin = text.find("<area>").context("areas")?;
    let end = text.find("</info>").context("an info")?;
    let rest = &text[end + "</info>".len()..];
    let root_end = rest.find("</alert>").context("an end")?;
    let unplaced = format!("{}</info>{}", &text[..begin], &rest[root_end..]);
    let reply = submit(rig, &unplaced).await?;
    let is_loud = reply.status.is_client_error()
        || reply.body["asked"].as_array().is_some_and(|asked| !asked.is_empty());
    ensure!(is_loud, "no area: {} {}", reply.status, reply.body);
    let huge = "x".repeat(3 * 1024 * 1024);
    let reply = submit(rig, &huge).await?;
    ensure!(reply.status.is_client_error(), "3 MiB: {}", reply.status);
    Ok(())
}
