//! `dispatcher audit verify` and `audit head`: is the record whole, and how far does it reach?
//!
//! `verify` ends with 0 when the record is whole, 1 when it is broken, 2 when it could not be
//! checked. It needs no private key.

use std::process::ExitCode;

use anyhow::Context as _;
use protocols::region::RegionCode;
use protocols::trust::{self, Roots};
use serde_json::{Value, json};

use super::print;
use crate::app::audit::check::{self, Report};
use crate::app::audit::head;
use crate::config::{Config, ConfigError};
use crate::context::{Signer, read_roots};
use crate::daily_record;
use crate::ports::Ports;
use crate::store::Db;

/// The record could not be checked.
const UNCHECKED: u8 = 2;

/// What is done.
#[derive(Debug, clap::Subcommand)]
pub enum AuditCommand {
    /// Check every entry, and every signed head of the database and of the daily record. Ends with
    /// 0 when all is whole, 1 when not, 2 when it could not be checked.
    Verify {
        /// One JSON object instead of text.
        #[arg(long)]
        json: bool,
    },
    /// Sign the head as it is now and print it, to be kept elsewhere.
    Head,
}

/// Does it.
pub async fn run(
    config: Result<Config, ConfigError>,
    command: &AuditCommand,
) -> anyhow::Result<ExitCode> {
    match command {
        AuditCommand::Verify { json } => match verify(config).await {
            Ok(report) => {
                show(&report, *json)?;
                let is_whole = report.faults.is_empty();
                Ok(if is_whole { ExitCode::SUCCESS } else { ExitCode::FAILURE })
            }
            Err(error) => {
                if *json {
                    let why = format!("{error:#}");
                    print(&json!({ "verdict": "unchecked", "error": why }).to_string())?;
                }
                eprintln!("dispatcher: 记录未能核验 / the record was not checked: {error:#}");
                Ok(ExitCode::from(UNCHECKED))
            }
        },
        AuditCommand::Head => {
            print_head(&config?).await?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

async fn verify(config: Result<Config, ConfigError>) -> anyhow::Result<Report> {
    let config = config?;
    let (roots, authority) = trusted(&config)?;
    let folder = &config.audit.folder;
    let claims = if folder.as_os_str().is_empty() {
        Vec::new()
    } else {
        daily_record::read(folder).context("read the daily record (audit.folder)")?
    };
    let db = connect(&config).await?;
    let mut connection = db.read().await?;
    let report = check::check(&mut connection, &claims, &roots, authority).await;
    drop(connection);
    db.close().await;
    report.context("read the record")
}

/// The pinned roots and the region of this dispatcher, without its private key.
fn trusted(config: &Config) -> anyhow::Result<(Roots, RegionCode)> {
    let roots = read_roots(&config.trust.roots_file)?;
    let path = &config.trust.certificate_file;
    let sealed = std::fs::read(path)
        .with_context(|| format!("read trust.certificate_file {}", path.display()))?;
    let certificate = trust::open_certificate(&sealed, &roots)
        .with_context(|| format!("{} is not believed", path.display()))?;
    Ok((roots, certificate.region))
}

async fn connect(config: &Config) -> anyhow::Result<Db> {
    crate::backup::must_exist(&config.database.url)?;
    Db::connect(&config.database.url, 2).await.context("open the database")
}

fn show(report: &Report, is_json: bool) -> anyhow::Result<()> {
    if is_json {
        return print(&as_json(report).to_string());
    }
    for (epoch, number) in &report.lost {
        print(&format!(
            "note    第 {epoch} 纪元曾到第 {number} 条，已随恢复备份丢失 / epoch {epoch} reached \
             entry {number}, which a restore from a backup lost"
        ))?;
    }
    for fault in &report.faults {
        print(&format!("broken  {} / {fault}", fault.zh()))?;
    }
    let (entries, heads) = (report.entries, report.confirmed);
    if report.faults.is_empty() {
        print(&format!(
            "ok      {entries} 条记录完整，{heads} 个签名链头相符 / {entries} entries are whole, \
             {heads} signed heads agree"
        ))?;
    }
    Ok(())
}

fn as_json(report: &Report) -> Value {
    let faults = report.faults.iter().map(|fault| {
        json!({
            "kind": fault.kind(),
            "entry": fault.entry(),
            "message_zh": fault.zh(),
            "message_en": fault.to_string(),
        })
    });
    let lost = report.lost.iter().map(|(epoch, number)| json!({ "epoch": epoch, "entry": number }));
    json!({
        "verdict": if report.faults.is_empty() { "whole" } else { "broken" },
        "entries": report.entries,
        "digest": hex::encode(&report.digest),
        "epoch": report.epoch,
        "heads": report.confirmed,
        "lost_by_restore": lost.collect::<Vec<_>>(),
        "faults": faults.collect::<Vec<_>>(),
    })
}

async fn print_head(config: &Config) -> anyhow::Result<()> {
    let signer = Signer::load(&config.trust)?;
    let db = connect(config).await?;
    let mut connection = db.read().await?;
    let sealed = head::seal(&mut connection, &signer, Ports::system().now()).await;
    drop(connection);
    db.close().await;
    let sealed = sealed?.context("the record is empty")?;
    let head = sealed.head;
    let line = json!({
        "at": head.at,
        "epoch": head.epoch,
        "number": head.number,
        "digest": head.digest,
        "sealed": hex::encode(sealed.sealed),
    });
    print(&line.to_string())
}
