//! External brokers that are killed with messages in their hands: orders that they acknowledged
//! and never delivered, receipts likewise; and then everything at once, for a long time.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use serde_json::json;
use sqlx::{AnyConnection, Connection as _};
use tests::harness::api::Api;
use tests::harness::broker::{Broker, BrokerKind, BrokerPlace};
use tests::harness::city::CityOptions;
use tests::harness::process::tail;
use tests::harness::{clock, progress};

use crate::account::{Account, journal, nobody_was_lost, until_finished};
use crate::mortal::{Node, Platform};
use crate::officer::{VILLAGE, begin, issued, press, repeated, submitted};

/// How long two soundings may take on a busy machine.
const SOUND_DEADLINE: Duration = Duration::from_mins(2);

/// Longer than a terminal may be silent until it is called lost, in microseconds.
const LONG_AGO: i64 = 400_000_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_mosquitto_takes_with_it_is_delivered_all_the_same() -> anyhow::Result<()> {
    killed(BrokerKind::Mosquitto).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nats_takes_with_it_is_delivered_all_the_same() -> anyhow::Result<()> {
    killed(BrokerKind::Nats).await
}

struct Scene {
    platform: Platform,
    broker: Broker,
    officer: Api,
    nodes: [Node; 2],
}

async fn killed(kind: BrokerKind) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let mut scene = Scene::build(kind, folder.path()).await?;
    let played = scene.play().await;
    played.with_context(|| scene.logs())
}

impl Scene {
    async fn build(kind: BrokerKind, folder: &Path) -> anyhow::Result<Self> {
        let place = BrokerPlace::find(folder)?;
        let options = CityOptions { broker_url: Some(place.url.clone()), ..CityOptions::default() };
        let mut platform = Platform::prepare(folder, &options)?;
        platform.city.write_broker_rules(kind, &place.rules)?;
        let broker = Broker::start_ruled(kind, folder, &place).await?;
        let officer = begin(&mut platform).await?;
        let enrol = |name: &str| Node::enrol(&platform.city, folder, name, VILLAGE);
        let mut nodes = [enrol("one")?, enrol("two")?];
        platform.city.write_broker_rules(kind, &place.rules)?;
        broker.reload()?;
        for node in &mut nodes {
            node.start()?;
        }
        progress::until_online(&officer, nodes.len()).await?;
        Ok(Self { platform, broker, officer, nodes })
    }

    async fn play(&mut self) -> anyhow::Result<()> {
        self.orders_in_its_hands().await.context("orders in its hands")?;
        self.receipts_in_its_hands().await.context("receipts in its hands")?;
        self.everything_at_once().await.context("everything at once")?;
        self.for_a_long_time().await.context("for a long time")?;
        nobody_was_lost(&self.officer, &self.ids()).await
    }

    /// The end of what each of them said.
    fn logs(&mut self) -> String {
        let broker = self.broker.process.log();
        let dispatcher = self.platform.process().map(|process| process.log()).unwrap_or_default();
        let nodes = self.nodes.iter().map(|node| node.village.log());
        let logs = [broker, dispatcher].into_iter().chain(nodes);
        logs.map(|log| tail(&log)).collect::<Vec<_>>().join("\n\n")
    }

    fn ids(&self) -> [&str; 2] {
        [&self.nodes[0].village.id, &self.nodes[1].village.id]
    }

    /// Everybody heard each repeat once.
    async fn check(&self, alert: &str, times: u8) -> anyhow::Result<()> {
        until_finished(&self.officer, alert, false, &self.ids(), times.into()).await?;
        let account = Account::of(&self.officer, alert).await?;
        for node in &self.nodes {
            account.check_once(node, times.into())?;
            account.check_journal(node, times.into())?;
        }
        Ok(())
    }

    /// One node hears the order, the other one does not read while the broker has it for it.
    async fn orders_in_its_hands(&mut self) -> anyhow::Result<()> {
        self.nodes[0].village.process()?.signal("STOP")?;
        let alert = issued(&self.officer, &repeated(2, 1)).await?;
        until_finished(&self.officer, &alert, false, &self.ids()[1..], 1).await?;
        self.broker.process.kill()?;
        self.nodes[0].village.process()?.signal("CONT")?;
        self.broker.restart().await?;
        self.check(&alert, 2).await
    }

    /// The nodes report to the broker while the dispatcher does not read.
    async fn receipts_in_its_hands(&mut self) -> anyhow::Result<()> {
        let alert = issued(&self.officer, &repeated(2, 3)).await?;
        until_finished(&self.officer, &alert, false, &self.ids(), 1).await?;
        self.platform.process()?.signal("STOP")?;
        for node in &self.nodes {
            clock::eventually("both repeats are written down", SOUND_DEADLINE, async || {
                let written = journal(&node.village)?;
                let last = written.rsplit("Order {").next().unwrap_or_default();
                Ok((last.matches("Finished(Digest").count() == 2).then_some(()))
            })
            .await?;
        }
        self.broker.process.kill()?;
        self.platform.process()?.signal("CONT")?;
        self.broker.restart().await?;
        self.check(&alert, 2).await
    }

    /// The dispatcher dies when the broker has taken the order, the broker and a node with it.
    async fn everything_at_once(&mut self) -> anyhow::Result<()> {
        let alert = submitted(&self.officer, &repeated(2, 1)).await?;
        let path = format!("/api/v1/alerts/{alert}/issue");
        let (platform, broker) = (&mut self.platform, &mut self.broker);
        let node = &mut self.nodes[0];
        platform.end()?;
        let death = async {
            platform.die_at(&["publication.noting"]).await?;
            broker.process.kill()?;
            node.kill()?;
            broker.restart().await?;
            platform.start().await?;
            node.start()
        };
        let nothing = json!({});
        tokio::try_join!(press(&self.officer, &path, &nothing), death)?;
        self.check(&alert, 2).await
    }

    /// Dispatcher and broker were off for longer than a terminal may be silent, and one terminal
    /// is slow to speak: it is awaited, and not called lost.
    async fn for_a_long_time(&mut self) -> anyhow::Result<()> {
        self.platform.end()?;
        self.broker.process.kill()?;
        self.nodes[0].village.process()?.signal("STOP")?;
        sqlx::any::install_default_drivers();
        let mut database = AnyConnection::connect(&self.platform.city.database_url).await?;
        let aged = "update terminal_states set last_seen_at = last_seen_at - $1";
        let aged = sqlx::query(aged).bind(LONG_AGO).execute(&mut database).await?;
        ensure!(aged.rows_affected() == 2, "{aged:?}");
        database.close().await?;
        self.broker.restart().await?;
        self.platform.start().await?;
        progress::until_online(&self.officer, 1).await?;
        let listed = progress::liveness(&self.officer).await?;
        let slow = listed.iter().find(|one| one["terminal"] == self.ids()[0]).context("listed")?;
        ensure!(slow["liveness"] == "unknown", "{slow}");
        self.nodes[0].village.process()?.signal("CONT")?;
        progress::until_online(&self.officer, 2).await?;
        let alert = issued(&self.officer, &repeated(1, 0)).await?;
        self.check(&alert, 1).await
    }
}
