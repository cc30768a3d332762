//! `dispatcher stick`: what is in force for a region, as a file on a USB stick. The messages are
//! those of the wire, signed long ago: no key is needed to write them, and none is on the stick.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use jiff::Timestamp;
use protocols::region::RegionCode;
use protocols::stick::{FILE_NAME, Stick, StickMessage};
use protocols::wire::MessageType;

use super::print;
use crate::config::Config;
use crate::ports::Ports;
use crate::store::{Conn, Db, StoreError, outbox, revocations};

/// For whom, and where.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The region whose terminals the stick is carried to.
    #[arg(long)]
    region: RegionCode,
    /// The root folder of the stick, as it is mounted here.
    #[arg(long)]
    out: PathBuf,
}

/// Writes it.
pub async fn run(config: Config, arguments: Arguments) -> anyhow::Result<ExitCode> {
    let db = Db::open(&config.database.url, config.database.connections).await?;
    let mut tx = db.begin().await?;
    let messages = in_force(&mut tx, arguments.region, Ports::system().now()).await;
    tx.rollback().await?;
    db.close().await;
    let messages = messages?;
    let of = |kind| messages.iter().filter(|message| message.kind == kind).count();
    let counts = format!(
        "{} orders, {} commands, {} revocation lists",
        of(MessageType::Order),
        of(MessageType::Command),
        of(MessageType::RevocationList)
    );
    let bytes = Stick::new(messages).and_then(|stick| stick.encode());
    let bytes = bytes.context("请选择更小的区域 / choose a smaller region")?;
    let path = arguments.out.join(FILE_NAME);
    // Whole or not at all: the stick may be drawn out too early.
    let mut file = tempfile::NamedTempFile::new_in(&arguments.out)
        .with_context(|| arguments.out.display().to_string())?;
    file.write_all(&bytes).context("write the stick")?;
    file.as_file().sync_all().context("write the stick")?;
    file.persist(&path).with_context(|| path.display().to_string())?;
    print(&format!("{}: {counts}", path.display()))?;
    Ok(ExitCode::SUCCESS)
}

/// The newest revocation list, the commands and the orders that terminals of `region` may need, in
/// this order: first whom to believe, then what is silent, then what sounds.
async fn in_force(
    connection: &mut Conn,
    region: RegionCode,
    now: Timestamp,
) -> Result<Vec<StickMessage>, StoreError> {
    let mut messages = Vec::new();
    if let Some(list) = revocations::newest(connection).await? {
        messages.push(StickMessage { kind: MessageType::RevocationList, sealed: list.sealed });
    }
    for command in outbox::live_commands(connection, now).await? {
        if command.topic.overlaps(region) {
            messages.push(StickMessage { kind: MessageType::Command, sealed: command.sealed });
        }
    }
    for order in outbox::live_orders(connection, now).await?.into_iter().rev() {
        if order.topic.overlaps(region) {
            let sealed = order.sealed.clone();
            messages.push(StickMessage { kind: MessageType::Order, sealed });
        }
    }
    Ok(messages)
}
