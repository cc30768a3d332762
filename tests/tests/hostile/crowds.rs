//! Ten thousand connections that say nothing, at HTTP and at the embedded broker.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use tests::attack::crowd::Crowd;
use tests::attack::memory::resident_bytes;
use tests::attack::stage::{MUTE, Stage};
use tests::harness::broker::BrokerKind;
use tests::harness::clock;

const CROWD: usize = 10_000;

/// What a crowd may cost.
const GROWTH_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// How long the door may take to see everybody out but those for whom it has room.
const DEADLINE: Duration = Duration::from_mins(1);

/// Whoever stands at a door at most, by default: `server.waiting_max`, `mqtt.waiting_max`.
const HTTP_WAITING_MAX: usize = 512;
const MQTT_WAITING_MAX: usize = 1_024;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_silent_connections_cost_little_and_a_red_alert_sounds() -> anyhow::Result<()>
{
    let folder = tempfile::tempdir()?;
    let mut stage = Stage::build(BrokerKind::Embedded, folder.path(), &[MUTE]).await?;
    // What the first alert needs is held from then on.
    stage.red_alert().await?;
    let (http, mqtt) = (stage.http_port()?, stage.city.mqtt_port);
    let process = stage.dispatcher_id()?;
    for (door, port, waiting_max) in
        [("Http", http, HTTP_WAITING_MAX), ("Mqtt", mqtt, MQTT_WAITING_MAX)]
    {
        let before = resident_bytes(process)?;
        let crowd = Crowd::open(port, CROWD).await?;
        let shown_out = CROWD - waiting_max;
        clock::eventually("the door sees most of them out", DEADLINE, async || {
            Ok((crowd.closed() >= shown_out).then_some(()))
        })
        .await
        .with_context(|| format!("{door}: {} of {CROWD} are closed", crowd.closed()))?;
        let lag = stage.red_alert().await?;
        let grown = resident_bytes(process)?.saturating_sub(before);
        eprint(&format!("{door}: {} KiB more, red alert after {lag:?}", grown / 1_024));
        ensure!(grown <= GROWTH_BYTES_MAX, "{door}: {} KiB more", grown / 1_024);
        let counted = stage.counted(door, "Silent").await?;
        ensure!(counted >= shown_out as u64, "{door}: {counted} are counted of {shown_out}");
        drop(crowd);
    }
    stage.city.process()?.check_alive()?;
    Ok(())
}

/// The figures stand in the output of the test, for whoever compares runs.
fn eprint(text: &str) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stderr(), "{text}");
}
