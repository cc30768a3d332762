//! `dispatcher user`: accounts, on the machine itself. What is done here stands in the record as
//! done by `system`.

use std::io::Read as _;
use std::process::ExitCode;

use anyhow::Context as _;
use protocols::region::RegionCode;
use zeroize::Zeroizing;

use super::print;
use crate::app::accounts::{self, NewAccount};
use crate::config::Config;
use crate::domain::actor::{ActorId, Grant};
use crate::domain::authority::Role;
use crate::password;
use crate::ports::Ports;
use crate::store::{self, Db};

/// Arguments of `user`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: UserCommand,
}

#[derive(Debug, clap::Subcommand)]
enum UserCommand {
    /// Make an account with a second factor; prints the secret once.
    Add {
        /// The login name: 2 to 32 lower-case letters, digits or . _ -
        name: String,
        /// The person's name; absent: the login name.
        #[arg(long)]
        full_name: Option<String>,
        /// Read the password from standard input; otherwise one is made and printed once.
        #[arg(long)]
        password_stdin: bool,
        /// A grant, as role:region (composer:350212110000). May be given several times.
        #[arg(long = "grant", value_parser = read_grant)]
        grants: Vec<Grant>,
    },
    /// Set a new password and end all sessions.
    Passwd {
        /// The login name.
        name: String,
        /// Read the password from standard input; otherwise one is made and printed once.
        #[arg(long)]
        password_stdin: bool,
    },
    /// Give a role in a region and everything below it.
    Grant {
        /// The login name.
        name: String,
        /// viewer, composer, approver, commander, maintainer, auditor or admin.
        #[arg(long)]
        role: Role,
        /// 12 digits.
        #[arg(long)]
        region: RegionCode,
        /// Take it instead.
        #[arg(long)]
        revoke: bool,
    },
    /// Make a new second factor; prints the secret once.
    Totp {
        /// The login name.
        name: String,
    },
    /// Disable an account and end its sessions.
    Disable {
        /// The login name.
        name: String,
        /// Enable it again.
        #[arg(long)]
        undo: bool,
    },
    /// List accounts with what was granted.
    List,
}

/// Characters of a password that is made here: 20 of 32 letters are 100 bits.
const PASSWORD_CHARS: usize = 20;

/// Runs the command.
pub async fn run(config: Config, arguments: Arguments) -> anyhow::Result<ExitCode> {
    let ports = Ports::system();
    let db = Db::open(&config.database.url, config.database.connections)
        .await
        .context("open the database")?;
    match arguments.command {
        UserCommand::Add { name, full_name, password_stdin, grants } => {
            let full_name = full_name.unwrap_or_else(|| name.clone());
            add(&db, &ports, name, full_name, password_stdin, grants).await?;
        }
        UserCommand::Passwd { name, password_stdin } => {
            let hash = accounts::hashed(&ports, read_password(&ports, password_stdin)?).await?;
            let mut tx = db.begin().await?;
            accounts::set_password(&mut tx, ports.now(), ActorId::System, &name, hash).await?;
            tx.commit().await?;
        }
        UserCommand::Grant { name, role, region, revoke } => {
            let (mut tx, grant) = (db.begin().await?, Grant { role, region });
            let by = ActorId::System;
            let has_changed =
                accounts::set_grant(&mut tx, ports.now(), by, &name, grant, !revoke).await?;
            tx.commit().await?;
            print(if has_changed { "changed" } else { "nothing to change" })?;
        }
        UserCommand::Totp { name } => {
            let secret = ports.bytes::<{ password::TOTP_SECRET_BYTES }>().to_vec();
            let mut tx = db.begin().await?;
            let by = ActorId::System;
            accounts::set_totp(&mut tx, ports.now(), by, &name, secret.clone()).await?;
            tx.commit().await?;
            print_totp(&name, &secret)?;
        }
        UserCommand::Disable { name, undo } => {
            let mut tx = db.begin().await?;
            accounts::set_disabled(&mut tx, ports.now(), ActorId::System, &name, !undo).await?;
            tx.commit().await?;
        }
        UserCommand::List => list(&db).await?,
    }
    db.close().await;
    Ok(ExitCode::SUCCESS)
}

async fn add(
    db: &Db,
    ports: &Ports,
    name: String,
    full_name: String,
    password_stdin: bool,
    grants: Vec<Grant>,
) -> anyhow::Result<()> {
    let secret = ports.bytes::<{ password::TOTP_SECRET_BYTES }>().to_vec();
    let password_hash = accounts::hashed(ports, read_password(ports, password_stdin)?).await?;
    let totp_secret = Some(secret.clone());
    let new = NewAccount { name: name.clone(), full_name, password_hash, totp_secret };
    let mut tx = db.begin().await?;
    accounts::add(&mut tx, ports, ActorId::System, new).await?;
    for grant in grants {
        let by = ActorId::System;
        accounts::set_grant(&mut tx, ports.now(), by, &name, grant, true).await?;
    }
    tx.commit().await?;
    print_totp(&name, &secret)
}

async fn list(db: &Db) -> anyhow::Result<()> {
    let mut connection = db.read().await?;
    let mut after = String::new();
    loop {
        let page = store::accounts::list(&mut connection, &after, 200).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after.clone_from(&last.name);
        for account in page {
            let grants = store::accounts::grants(&mut connection, account.id).await?;
            let grants = grants.iter().map(|grant| format!("{}:{}", grant.role, grant.region));
            let grants = grants.collect::<Vec<_>>().join(" ");
            let state = if account.disabled_at.is_some() { "disabled" } else { "enabled" };
            print(&format!("{}\t{}\t{state}\t{grants}", account.name, account.full_name))?;
        }
    }
}

fn print_totp(name: &str, secret: &[u8]) -> anyhow::Result<()> {
    print(&format!("totp_secret: {}", password::totp_base32(secret)))?;
    print(&format!("totp_url: {}", password::totp_url(name, secret)))
}

/// 32 characters without those that are mistaken for each other.
const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

fn read_password(ports: &Ports, is_stdin: bool) -> anyhow::Result<String> {
    if is_stdin {
        let mut text = Zeroizing::new(String::new());
        std::io::stdin().take(4_096).read_to_string(&mut text).context("read the password")?;
        return Ok(text.trim_end_matches(['\r', '\n']).to_owned());
    }
    let bytes = ports.bytes::<PASSWORD_CHARS>();
    let password =
        bytes.iter().map(|b| char::from(LETTERS[usize::from(b % 32)])).collect::<String>();
    print(&format!("password: {password}"))?;
    Ok(password)
}

fn read_grant(text: &str) -> Result<Grant, String> {
    let (role, region) = text.split_once(':').ok_or("a grant is role:region")?;
    Ok(Grant {
        role: role.parse().map_err(|error| format!("{error}"))?,
        region: region.parse().map_err(|error| format!("{error}"))?,
    })
}
