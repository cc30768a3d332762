//! A village that acts by itself: its key on site, and a USB stick where no link is left.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use tests::harness::broker::BrokerKind;
use tests::harness::city::program;
use tests::harness::clock;
use tests::harness::ports;
use tests::harness::process::run;
use tests::harness::sound::PacedSink;
use tests::harness::village::{Card, Village};

use crate::rig::{NEAR, Rig, SOUND_DEADLINE};
use crate::trust::Keys;

/// What the node's journal says, a line an entry.
fn journal(village: &Village) -> anyhow::Result<String> {
    let mut command = Command::new(program("edge-node")?);
    run(command.arg("journal").arg("--config").arg(village.config_file()))
}

/// Waits until the journal holds a line with all of these words.
async fn journalled(village: &Village, words: &[&str]) -> anyhow::Result<()> {
    let mut last = String::new();
    let waited = clock::eventually("a journal entry", SOUND_DEADLINE, async || {
        last = journal(village)?;
        let holds = |line: &str| words.iter().all(|word| line.contains(word));
        Ok(last.lines().any(holds).then_some(()))
    });
    waited.await.with_context(|| format!("{words:?} in\n{last}\n{}", village.log()))
}

/// Writes what is in force onto the stick.
fn write_stick(rig: &Rig, stick: &Path) -> anyhow::Result<String> {
    let out = stick.display().to_string();
    run(&mut rig.city.command(&["stick", "--region", NEAR, "--out", &out]))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_any_link_a_stick_makes_it_speak_and_another_list_makes_it_stop()
-> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let sink = PacedSink::start(folder.path()).await?;
    let mut rig = Rig::build(BrokerKind::Embedded, folder.path()).await?;
    let mount = folder.path().join("media");
    let stick = mount.join("usb0");
    std::fs::create_dir_all(&stick).context("make the stick")?;
    rig.near.configure(&format!(
        "[network]\nmqtt_url = \"mqtt://127.0.0.1:{}\"\n[stick]\nfolder = \"{}\"\n",
        ports::free()?,
        mount.display()
    ))?;
    rig.near.start(&Card::Paced(&sink))?;
    rig.warn(5, 0).await?;
    // Garbage first: it is refused in the log, and the node goes on looking.
    std::fs::write(stick.join("tongluo.stick"), b"no stick").context("write garbage")?;
    clock::eventually("the refusal", SOUND_DEADLINE, async || {
        Ok(rig.near.log().contains("not a stick").then_some(()))
    })
    .await?;
    let said = write_stick(&rig, &stick)?;
    ensure!(said.contains("1 orders, 0 commands, 0 revocation lists"), "{said}");
    journalled(&rig.near, &["state: Started"]).await.context("the order of the stick")?;
    // Into the words, past the tone.
    clock::pause(Duration::from_secs(4)).await;
    Keys(&rig.city).revoke_own()?;
    let said = write_stick(&rig, &stick)?;
    ensure!(said.contains("1 revocation lists"), "{said}");
    journalled(&rig.near, &["state: Interrupted", "KeyRevoked"]).await.context("the list")?;
    rig.near.stop().await?;
    let sound = rig.near.sound()?;
    ensure!(sound.first_sound(0).is_some(), "it was heard: {}", rig.near.log());
    ensure!(!journal(&rig.near)?.contains("state: Finished"), "it never came to an end");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_key_on_site_silences_what_sounds_and_the_city_is_told() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let sink = PacedSink::start(folder.path()).await?;
    let mut rig = Rig::build(BrokerKind::Embedded, folder.path()).await?;
    rig.near.start(&Card::Paced(&sink))?;
    rig.online(1).await?;
    let first = rig.warn(3, 0).await?;
    rig.receipt(&first, "started", 1).await?;
    clock::pause(Duration::from_secs(4)).await;
    rig.near.process()?.signal("USR1")?;
    let cut = rig.receipt(&first, "interrupted", 1).await?;
    ensure!(cut["reason"] == "stopped_locally", "{cut}");
    // Only what sounded is silenced: what comes next is heard.
    let second = rig.warn(1, 0).await?;
    rig.receipt(&second, "finished", 1).await?;
    let started = rig.receipts_of(&rig.near.id, &first, "started").await?;
    ensure!(started.len() == 1, "silenced for ten minutes: {started:?}");
    Ok(())
}
