//! Terminals that join while one of the two sides dies, and revocations that are brought in and
//! told in the same way.

use std::process::{Command, Stdio};

use anyhow::{Context as _, ensure};
use tests::harness::city::{CityOptions, program};
use tests::harness::process::{Process, run};
use tests::harness::progress;
use tests::harness::village::Village;

use crate::account::journal;
use crate::mortal::{Hits, Node, Platform, died};
use crate::officer::{VILLAGE, begin};

const IDENTITY: &[&str] = &["identity.writing", "identity.written"];

const CLAIM: &[&str] = &["enrolment.storing", "enrolment.stored"];

const IMPORT: &[&str] = &["revocations.importing", "revocations.imported"];

const TELL: &[&str] = &["revocations.sending", "revocations.sent"];

/// All deaths of this scenario.
pub(crate) const DEATHS: &[&[&str]] = &[IDENTITY, CLAIM, IMPORT, TELL];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_death_while_joining_leaves_a_whole_identity_or_none() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let hits = Hits::below(folder.path());
    let mut platform = Platform::prepare(folder.path(), &CityOptions::default())?;
    let officer = begin(&mut platform).await?;

    // The node dies: before, it must be given another code; after, it is enrolled.
    for point in IDENTITY {
        let code = platform.city.enrolment_code(VILLAGE, None)?;
        let place = folder.path().join(point);
        let mut enrol = Village::enrolment(&place, &code)?;
        enrol.envs(hits.environment(Some(point)));
        died(&mut Process::start("enrol", folder.path(), &mut enrol)?, point).await?;
        let is_there = place.join("state/identity.json").exists();
        ensure!(is_there == (*point == IDENTITY[1]), "{point}: {is_there}");
        let mut run = Command::new(program("edge-node")?);
        run.arg("journal").arg("--config").arg(place.join("edge-node.toml"));
        run.stdout(Stdio::null()).stderr(Stdio::null());
        ensure!(!run.status()?.success(), "{point}: there is no journal yet");
        let again = Village::enrol(&place, VILLAGE, &code);
        ensure!(again.is_err(), "{point}: the code was used twice");
    }

    // The dispatcher dies: before, the same code serves; after, it was used.
    for point in CLAIM {
        let code = platform.city.enrolment_code(VILLAGE, None)?;
        let place = folder.path().join(point);
        platform.doom(point).await?;
        let lost = Village::enrol(&place, VILLAGE, &code);
        ensure!(lost.is_err(), "{point}: it was answered");
        platform.died(point).await?;
        platform.start().await?;
        let again = Village::enrol(&place, VILLAGE, &code);
        ensure!(again.is_ok() == (*point == CLAIM[0]), "{point}: {:?}", again.err());
    }

    let mut node = Node::enrol(&platform.city, folder.path(), "node", VILLAGE)?;
    revoked(&mut platform, &mut node, &hits).await?;
    progress::until_online(&officer, 1).await?;
    hits.report(&DEATHS.concat())
}

/// A list is brought in and told while whoever does it dies; in the end the node has it.
async fn revoked(platform: &mut Platform, node: &mut Node, hits: &Hits) -> anyhow::Result<()> {
    let folder = platform.city.folder().to_owned();
    let (root, list) = (folder.join("roots/root-active.key"), folder.join("list"));
    let mut revoke = Command::new(program("dispatcher")?);
    revoke.args(["key", "revoke", "--first", "--key", "0011223344556677", "--root"]);
    run(revoke.arg(root).arg("--out").arg(&list))?;
    for point in IMPORT {
        let mut import = platform.city.command(&["key", "import-revocations"]);
        import.arg(&list).envs(hits.environment(Some(point)));
        died(&mut Process::start("import", &folder, &mut import)?, point).await?;
    }
    let again = run(platform.city.command(&["key", "import-revocations"]).arg(&list))?;
    ensure!(again.contains("known already"), "the second import was lost: {again}");
    platform.die_at(TELL).await?;
    platform.start().await?;
    node.start()?;
    let told = tests::harness::clock::eventually(
        "the node has the list",
        std::time::Duration::from_mins(1),
        async || {
            let written = journal(&node.village).unwrap_or_default();
            Ok(written.contains("Revocations(").then_some(()))
        },
    );
    told.await.with_context(|| node.village.log())
}
