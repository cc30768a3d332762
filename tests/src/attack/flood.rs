//! Forgeries by the thousand a second, straight onto the topic of a node, and what they cost it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use protocols::limits::{ORDER_BYTES_MAX, PACKET_BYTES_MAX};
use protocols::vitals::Vitals;
use protocols::wire::{self, MessageType, Sealed, SigningKey};
use rumqttc::{AsyncClient, MqttOptions, QoS};
use serde::Serialize;
use sqlx::{AnyConnection, Connection as _};
use tokio_util::sync::CancellationToken;

use super::stage::{Stage, TOWN};
use crate::harness::broker::BrokerKind;
use crate::harness::clock;
use crate::harness::mqtt::{Client, Credentials};

/// Connections from which the forgeries come.
const FORGERS: u32 = 4;

/// How often each forger says its share.
const EVERY: Duration = Duration::from_millis(10);

/// Messages that one forger may have under way.
const UNDER_WAY_MAX: usize = 1_000;

/// How long the node may take to have said all that it counted.
const COUNT_DEADLINE: Duration = Duration::from_mins(2);

/// How long and how much.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// How long the flood lasts; the red alert is issued in its middle.
    pub lasts: Duration,
    /// Forgeries a second.
    pub a_second: u32,
}

/// What it cost.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Forgeries that were handed to the broker.
    pub sent: u64,
    /// How many that were a second.
    pub sent_a_second: f64,
    /// From the request to issue to the first sound, in quiet.
    pub quiet_lag_ms: u128,
    /// The same in the middle of the flood.
    pub flooded_lag_ms: u128,
    /// Refusals that the node counted in its vitals.
    pub counted: u64,
    /// Receipts that it made of them.
    pub receipts: u64,
    /// Soundings that began; two were ordered.
    pub soundings: usize,
    /// Bytes that it wrote into its log.
    pub log_bytes: usize,
}

/// Floods a node over mosquitto while a red alert is issued.
pub async fn run(folder: &Path, plan: Plan) -> anyhow::Result<Report> {
    let mut stage = Stage::build(BrokerKind::Mosquitto, folder, &[]).await?;
    let port = stage.broker.as_ref().context("an external broker")?.port;
    let mut tap = tap(port).await?;
    let quiet = stage.red_alert().await?;
    let genuine = tap.message(COUNT_DEADLINE).await.context("the genuine order passes")?;
    let forgeries = Arc::new(forgeries(&genuine.payload)?);
    let topic = format!("tongluo/1/region/{TOWN}/order");
    let begun = clock::instant();
    let stop = CancellationToken::new();
    let forgers = (0..FORGERS).map(|number| {
        let (forgeries, topic, stop) = (Arc::clone(&forgeries), topic.clone(), stop.clone());
        tokio::spawn(async move { forge(port, number, &topic, &forgeries, plan, &stop).await })
    });
    let forgers = forgers.collect::<Vec<_>>();
    clock::pause(plan.lasts / 2).await;
    let flooded = stage.red_alert().await?;
    clock::pause(plan.lasts.saturating_sub(begun.elapsed())).await;
    stop.cancel();
    let flooded_for = begun.elapsed();
    let mut sent = 0;
    for forger in forgers {
        sent += forger.await.context("a forger ends")??;
    }
    let log = stage.node.log();
    let (soundings, log_bytes) = (log.matches("sounding 1 begins").count(), log.len());
    let before = clock::now().as_microsecond();
    stage.restart_node().await?;
    let counted = counted(&stage, before).await?;
    let receipts = receipts(&stage).await?;
    Ok(Report {
        sent,
        sent_a_second: sent as f64 / flooded_for.as_secs_f64(),
        quiet_lag_ms: quiet.as_millis(),
        flooded_lag_ms: flooded.as_millis(),
        counted,
        receipts,
        soundings,
        log_bytes,
    })
}

/// Hears the orders that pass.
async fn tap(port: u16) -> anyhow::Result<Client> {
    let broker = ([127, 0, 0, 1], port).into();
    let client = Client::connect(broker, &Credentials::own("tap", "")).await?;
    let mut client = client.context("an open broker lets anybody in")?;
    client.subscribe(&["tongluo/1/region/+/order".to_owned()]).await?;
    Ok(client)
}

