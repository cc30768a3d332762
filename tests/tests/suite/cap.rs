//! CAP over HTTP: drafts, replays, tampering, refusals, questions.

use anyhow::{Context as _, ensure};
use tests::harness::api::Reply;
use tests::harness::clock;

use crate::cases::{Rig, expect_problem};

const TYPHOON: &str = include_str!("../../../protocols/fixtures/cap/typhoon-red.xml");

/// The fixture with an identifier of its own, sent now.
fn message(identifier: &str) -> anyhow::Result<String> {
    let now = clock::now();
    let beijing = |at: jiff::Timestamp| {
        let zoned = at.to_zoned(jiff::tz::TimeZone::fixed(jiff::tz::offset(8)));
        zoned.strftime("%Y-%m-%dT%H:%M:%S+08:00").to_string()
    };
    let expires = now.checked_add(jiff::SignedDuration::from_hours(3)).context("in range")?;
    Ok(TYPHOON
        .replace("2026-08-15T09:00:00+08:00", &beijing(now))
        .replace("2026-08-15T12:00:00+08:00", &beijing(expires))
        .replace("20260815T090000-1", identifier))
}

async fn submit(rig: &Rig, text: &str) -> anyhow::Result<Reply> {
    let service = rig.city.anonymous()?.bearing(&rig.token);
    service.post_raw("/api/v1/cap", "application/cap+xml", text.as_bytes().to_vec()).await
}

pub(crate) async fn a_message_becomes_a_draft_and_its_twin_is_known(
    rig: &Rig,
) -> anyhow::Result<()> {
    let text = message("suite-twin")?;
    let nobody = rig.city.anonymous()?;
    let reply = nobody.post_raw("/api/v1/cap", "application/cap+xml", text.as_bytes().to_vec());
    expect_problem(&reply.await?, 401, "a message from nobody")?;
    let first = submit(rig, &text).await?.ok()?;
    ensure!(first["outcome"] == "draft", "{first}");
    let alert = first["alert"].as_str().context("it became an alert")?;
    let draft = rig.composer.get(&format!("/api/v1/alerts/{alert}")).await?;
    ensure!(draft["content"]["color"] == "red", "{draft}");
    ensure!(draft["origin"].as_str().is_some_and(|o| o.starts_with("cap:")), "{draft}");
    let second = submit(rig, &text).await?;
    ensure!(second.status == 200, "a twin: {}", second.status);
    ensure!(second.body["alert"] == first["alert"], "{}", second.body);
    let tampered = text.replace("14级", "17级");
    ensure!(tampered != text, "the fixture's words were not found");
    expect_problem(&submit(rig, &tampered).await?, 409, "the same key with other content")
}

pub(crate) async fn a_hostile_or_unplaced_message_is_refused_aloud(
    rig: &Rig,
) -> anyhow::Result<()> {
    let text = message("suite-refused")?;
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

pub(crate) async fn a_code_of_two_meanings_is_asked(rig: &Rig) -> anyhow::Result<()> {
    let text = message("suite-swap")?
        .replace("<valueName>NBS</valueName>", "<valueName>areaCode</valueName>")
        .replace("350212105000", "350213003000");
    let reply = submit(rig, &text).await?;
    let asked = reply.body["asked"].as_array().map_or(0, Vec::len);
    ensure!(
        reply.status.is_client_error() || asked > 0,
        "350213003 without a scheme is asked: {} {}",
        reply.status,
        reply.body
    );
    ensure!(reply.body["outcome"] != "issued", "never issued by itself");
    Ok(())
}
