//! Ports and broker: may this dispatcher listen, and does the broker let it in?

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::{Check, words};
use crate::config::Config;
use crate::context::Signer;
use crate::mqtt::client::{self, Address, Session, SessionEvent};

/// Longest wait for an answer from a port or a broker.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a dispatcher answers at `/healthz`, with its header: some hundred bytes.
const ANSWER_BYTES_MAX: u64 = 1_024;

pub(super) async fn checks(config: &Config, signer: Option<&Signer>) -> Vec<Check> {
    let is_serving = is_serving(config.server.listen).await;
    let mut checks = vec![port("port", "server.listen", config.server.listen, is_serving).await];
    if config.mqtt.is_embedded() {
        checks.push(port("broker port", "mqtt.listen", config.mqtt.listen, is_serving).await);
    } else {
        checks.push(broker(config, signer).await);
    }
    checks
}

/// A taken port is as it should be while this dispatcher serves there, and a fault otherwise.
async fn port(name: &'static str, key: &str, address: SocketAddr, is_serving: bool) -> Check {
    match TcpListener::bind(address).await {
        Ok(_) => Check::good(name, format!("{address} 空闲"), format!("{address} is free")),
        Err(_) if is_serving => Check::good(
            name,
            format!("dispatcher 正在 {address} 上运行"),
            format!("the dispatcher serves at {address}"),
        ),
        Err(error) => Check::broken(
            name,
            format!("{address} 不可用: {error}；用 ss -ltnp 找出占用者并停掉它，或改 {key}"),
            format!(
                "{address}: {error}; find who holds it by `ss -ltnp` and stop it, or set {key}"
            ),
        ),
    }
}

/// Whether a dispatcher answers at this address.
async fn is_serving(address: SocketAddr) -> bool {
    let asked = async {
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(b"GET /healthz HTTP/1.0\r\n\r\n").await?;
        let mut answer = Vec::new();
        stream.take(ANSWER_BYTES_MAX).read_to_end(&mut answer).await?;
        std::io::Result::Ok(answer)
    };
    let answer = tokio::time::timeout(PATIENCE, asked).await;
    let is_healthy = |answer: &[u8]| answer.starts_with(b"HTTP/1") && answer.ends_with(b"ok\n");
    matches!(answer, Ok(Ok(answer)) if is_healthy(&answer))
}

/// Connects as the dispatcher does, under a client id of its own.
async fn broker(config: &Config, signer: Option<&Signer>) -> Check {
    let url = &config.mqtt.url;
    let refuse = |why: &str| {
        Check::broken(
            "broker",
            format!(
                "无法接入 {url}: {why}；启动该服务器，或检查 mqtt.url、mqtt.ca_file、mqtt.user 与 \
                 mqtt.password"
            ),
            format!(
                "{url} does not let us in: {why}; start it, or see mqtt.url, mqtt.ca_file, \
                 mqtt.user and mqtt.password"
            ),
        )
    };
    let address = match address(config, signer) {
        Ok(address) => address,
        Err(error) => return refuse(&words(&error)),
    };
    let mut session = Session::begin(&address, Vec::new());
    match tokio::time::timeout(PATIENCE, session.next()).await {
        Ok(SessionEvent::Up) => {
            Check::good("broker", format!("已接入 {url}"), format!("{url} lets us in"))
        }
        Ok(SessionEvent::Down(error)) => refuse(&error.to_string()),
        Ok(SessionEvent::Acknowledged(_) | SessionEvent::Message { .. }) | Err(_) => {
            refuse("no answer")
        }
    }
}

fn address(config: &Config, signer: Option<&Signer>) -> Result<Address, client::UrlError> {
    let mqtt = &config.mqtt;
    let (host, port, is_tls) = client::parse_url(&mqtt.url)?;
    let tls = if is_tls { Some(client::tls(Path::new(&mqtt.ca_file))?) } else { None };
    let region = signer.map(|signer| signer.region().to_string()).unwrap_or_default();
    Ok(Address {
        host,
        port,
        client_id: format!("{}-{region}-doctor", mqtt.user),
        user: mqtt.user.clone(),
        password: mqtt.password.clone(),
        tls,
    })
}
