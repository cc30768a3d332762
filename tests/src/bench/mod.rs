//! The figures of `cargo xtask bench`: each beside somebody else who does the same (or the least
//! that anybody must do) in the same run, against the goals of the design, as a line of a table and
//! as `target/bench/<name>.json`. Medians and ratios; machines are noisy, so each says the load.
//!
//! | file | measures |
//! |---|---|
//! | `cap` | a long CAP message beside the crate `oasiscap`; hostile files |
//! | `trust` | an order with its chain beside bare Ed25519 |
//! | `area` | a polygon against every terminal |
//! | `engine` | decisions of the loudspeaker a second |
//! | `edge`, `snapcast` | the village device as it ships: size, start-up, memory; beside snapclient |
//! | `path` | issued → first sound, withdrawn → silence, on three real nodes |
//! | `flood` | a red alert amid ten thousand forgeries a second |
//! | `store` | receipts into both databases beside bare inserts |
//!
//! What they share: `figure` (a number and its verdict), `timing`, `machine`, `authority`.

mod area;
mod authority;
mod cap;
mod edge;
mod engine;
mod figure;
mod flood;
mod machine;
mod path;
mod snapcast;
mod store;
mod timing;
mod trust;

use std::path::Path;

use anyhow::{Context as _, bail};

pub use cap::read_hostile;
pub use figure::{Figure, Verdict};

/// Groups of figures by name, in their order.
pub const GROUPS: [&str; 10] =
    ["size", "cap", "hostile", "trust", "area", "engine", "store", "edge", "path", "flood"];

async fn measure(group: &str, folder: &Path) -> anyhow::Result<Vec<Figure>> {
    match group {
        "size" => edge::size(),
        "cap" => cap::long(),
        "hostile" => cap::hostile(),
        "trust" => trust::chain(),
        "area" => area::polygon(),
        "engine" => engine::decisions(),
        "store" => store::receipts(folder).await,
        "edge" => edge::life(folder).await,
        "path" => path::alerts(folder).await,
        "flood" => flood::red_alert(folder).await,
        _ => bail!("no group is called {group}; there are {}", GROUPS.join(", ")),
    }
}

/// Measures these groups (all when none is named), prints the table and writes `<name>.json` into
/// `out`. A group that fails is told and does not keep the others from being measured; gives their
/// names.
pub async fn run(only: &[String], out: &Path) -> anyhow::Result<Vec<String>> {
    if let Some(unknown) = only.iter().find(|name| !GROUPS.contains(&name.as_str())) {
        bail!("no group is called {unknown}; there are {}", GROUPS.join(", "));
    }
    std::fs::create_dir_all(out).with_context(|| format!("make {}", out.display()))?;
    eprintln!("{}", figure::head());
    let (mut missed, mut failed) = (Vec::new(), Vec::new());
    for group in GROUPS.iter().filter(|g| only.is_empty() || only.iter().any(|o| o == *g)) {
        let folder = tempfile::tempdir().context("make a temporary folder")?;
        let before = machine::load();
        let measured = measure(group, folder.path()).await;
        let load = [before, machine::load()];
        match measured {
            Ok(figures) => {
                for figure in figures {
                    let figure = Figure { load, ..figure };
                    figure.write(out)?;
                    eprintln!("{}", figure.line());
                    if figure.verdict == Verdict::Missed {
                        let why = figure.profile.unwrap_or("no profile was taken yet");
                        missed.push(format!("{}: {why}", figure.name));
                    }
                }
            }
            Err(error) => {
                eprintln!("{group}: not measured: {error:#}");
                failed.push((*group).to_owned());
            }
        }
    }
    for why in missed {
        eprintln!("missed · {why}");
    }
    eprintln!("{}", out.display());
    Ok(failed)
}
