//! `run` and its configuration: what is refused, and by which name.

use std::process::Command;

use anyhow::ensure;
use tests::harness::city::program;

use crate::rig::{Ended, ended};

fn run(config: &str, environment: &[(&str, &str)]) -> anyhow::Result<Ended> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("edge.toml");
    std::fs::write(&file, config)?;
    let mut command = Command::new(program("edge-node")?);
    ended(command.arg("run").arg("--config").arg(&file).envs(environment.iter().copied()))
}

#[test]
fn an_unknown_key_is_refused_by_name_in_file_and_environment() -> anyhow::Result<()> {
    let by_file = run("[audio]\nkeep_opened = true\n", &[])?;
    ensure!(by_file.code == Some(1) && by_file.err.contains("keep_opened"), "{by_file:?}");
    let by_section = run("[loudness]\n", &[])?;
    ensure!(by_section.code == Some(1) && by_section.err.contains("loudness"), "{by_section:?}");
    let by_environment = run("", &[("TONGLUO_EDGE__AUDIO__LOUD", "1")])?;
    ensure!(by_environment.err.contains("audio.loud"), "{by_environment:?}");
    Ok(())
}

#[test]
fn a_value_that_means_nothing_is_refused_with_its_key() -> anyhow::Result<()> {
    let ended = run("[volume]\nemergency_percent = 20\n", &[])?;
    ensure!(ended.code == Some(1) && ended.err.contains("volume.emergency_percent"), "{ended:?}");
    Ok(())
}

#[test]
fn the_environment_overrides_the_file() -> anyhow::Result<()> {
    let elsewhere = tempfile::tempdir()?;
    let state = elsewhere.path().join("state").display().to_string();
    let ended =
        run("[state]\ndir = \"/nonexistent/file\"\n", &[("TONGLUO_EDGE__STATE__DIR", &state)])?;
    // It is not enrolled there: that it looked there is what counts.
    ensure!(ended.code == Some(1) && ended.err.contains(&state), "{ended:?}");
    ensure!(!ended.err.contains("/nonexistent/file"), "{ended:?}");
    Ok(())
}
