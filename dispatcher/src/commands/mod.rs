//! The command line, one file a command. Every command says what went wrong in its last line and
//! by its exit code: 1 for a refusal or a failure, 2 for wrong usage.

pub mod cap;
pub mod serve;

use std::path::PathBuf;
use std::process::ExitCode;

use crate::config::Config;

/// 调度平台: alerts, approval, orders and receipts of one level.
#[derive(Debug, clap::Parser)]
#[command(name = "dispatcher", version, about)]
pub struct Cli {
    /// The configuration; without it the defaults of config.default.toml hold.
    #[arg(long, global = true, env = "TONGLUO_CONFIG")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Serve until SIGTERM.
    Serve(serve::Arguments),
    // Accounts and checks.
    // Regions and terminals.
    // CAP.
    /// CAP messages.
    Cap(cap::CapArgs),
}

/// Runs the command.
pub async fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    let config = || Config::load(cli.config.as_deref(), std::env::vars());
    match cli.command {
        Command::Serve(arguments) => serve::run(config()?, arguments).await,
        // Accounts and checks.
        // Regions and terminals.
        // CAP.
        Command::Cap(arguments) => cap::run(&arguments, &mut std::io::stdout().lock()),
    }
}
