//! 在线状态 with real nodes over a broker of its own: never heard, heard, late, lost; and while the
//! dispatcher itself is deaf nobody is accused.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use serde_json::Value;
use tests::harness::api::Api;
use tests::harness::broker::{Broker, BrokerKind};
use tests::harness::city::{CITY, City, CityOptions};
use tests::harness::clock;
use tests::harness::listener::{Listener, Told};
use tests::harness::postgres::Postgres;
use tests::harness::progress;
use tests::harness::village::{Card, Village};

/// Late after 77 s without a word, lost after 149 s, looked at every two seconds.
const SILENCE_DEADLINE: Duration = Duration::from_secs(200);

const LINK_DEADLINE: Duration = Duration::from_mins(1);

/// The one that falls silent, the one that goes on, the one that was never switched on.
const VILLAGES: [&str; 3] = ["350211102201", "350212105201", "350211103003"];

struct Watched {
    viewer: Api,
    nodes: Vec<Village>,
    broker: Broker,
    folder: PathBuf,
    _city: City,
}

impl Watched {
    async fn build(folder: PathBuf, database_url: Option<String>) -> anyhow::Result<Self> {
        let broker = Broker::start(BrokerKind::Mosquitto, &folder, None).await?;
        let broker_url = Some(broker.url.clone());
        let options = CityOptions { database_url, broker_url, broker_ca_file: None };
        let mut city = City::prepare(&folder, &options)?;
        let viewer = city.officer("viewer", "viewer", CITY)?;
        city.start().await?;
        let viewer = city.log_in(&viewer).await?;
        let mut nodes = Vec::new();
        for village in VILLAGES {
            let code = city.enrolment_code(village, None)?;
            nodes.push(Village::enrol(&folder.join(village), village, &code)?);
        }
        Ok(Self { viewer, nodes, broker, folder, _city: city })
    }

    async fn how_is(&self, node: usize) -> anyhow::Result<String> {
        let id = &self.nodes[node].id;
        let listed = progress::liveness(&self.viewer).await?;
        let found = listed.into_iter().find(|item| item["terminal"] == *id);
        let liveness = found.and_then(|item| item["liveness"].as_str().map(str::to_owned));
        liveness.with_context(|| format!("{id} is listed"))
    }

    async fn until(&self, node: usize, wanted: &str) -> anyhow::Result<()> {
        clock::eventually(wanted, LINK_DEADLINE, async || {
            Ok((self.how_is(node).await? == wanted).then_some(()))
        })
        .await
    }
}

fn is_change(id: &str, liveness: &'static str) -> impl Fn(&Told) -> bool {
    move |told| {
        told.kind() == "liveness_changed"
            && told.data["terminal"] == id
            && told.data["liveness"] == liveness
    }
}

async fn play(folder: PathBuf, database_url: Option<String>) -> anyhow::Result<()> {
    let mut watched = Watched::build(folder, database_url).await?;
    let mut listener = Listener::open(&watched.viewer, None).await?;
    ensure!(watched.how_is(0).await? == "unknown", "never heard and not yet missed");
    for node in &mut watched.nodes[..2] {
        node.start(&Card::Absent)?;
    }
    watched.until(0, "online").await?;
    watched.until(1, "online").await?;
    let [silent, steady, dark] = [0, 1, 2].map(|node| watched.nodes[node].id.clone());

    watched.nodes[0].kill()?;
    let late = is_change(&silent, "late");
    listener.until("one word missed is late", SILENCE_DEADLINE, late).await?;
    ensure!(watched.how_is(0).await? == "late", "the list says what the event said");
    let lost = is_change(&silent, "lost");
    listener.until("two words missed is lost", SILENCE_DEADLINE, lost).await?;
    ensure!(watched.how_is(0).await? == "lost", "the list says what the event said");
    ensure!(watched.how_is(1).await? == "online", "the other one went on");
    ensure!(watched.how_is(2).await? == "lost", "never heard counts from the connection");
    let is_accused =
        |told: &&Told| told.data["terminal"] == steady && told.data["liveness"] != "online";
    let accused = listener.told.iter().find(is_accused);
    ensure!(accused.is_none(), "the steady one was called {accused:?}");
    deaf(&mut watched, &mut listener, &[silent, steady, dark]).await
}

/// The broker dies: everybody is unknown, and one fault is told, of the broker. It returns: who
/// speaks is online again, and nobody was called lost for it.
async fn deaf(
    watched: &mut Watched,
    listener: &mut Listener,
    everybody: &[String; 3],
) -> anyhow::Result<()> {
    let before = listener.told.len();
    watched.broker.process.kill()?;
    let is_link = |told: &Told, is_up: bool| {
        told.kind() == "broker_link_changed" && told.data["is_up"] == is_up
    };
    listener.until("the link is down", LINK_DEADLINE, |told| is_link(told, false)).await?;
    for (node, id) in everybody.iter().enumerate() {
        ensure!(watched.how_is(node).await? == "unknown", "{id} while deaf");
    }
    let page = watched.viewer.get(&format!("/api/v1/liveness?region={CITY}")).await?;
    ensure!(page["link_up_since"].is_null(), "{page}");
    let port = Some(watched.broker.port);
    watched.broker = Broker::start(BrokerKind::Mosquitto, &watched.folder, port).await?;
    listener.until("the link is up", LINK_DEADLINE, |told| is_link(told, true)).await?;
    watched.until(1, "online").await?;
    let told = &listener.told[before..];
    let faults = told.iter().filter(|told| is_link(told, false)).count();
    ensure!(faults == 1, "one fault for the broker, not {faults}: {told:?}");
    let deaf_from = told.iter().position(|told| is_link(told, false)).unwrap_or(0);
    let accused = told[deaf_from..].iter().find(|told| {
        let liveness = told.data["liveness"].as_str().unwrap_or_default();
        told.kind().starts_with("liveness_changed") && ["late", "lost"].contains(&liveness)
    });
    ensure!(accused.is_none(), "somebody was accused by a deaf dispatcher: {accused:?}");
    let page: Value = watched.viewer.get(&format!("/api/v1/liveness?region={CITY}")).await?;
    ensure!(page["link_up_since"].is_string(), "{page}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_terminal_is_called_lost_only_by_who_could_hear_it_on_sqlite() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    play(folder.path().to_owned(), None).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_terminal_is_called_lost_only_by_who_could_hear_it_on_postgresql() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let server = Postgres::start(folder.path()).await?;
    play(folder.path().to_owned(), Some(server.database("city")?)).await
}
