//! `edge-node journal`: the journal as a person reads it. Reads only; a running edge-node is not
//! disturbed.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use edge_node::engine::journal::describe;
use edge_node::shell::journal;

use super::run::JOURNAL_FILE;
use super::{ConfigArgs, say_line};

#[derive(Debug, clap::Args)]
pub(super) struct PrintJournal {
    #[command(flatten)]
    config: ConfigArgs,
    /// The file; without it, the journal of the configured state folder.
    file: Option<PathBuf>,
}

impl PrintJournal {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let path = match self.file {
            Some(file) => file,
            None => self.config.load()?.state.dir.join(JOURNAL_FILE),
        };
        let name = path.display().to_string();
        let bytes = std::fs::read(&path).with_context(|| name.clone())?;
        let contents = journal::read(&bytes)
            .with_context(|| format!("{name} is not a journal of this version 不是本版本的日志"))?;
        let mut is_readable = true;
        for (number, record) in contents.records.iter().enumerate() {
            match describe(record) {
                Ok(lines) => {
                    for line in lines {
                        say_line(&format!("{number:>6}  {line}"))?;
                    }
                }
                Err(error) => {
                    is_readable = false;
                    say_line(&format!(
                        "{number:>6}  unreadable ({error}): {}",
                        hex::encode(record)
                    ))?;
                }
            }
        }
        if contents.torn_bytes > 0 {
            say_line(&format!(
                "        {} bytes at the end {}",
                contents.torn_bytes,
                if contents.is_broken {
                    "are damaged, with records behind 损坏，其后仍有记录"
                } else {
                    "were never complete 没有写完"
                }
            ))?;
        }
        is_readable &= !contents.is_broken;
        Ok(if is_readable { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}