/// Every kind of bytes that no dispatcher of ours has sent; the last eight of each are to be
/// numbered.
fn forgeries(genuine: &[u8]) -> anyhow::Result<Vec<Vec<u8>>> {
    let sealed = Sealed::parse(genuine, ORDER_BYTES_MAX).context("an order passed")?;
    let certificate = sealed.certificate().context("with its certificate")?;
    let stranger = SigningKey::from_seed(&[66; 32]);
    let stream = sealed.stream();
    let kind = MessageType::Order;
    let by_stranger = wire::seal(kind, stream, vec![0xA0], &stranger, Some(certificate));
    let claims_2_gib = [&[0x9B, 0, 0, 0, 0, 0x80, 0, 0, 0][..], &[0; 64]].concat();
    Ok(vec![
        vec![0; 64],
        vec![0xFF; ORDER_BYTES_MAX + 64],
        vec![0x81; ORDER_BYTES_MAX],
        claims_2_gib,
        genuine[..genuine.len() / 2].to_vec(),
        by_stranger,
        genuine.to_vec(),
    ])
}

/// One forger's share; how many it sent.
async fn forge(
    port: u16,
    number: u32,
    topic: &str,
    forgeries: &[Vec<u8>],
    plan: Plan,
    stop: &CancellationToken,
) -> anyhow::Result<u64> {
    let mut options = MqttOptions::new(format!("forger-{number}"), "127.0.0.1", port);
    options.set_max_packet_size(PACKET_BYTES_MAX, PACKET_BYTES_MAX);
    let (client, mut events) = AsyncClient::new(options, UNDER_WAY_MAX);
    let polled = tokio::spawn(async move { while events.poll().await.is_ok() {} });
    let share = u64::from(plan.a_second / FORGERS) * EVERY.as_millis() as u64 / 1_000;
    let mut ticks = tokio::time::interval(EVERY);
    let mut sent = 0;
    while !stop.is_cancelled() {
        ticks.tick().await;
        for _ in 0..share {
            let mut bytes = forgeries[(sent % forgeries.len() as u64) as usize].clone();
            let end = bytes.len() - 8;
            bytes[end..]
                .copy_from_slice(&(sent * u64::from(FORGERS) + u64::from(number)).to_be_bytes());
            client.publish(topic, QoS::AtMostOnce, false, bytes).await.context("forge")?;
            sent += 1;
        }
    }
    polled.abort();
    Ok(sent)
}

async fn database(stage: &Stage) -> anyhow::Result<AnyConnection> {
    sqlx::any::install_default_drivers();
    AnyConnection::connect(&stage.city.database_url).await.context("open the database")
}

/// What the node's vitals since `after` count.
async fn counted(stage: &Stage, after: i64) -> anyhow::Result<u64> {
    let mut database = database(stage).await?;
    clock::eventually("vitals after the flood", COUNT_DEADLINE, async || {
        let row = sqlx::query_as::<_, (Vec<u8>,)>(
            "select vitals from terminal_states where terminal = $1 and vitals is not null",
        )
        .bind(stage.node.id.clone())
        .fetch_optional(&mut database)
        .await?;
        let vitals = row.and_then(|(bytes,)| wire::decode::<Vitals>(&bytes).ok());
        let vitals = vitals.filter(|vitals| vitals.at.as_microsecond() > after);
        Ok(vitals.map(|vitals| vitals.counters.iter().map(|counter| counter.times).sum()))
    })
    .await
}

/// Receipts about what was refused.
async fn receipts(stage: &Stage) -> anyhow::Result<u64> {
    let mut database = database(stage).await?;
    let (count,) = sqlx::query_as::<_, (i64,)>(
        "select count(*) from receipts where terminal = $1 and state = 'refused'",
    )
    .bind(stage.node.id.clone())
    .fetch_one(&mut database)
    .await?;
    ensure!(count >= 0, "a count");
    Ok(count.unsigned_abs())
}
