//! Ten thousand connections from many addresses.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::io::AsyncReadExt as _;
use tokio::net::{TcpSocket, TcpStream};

/// Connections from one address, well below the ports that one address has.
const PER_ADDRESS: usize = 500;

/// Open files that this process needs besides.
const FILES_BESIDE: u64 = 1_000;

/// How long one connection may take to be made.
const CONNECT_DEADLINE: Duration = Duration::from_secs(20);

/// Connections that are held open, in the order in which they were made.
pub struct Crowd {
    connections: Vec<TcpStream>,
}

impl Crowd {
    /// Opens so many connections to a port of loopback, from 127.0.1.1, 127.0.1.2 and so on. None
    /// of them says anything.
    pub async fn open(port: u16, count: usize) -> anyhow::Result<Self> {
        raise_open_files(count as u64 + FILES_BESIDE)?;
        let to = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let mut connections = Vec::with_capacity(count);
        for n in 0..count {
            let host = u8::try_from(1 + n / PER_ADDRESS).context("a crowd of at most 127,000")?;
            let from = IpAddr::V4(Ipv4Addr::new(127, 0, 1, host));
            connections.push(connect(from, to).await.with_context(|| format!("connection {n}"))?);
        }
        Ok(Self { connections })
    }

    /// How many of them the other side has closed.
    pub fn closed(&self) -> usize {
        self.connections.iter().filter(|connection| is_closed(connection)).count()
    }

    /// The connections.
    pub fn connections(&mut self) -> &mut [TcpStream] {
        &mut self.connections
    }

    /// Waits until the connection at `index` is closed, and gives what came before.
    pub async fn until_closed(
        &mut self,
        index: usize,
        deadline: Duration,
    ) -> anyhow::Result<Vec<u8>> {
        let mut said = Vec::new();
        let read = self.connections[index].read_to_end(&mut said);
        match tokio::time::timeout(deadline, read).await.context("it stays open")? {
            Ok(_) => {}
            // Closed while bytes of ours were on their way.
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => {}
            Err(error) => return Err(error).context("read what it says"),
        }
        Ok(said)
    }
}

fn is_closed(connection: &TcpStream) -> bool {
    match connection.try_read(&mut [0; 1]) {
        Ok(count) => count == 0,
        Err(error) => error.kind() != std::io::ErrorKind::WouldBlock,
    }
}

async fn connect(from: IpAddr, to: SocketAddr) -> anyhow::Result<TcpStream> {
    let socket = TcpSocket::new_v4().context("open a socket")?;
    socket.bind((from, 0).into()).context("bind")?;
    let connected = tokio::time::timeout(CONNECT_DEADLINE, socket.connect(to)).await;
    connected.context("nobody answers")?.context("connect")
}

/// Lets this process hold so many files open.
fn raise_open_files(wanted: u64) -> anyhow::Result<()> {
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= wanted) {
        return Ok(());
    }
    let maximum = limit.maximum.map(|maximum| maximum.max(wanted));
    let raised = setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum });
    ensure!(
        raised.is_ok(),
        "this test holds {wanted} files open, and the limit is {:?}: ulimit -Hn {wanted}",
        limit.maximum
    );
    Ok(())
}
