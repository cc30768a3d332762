//! Brokers that die without a word, that ask for TLS, and that are spoken to by strangers.

use anyhow::{Context as _, ensure};
use serde_json::json;
use tests::harness::broker::BrokerKind;
use tests::harness::clock;
use tests::harness::sound::PacedSink;
use tests::harness::terminal::{Credentials, Stranger};
use tests::harness::tls::BrokerTls;
use tests::harness::village::Card;

use crate::rig::{NEAR, NEAR_TOWN, Rig, SOUND_DEADLINE, content, has_finished};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_mosquitto_is_killed_everything_valid_is_heard_once() -> anyhow::Result<()> {
    killed(BrokerKind::Mosquitto).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_nats_is_killed_everything_valid_is_heard_once() -> anyhow::Result<()> {
    killed(BrokerKind::Nats).await
}

/// Killed in mid-speech of one alert and before another one is delivered.
async fn killed(kind: BrokerKind) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let sink = PacedSink::start(folder.path()).await?;
    let mut rig = Rig::build(kind, folder.path()).await?;
    rig.near.start(&Card::Paced(&sink))?;
    rig.online(1).await?;
    let sounding = rig.warn(1, 0).await?;
    rig.receipt(&sounding, "started", 1).await?;
    let broker = rig.broker.as_mut().context("an external broker")?;
    broker.process.kill()?;
    let undelivered = rig.warn(1, 0).await?;
    rig.broker.as_mut().context("an external broker")?.restart().await?;
    for alert in [&sounding, &undelivered] {
        let heard = rig.until("heard to its end", alert, false, |d| has_finished(d, 1)).await?;
        ensure!(heard["repeats_finished"] == 1, "{heard}");
        let begun = rig.receipts_of(&rig.near.id, alert, "started").await?;
        ensure!(begun.len() == 1, "begun {} times: {begun:?}", begun.len());
        let cut = rig.receipts_of(&rig.near.id, alert, "interrupted").await?;
        ensure!(cut.is_empty(), "the broker's end cut the speech: {cut:?}");
    }
    let begins = rig.near.log().matches("sounding 1 begins").count();
    ensure!(begins == 2, "two alerts began once each, {begins} begins are in the log");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_tls_a_node_hears_whom_it_believes_and_says_whom_it_does_not() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let sink = PacedSink::start(folder.path()).await?;
    let tls = BrokerTls::make(&folder.path().join("tls"))?;
    let mut rig = Rig::build_tls(&tls, folder.path()).await?;
    // Without its authority: the broker is not believed, and the log says why.
    rig.near.start(&Card::Paced(&sink))?;
    clock::eventually("the node says that it does not connect", SOUND_DEADLINE, async || {
        rig.near.process()?.check_alive()?;
        let log = rig.near.log();
        let is_said =
            log.lines().any(|line| line.contains("broker:") && line.contains("certificate"));
        Ok(is_said.then_some(()))
    })
    .await?;
    let listed = tests::harness::progress::liveness(&rig.officer).await?;
    ensure!(listed.iter().all(|item| item["liveness"] != "online"), "{listed:?}");
    rig.near.stop().await?;
    rig.near.configure(&format!("[network]\nca_file = \"{}\"\n", tls.ca_file.display()))?;
    rig.near.start(&Card::Paced(&sink))?;
    rig.online(1).await?;
    let alert = rig.warn(1, 0).await?;
    rig.until("it is heard over TLS", &alert, false, |d| has_finished(d, 1)).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_embedded_broker_refuses_what_is_not_a_terminals_own() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let rig = Rig::build(BrokerKind::Embedded, folder.path()).await?;
    let (own, other) = (rig.far.credentials()?, rig.near.credentials()?);
    for foreign in [other.terminal.as_str(), "dispatcher-in", "dispatcher-out", "anybody"] {
        let let_in = Stranger::connect(foreign, &own).await?;
        ensure!(let_in.is_none(), "let in as {foreign} with another's name and password");
    }
    let mut guess = own.clone();
    guess.password = "guessed".to_owned();
    let let_in = Stranger::connect(&own.terminal, &guess).await?;
    ensure!(let_in.is_none(), "let in with a wrong password");

    let foreign_receipts = format!("tongluo/1/terminal/{}/receipt", other.terminal);
    let order_topic = format!("tongluo/1/region/{NEAR}/order");
    for filter in ["#", "+/#", "tongluo/1/region/+/order", &foreign_receipts, &order_topic] {
        let mut stranger = line(&own).await?;
        ensure!(!stranger.subscribe(filter).await?, "{filter} was granted");
    }
    // What a stranger publishes as an order reaches nobody: the first message that the observer
    // hears is the dispatcher's. Its words are spoken before, so that the observer need not wait.
    let warning = rig.draft(NEAR_TOWN, &content("yellow", &[NEAR_TOWN])).await?;
    rig.officer.post(&format!("/api/v1/alerts/{warning}/submit"), &json!({})).await?;
    let town_orders = format!("tongluo/1/region/{NEAR_TOWN}/order");
    let mut observer = line(&other).await?;
    for topic in [&order_topic, &town_orders] {
        ensure!(observer.subscribe(topic).await?, "{topic} is the observer's own");
        line(&own).await?.publish(topic, b"forged").await?;
    }
    rig.officer.post(&format!("/api/v1/alerts/{warning}/issue"), &json!({})).await?;
    let heard = observer.message().await?;
    ensure!(heard.topic == town_orders && heard.payload != "forged", "{heard:?}");
    ensure!(heard.payload.len() > 100, "an order is signed: {heard:?}");
    Ok(())
}

/// A line under its own name. While the broker takes leave of the one before, it may refuse.
async fn line(own: &Credentials) -> anyhow::Result<Stranger> {
    clock::eventually("let in under its own name", SOUND_DEADLINE, async || {
        Stranger::connect(&own.terminal, own).await
    })
    .await
}
