//! The command line of the dispatcher; everything else is in the library.

use std::process::ExitCode;

use clap::Parser as _;
use dispatcher::commands::{Cli, run};

#[tokio::main]
async fn main() -> ExitCode {
    match run(Cli::parse()).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("dispatcher: {error:#}");
            ExitCode::FAILURE
        }
    }
}
