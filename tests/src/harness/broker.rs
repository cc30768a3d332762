//! External brokers as real processes: mosquitto and nats-server.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::Context as _;

use super::process::{Process, find};
use super::tls::BrokerTls;
use super::{clock, ports};

const START_DEADLINE: Duration = Duration::from_secs(15);

/// A broker that a test suite runs against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BrokerKind {
    /// The dispatcher's own.
    Embedded,
    /// mosquitto of Debian, in its default (volatile) setting.
    Mosquitto,
    /// nats-server of Debian with JetStream.
    Nats,
}

/// A running external broker.
pub struct Broker {
    /// The process, to kill or pause.
    pub process: Process,
    /// `mqtt://127.0.0.1:<port>`, or `mqtts://`.
    pub url: String,
    /// The port alone.
    pub port: u16,
}

impl Broker {
    /// Starts one in `folder` on `port` (a free one if `None`). It admits anybody: access control
    /// of external brokers is configured from the dispatcher's own list elsewhere.
    pub async fn start(kind: BrokerKind, folder: &Path, port: Option<u16>) -> anyhow::Result<Self> {
        let port = port.map_or_else(ports::free, Ok)?;
        let process = match kind {
            BrokerKind::Embedded => anyhow::bail!("the embedded broker lives in the dispatcher"),
            BrokerKind::Mosquitto => mosquitto(folder, port, "")?,
            BrokerKind::Nats => nats(folder, port)?,
        };
        Self::listening(process, port, "mqtt").await
    }

    /// Starts mosquitto with TLS and nothing else.
    pub async fn start_tls(folder: &Path, tls: &BrokerTls) -> anyhow::Result<Self> {
        let port = ports::free()?;
        let lines = format!(
            "certfile {}\nkeyfile {}\n",
            tls.certificate_file.display(),
            tls.key_file.display()
        );
        Self::listening(mosquitto(folder, port, &lines)?, port, "mqtts").await
    }

    async fn listening(mut process: Process, port: u16, scheme: &str) -> anyhow::Result<Self> {
        clock::eventually("the broker listens", START_DEADLINE, async || {
            process.check_alive()?;
            Ok(ports::is_open(port).then_some(()))
        })
        .await?;
        Ok(Self { process, url: format!("{scheme}://127.0.0.1:{port}"), port })
    }
}

fn mosquitto(folder: &Path, port: u16, tls: &str) -> anyhow::Result<Process> {
    let file = folder.join("mosquitto.conf");
    // As root mosquitto would change to a user that can't read the folder.
    let text = format!(
        "listener {port} 127.0.0.1\n{tls}allow_anonymous true\npersistence false\nuser root\n\
         max_queued_messages 10000\nmax_packet_size 65536\n"
    );
    std::fs::write(&file, text).context("write mosquitto.conf")?;
    Process::start("mosquitto", folder, Command::new(find("mosquitto")?).arg("-c").arg(file))
}

fn nats(folder: &Path, port: u16) -> anyhow::Result<Process> {
    let file = folder.join("nats.conf");
    let client_port = ports::free()?;
    let store = folder.join("jetstream");
    let text = format!(
        "server_name: tongluo\nhost: 127.0.0.1\nport: {client_port}\n\
         jetstream {{ store_dir: \"{}\" }}\nmqtt {{ host: 127.0.0.1, port: {port} }}\n",
        store.display()
    );
    std::fs::write(&file, text).context("write nats.conf")?;
    Process::start("nats-server", folder, Command::new(find("nats-server")?).arg("-c").arg(file))
}
