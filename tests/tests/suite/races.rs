//! Two at once, over HTTP, beside a command that writes to the same database: one wins, the other
//! is told why not, and each winner has exactly one order.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context as _, ensure};
use futures::{StreamExt as _, TryStreamExt as _};
use reqwest::Method;
use serde_json::{Value, json};
use tests::harness::api::{Api, Reply};
use tests::harness::city::{CITY, City, CityOptions, text};
use tests::harness::postgres::Postgres;
use tests::harness::village::Village;

use crate::cases::{TOWN, VILLAGE, content, expect_problem};
use crate::database::Database;

/// Races of each kind.
const RACES: usize = 200;

/// Races that run at the same time: every connection of the dispatcher's pool, twice.
const AT_ONCE: usize = 16;

/// Terminals that the command plans at most: a village has 1,024 numbers.
const PLANNED_MAX: u32 = 500;

struct Track {
    city: City,
    composer: Api,
    approver: Api,
    commander: Api,
    database: Database,
}

impl Track {
    async fn build(folder: PathBuf, database_url: Option<String>) -> anyhow::Result<Self> {
        let options = CityOptions { database_url, ..CityOptions::default() };
        let mut city = City::prepare(&folder, &options)?;
        let composer = city.officer("composer", "composer", CITY)?;
        let approver = city.officer("approver", "approver", CITY)?;
        let commander = city.officer("commander", "commander", CITY)?;
        city.start().await?;
        let code = city.enrolment_code(VILLAGE, None)?;
        Village::enrol(&folder.join(VILLAGE), VILLAGE, &code)?;
        Ok(Self {
            composer: city.log_in(&composer).await?,
            approver: city.log_in(&approver).await?,
            commander: city.log_in(&commander).await?,
            database: Database::open(&city.database_url).await?,
            city,
        })
    }

    async fn submitted(&self, color: &str) -> anyhow::Result<String> {
        let body = json!({ "region": TOWN, "content": content(color, TOWN) });
        let made = self.composer.post("/api/v1/alerts", &body).await?;
        let path = format!("/api/v1/alerts/{}", text(&made, "id")?);
        self.composer.post(&format!("{path}/submit"), &json!({})).await?;
        Ok(path)
    }

    async fn issued(&self) -> anyhow::Result<String> {
        let path = self.submitted("blue").await?;
        issue(&self.composer, &path).await?.ok()?;
        Ok(path)
    }

    /// Orders of an alert with this purpose.
    async fn orders(&self, path: &str, purpose: &str) -> anyhow::Result<usize> {
        let alert = path.rsplit('/').next().context("an id")?;
        let select = format!(
            "select cast(count(*) as text) from orders \
             where alert = '{alert}' and purpose = '{purpose}'"
        );
        Ok(self.database.text(&select).await?.parse()?)
    }

    async fn state(&self, path: &str) -> anyhow::Result<Value> {
        self.composer.get(path).await
    }
}

async fn press(api: &Api, path: &str, verb: &str, body: &Value) -> anyhow::Result<Reply> {
    api.send(Method::POST, &format!("{path}/{verb}"), Some(body)).await
}

async fn issue(api: &Api, path: &str) -> anyhow::Result<Reply> {
    press(api, path, "issue", &json!({})).await
}

async fn approve(api: &Api, path: &str, digest: &str) -> anyhow::Result<Reply> {
    press(api, path, "approve", &json!({ "digest": digest, "reason": "同意" })).await
}

/// Whether the first one won. Fails unless exactly one did and the other is a problem that says
/// that somebody was first.
fn one_winner(what: &str, replies: [&Reply; 2]) -> anyhow::Result<bool> {
    let wins = replies.map(|reply| reply.status.is_success());
    ensure!(
        wins[0] != wins[1],
        "{what}: {} {} and {} {}",
        replies[0].status,
        replies[0].body,
        replies[1].status,
        replies[1].body
    );
    let loser = if wins[0] { replies[1] } else { replies[0] };
    is_late(what, loser)?;
    Ok(wins[0])
}

fn is_late(what: &str, loser: &Reply) -> anyhow::Result<()> {
    let status = loser.status.as_u16();
    ensure!([409, 412, 422].contains(&status), "{what}: {status} {}", loser.body);
    expect_problem(loser, status, what)
}

/// One person presses twice; two persons who approve are two approvals.
async fn approve_and_approve(track: &Track) -> anyhow::Result<()> {
    let path = track.submitted("red").await?;
    let shown = track.state(&path).await?;
    let digest = text(&shown, "digest")?;
    let (one, two) = tokio::join!(
        approve(&track.approver, &path, digest),
        approve(&track.approver, &path, digest)
    );
    one_winner("approve and approve", [&one?, &two?])?;
    let after = track.state(&path).await?;
    let approvals = after["approvals"].as_array().map_or(0, Vec::len);
    ensure!(after["state"] == "approved" && approvals == 1, "{after}");
    issue(&track.composer, &path).await?.ok()?;
    ensure!(track.orders(&path, "alert").await? == 1, "one order for {path}");
    Ok(())
}

async fn approve_and_edit(track: &Track) -> anyhow::Result<()> {
    let path = track.submitted("red").await?;
    let shown = track.composer.send(Method::GET, &path, None).await?;
    let etag = shown.etag.clone().context("an alert has an ETag")?;
    let digest = text(&shown.body, "digest")?;
    let mut changed = content("red", TOWN);
    changed["texts"][0]["description"] = json!("明晚有暴雨");
    let edit = json!({ "content": changed });
    let headers = [("if-match", etag.as_str())];
    let (approved, edited) = tokio::join!(
        approve(&track.approver, &path, digest),
        track.composer.send_with(Method::PUT, &path, Some(&edit), &headers)
    );
    let is_approved = one_winner("approve and edit", [&approved?, &edited?])?;
    let issued = issue(&track.composer, &path).await?;
    ensure!(issued.status.is_success() == is_approved, "{}: {}", issued.status, issued.body);
    let orders = track.orders(&path, "alert").await?;
    ensure!(orders == usize::from(is_approved), "{orders} orders, approved: {is_approved}");
    Ok(())
}

