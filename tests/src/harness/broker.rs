//! External brokers as real processes: mosquitto and nats-server.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::Context as _;

use super::process::{Process, find};
use super::tls::BrokerTls;
use super::{clock, ports};

/// JetStream's folder beside the configuration.
const NATS_STORE: &str = "jetstream";

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

impl BrokerKind {
    /// Its name for `dispatcher broker-config`; `None` for the embedded one.
    pub fn name(self) -> Option<&'static str> {
        match self {
            Self::Embedded => None,
            Self::Mosquitto => Some("mosquitto"),
            Self::Nats => Some("nats"),
        }
    }
}

/// A running external broker.
pub struct Broker {
    /// The process, to kill or pause.
    pub process: Process,
    /// `mqtt://127.0.0.1:<port>`, or `mqtts://`.
    pub url: String,
    /// The port alone.
    pub port: u16,
    program: &'static str,
    file: PathBuf,
    folder: PathBuf,
}

/// Where a broker listens and reads its users from; known before it runs.
#[derive(Debug, Clone)]
pub struct BrokerPlace {
    /// `mqtt://127.0.0.1:<port>`.
    pub url: String,
    /// The port alone.
    pub port: u16,
    /// The folder for `dispatcher broker-config --out`.
    pub rules: PathBuf,
}

impl BrokerPlace {
    /// A free port, and a folder for the rules in `folder`.
    pub fn find(folder: &Path) -> anyhow::Result<Self> {
        let port = ports::free()?;
        let url = format!("mqtt://127.0.0.1:{port}");
        Ok(Self { url, port, rules: folder.join("broker-rules") })
    }
}

impl Broker {
    /// Starts one in `folder` on `port` (a free one if `None`) that admits anybody.
    pub async fn start(kind: BrokerKind, folder: &Path, port: Option<u16>) -> anyhow::Result<Self> {
        let port = port.map_or_else(ports::free, Ok)?;
        let (program, file) = match kind {
            BrokerKind::Embedded => return Err(embedded()),
            BrokerKind::Mosquitto => mosquitto(folder, port, "allow_anonymous true\n")?,
            BrokerKind::Nats => nats(folder, port, "")?,
        };
        Self::launch(program, file, folder, port, "mqtt").await
    }

    /// Starts one in `folder` that admits whom the rules at `place` name, and to what they say.
    pub async fn start_ruled(
        kind: BrokerKind,
        folder: &Path,
        place: &BrokerPlace,
    ) -> anyhow::Result<Self> {
        // nats-server includes by a path relative to its own file.
        let rules = place.rules.strip_prefix(folder);
        let rules = rules.context("rules lie beside the configuration")?.display();
        let (program, file) = match kind {
            BrokerKind::Embedded => return Err(embedded()),
            BrokerKind::Mosquitto => {
                let rules = place.rules.display();
                let lines = format!("use_username_as_clientid true\ninclude_dir {rules}\n");
                mosquitto(folder, place.port, &lines)?
            }
            BrokerKind::Nats => {
                nats(folder, place.port, &format!("include \"{rules}/tongluo-nats.conf\"\n"))?
            }
        };
        Self::launch(program, file, folder, place.port, "mqtt").await
    }

    /// Starts mosquitto with TLS and nothing else; it admits anybody.
    pub async fn start_tls(folder: &Path, tls: &BrokerTls) -> anyhow::Result<Self> {
        let port = ports::free()?;
        let lines = format!(
            "certfile {}\nkeyfile {}\nallow_anonymous true\n",
            tls.certificate_file.display(),
            tls.key_file.display()
        );
        let (program, file) = mosquitto(folder, port, &lines)?;
        Self::launch(program, file, folder, port, "mqtts").await
    }

    /// Has it read its users and rules again.
    pub fn reload(&self) -> anyhow::Result<()> {
        self.process.signal("HUP")
    }

    /// Starts it again after it was killed, at its place and under its rules, empty: nats-server
    /// 2.9.10 was seen to acknowledge what it is given and to deliver nothing from a store that it
    /// recovered after SIGKILL, to whoever connects anew as well.
    pub async fn restart(&mut self) -> anyhow::Result<()> {
        let store = self.folder.join(NATS_STORE);
        if store.exists() {
            std::fs::remove_dir_all(&store).context("empty the store of nats-server")?;
        }
        self.process = run(self.program, &self.file, &self.folder, self.port).await?;
        Ok(())
    }

    async fn launch(
        program: &'static str,
        file: PathBuf,
        folder: &Path,
        port: u16,
        scheme: &str,
    ) -> anyhow::Result<Self> {
        let process = run(program, &file, folder, port).await?;
        let url = format!("{scheme}://127.0.0.1:{port}");
        Ok(Self { process, url, port, program, file, folder: folder.to_owned() })
    }
}

fn embedded() -> anyhow::Error {
    anyhow::anyhow!("the embedded broker lives in the dispatcher")
}

/// Runs the program on its configuration and waits until it listens.
async fn run(program: &str, file: &Path, folder: &Path, port: u16) -> anyhow::Result<Process> {
    let mut command = Command::new(find(program)?);
    let mut process = Process::start(program, folder, command.arg("-c").arg(file))?;
    clock::eventually("the broker listens", START_DEADLINE, async || {
        process.check_alive()?;
        Ok(ports::is_open(port).then_some(()))
    })
    .await?;
    Ok(process)
}

/// Writes a configuration; `lines` speak of the listener. Returns the program, too.
fn mosquitto(folder: &Path, port: u16, lines: &str) -> anyhow::Result<(&'static str, PathBuf)> {
    let file = folder.join("mosquitto.conf");
    // As root mosquitto would change to a user that can't read the folder.
    let text = format!(
        "persistence false\nuser root\nmax_queued_messages 10000\nmax_packet_size 65536\n\
         listener {port} 127.0.0.1\n{lines}"
    );
    std::fs::write(&file, text).context("write mosquitto.conf")?;
    Ok(("mosquitto", file))
}

/// Writes a configuration with these lines more. Returns the program, too.
fn nats(folder: &Path, port: u16, lines: &str) -> anyhow::Result<(&'static str, PathBuf)> {
    let file = folder.join("nats.conf");
    let client_port = ports::free()?;
    let store = folder.join(NATS_STORE);
    let text = format!(
        "server_name: tongluo\nhost: 127.0.0.1\nport: {client_port}\n\
         jetstream {{ store_dir: \"{}\" }}\nmqtt {{ host: 127.0.0.1, port: {port} }}\n{lines}",
        store.display()
    );
    std::fs::write(&file, text).context("write nats.conf")?;
    Ok(("nats-server", file))
}
