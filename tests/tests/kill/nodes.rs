//! Nodes that die at every write to their disk and at every acknowledgement, while one alert with
//! repeats and then one that expires are under way.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use edge_node::shell::journal::Journal;
use jiff::SignedDuration;
use reqwest::Method;
use serde_json::json;
use tests::harness::api::Api;
use tests::harness::city::{City, CityOptions, program};
use tests::harness::process::run;
use tests::harness::{clock, progress};

use crate::account::{Account, nobody_was_lost, until_finished, until_state};
use crate::mortal::{Hits, Node, Platform};
use crate::officer::{VILLAGE, begin, issued, relief, repeated};

/// One life a node, from its first start on. A pair is safe in any company: what its first death
/// kept from being written is written by the next life.
const LIVES: [&[&str]; 6] = [
    &[
        "started.journalling",
        "started.journalled",
        "interruption.journalling",
        "interruption.journalled",
        "finished.journalling",
        "finished.journalled",
    ],
    &["order.journalling", "order.journalled", "acknowledgement.sending", "acknowledgement.sent"],
    &["note.journalling", "note.journalled", "revocations.journalling", "revocations.journalled"],
    &["command.journalling", "command.journalled"],
    &["receipt.journalling", "receipt.journalled"],
    &["phrases.writing", "phrases.written", "clip.writing", "clip.written"],
];

/// The node of [`LIVES`] that is enrolled in the drill; the others answer that they are not.
const IN_DRILL: usize = 3;

/// The node whose journal has grown until it is compacted.
const COMPACTS: usize = 5;

const COMPACTION: &[&str] = &["compaction.writing", "compaction.written", "compaction.renamed"];

const DROP: &[&str] = &["drop.journalling", "drop.journalled"];

/// All deaths of this scenario.
pub(crate) const DEATHS: &[&[&str]] =
    &[LIVES[0], LIVES[1], LIVES[2], LIVES[3], LIVES[4], LIVES[5], COMPACTION, DROP];

/// Repeats of the alert under which they die, and seconds between them.
const REPEATS: (u8, u16) = (2, 2);

/// How long the second alert is valid: time for a submit on a busy machine and a few repeats.
const VALID: SignedDuration = SignedDuration::from_secs(20);

/// How long the next phrase may take behind all other work.
const PHRASE_DEADLINE: Duration = Duration::from_mins(1);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_dies_at_any_write_sounds_each_repeat_once_and_none_late() -> anyhow::Result<()>
{
    let folder = tempfile::tempdir()?;
    let mut platform = Platform::prepare(folder.path(), &CityOptions::default())?;
    let officer = begin(&mut platform).await?;
    let mut nodes = Vec::new();
    for index in 0..LIVES.len() {
        let name = format!("node-{index}");
        nodes.push(Node::enrol(&platform.city, folder.path(), &name, VILLAGE)?);
    }
    revoke_a_stranger(&platform.city)?;
    enrol_in_drill(&officer, &nodes[IN_DRILL].village.id).await?;

    phrases_are_made(&officer).await?;
    let alert = issued(&officer, &repeated(REPEATS.0, REPEATS.1)).await?;
    let lives = nodes.iter_mut().zip(LIVES).map(async |(node, points)| node.die_at(points).await);
    futures::future::try_join_all(lives).await?;
    for point in COMPACTION {
        fatten(&folder.path().join(format!("node-{COMPACTS}")))?;
        nodes[COMPACTS].die_at(&[point]).await?;
    }
    for node in &mut nodes {
        node.start()?;
    }
    let ids = nodes.iter().map(|node| node.village.id.clone()).collect::<Vec<_>>();
    let ids = ids.iter().map(String::as_str).collect::<Vec<_>>();
    until_finished(&officer, &alert, false, &ids, REPEATS.0.into()).await?;
    let account = Account::of(&officer, &alert).await?;
    for (index, node) in nodes.iter().enumerate() {
        account.check_once(node, REPEATS.0.into())?;
        if index != COMPACTS {
            account.check_journal(node, REPEATS.0.into())?;
        }
    }
    let officer = relief(&platform).await?;
    expires(&officer, &mut nodes).await?;
    nobody_was_lost(&officer, &ids).await?;
    Hits::below(folder.path()).report(&DEATHS.concat())
}

