//! Backup and restore by command, with real processes: while the city serves, after it was killed,
//! from a damaged file, on both engines; and a loudspeaker that goes on afterwards.

use std::path::Path;
use std::process::Output;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use dispatcher::store::Db;
use serde_json::{Value, json};
use tests::harness::api::Api;
use tests::harness::city::{CITY, City, CityOptions, text};
use tests::harness::clock;
use tests::harness::village::{Card, Village};

use crate::{TURN, postgres};

/// 灌口镇 坑内村.
const VILLAGE: &str = "350211102201";
const TOWN: &str = "350211102000";

const DEADLINE: Duration = Duration::from_mins(1);

fn ended(output: &Output) -> (Option<i32>, String) {
    let said = [&output.stdout[..], &output.stderr[..]].concat();
    (output.status.code(), String::from_utf8_lossy(&said).into_owned())
}

fn run(city: &City, words: &[&str]) -> anyhow::Result<(Option<i32>, String)> {
    Ok(ended(&city.command(words).output().context("run the dispatcher")?))
}

/// What `audit verify --json` says.
fn verified(city: &City) -> anyhow::Result<(Option<i32>, Value)> {
    let output = city.command(&["audit", "verify", "--json"]).output()?;
    let value = serde_json::from_slice(&output.stdout).with_context(|| ended(&output).1)?;
    Ok((output.status.code(), value))
}

fn body() -> Value {
    let content = json!({
        "kind": "actual",
        "color": "yellow",
        "event": "11B03",
        "texts": [{
            "language": "zh-CN",
            "headline": "暴雨黄色预警",
            "description": "今晚有暴雨",
            "instruction": "请远离河道",
        }],
        "area": { "regions": [TOWN] },
        "repeats": { "times": 1, "interval_s": 0 },
    });
    json!({ "region": TOWN, "content": content })
}

async fn warn(officer: &Api) -> anyhow::Result<String> {
    let made = officer.post("/api/v1/alerts", &body()).await?;
    let id = text(&made, "id")?.to_owned();
    officer.post(&format!("/api/v1/alerts/{id}/submit"), &json!({})).await?;
    officer.post(&format!("/api/v1/alerts/{id}/issue"), &json!({})).await?;
    Ok(id)
}

/// The terminal believed the alert and would have sounded it, had it a sound card.
async fn believed(officer: &Api, alert: &str) -> anyhow::Result<Value> {
    let path = format!("/api/v1/alerts/{alert}/deliveries");
    clock::eventually("the node takes the alert for its own", DEADLINE, async || {
        let listed = officer.get(&path).await?;
        let delivery = listed["items"][0].clone();
        let is_over = ["failed", "refused"].iter().any(|state| delivery["state"] == *state);
        Ok(is_over.then_some(delivery))
    })
    .await
}

/// Epoch and number of the orders of an alert, as they stand in the database.
async fn sequences(url: &str, alert: &str) -> anyhow::Result<Vec<(i64, i64)>> {
    let db = Db::connect(url, 1).await?;
    let sql = "/* test */ select epoch, number from orders where alert = $1";
    let mut read = db.read().await?;
    let rows = sqlx::query_as(sql).bind(alert).fetch_all(&mut *read).await?;
    drop(read);
    db.close().await;
    Ok(rows)
}

fn files(folder: &Path) -> anyhow::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_restore_orders_have_a_later_epoch_and_a_node_that_saw_more_goes_on()
-> anyhow::Result<()> {
    let _turn = TURN.lock().await;
    let folder = tempfile::tempdir()?;
    let mut city = City::prepare(folder.path(), &CityOptions::default())?;
    let [before, after] = ["before", "after"].map(|name| city.officer(name, "commander", CITY));
    let (before, after) = (before?, after?);
    city.start().await?;
    let officer = city.log_in(&before).await?;
    let place = folder.path().join(VILLAGE);
    let mut node = Village::enrol(&place, VILLAGE, &city.enrolment_code(VILLAGE, None)?)?;
    node.start(&Card::Absent)?;
    let first = warn(&officer).await?;
    ensure!(believed(&officer, &first).await?["reason"] == "no_audio_device");

    let backup = folder.path().join("city.backup");
    let out = backup.to_str().context("UTF-8")?.to_owned();
    backed_up_while_writing(&city, &officer, &out).await?;
    // What the backup does not know: the node saw number 2 of the stream.
    let second = warn(&officer).await?;
    ensure!(believed(&officer, &second).await?["reason"] == "no_audio_device");
    let (code, said) = run(&city, &["restore", "--from", &out, "--replace"])?;
    ensure!(
        code == Some(1) && said.contains("in use"),
        "a serving dispatcher is left alone: {said}"
    );
    city.kill()?;
    let (code, report) = verified(&city)?;
    ensure!(code == Some(0) && report["verdict"] == "whole", "after kill -9: {report}");

    let (code, said) = run(&city, &["restore", "--from", &out])?;
    ensure!(code == Some(1) && said.contains("--replace"), "{said}");
    let (code, said) = run(&city, &["restore", "--from", &out, "--replace"])?;
    ensure!(code == Some(0), "{said}");
    let kept = files(folder.path())?.into_iter().filter(|name| name.contains(".before-restore-"));
    ensure!(kept.count() == 1, "the old database is kept");
    let (code, report) = verified(&city)?;
    ensure!(code == Some(0) && report["epoch"].as_u64() > Some(1), "{report}");

    city.start().await?;
    let stale = officer.get("/api/v1/alerts").await;
    ensure!(stale.is_err(), "sessions of before are over");
    let officer = city.log_in(&after).await?;
    ensure!(officer.get(&format!("/api/v1/alerts/{second}")).await.is_err(), "it is forgotten");
    let third = warn(&officer).await?;
    let delivery = believed(&officer, &third).await?;
    ensure!(delivery["reason"] == "no_audio_device", "the node goes on: {delivery}");
    city.process()?.terminate().await?;
    let url = format!("sqlite:{}", folder.path().join("tongluo.db").display());
    let (old, new) = (sequences(&url, &first).await?, sequences(&url, &third).await?);
    ensure!(old == [(1, 1)] && new.len() == 1, "{old:?} {new:?}");
    ensure!(new[0].0 > 1_700_000_000 && new[0].1 == 1, "{new:?}");
    tampered_with(&city, &url).await
}

