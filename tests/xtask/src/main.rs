//! `cargo xtask demo | test | bench | fuzz | setup`: does all set-up, then the job.
//!
//! Depends on no workspace crate, so that it compiles on a bare machine *before* the libraries
//! those crates need are there. It knows packages, commands and their order; it knows nothing of
//! alerts.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod cargo;
mod debian;
mod fuzz;
mod suites;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Set-up and the main jobs of Tongluo")]
struct Cli {
    #[command(subcommand)]
    job: Job,
}

#[derive(Subcommand)]
enum Job {
    /// Play the alert path: a city, three villages, three alerts. Report in target/demo/.
    Demo {
        /// End when the story is told; exit 0 only if all of it was true.
        #[arg(long)]
        once: bool,
    },
    /// Run every suite, print minutes per suite and one closing line.
    Test {
        /// Only these suites (see the names in the output).
        #[arg(long)]
        suite: Vec<String>,
    },
    /// Measure, side by side with peers; tables here, JSON in target/bench/.
    Bench {
        /// Only these groups of figures (see `tests/src/bench/mod.rs`).
        groups: Vec<String>,
    },
    /// Feed every decoder what coverage suggests; findings are kept in target/fuzz/.
    Fuzz {
        /// Only these decoders (see the names in the output).
        #[arg(long)]
        decoder: Vec<String>,
        /// Seconds for each decoder.
        #[arg(long, default_value_t = fuzz::SECONDS)]
        seconds: u64,
        /// Decoders at a time; as many as there are processors unless said.
        #[arg(long)]
        jobs: Option<usize>,
    },
    /// Install what the other jobs need, and nothing else.
    Setup,
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().job {
        Job::Demo { once } => debian::install(debian::DEMO).and_then(|()| suites::demo(once)),
        Job::Test { suite } => debian::install(debian::TEST).and_then(|()| suites::test(&suite)),
        Job::Bench { groups } => {
            debian::install(debian::BENCH).and_then(|()| suites::bench(&groups))
        }
        Job::Fuzz { decoder, seconds, jobs } => {
            debian::install(debian::DEMO).and_then(|()| fuzz::run(&decoder, seconds, jobs))
        }
        Job::Setup => debian::install(debian::TEST).map(|()| ExitCode::SUCCESS),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("xtask: {error:#}");
        ExitCode::FAILURE
    })
}