/// An alert runs out: while one node dies of taking it off its list, and while another one is dead.
async fn expires(officer: &Api, nodes: &mut [Node]) -> anyhow::Result<()> {
    nodes[0].village.kill()?;
    nodes[0].doom(DROP[0])?;
    nodes[1].kill()?;
    let mut content = repeated(20, 2);
    let expires_at = clock::now() + VALID;
    content["expires_at"] = json!(expires_at);
    let alert = issued(officer, &content).await?;
    let witness = nodes[2].village.id.clone();
    until_finished(officer, &alert, false, &[&witness], 1).await?;
    nodes[0].died(DROP[0]).await?;
    ensure!(clock::now() >= expires_at, "the order was dropped before its expiry");
    nodes[0].die_at(&DROP[1..]).await?;
    until_state(officer, &alert, "closed").await?;
    nodes[0].start()?;
    nodes[1].start()?;
    // What comes after is heard by all, so that whatever was to be heard before has been.
    let after = issued(officer, &repeated(1, 0)).await?;
    let ids = nodes.iter().map(|node| node.village.id.as_str()).collect::<Vec<_>>();
    until_finished(officer, &after, false, &ids, 1).await?;
    let account = Account::of(officer, &alert).await?;
    account.check_silent_from(expires_at)?;
    let begun = account.said(&nodes[1].village.id, "started");
    ensure!(begun.is_empty(), "a node that was dead all the time began: {begun:?}");
    let after = Account::of(officer, &after).await?;
    for node in nodes.iter() {
        after.check_once(node, 1)?;
    }
    let listed = progress::deliveries(officer, &alert).await?;
    ensure!(listed.len() == nodes.len(), "everybody was meant: {listed:?}");
    Ok(())
}

/// Waits until there is a phrase for the nodes to keep.
async fn phrases_are_made(officer: &Api) -> anyhow::Result<()> {
    let sealed = async || officer.send(Method::GET, "/api/v1/phrases", None).await;
    let before = sealed().await?.bytes.len();
    clock::eventually("a phrase more is made", PHRASE_DEADLINE, async || {
        Ok((sealed().await?.bytes.len() > before).then_some(()))
    })
    .await
}

/// A revocation list with a key that nobody here has.
fn revoke_a_stranger(city: &City) -> anyhow::Result<()> {
    let (root, list) = (city.folder().join("roots/root-active.key"), city.folder().join("list"));
    let mut revoke = Command::new(program("dispatcher")?);
    revoke.args(["key", "revoke", "--first", "--key", "0011223344556677", "--root"]);
    run(revoke.arg(root).arg("--out").arg(&list))?;
    run(city.command(&["key", "import-revocations"]).arg(&list))?;
    Ok(())
}

async fn enrol_in_drill(officer: &Api, terminal: &str) -> anyhow::Result<()> {
    let from = clock::now();
    let enrolment = json!({
        "drill": "2026-防汛-1",
        "terminals": [terminal],
        "from": from,
        "until": from + SignedDuration::from_hours(1),
    });
    officer.post("/api/v1/drill-enrolments", &enrolment).await?;
    Ok(())
}

/// Lets the journal of a dead node grow past the size at which it is compacted, by records of a
/// version that the node does not know and passes over.
fn fatten(folder: &Path) -> anyhow::Result<()> {
    let (mut journal, _) = Journal::open(&folder.join("state/journal"))?;
    for _ in 0..5 {
        journal.append(&vec![0xff; 250 * 1024]).context("write a long record")?;
    }
    Ok(())
}