async fn issue_and_take_back(track: &Track) -> anyhow::Result<()> {
    let path = track.submitted("blue").await?;
    let nothing = json!({});
    let (issued, taken) = tokio::join!(
        issue(&track.composer, &path),
        press(&track.composer, &path, "take_back", &nothing)
    );
    let is_issued = one_winner("issue and take back", [&issued?, &taken?])?;
    let orders = track.orders(&path, "alert").await?;
    ensure!(orders == usize::from(is_issued), "{orders} orders, issued: {is_issued}");
    Ok(())
}

/// A withdrawal that comes before the issue is too early; after it, it ends the alert.
async fn issue_and_withdraw(track: &Track) -> anyhow::Result<()> {
    let path = track.submitted("blue").await?;
    let reason = json!({ "reason": "误发" });
    let (issued, withdrawn) = tokio::join!(
        issue(&track.composer, &path),
        press(&track.commander, &path, "withdraw", &reason)
    );
    let (issued, withdrawn) = (issued?, withdrawn?);
    ensure!(issued.status.is_success(), "{}: {}", issued.status, issued.body);
    let is_withdrawn = withdrawn.status.is_success();
    if !is_withdrawn {
        is_late("a withdrawal before the issue", &withdrawn)?;
    }
    let after = track.state(&path).await?;
    let expected = if is_withdrawn { "closed" } else { "issued" };
    ensure!(after["state"] == expected, "{expected} is not {after}");
    ensure!(track.orders(&path, "alert").await? == 1, "one order for {path}");
    let ends = track.orders(&path, "withdrawn").await?;
    ensure!(ends == usize::from(is_withdrawn), "{ends} ends, withdrawn: {is_withdrawn}");
    Ok(())
}

/// Withdrawn first, the update is refused; updated first, the withdrawal ends the update.
async fn update_and_withdraw(track: &Track) -> anyhow::Result<()> {
    let path = track.issued().await?;
    let body = json!({ "content": content("blue", TOWN) });
    let next = press(&track.composer, &path, "update", &body).await?.ok()?;
    let next = format!("/api/v1/alerts/{}", text(&next, "id")?);
    press(&track.composer, &next, "submit", &json!({})).await?.ok()?;
    let reason = json!({ "reason": "误发" });
    let (updated, withdrawn) = tokio::join!(
        issue(&track.composer, &next),
        press(&track.commander, &path, "withdraw", &reason)
    );
    let (updated, withdrawn) = (updated?, withdrawn?);
    ensure!(withdrawn.status.is_success(), "{}: {}", withdrawn.status, withdrawn.body);
    let is_updated = updated.status.is_success();
    if !is_updated {
        is_late("an update of what was withdrawn", &updated)?;
    }
    for member in [&path, &next] {
        let state = track.state(member).await?;
        ensure!(state["state"] != "issued", "in force after its withdrawal: {state}");
    }
    let updates = track.orders(&next, "update").await?;
    ensure!(updates == usize::from(is_updated), "{updates} updates, updated: {is_updated}");
    let ends = track.orders(&path, "withdrawn").await? + track.orders(&next, "withdrawn").await?;
    ensure!(ends == 1, "{ends} ends");
    Ok(())
}

/// Runs `race` over and over, many at a time.
async fn run(
    what: &str,
    track: &Track,
    race: impl AsyncFn(&Track) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let races = futures::stream::iter(0..RACES).map(|_| race(track));
    races.buffer_unordered(AT_ONCE).try_collect::<()>().await.with_context(|| what.to_owned())
}

async fn play(folder: PathBuf, database_url: Option<String>) -> anyhow::Result<()> {
    let track = Track::build(folder, database_url).await?;
    // The words of all that follows are spoken once; afterwards a submit finds them.
    let first = track.issued().await?;
    press(&track.composer, &first, "withdraw", &json!({ "reason": "试录" })).await?.ok()?;
    let is_over = AtomicBool::new(false);
    let races = async {
        run("approve and approve", &track, approve_and_approve).await?;
        run("approve and edit", &track, approve_and_edit).await?;
        run("issue and take back", &track, issue_and_take_back).await?;
        run("issue and withdraw", &track, issue_and_withdraw).await?;
        run("update and withdraw", &track, update_and_withdraw).await?;
        is_over.store(true, Ordering::Relaxed);
        anyhow::Ok(())
    };
    // Another process that writes: an operator plans terminals, one after the other.
    let command = async {
        let mut planned = 0;
        while !is_over.load(Ordering::Relaxed) && planned < PLANNED_MAX {
            let mut enrol = track.city.command(&["terminal", "enrol", "--village", VILLAGE]);
            let run = tokio::task::spawn_blocking(move || tests::harness::process::run(&mut enrol));
            run.await.context("the command runs")??;
            planned += 1;
        }
        ensure!(planned > 0, "the command never ran");
        anyhow::Ok(())
    };
    futures::future::try_join(races, command).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_at_once_one_wins_on_sqlite() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    play(folder.path().to_owned(), None).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_at_once_one_wins_on_postgresql() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let server = Postgres::start(folder.path()).await?;
    play(folder.path().to_owned(), Some(server.database("city")?)).await
}
