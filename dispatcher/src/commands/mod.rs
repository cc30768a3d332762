//! The command line, one file a command. Every command says what went wrong in its last line and
//! by its exit code: 1 for a refusal or a failure, 2 for wrong usage.

pub mod audit;
pub mod backup;
pub mod broker_config;
pub mod cap;
pub mod doctor;
pub mod import;
pub mod key;
mod open_files;
pub mod openapi;
pub mod serve;
pub mod stick;
pub mod terminal;
pub mod user;

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
    /// Accounts: add, passwd, grant, totp, disable, list.
    User(user::Arguments),
    /// Print the OpenAPI document.
    Openapi,
    /// Check that everything is there that serving needs.
    Doctor,
    // Regions and terminals.
    /// Bring in lists.
    #[command(subcommand)]
    Import(import::ImportCommand),
    /// Roots, delegations, renewals, revocation lists.
    #[command(subcommand)]
    Key(key::KeyCommand),
    /// Terminals, on the database directly.
    #[command(subcommand)]
    Terminal(terminal::TerminalCommand),
    // The record and the database.
    /// The append-only record: check it, or sign its head.
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// Copy the database into one file, while the dispatcher serves. Signing keys are not in it.
    Backup(backup::BackupArguments),
    /// Bring the database back from such a file, and raise the epoch of every stream.
    Restore(backup::RestoreArguments),
    /// Write what is in force onto a USB stick, for terminals that no link reaches.
    Stick(stick::Arguments),
    /// Write users and access rules of an external broker.
    BrokerConfig(broker_config::Arguments),
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
        Command::User(arguments) => user::run(config()?, arguments).await,
        Command::Openapi => openapi::run(),
        Command::Doctor => doctor::run(config()).await,
        // Regions and terminals.
        Command::Import(command) => import::run(config()?, command).await,
        Command::Key(command) => key::run(config, &command).await,
        Command::Terminal(command) => terminal::run(config()?, command).await,
        // The record and the database.
        Command::Audit(command) => audit::run(config(), &command).await,
        Command::Backup(arguments) => backup::back_up(config()?, arguments).await,
        Command::Restore(arguments) => backup::restore(config()?, arguments).await,
        Command::Stick(arguments) => stick::run(config()?, arguments).await,
        Command::BrokerConfig(arguments) => broker_config::run(config()?, arguments).await,
        // CAP.
        Command::Cap(arguments) => cap::run(&arguments, &mut std::io::stdout().lock()),
    }
}

/// One line on standard output: a command's answer. Logs go to standard error.
pub fn print(line: &str) -> anyhow::Result<()> {
    use std::io::Write as _;
    writeln!(std::io::stdout(), "{line}")?;
    Ok(())
}
