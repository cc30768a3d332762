//! A vendor's terminal lives through enrolment, a warning, a withdrawal in mid-speech, and a power
//! cut, and the dispatcher accepts all it says.

use anyhow::ensure;

use crate::city::{BESIDE, FAR, NEAR, NEAR_TOWN, Town};

const WARNING: &str = "暴雨黄色预警。今晚有暴雨。请远离河道，到高处去。";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_warning_is_spoken_reported_cut_and_explained_by_a_vendors_terminal() -> anyhow::Result<()>
{
    let folder = tempfile::tempdir()?;
    let town = Town::build(folder.path(), None).await?;
    let (mut near, mut far) = (town.terminal(NEAR)?, town.terminal(FAR)?);
    town.online(2).await?;
    let alert = town.issue(2, 15).await?;
    for state in ["accepted", "verified"] {
        town.receipt(&near, &alert, ("alert", state, 0)).await?;
    }
    town.receipt(&near, &alert, ("alert", "finished", 1)).await?;
    let heard = town.deliveries(&alert).await?;
    let has_evidence = heard.iter().any(|it| it["evidence"]["frames"].as_u64() > Some(48_000));
    ensure!(has_evidence, "{heard:?}");
    town.receipt(&near, &alert, ("alert", "started", 2)).await?;
    town.withdraw(&alert).await?;
    let cut = town.receipt(&near, &alert, ("alert", "interrupted", 2)).await?;
    ensure!(cut["reason"] == "cancelled", "{cut}");
    town.receipt(&near, &alert, ("withdrawn", "finished", 1)).await?;
    near.stop().await?;
    far.stop().await?;

    let story = near.story()?;
    ensure!(story.len() == 6, "{story:#?}");
    ensure!(story[0] == format!("began 1 {WARNING}"), "{story:#?}");
    ensure!(story[1] == "drained 1", "{story:#?}");
    ensure!(story[2] == format!("began 2 {WARNING}"), "{story:#?}");
    ensure!(story[3] == "cut 2 cancelled", "{story:#?}");
    ensure!(story[4].starts_with("began 1 更正"), "{story:#?}");
    ensure!(story[5] == "drained 1", "{story:#?}");
    ensure!(far.story()?.is_empty(), "the far village stayed silent: {:?}", far.story()?);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_three_villages_under_a_polygon_the_one_outside_verifies_and_says_so()
-> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let town = Town::build(folder.path(), None).await?;
    let (near, beside, far) = (town.terminal(NEAR)?, town.terminal(BESIDE)?, town.terminal(FAR)?);
    town.online(3).await?;
    let alert = town.issue_polygon().await?;
    town.receipt(&near, &alert, ("alert", "finished", 1)).await?;
    let outside = town.receipt(&beside, &alert, ("alert", "refused", 0)).await?;
    ensure!(outside["reason"] == "out_of_area", "{outside}");
    town.receipt(&beside, &alert, ("alert", "accepted", 0)).await?;
    ensure!(beside.story()?.is_empty(), "{:?}", beside.story()?);
    ensure!(far.story()?.is_empty(), "{:?}", far.story()?);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_power_cut_in_mid_speech_it_speaks_again_and_never_what_it_finished()
-> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let town = Town::build(folder.path(), None).await?;
    let mut near = town.terminal(NEAR)?;
    town.online(1).await?;
    let first = town.issue(1, 0).await?;
    town.receipt(&near, &first, ("alert", "finished", 1)).await?;
    let second = town.issue(1, 0).await?;
    town.receipt(&near, &second, ("alert", "started", 1)).await?;
    near.kill()?;
    // Issued while it is off: it must learn of it by its hello.
    let third = town.issue(1, 0).await?;
    near.start()?;
    let cut = town.receipt(&near, &second, ("alert", "interrupted", 1)).await?;
    ensure!(cut["reason"] == "power_cut", "{cut}");
    town.receipt(&near, &second, ("alert", "finished", 1)).await?;
    town.receipt(&near, &third, ("alert", "finished", 1)).await?;
    near.stop().await?;
    let began = near.story()?.iter().filter(|line| line.starts_with("began")).count();
    ensure!(began == 4, "three alerts and one sounding that was cut: {:#?}", near.story()?);
    let delivered = town.deliveries(&first).await?;
    ensure!(delivered.len() == 1 && delivered[0]["repeats_finished"] == 1, "{delivered:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_silences_it_at_once_and_its_lifting_lets_it_speak_again() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let town = Town::build(folder.path(), None).await?;
    let mut near = town.terminal(NEAR)?;
    town.online(1).await?;
    let alert = town.issue(1, 0).await?;
    town.receipt(&near, &alert, ("alert", "started", 1)).await?;
    let stop = town.stop(NEAR_TOWN).await?;
    let cut = town.receipt(&near, &alert, ("alert", "interrupted", 1)).await?;
    ensure!(cut["reason"] == "stopped", "{cut}");
    // A stop is on disk: off and on again it is still silent, until the lifting comes.
    near.kill()?;
    near.start()?;
    town.online(1).await?;
    town.lift_stop(&stop).await?;
    town.receipt(&near, &alert, ("alert", "finished", 1)).await?;
    let story = near.story()?;
    let ends: Vec<_> = story.iter().filter(|line| !line.starts_with("began")).collect();
    ensure!(ends == ["cut 1 stopped", "drained 1"], "{story:#?}");
    Ok(())
}
