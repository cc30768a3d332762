//! The front of the embedded broker: what it lets through has said, in one whole packet, who it
//! claims to be. rmqtt behind it waits for a first packet without end and gives each connection
//! 16 KiB of buffers at once, so it is shown none that is silent.
//!
//! Each connection is passed on to rmqtt's own listener on loopback, byte by byte and unchanged.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use crate::door::{self, Door};
use crate::metrics::TurnedAwayLabel;

/// Bytes of the first packet: client id, user name, password and last will of a terminal take some
/// 250.
const CONNECT_BYTES_MAX: usize = 2 * 1024;

/// Bytes passed on at a time, in each direction of each connection.
const RELAY_BYTES: usize = 2 * 1024;

/// First byte of a CONNECT packet (MQTT 3.1.1, 3.1.1).
const CONNECT: u8 = 0x10;

/// Bytes of the remaining length at most (MQTT 3.1.1, 2.2.3).
const LENGTH_BYTES_MAX: usize = 4;

/// Takes connections on `listener` and passes on to `inner` those that said who they are.
pub(super) async fn serve(listener: TcpListener, door: Arc<Door>, inner: SocketAddr) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                tokio::spawn(guest(stream, Arc::clone(&door), inner));
            }
            Err(error) => {
                tracing::error!(%error, "a connection to the broker can't be taken");
                door::until_files_are_free().await;
            }
        }
    }
}

/// One connection, from its first byte to its end.
async fn guest(mut stream: TcpStream, door: Arc<Door>, inner: SocketAddr) {
    let first = match first_packet(&mut stream, &door).await {
        Ok(first) => first,
        Err(why) => return door.count(why),
    };
    let Some(_place) = door.place() else { return };
    if let Err(error) = relay(stream, inner, &first).await {
        tracing::debug!(%error, "a connection to the broker ended");
    }
}

/// The CONNECT packet, whole, within the door's patience.
async fn first_packet(
    stream: &mut TcpStream,
    door: &Arc<Door>,
) -> Result<Vec<u8>, TurnedAwayLabel> {
    let leave = CancellationToken::new();
    let _guest = door.enter(&leave);
    let read = tokio::time::timeout(door.limits().patience, read_connect(stream));
    tokio::select! {
        biased;
        () = leave.cancelled() => Err(TurnedAwayLabel::Silent),
        read = read => match read {
            Ok(Ok(packet)) => Ok(packet),
            Ok(Err(error)) if error.kind() == io::ErrorKind::InvalidData => {
                Err(TurnedAwayLabel::Malformed)
            }
            Ok(Err(_)) | Err(_) => Err(TurnedAwayLabel::Silent),
        },
    }
}

async fn read_connect(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut packet = Vec::new();
    let rest = loop {
        packet.push(stream.read_u8().await?);
        if let Some(rest) = remaining(&packet)? {
            break rest;
        }
    };
    let head = packet.len();
    packet.resize(head + rest, 0);
    stream.read_exact(&mut packet[head..]).await?;
    Ok(packet)
}

/// The length of what follows the fixed header, once that is whole.
fn remaining(head: &[u8]) -> io::Result<Option<usize>> {
    let refuse = |reason: &str| Err(io::Error::new(io::ErrorKind::InvalidData, reason));
    let [first, length @ ..] = head else { return Ok(None) };
    if *first != CONNECT {
        return refuse("the first packet is not CONNECT");
    }
    if length.last().is_none_or(|byte| byte & 0x80 != 0) {
        return match length.len() {
            LENGTH_BYTES_MAX.. => refuse("the remaining length is not one"),
            _ => Ok(None),
        };
    }
    let rest = length.iter().rev().fold(0, |sum, byte| (sum << 7) | usize::from(byte & 0x7F));
    if rest > CONNECT_BYTES_MAX {
        return refuse("a CONNECT packet has at most 2,048 bytes");
    }
    Ok(Some(rest))
}

/// Passes on until either side ends; then both are closed.
async fn relay(mut outer: TcpStream, inner: SocketAddr, first: &[u8]) -> io::Result<()> {
    outer.set_nodelay(true)?;
    let mut inner = TcpStream::connect(inner).await?;
    inner.set_nodelay(true)?;
    inner.write_all(first).await?;
    let (from_outer, mut to_outer) = outer.split();
    let (from_inner, mut to_inner) = inner.split();
    let mut from_outer = BufReader::with_capacity(RELAY_BYTES, from_outer);
    let mut from_inner = BufReader::with_capacity(RELAY_BYTES, from_inner);
    tokio::select! {
        up = tokio::io::copy_buf(&mut from_outer, &mut to_inner) => up.map(drop),
        down = tokio::io::copy_buf(&mut from_inner, &mut to_outer) => down.map(drop),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_is_read_once_it_is_whole_and_refused_when_it_claims_too_much() {
        let of = |head: &[u8]| remaining(head).map_err(|error| error.to_string());
        assert_eq!(of(&[]), Ok(None));
        assert_eq!(of(&[0x10]), Ok(None));
        assert_eq!(of(&[0x10, 0x80]), Ok(None));
        assert_eq!(of(&[0x10, 0x2A]), Ok(Some(42)));
        assert_eq!(of(&[0x10, 0x80, 0x10]), Ok(Some(2_048)));
        assert!(of(&[0x10, 0x81, 0x10]).is_err(), "2,049 bytes");
        assert!(of(&[0x10, 0xFF, 0xFF, 0xFF, 0x7F]).is_err(), "256 MiB");
        assert!(of(&[0x10, 0x80, 0x80, 0x80, 0x80]).is_err());
        assert!(of(b"G").is_err(), "HTTP");
    }
}
