//! `dispatcher terminal enrol`: plans a terminal and prints its code, on the database directly.

use std::io::Write as _;
use std::process::ExitCode;

use protocols::region::RegionCode;

use crate::app::terminals::TerminalError;
use crate::app::{enrolments, terminals};
use crate::config::Config;
use crate::context::read_roots;
use crate::domain::actor::Actor;
use crate::domain::terminal::TerminalDetails;
use crate::ports::Ports;
use crate::store::Db;

/// What is done.
#[derive(Debug, clap::Subcommand)]
pub enum TerminalCommand {
    /// Plan a terminal in a village and print the code by which it joins: good for 24 hours, once.
    Enrol {
        /// The village: 12 digits.
        #[arg(long)]
        village: RegionCode,
        /// The place as people call it; without it the village's own name.
        #[arg(long)]
        name: Option<String>,
        /// Latitude in degrees, WGS 84.
        #[arg(long, requires = "lon", allow_hyphen_values = true)]
        lat: Option<f64>,
        /// Longitude in degrees, WGS 84.
        #[arg(long, requires = "lat", allow_hyphen_values = true)]
        lon: Option<f64>,
    },
}

/// Does it. The code is the only line on the standard output.
pub async fn run(config: Config, command: TerminalCommand) -> anyhow::Result<ExitCode> {
    let TerminalCommand::Enrol { village, name, lat, lon } = command;
    let roots = read_roots(&config.trust.roots_file)?;
    let ports = Ports::system();
    let db = Db::open(&config.database.url, config.database.connections).await?;
    crate::app::regions::seed(&db, village).await?;
    let mut tx = db.begin().await?;
    let known = crate::store::regions::get(&mut tx, village).await?;
    let name = name.or_else(|| known.map(|region| region.name));
    let details = TerminalDetails {
        name: name.unwrap_or_else(|| village.to_string()),
        place: lat.zip(lon),
        is_speaking: true,
    };
    let actor = Actor::system();
    let created = terminals::create(&mut tx, ports.now(), &actor, village, &details).await;
    let terminal = match created {
        Ok(terminal) => terminal,
        Err(TerminalError::Faults(faults)) => {
            for fault in faults {
                let field = fault.pointer.trim_start_matches('/');
                eprintln!("dispatcher: --{field}: {} / {}", fault.zh, fault.en);
            }
            return Ok(ExitCode::FAILURE);
        }
        Err(error) => return Err(error.into()),
    };
    let url = config.server.base_url();
    let new = enrolments::create(&mut tx, &ports, &actor, terminal.id, &url, &roots).await?;
    tx.commit().await?;
    db.close().await;
    eprintln!("dispatcher: {} → {} ({})", terminal.id, url, new.expires_at);
    writeln!(std::io::stdout(), "{}", new.code.to_text())?;
    Ok(ExitCode::SUCCESS)
}
