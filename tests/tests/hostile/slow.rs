//! Requests that never end: heads and bodies a byte at a time.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use tests::attack::crowd::Crowd;
use tests::attack::memory::resident_bytes;
use tests::attack::stage::{MUTE, Stage};
use tests::harness::broker::BrokerKind;
use tests::harness::clock;
use tokio::io::AsyncWriteExt as _;

/// Slow clients: fewer than `server.waiting_max`, so that time ends them and not the crowd.
const CLIENTS: usize = 400;

/// Between two bytes of each.
const DRIP: Duration = Duration::from_millis(250);

/// Drips, well beyond the time that the settings below give.
const DRIPS: usize = 40;

/// Drips of a body, within the time that the settings below give.
const BODY_DRIPS: usize = 8;

const GROWTH_BYTES_MAX: u64 = 16 * 1024 * 1024;

const DEADLINE: Duration = Duration::from_secs(30);

const HEAD: &[u8] = b"GET /healthz HTTP/1.1\r\nhost: tongluo\r\nx-slow: ";

const BODY: &[u8] = b"POST /api/v1/sessions HTTP/1.1\r\nhost: tongluo\r\n\
    content-type: application/json\r\ncontent-length: 4000\r\nconnection: close\r\n\r\n{";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_head_or_a_body_that_never_ends_is_cut_off_and_a_red_alert_sounds() -> anyhow::Result<()>
{
    let folder = tempfile::tempdir()?;
    let settings = [MUTE, ("server", "head_timeout_s = 3"), ("server", "body_timeout_s = 3")];
    let mut stage = Stage::build(BrokerKind::Embedded, folder.path(), &settings).await?;
    stage.red_alert().await?;
    let (port, process) = (stage.http_port()?, stage.dispatcher_id()?);
    let before = resident_bytes(process)?;
    let mut heads = Crowd::open(port, CLIENTS).await?;
    let mut bodies = Crowd::open(port, CLIENTS).await?;
    say(&mut heads, HEAD).await;
    say(&mut bodies, BODY).await;
    let dripping = async {
        for drip in 0..DRIPS {
            say(&mut heads, b"x").await;
            // What is sent after the answer would take the answer from who has not read it yet.
            if drip < BODY_DRIPS {
                say(&mut bodies, b" ").await;
            }
            clock::pause(DRIP).await;
        }
    };
    let (lag, ()) = tokio::join!(stage.red_alert(), dripping);
    let lag = lag?;
    let grown = resident_bytes(process)?.saturating_sub(before);
    let closed = heads.closed();
    ensure!(closed == CLIENTS, "{closed} of {CLIENTS} slow heads were cut off");
    // Of the bodies each is told which limit it met.
    for index in [0, CLIENTS / 2, CLIENTS - 1] {
        let said = bodies.until_closed(index, DEADLINE).await.context("a slow body")?;
        let said = String::from_utf8_lossy(&said).into_owned();
        ensure!(said.starts_with("HTTP/1.1 408"), "{said}");
        ensure!(said.contains("server.body_timeout_s") && said.contains("too-slow"), "{said}");
    }
    ensure!(grown <= GROWTH_BYTES_MAX, "{} KiB more, red alert after {lag:?}", grown / 1_024);
    let counted = stage.counted("Http", "Silent").await?;
    ensure!(counted >= CLIENTS as u64, "{counted} slow heads are counted");
    stage.city.process()?.check_alive()?;
    Ok(())
}

/// Each says this; whoever was cut off says nothing any more.
async fn say(crowd: &mut Crowd, bytes: &[u8]) {
    for connection in crowd.connections() {
        let _ = connection.write_all(bytes).await;
    }
}
