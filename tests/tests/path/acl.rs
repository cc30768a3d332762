//! What a broker keeps from a terminal that was broken into: on each of the three, with the rules
//! that the dispatcher writes for it.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use tests::harness::broker::BrokerKind;
use tests::harness::clock;
use tests::harness::mqtt::{Client, Credentials};
use tests::harness::village::Card;

use crate::rig::{FAR, FAR_TOWN, NEAR, NEAR_TOWN, Rig, has_finished};

/// How long a message may take through a broker on this machine.
const MESSAGE_DEADLINE: Duration = Duration::from_secs(20);

/// How long a broker may take to read its rules again.
const RELOAD_DEADLINE: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_embedded_broker_denies_a_terminal_everything_that_is_not_its_own() -> anyhow::Result<()>
{
    denies(BrokerKind::Embedded).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mosquitto_denies_a_terminal_everything_that_is_not_its_own() -> anyhow::Result<()> {
    denies(BrokerKind::Mosquitto).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nats_denies_a_terminal_everything_that_is_not_its_own() -> anyhow::Result<()> {
    denies(BrokerKind::Nats).await
}

async fn denies(kind: BrokerKind) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let mut rig = Rig::build(kind, folder.path()).await?;
    let victim = Credentials::own(&rig.near.id, &rig.near.mqtt_password()?);
    let thief = Credentials::own(&rig.far.id, &rig.far.mqtt_password()?);
    only_its_own_password_opens(&rig, &victim, &thief).await.context("connecting")?;
    nobody_takes_a_session_over(kind, &rig, &victim, &thief).await.context("taking over")?;
    nothing_foreign_is_heard(kind, &mut rig, &thief).await.context("listening")?;
    nothing_foreign_is_said(&rig, &victim, &thief).await.context("speaking")
}

/// Waits until the broker takes this terminal: an external one reads its users again first, and any
/// may still be busy with the end of its last connection.
async fn let_in(rig: &Rig, who: &Credentials) -> anyhow::Result<Client> {
    clock::eventually("the broker lets it in", RELOAD_DEADLINE, async || {
        Client::connect(rig.broker_at, who).await
    })
    .await
}

async fn only_its_own_password_opens(
    rig: &Rig,
    victim: &Credentials,
    thief: &Credentials,
) -> anyhow::Result<()> {
    drop(let_in(rig, victim).await?);
    drop(let_in(rig, thief).await?);
    let wrong = [
        Credentials { password: thief.password.clone(), ..victim.clone() },
        Credentials { password: String::new(), ..victim.clone() },
        Credentials::own("350211102201-0099", &thief.password),
        Credentials::own("dispatcher-350200000000-out", &thief.password),
        Credentials::own("dispatcher", &thief.password),
        Credentials::own("anybody", ""),
    ];
    for who in wrong {
        let client = Client::connect(rig.broker_at, &who).await?;
        ensure!(client.is_none(), "{who:?} was let in");
    }
    Ok(())
}

/// A client id with the wrong password opens nothing; with the thief's own password it never
/// becomes the victim, and what the victim is sent still reaches the victim alone.
async fn nobody_takes_a_session_over(
    kind: BrokerKind,
    rig: &Rig,
    victim: &Credentials,
    thief: &Credentials,
) -> anyhow::Result<()> {
    let mut there = let_in(rig, victim).await?;
    let order = format!("tongluo/1/region/{NEAR_TOWN}/order");
    ensure!(there.subscribe(std::slice::from_ref(&order)).await? == [true], "its own topic");
    let wrong = Credentials { password: thief.password.clone(), ..victim.clone() };
    ensure!(Client::connect(rig.broker_at, &wrong).await?.is_none(), "a wrong password");
    let foreign_id = Credentials { client_id: victim.client_id.clone(), ..thief.clone() };
    let taken = Client::connect(rig.broker_at, &foreign_id).await?;
    match (kind, taken) {
        (BrokerKind::Embedded, None) | (BrokerKind::Mosquitto, Some(_)) => {
            // Refused, or renamed to who it is. The victim never noticed.
            rig.warn(1, 0).await?;
            let message = there.message(MESSAGE_DEADLINE).await.context("still connected")?;
            ensure!(message.topic == order, "{}", message.topic);
        }
        (BrokerKind::Nats, Some(mut taken)) => {
            // nats-server binds no client id to a user: the victim may be thrown out and comes
            // back. Nothing of its own is heard under its name.
            let granted = taken.subscribe(std::slice::from_ref(&order)).await?;
            ensure!(granted == [false], "the thief hears the victim's topic: {granted:?}");
        }
        (_, taken) => anyhow::bail!("{kind:?}: foreign id let in: {}", taken.is_some()),
    }
    Ok(())
}

/// The thief asks for everything while a whole alert goes by in the neighbouring town: hello,
/// reply, order, receipts, acknowledgements. Then one for its own town, which it may hear.
async fn nothing_foreign_is_heard(
    kind: BrokerKind,
    rig: &mut Rig,
    thief: &Credentials,
) -> anyhow::Result<()> {
    let victim = rig.near.id.clone();
    let foreign = [
        "#".to_owned(),
        "+/#".to_owned(),
        "tongluo/#".to_owned(),
        "tongluo/1/region/+/order".to_owned(),
        format!("tongluo/1/region/{NEAR_TOWN}/order"),
        format!("tongluo/1/region/{NEAR}/command"),
        "tongluo/1/terminal/+/receipt".to_owned(),
        format!("tongluo/1/terminal/{victim}/receipt"),
        format!("tongluo/1/terminal/{victim}/reply"),
        format!("tongluo/1/terminal/{victim}/order"),
        format!("tongluo/1/terminal/{victim}/ack"),
        "$SYS/#".to_owned(),
        "$MQTT/sub/#".to_owned(),
        "$MQTT/#".to_owned(),
    ];
    let own = format!("tongluo/1/region/{FAR_TOWN}/order");
    let mut granted_all = Vec::new();
    for filter in foreign {
        // One connection a filter: a broker may hang up on a bad one.
        let mut client = let_in(rig, thief).await?;
        let granted = client.subscribe(&[own.clone(), filter.clone()]).await?;
        // mosquitto checks when it delivers, not when it is asked.
        let is_refused = granted.last() == Some(&false);
        ensure!(is_refused || kind == BrokerKind::Mosquitto, "{filter} was granted: {granted:?}");
        if !is_refused {
            granted_all.push(filter);
        }
    }
    rig.near.start(&Card::Unpaced)?;
    rig.online(1).await?;
    let mut client = let_in(rig, thief).await?;
    let filters = std::iter::once(own.clone()).chain(granted_all).collect::<Vec<_>>();
    client.subscribe(&filters).await?;
    hears_only(rig, &mut client, &own).await?;
    rig.near.stop().await
}

async fn hears_only(rig: &Rig, client: &mut Client, own: &str) -> anyhow::Result<()> {
    let alert = rig.warn(1, 0).await?;
    rig.until("the neighbour sounds", &alert, false, |d| has_finished(d, 1)).await?;
    rig.warn_town(FAR_TOWN, 1, 0).await?;
    let first = client.message(MESSAGE_DEADLINE).await.context("its own order comes")?;
    ensure!(first.topic == own, "heard {} before its own", first.topic);
    Ok(())
}

/// The thief speaks for others: as the dispatcher to the victim, as the victim to the dispatcher.
async fn nothing_foreign_is_said(
    rig: &Rig,
    victim: &Credentials,
    thief: &Credentials,
) -> anyhow::Result<()> {
    let id = victim.user.parse().context("a terminal id")?;
    let filters = protocols::wire::terminal_filters(id);
    let mut there = let_in(rig, victim).await?;
    let granted = there.subscribe(&filters).await?;
    ensure!(granted.iter().all(|granted| *granted), "the victim's own filters: {granted:?}");
    let before = disbelieved(rig).await?;
    let foreign = [
        (format!("tongluo/1/region/{NEAR_TOWN}/order"), false),
        (format!("tongluo/1/region/{FAR}/order"), false),
        ("tongluo/1/region/350200000000/command".to_owned(), false),
        (format!("tongluo/1/region/{NEAR_TOWN}/revocation"), true),
        (format!("tongluo/1/terminal/{}/order", victim.user), false),
        (format!("tongluo/1/terminal/{}/reply", victim.user), false),
        (format!("tongluo/1/terminal/{}/receipt", victim.user), false),
        (format!("tongluo/1/terminal/{}/hello", victim.user), false),
        (format!("tongluo/1/terminal/{}/vitals", victim.user), false),
    ];
    for (topic, is_retained) in foreign {
        let mut client = let_in(rig, thief).await?;
        client.publish(&topic, b"forged", is_retained).await?;
    }
    // Its own receipts it may send; that these are no receipts is for the dispatcher to see.
    let mut client = let_in(rig, thief).await?;
    client.publish(&format!("tongluo/1/terminal/{}/receipt", thief.user), b"noise", false).await?;
    clock::eventually("the dispatcher heard the thief's own", MESSAGE_DEADLINE, async || {
        Ok((disbelieved(rig).await? > before).then_some(()))
    })
    .await?;
    ensure!(disbelieved(rig).await? == before + 1, "more than the thief's own was heard");
    rig.warn(1, 0).await?;
    let first = there.message(MESSAGE_DEADLINE).await.context("the real order comes")?;
    ensure!(first.payload[..] != b"forged"[..], "{} was heard", first.topic);
    ensure!(first.topic == format!("tongluo/1/region/{NEAR_TOWN}/order"), "{}", first.topic);
    // Nothing was retained either.
    let mut late = let_in(rig, victim).await?;
    late.subscribe(&filters).await?;
    rig.warn(1, 0).await?;
    let first = late.message(MESSAGE_DEADLINE).await.context("the next order comes")?;
    ensure!(!first.retain && first.payload[..] != b"forged"[..], "{} was kept", first.topic);
    Ok(())
}

/// Messages of terminals that the dispatcher did not believe.
async fn disbelieved(rig: &Rig) -> anyhow::Result<u64> {
    let reply = rig.officer.send(reqwest::Method::GET, "/metrics", None).await?;
    let text = String::from_utf8_lossy(&reply.bytes).into_owned();
    let line = text.lines().find(|line| line.starts_with("tongluo_messages_disbelieved_total "));
    let number = line.and_then(|line| line.split(' ').nth(1)).context("the counter is there")?;
    number.parse().context("a number")
}
