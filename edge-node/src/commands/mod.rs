//! The commands. Exit codes: 0 done; 1 it failed, or `doctor` found something broken; 2 wrong
//! usage.

mod doctor;
mod enrol;
mod journal;
mod log;
mod run;
mod say;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use edge_node::shell::config::Config;

/// The village device: verifies, decides, speaks, reports. 村级网关
#[derive(Debug, Parser)]
#[command(name = "edge-node", version)]
pub(crate) struct Program {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Listen and speak, until SIGTERM. SIGUSR1 is the local stop key.
    Run(run::Run),
    /// Join a dispatcher with a code from paper.
    Enrol(enrol::Enrol),
    /// Say in one line each what is broken here and how to mend it.
    Doctor(doctor::Doctor),
    /// Speak a text aloud now and print what the sound card did.
    Say(say::Say),
    /// Print the journal, a line for each entry.
    Journal(journal::PrintJournal),
}

/// Where the configuration is.
#[derive(Debug, Args)]
struct ConfigArgs {
    /// Configuration file (TOML); the defaults without it. TONGLUO_EDGE__SECTION__KEY overrides.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl ConfigArgs {
    fn load(&self) -> anyhow::Result<Config> {
        let environment = std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        });
        Ok(Config::load(self.config.as_deref(), environment)?)
    }
}

impl Program {
    /// Runs the command.
    pub(crate) fn run(self) -> ExitCode {
        let result = match self.command {
            Command::Run(command) => command.run(),
            Command::Enrol(command) => command.run(),
            Command::Doctor(command) => command.run(),
            Command::Say(command) => command.run(),
            Command::Journal(command) => command.run(),
        };
        result.unwrap_or_else(|error| {
            // If even this can't be written, nobody is there to read it.
            let _ = writeln!(std::io::stderr(), "edge-node: {error:#}");
            ExitCode::FAILURE
        })
    }
}

/// The single-threaded runtime. Four threads serve HTTP, names and files; each costs memory.
fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(4).build()
}

/// One line to standard output.
fn say_line(line: &str) -> std::io::Result<()> {
    writeln!(std::io::stdout().lock(), "{line}")
}