/// Twenty drafts are made while the copy is; each is answered.
async fn backed_up_while_writing(city: &City, officer: &Api, out: &str) -> anyhow::Result<()> {
    let writer = tokio::spawn({
        let officer = officer.clone();
        async move {
            for _ in 0..20 {
                officer.post("/api/v1/alerts", &body()).await?;
            }
            anyhow::Ok(())
        }
    });
    let mut command = city.command(&["backup", "--out", out]);
    let output = tokio::task::spawn_blocking(move || command.output()).await??;
    let (code, said) = ended(&output);
    ensure!(code == Some(0) && said.contains("not in it"), "{said}");
    writer.await??;
    let (code, said) = run(city, &["backup", "--out", out])?;
    ensure!(code == Some(1) && said.contains("exists"), "nothing is written over: {said}");
    Ok(())
}

/// An entry changed in the file is named by the command.
async fn tampered_with(city: &City, url: &str) -> anyhow::Result<()> {
    let db = Db::connect(url, 1).await?;
    let mut tx = db.begin().await?;
    let sql = "/* test */ update audit set object = 'x' where seq = 3";
    sqlx::raw_sql(sql).execute(&mut *tx).await?;
    tx.commit().await?;
    db.close().await;
    let (code, report) = verified(city)?;
    let fault = &report["faults"][0];
    ensure!(code == Some(1) && fault["kind"] == "entry_changed" && fault["entry"] == 3, "{report}");
    let (code, said) = run(city, &["audit", "verify"])?;
    ensure!(code == Some(1) && said.contains("entry 3 was changed"), "{said}");
    let mut command = city.command(&["audit", "verify", "--json"]);
    let output = command.env("TONGLUO__DATABASE__URL", "sqlite:nowhere/none.db").output()?;
    ensure!(ended(&output).0 == Some(2), "{}", ended(&output).1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_or_foreign_backup_is_refused_and_nothing_remains() -> anyhow::Result<()> {
    let _turn = TURN.lock().await;
    let folder = tempfile::tempdir()?;
    let city = City::prepare(folder.path(), &CityOptions::default())?;
    city.officer("lin", "commander", CITY)?;
    let backup = folder.path().join("city.backup");
    let out = backup.to_str().context("UTF-8")?;
    let (code, said) = run(&city, &["backup", "--out", out])?;
    ensure!(code == Some(0), "{said}");
    let good = std::fs::read(&backup)?;
    let target = folder.path().join("new");
    let restore = |from: &Path, region: Option<&Path>| -> anyhow::Result<(Option<i32>, String)> {
        let mut command = city.command(&["restore", "--from"]);
        command.arg(from);
        let url = format!("sqlite:{}", target.join("tongluo.db").display());
        command.env("TONGLUO__DATABASE__URL", url);
        if let Some(keys) = region {
            command.env("TONGLUO__TRUST__CERTIFICATE_FILE", keys.join("dispatcher.cert"));
        }
        Ok(ended(&command.output()?))
    };
    let bad = folder.path().join("bad.backup");
    let middle = good.len() / 2;
    let flipped = [&good[..middle], &[good[middle] ^ 0x10], &good[middle + 1..]].concat();
    for bytes in [&flipped[..], &good[..good.len() - 1], &good[..40], b"", b"SQLite format 3\0"] {
        std::fs::write(&bad, bytes)?;
        let (code, said) = restore(&bad, None)?;
        ensure!(code == Some(1) && said.contains("--from"), "{said}");
        ensure!(!target.exists() || files(&target)?.is_empty(), "{:?}", files(&target)?);
    }
    // Another dispatcher, under the same root.
    let other = folder.path().join("other");
    let root = folder.path().join("roots").join("root-active.key");
    let mut command = city.command(&["key", "delegate", "--region", "350211000000", "--name", "x"]);
    let output = command.arg("--root").arg(root).arg("--out").arg(&other).output()?;
    ensure!(output.status.success(), "{}", ended(&output).1);
    let (code, said) = restore(&backup, Some(&other))?;
    ensure!(code == Some(1) && said.contains("350211000000"), "{said}");
    ensure!(!target.exists() || files(&target)?.is_empty());
    let (code, said) = restore(&backup, None)?;
    ensure!(code == Some(0), "the whole one is restored: {said}");
    ensure!(files(&target)? == ["tongluo.db"], "{:?}", files(&target)?);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_postgresql_a_backup_goes_into_an_empty_database_only() -> anyhow::Result<()> {
    let _turn = TURN.lock().await;
    let folder = tempfile::tempdir()?;
    let Some(server) = postgres(folder.path()).await else { return Ok(()) };
    let (old, new) = (server.database("old")?, server.database("new")?);
    let options = CityOptions { database_url: Some(old), ..CityOptions::default() };
    let mut city = City::prepare(folder.path(), &options)?;
    let [before, after] = ["before", "after"].map(|name| city.officer(name, "commander", CITY));
    let (before, after) = (before?, after?);
    city.start().await?;
    let officer = city.log_in(&before).await?;
    let place = folder.path().join(VILLAGE);
    Village::enrol(&place, VILLAGE, &city.enrolment_code(VILLAGE, None)?)?;
    warn(&officer).await?;
    let backup = folder.path().join("city.backup");
    let out = backup.to_str().context("UTF-8")?.to_owned();
    backed_up_while_writing(&city, &officer, &out).await?;
    let (code, said) = run(&city, &["restore", "--from", &out, "--replace"])?;
    ensure!(code == Some(1) && said.contains("not empty"), "{said}");
    city.process()?.terminate().await?;

    let into_new = |city: &City, words: &[&str]| -> anyhow::Result<(Option<i32>, String)> {
        let mut command = city.command(words);
        Ok(ended(&command.env("TONGLUO__DATABASE__URL", &new).output()?))
    };
    let bad = folder.path().join("bad.backup");
    let mut bytes = std::fs::read(&backup)?;
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&bad, &bytes)?;
    let bad = bad.to_str().context("UTF-8")?;
    let (code, said) = into_new(&city, &["restore", "--from", bad])?;
    ensure!(code == Some(1) && said.contains("damaged"), "{said}");
    let (code, said) = into_new(&city, &["restore", "--from", &out])?;
    ensure!(code == Some(0), "it was empty still, and now it is restored: {said}");
    let (code, said) = into_new(&city, &["restore", "--from", &out])?;
    ensure!(code == Some(1) && said.contains("not empty"), "{said}");
    let (code, said) = into_new(&city, &["audit", "verify"])?;
    ensure!(code == Some(0), "{said}");

    // The city goes on from the new database.
    let (config, old) = (folder.path().join("dispatcher.toml"), options.database_url);
    let written = std::fs::read_to_string(&config)?;
    std::fs::write(&config, written.replace(&old.unwrap_or_default(), &new))?;
    city.start().await?;
    let officer = city.log_in(&after).await?;
    let alert = warn(&officer).await?;
    let taken = sequences(&new, &alert).await?;
    ensure!(taken.len() == 1 && taken[0].0 > 1_700_000_000, "{taken:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_file_put_back_by_hand_is_noticed_and_orders_go_on_in_a_later_epoch()
-> anyhow::Result<()> {
    let _turn = TURN.lock().await;
    let folder = tempfile::tempdir()?;
    let mut city = City::prepare(folder.path(), &CityOptions::default())?;
    let [before, after] = ["before", "after"].map(|name| city.officer(name, "commander", CITY));
    let (before, after) = (before?, after?);
    city.start().await?;
    let officer = city.log_in(&before).await?;
    let place = folder.path().join(VILLAGE);
    Village::enrol(&place, VILLAGE, &city.enrolment_code(VILLAGE, None)?)?;
    city.process()?.terminate().await?;
    let (database, copy) = (folder.path().join("tongluo.db"), folder.path().join("copy.db"));
    std::fs::copy(&database, &copy)?;
    city.start().await?;
    warn(&officer).await?;
    city.process()?.terminate().await?;
    // The head is signed on start, and the record has grown.
    city.start().await?;
    city.process()?.terminate().await?;
    std::fs::rename(&copy, &database)?;
    let (code, report) = verified(&city)?;
    ensure!(code == Some(1) && report["faults"][0]["kind"] == "tail_cut", "{report}");

    city.start().await?;
    ensure!(city.process()?.log().contains("without `dispatcher restore`"), "it is said aloud");
    let alert = warn(&city.log_in(&after).await?).await?;
    city.process()?.terminate().await?;
    let url = format!("sqlite:{}", database.display());
    let taken = sequences(&url, &alert).await?;
    ensure!(taken.len() == 1 && taken[0].0 > 1_700_000_000 && taken[0].1 == 1, "{taken:?}");
    let (code, report) = verified(&city)?;
    let is_named = report["faults"][0]["kind"] == "database_set_back";
    ensure!(code == Some(1) && is_named, "the cut stays visible: {report}");
    Ok(())
}
