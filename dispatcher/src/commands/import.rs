//! `dispatcher import regions`: the list of regions and the ministry's codes, as a whole or not at
//! all.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;

use crate::app::regions::{self, ImportError};
use crate::config::Config;
use crate::domain::regions::ListFault;
use crate::store::Db;

/// Bytes of a list: the whole of China has some 40 MB of villages.
const LIST_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// What is imported.
#[derive(Debug, clap::Subcommand)]
pub enum ImportCommand {
    /// Regions and the ministry's codes for them; without files the shipped ones.
    Regions {
        /// CSV: code, name, name_en, level, kind, is_target, lat, lon, ring.
        #[arg(long)]
        list: Option<PathBuf>,
        /// CSV: code, region, name, valid_from, valid_until.
        #[arg(long)]
        aliases: Option<PathBuf>,
    },
}

/// Imports. Exit code 1 and every fault with its line when nothing was imported.
pub async fn run(config: Config, command: ImportCommand) -> anyhow::Result<ExitCode> {
    let ImportCommand::Regions { list, aliases } = command;
    let list = list.as_deref().map(read).transpose()?;
    let aliases = aliases.as_deref().map(read).transpose()?;
    let (regions, aliases) = match regions::read(list.as_deref(), aliases.as_deref()) {
        Ok(lists) => lists,
        Err(faults) => return Ok(refuse(&faults)),
    };
    let db = Db::open(&config.database.url, config.database.connections).await?;
    let mut tx = db.begin().await?;
    let imported = match regions::import(&mut tx, &regions, &aliases).await {
        Ok(imported) => imported,
        Err(ImportError::Faults(faults)) => return Ok(refuse(&faults)),
        Err(ImportError::Store(error)) => return Err(error.into()),
    };
    tx.commit().await?;
    db.close().await;
    writeln!(
        std::io::stdout(),
        "区划 {} 个（变更 {}，移除 {}），民政代码 {} 个 / {} regions ({} changed, {} removed), {} codes of the ministry",
        imported.regions,
        imported.changed,
        imported.removed,
        imported.aliases,
        imported.regions,
        imported.changed,
        imported.removed,
        imported.aliases,
    )?;
    Ok(ExitCode::SUCCESS)
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    let size = std::fs::metadata(path).with_context(|| format!("read {}", path.display()))?.len();
    anyhow::ensure!(size <= LIST_BYTES_MAX, "{}: larger than 64 MiB", path.display());
    std::fs::read(path).with_context(|| format!("read {}", path.display()))
}

fn refuse(faults: &[ListFault]) -> ExitCode {
    for fault in faults {
        eprintln!("dispatcher: {fault}");
    }
    eprintln!("dispatcher: 未导入任何内容 / nothing was imported");
    ExitCode::FAILURE
}
