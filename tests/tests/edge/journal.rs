//! `journal`: what a person reads of a real one, of one that was torn, and of one that rots.

use anyhow::ensure;

use crate::rig::{Rig, ended};

/// The node has its answer from the dispatcher, so its journal has more than a beginning.
const CONNECTED: &str = "message on tongluo/1/terminal/";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_journal_is_printed_whole_torn_and_damaged() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let mut rig = Rig::build(folder.path()).await?;
    rig.run_until(CONNECTED).await?;
    let whole = ended(&mut rig.command("journal")?)?;
    ensure!(whole.code == Some(0) && whole.out.contains("Born {"), "{whole:?}");
    ensure!(whole.out.lines().count() > 1, "{whole:?}");

    let bytes = std::fs::read(rig.journal())?;
    std::fs::write(rig.journal(), &bytes[..bytes.len() - 1])?;
    let torn = ended(&mut rig.command("journal")?)?;
    ensure!(torn.code == Some(0) && torn.out.contains("没有写完"), "{torn:?}");
    ensure!(torn.out.contains("Born {"), "{torn:?}");

    let mut rotten = bytes;
    rotten[20] ^= 0x10;
    std::fs::write(rig.journal(), &rotten)?;
    let damaged = ended(&mut rig.command("journal")?)?;
    ensure!(damaged.code == Some(1) && damaged.out.contains("损坏"), "{damaged:?}");

    // The node puts it aside and comes up with what the dispatcher tells it.
    rig.run_until(CONNECTED).await?;
    ensure!(std::fs::read(rig.state().join("journal.damaged"))? == rotten);
    let anew = ended(&mut rig.command("journal")?)?;
    ensure!(anew.code == Some(0) && anew.out.contains("Born {"), "{anew:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_is_no_journal_is_left_alone() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let rig = Rig::build(folder.path()).await?;
    std::fs::write(rig.journal(), "Dear village,")?;
    for name in ["journal", "run"] {
        let foreign = ended(&mut rig.command(name)?)?;
        ensure!(foreign.code == Some(1), "{name}: {foreign:?}");
        ensure!(foreign.err.contains("is not a journal of this version"), "{name}: {foreign:?}");
    }
    ensure!(std::fs::read_to_string(rig.journal())? == "Dear village,");
    Ok(())
}
