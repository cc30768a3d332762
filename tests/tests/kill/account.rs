//! What was heard, by the receipts that the dispatcher holds and by the nodes' own journals.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use jiff::Timestamp;
use serde_json::{Value, json};
use tests::harness::api::Api;
use tests::harness::city::{CITY, program, text};
use tests::harness::listener::Listener;
use tests::harness::process::run;
use tests::harness::village::Village;
use tests::harness::{clock, progress};

use crate::mortal::Node;
use crate::officer::TOWN;

/// How long an alert with its repeats may take on a busy machine.
const HEARD_DEADLINE: Duration = Duration::from_mins(3);

/// How long the event stream may take to tell what is in the table.
const TOLD_DEADLINE: Duration = Duration::from_secs(30);

/// What terminals said about an alert itself, not about its end.
pub(crate) struct Account {
    alert: String,
    said: Vec<Value>,
}

impl Account {
    pub(crate) async fn of(api: &Api, alert: &str) -> anyhow::Result<Self> {
        let mut said = progress::receipts(api, alert).await?;
        said.retain(|receipt| !progress::is_closing(receipt));
        Ok(Self { alert: alert.to_owned(), said })
    }

    /// What this terminal said with this state.
    pub(crate) fn said(&self, terminal: &str, state: &str) -> Vec<&Value> {
        let is_wanted = |one: &&Value| one["terminal"] == terminal && one["state"] == state;
        self.said.iter().filter(is_wanted).collect()
    }

    /// Each of the due repeats was heard to its end once; a death may have cut one sounding.
    pub(crate) fn check_once(&self, node: &Node, due: u64) -> anyhow::Result<()> {
        let id = node.village.id.as_str();
        let finished = self.said(id, "finished");
        for repeat in 1..=due {
            let times = finished.iter().filter(|one| one["repeat"] == repeat).count();
            ensure!(times == 1, "{id}: repeat {repeat} finished {times} times: {finished:?}");
        }
        ensure!(finished.len() as u64 == due, "{id}: more than was due: {finished:?}");
        // A busy machine may stall the card: what failed is sounded again.
        let failed = self.said(id, "failed").len();
        let at_most = due as usize + node.deaths + failed;
        for (state, most) in [("started", at_most), ("interrupted", node.deaths)] {
            let said = self.said(id, state);
            ensure!(said.len() <= most, "{id}: {state} more than {most} times: {said:?}");
        }
        Ok(())
    }

    /// As [`Account::check_once`], by what the node wrote down itself. Not for a node whose journal
    /// was compacted, which forgets how a state came about.
    pub(crate) fn check_journal(&self, node: &Node, due: usize) -> anyhow::Result<()> {
        let id = node.village.id.as_str();
        let written = journal(&node.village)?;
        // Receipts name the alert beside the order; soundings name the order alone.
        let mark = format!("identifier: \"{}\"", self.alert);
        let line = written.lines().find(|line| line.contains("Receipt {") && line.contains(&mark));
        let order = line.and_then(|line| line.split("order: ").nth(1)?.split(',').next());
        let order = order.with_context(|| format!("{id} knows nothing of it:\n{written}"))?;
        let count = |entry: &str| {
            let entry = format!("{entry}({order}");
            written.lines().filter(|line| line.contains(&entry)).count()
        };
        let (started, finished) = (count("Started"), count("Finished"));
        let failed = self.said(id, "failed").len();
        ensure!(finished == due, "{id}: {finished} of {due} finished:\n{written}");
        ensure!(started <= due + node.deaths + failed, "{id}: started {started} times:\n{written}");
        Ok(())
    }

    /// Nobody began at or after this instant.
    pub(crate) fn check_silent_from(&self, instant: Timestamp) -> anyhow::Result<()> {
        for one in self.said.iter().filter(|one| one["state"] == "started") {
            let at = text(one, "at")?.parse::<Timestamp>().context("a time")?;
            ensure!(at < instant, "it began at or after {instant}: {one}");
        }
        Ok(())
    }
}

/// The journal as a person reads it.
pub(crate) fn journal(village: &Village) -> anyhow::Result<String> {
    let mut command = Command::new(program("edge-node")?);
    run(command.arg("journal").arg("--config").arg(village.config_file()))
}

/// Waits until each of these has heard so many repeats of an alert, or of its end.
pub(crate) async fn until_finished(
    api: &Api,
    alert: &str,
    is_closing: bool,
    terminals: &[&str],
    times: u64,
) -> anyhow::Result<()> {
    let mut last = Vec::new();
    let waited = clock::eventually("everybody heard it", HEARD_DEADLINE, async || {
        // While the dispatcher dies nobody answers.
        last = progress::deliveries(api, alert).await.unwrap_or_default();
        last.retain(|one| progress::is_closing(one) == is_closing);
        let has_heard = |id: &&str| {
            let own = last.iter().find(|one| one["terminal"] == **id);
            own.and_then(|one| one["repeats_finished"].as_u64()).is_some_and(|n| n >= times)
        };
        Ok(terminals.iter().all(has_heard).then_some(()))
    });
    waited.await.with_context(|| format!("last seen: {last:?}"))
}

/// Waits until an alert is in this state.
pub(crate) async fn until_state(api: &Api, alert: &str, state: &str) -> anyhow::Result<()> {
    let path = format!("/api/v1/alerts/{alert}");
    let mut last = Value::Null;
    let waited = clock::eventually(state, HEARD_DEADLINE, async || {
        last = api.get(&path).await.unwrap_or_default();
        Ok((last["state"] == state).then_some(()))
    });
    waited.await.with_context(|| last.to_string())
}

/// In all that was ever told, none of these was called lost.
pub(crate) async fn nobody_was_lost(api: &Api, terminals: &[&str]) -> anyhow::Result<()> {
    let draft = json!({ "region": TOWN, "content": crate::officer::repeated(1, 0) });
    let last = api.post("/api/v1/alerts", &draft).await?;
    let last = text(&last, "id")?;
    let mut listener = Listener::open(api, Some(0)).await?;
    let is_last = |told: &tests::harness::listener::Told| told.data["alert"] == last;
    listener.until("the last of all events", TOLD_DEADLINE, is_last).await?;
    ensure!(listener.told.iter().all(|told| told.topic != "resync"), "events were left out");
    let is_accused = |told: &&tests::harness::listener::Told| {
        told.kind() == "liveness_changed" && told.data["liveness"] == "lost"
    };
    let lost = listener.told.iter().filter(is_accused);
    for told in lost {
        let whom = told.data["terminal"].as_str().unwrap_or_default();
        ensure!(!terminals.contains(&whom), "{whom} was called lost: {told:?}");
    }
    let listed = progress::liveness(api).await?;
    for id in terminals {
        let own = listed.iter().find(|one| one["terminal"] == **id);
        let own = own.with_context(|| format!("{id} is listed in {CITY}"))?;
        ensure!(own["liveness"] != "lost", "{own}");
    }
    Ok(())
}
