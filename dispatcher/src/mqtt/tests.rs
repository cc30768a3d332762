//! The whole MQTT side over its embedded broker and a database in a file, seen by a raw client.

use jiff::{SignedDuration, Timestamp};
use protocols::area::Target;
use protocols::certificate::{Algorithm, Certificate};
use protocols::digest::Digest;
use protocols::hello::{Hello, HelloReply};
use protocols::limits;
use protocols::receipt::{Evidence, Receipt, ReceiptAck, ReceiptBatch, ReceiptState};
use protocols::region::RegionCode;
use protocols::terminal::TerminalId;
use protocols::trust::{self, Roots};
use protocols::wire::{self, KeyId, MessageType, SigningKey, Topic};

use super::*;
use crate::app::{revocations, stops};
use crate::config::Config;
use crate::context::{Signer, Wake};
use crate::domain::actor::{Actor, Grant};
use crate::domain::authority::Role;
use crate::domain::delivery::DeliveryState;
use crate::domain::keys::{next_list, seal_list};
use crate::domain::liveness::{self, Liveness};
use crate::ports::Ports;
use crate::store::{self, Db, deliveries, terminal_states};
use raw_client::RawClient;

const HORN: &str = "350212110201-0007";
const PASSWORD: &str = "drawn at enrolment";

struct World {
    app: Arc<App>,
    handle: Handle,
    tasks: TaskTracker,
    stop: CancellationToken,
    horn: SigningKey,
    roots: Roots,
    _folder: tempfile::TempDir,
}

fn region(code: &str) -> RegionCode {
    code.parse().expect("a code")
}

fn id() -> TerminalId {
    HORN.parse().expect("an id")
}

impl World {
    async fn start() -> Self {
        Self::start_with(String::new()).await
    }

    /// Over the broker at `url`; over the embedded one when it is empty.
    async fn start_with(url: String) -> Self {
        let root = SigningKey::from_seed(&[1; 32]);
        let own = SigningKey::from_seed(&[2; 32]);
        let ports = Ports::system();
        let town = region("350212110000");
        let certificate = Certificate {
            serial: 1,
            public_key: own.verifying_key().to_bytes().to_vec(),
            algorithm: Algorithm::Ed25519,
            region: town,
            level: town.level(),
            not_before: ports.now() - SignedDuration::from_hours(1),
            not_after: ports.now() + SignedDuration::from_hours(24),
            name: "test".into(),
        };
        let certificate = wire::encode(&certificate);
        let sealed = wire::seal(MessageType::Certificate, None, certificate, &root, None);
        let roots = Roots::new([root.verifying_key()]);
        let signer = Signer::new(own, sealed, roots.clone()).expect("believed");
        let folder = tempfile::tempdir().expect("a folder");
        let database = format!("sqlite:{}", folder.path().join("t.db").display());
        let db = Db::open(&database, 4).await.expect("opens");
        let mut config = Config::default();
        config.mqtt.url = url;
        config.mqtt.listen = ([127, 0, 0, 1], 0).into();
        config.audit.folder = folder.path().join("record");
        let app = App::new(db, ports, config, signer);
        let horn = SigningKey::from_seed(&[3; 32]);
        enrol(&app, &horn).await;
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        let handle = start(&app, &tasks, &stop).await.expect("starts");
        crate::jobs::start(&app, handle.pipe.clone(), &tasks, &stop);
        Self { app, handle, tasks, stop, horn, roots, _folder: folder }
    }

    async fn end(self) {
        self.stop.cancel();
        self.tasks.close();
        let ended = tokio::time::timeout(std::time::Duration::from_secs(10), self.tasks.wait());
        ended.await.expect("every task ends");
        self.app.db.close().await;
    }

    async fn connect(&self) -> RawClient {
        let address = self.handle.broker_address.unwrap_or_else(|| {
            let (host, port, _) = client::parse_url(&self.app.config.mqtt.url).expect("a URL");
            (host.parse::<std::net::IpAddr>().expect("loopback"), port).into()
        });
        let client = RawClient::connect(address, HORN, HORN, PASSWORD).await;
        let mut client = client.expect("let in");
        let filters = wire::terminal_filters(id());
        assert_eq!(client.subscribe(&filters).await, Some(vec![true; filters.len()]));
        client
    }

    fn seal(&self, kind: MessageType, payload: Vec<u8>) -> Vec<u8> {
        wire::seal(kind, None, payload, &self.horn, None)
    }

    /// Writes an order for the village as `issue` does; gives its sealed bytes.
    async fn issue(&self, number: u64, target: &Target) -> Vec<u8> {
        let (app, now) = (&self.app, self.app.now());
        let sealed = format!("sealed order {number}").into_bytes();
        let mut tx = app.db.begin().await.expect("begins");
        sqlx::query(
            "insert into alerts (id, version, chain, region, sender, identifier, state, kind
                , event, content, content_digest, lifecycle, asked, origin, expires_at, created_at)
            values ($1, 1, $1, '350212110000', 's', $1, 'issued', 'actual', '11B01', '{}', $2
                , '{}', '[]', 'own', $3, $3) on conflict (id) do nothing",
        )
        .bind(format!("alert-{number}"))
        .bind(vec![0_u8; 32])
        .bind(now.as_microsecond())
        .execute(&mut *tx)
        .await
        .expect("an alert");
        sqlx::query(
            "insert into orders (id, alert, digest, topic, authority, epoch, number, purpose
                , target, sealed, created_at, expires_at)
            values ($1, $2, $3, '350212110201', '350212110000', 1, $4, 'alert', $5, $6, $7, $8)",
        )
        .bind(format!("order-{number}"))
        .bind(format!("alert-{number}"))
        .bind(Digest::of(&sealed).0.to_vec())
        .bind(i64::try_from(number).expect("small"))
        .bind(wire::encode(target))
        .bind(sealed.clone())
        .bind(now.as_microsecond())
        .bind((now + SignedDuration::from_hours(1)).as_microsecond())
        .execute(&mut *tx)
        .await
        .expect("an order");
        sqlx::query(
            "insert into deliveries (alert, order_id, terminal, state, repeats_finished
                , updated_at) values ($1, $2, $3, 'pending', 0, $4)",
        )
        .bind(format!("alert-{number}"))
        .bind(format!("order-{number}"))
        .bind(HORN)
        .bind(now.as_microsecond())
        .execute(&mut *tx)
        .await
        .expect("a delivery");
        tx.commit().await.expect("commits");
        app.notifier.wake(Wake::Orders);
        sealed
    }

    /// Keeps a revocation list as an import does.
    async fn bring_in(&self, sealed: &[u8]) -> Vec<u8> {
        let (app, actor) = (&self.app, Actor::system());
        let mut tx = app.db.begin().await.expect("begins");
        let (roots, region) = (&self.roots, app.region());
        let done =
            revocations::import(&mut tx, &app.ports, &actor, sealed, roots, region, None).await;
        done.expect("believed");
        tx.commit().await.expect("commits");
        sealed.to_vec()
    }

    /// A hello that names this revocation list.
    fn hello(&self, revocation_number: u64) -> Vec<u8> {
        let hello = Hello { revocation_number, ..hello(Vec::new()) };
        self.seal(MessageType::Hello, wire::encode(&hello))
    }

    async fn delivery(&self, number: u64) -> deliveries::Delivery {
        let mut connection = self.app.db.read().await.expect("reads");
        let keys = [(format!("order-{number}"), id())];
        deliveries::find(&mut connection, &keys).await.expect("finds").remove(0)
    }

    async fn is_published(&self, number: u64) -> bool {
        let mut connection = self.app.db.read().await.expect("reads");
        let at: Option<i64> = sqlx::query_scalar("select published_at from orders where id = $1")
            .bind(format!("order-{number}"))
            .fetch_one(&mut *connection)
            .await
            .expect("there");
        at.is_some()
    }
}

/// Waits for `is_true`, with a deadline.
async fn until(mut is_true: impl AsyncFnMut() -> bool) {
    let turns = tokio::time::timeout(std::time::Duration::from_secs(10), async {
        while !is_true().await {
            tokio::task::yield_now().await;
        }
    });
    turns.await.expect("it becomes true");
}

async fn enrol(app: &App, horn: &SigningKey) {
    let mut tx = app.db.begin().await.expect("begins");
    sqlx::query(
        "insert into terminals (id, village, number, name, public_key, mqtt_password_digest
            , enrolled_at, is_speaking, version) values ($1, '350212110201', 7, 'n', $2, $3, 1, 1, 1)",
    )
    .bind(HORN)
    .bind(horn.verifying_key().to_bytes().to_vec())
    .bind(Digest::of(PASSWORD.as_bytes()).0.to_vec())
    .execute(&mut *tx)
    .await
    .expect("a terminal");
    tx.commit().await.expect("commits");
}

fn village() -> Target {
    Target { regions: vec![region("350212110201")], ..Target::default() }
}

fn hello(held: Vec<Digest>) -> Hello {
    Hello {
        terminal: id(),
        nonce: [7; 16],
        journal_id: u64::MAX,
        heads: Vec::new(),
        held,
        time_floor: Timestamp::UNIX_EPOCH,
        clock_unsure: true,
        revocation_number: 0,
        version: "test".into(),
    }
}

#[tokio::test]
async fn an_order_in_the_database_is_heard_in_the_village_and_marked_as_published() {
    let world = World::start().await;
    let mut horn = world.connect().await;
    let sealed = world.issue(1, &village()).await;
    let message = horn.message().await;
    assert_eq!(message.topic, "tongluo/1/region/350212110201/order");
    assert_eq!(message.payload[..], sealed[..]);
    until(async || world.is_published(1).await).await;
    world.app.notifier.wake(Wake::Orders);
    assert!(horn.stray().await.is_none(), "what was acknowledged is not published again");
    world.end().await;
}

#[tokio::test]
async fn a_terminal_that_says_hello_is_told_what_is_live_and_sent_what_it_lacks() {
    let world = World::start().await;
    let held = world.issue(1, &village()).await;
    let missing = world.issue(2, &village()).await;
    let elsewhere = Target { regions: vec![region("350212110202")], ..Target::default() };
    world.issue(3, &elsewhere).await;
    until(async || world.is_published(3).await).await;
    let mut horn = world.connect().await;
    let hello = hello(vec![Digest::of(&held)]);
    let sealed = world.seal(MessageType::Hello, wire::encode(&hello));
    horn.publish(&Topic::TerminalHello(id()).to_string(), &sealed, false).await;
    let reply = horn.message().await;
    assert_eq!(reply.topic, Topic::TerminalReply(id()).to_string());
    let kind = MessageType::HelloReply;
    let (max, now) = (limits::MESSAGE_BYTES_MAX, Some(world.app.now()));
    let reply = trust::open::<HelloReply>(&reply.payload, max, kind, &world.roots, &[], now);
    let reply = reply.expect("believed").message;
    assert_eq!(reply.nonce, hello.nonce);
    let mut live = reply.live;
    live.sort();
    let mut expected = vec![Digest::of(&held), Digest::of(&missing)];
    expected.sort();
    assert_eq!(live, expected);
    let follows = horn.message().await;
    assert_eq!(follows.topic, Topic::TerminalOrder(id()).to_string());
    assert_eq!(follows.payload[..], missing[..]);
    assert!(horn.stray().await.is_none());
    let mut connection = world.app.db.read().await.expect("reads");
    let heard = terminal_states::last_seen(&mut connection).await.expect("reads");
    drop(connection);
    let seen = heard[0].1;
    let liveness = liveness::liveness(world.app.now(), seen, world.app.link.get());
    assert_eq!(liveness, Liveness::Online);
    world.end().await;
}

#[tokio::test]
async fn who_knows_an_older_revocation_list_gets_the_newest_before_the_reply() {
    let world = World::start().await;
    let mut horn = world.connect().await;
    let root = SigningKey::from_seed(&[1; 32]);
    let first = next_list(None, &[KeyId([9; 8])], world.app.now()).expect("a list");
    let sealed = world.bring_in(&seal_list(&root, &first)).await;
    horn.publish(&Topic::TerminalHello(id()).to_string(), &world.hello(0), false).await;
    // The whole region may be told at the same time, on other topics.
    let mut told = Vec::new();
    let reply = loop {
        let message = horn.message().await;
        if message.topic == Topic::TerminalReply(id()).to_string() {
            break message;
        }
        assert_eq!(message.payload[..], sealed[..], "{}", message.topic);
        told.push(message.topic);
    };
    assert!(told.contains(&Topic::RegionRevocation(id().village()).to_string()), "{told:?}");
    let (kind, max) = (MessageType::HelloReply, limits::MESSAGE_BYTES_MAX);
    let opened = trust::open::<HelloReply>(&reply.payload, max, kind, &world.roots, &[], None);
    assert_eq!(opened.expect("believed").message.revocation_number, 1);

    // Its own key is revoked: it says so, and answers nothing any more.
    let second = next_list(Some(&first), &[world.app.signer.key_id()], world.app.now());
    let second = second.expect("a list");
    let sealed = world.bring_in(&seal_list(&root, &second)).await;
    crate::jobs::trust::take_list(&world.app).await.expect("taken up");
    // A terminal that was answered a moment ago is not heard again.
    let heard_again_at = world.app.now() + hello::ANSWER_INTERVAL;
    until(async || world.app.now() > heard_again_at).await;
    horn.publish(&Topic::TerminalHello(id()).to_string(), &world.hello(1), false).await;
    until(async || horn.message().await.payload[..] == sealed[..]).await;
    while let Some(message) = horn.stray().await {
        assert_eq!(message.payload[..], sealed[..], "{} is signed", message.topic);
    }
    let mut actor = Actor::system();
    actor.grants = vec![Grant { role: Role::Commander, region: region("350212110000") }];
    actor.stepped_up_at = Some(world.app.now());
    let mut tx = world.app.db.begin().await.expect("begins");
    let stopped = stops::place(&mut tx, &world.app, &actor, id().village(), "误播").await;
    assert!(matches!(stopped, Err(stops::StopError::CannotSign(_))), "{stopped:?}");
    tx.rollback().await.expect("rolls back");
    world.end().await;
}

#[tokio::test]
async fn receipts_are_on_disk_before_they_are_acknowledged_and_forged_ones_are_not_believed() {
    let world = World::start().await;
    let order = Digest::of(&world.issue(1, &village()).await);
    let at = world.app.now();
    let receipt = |state, repeat, evidence| Receipt {
        order,
        alert: None,
        state,
        reason: None,
        repeat,
        at,
        clock_unsure: false,
        evidence,
    };
    let proof = Evidence { first_sound_at: Some(at), frames: 9, ..Evidence::default() };
    let batch = ReceiptBatch {
        terminal: id(),
        journal_id: u64::MAX,
        first_number: 1,
        receipts: vec![
            receipt(ReceiptState::Accepted, 0, None),
            receipt(ReceiptState::Started, 1, None),
            receipt(ReceiptState::Finished, 1, Some(proof)),
        ],
    };
    let mut horn = world.connect().await;
    let topic = Topic::TerminalReceipt(id()).to_string();
    let forger = SigningKey::from_seed(&[9; 32]);
    let forged = wire::seal(MessageType::Receipts, None, wire::encode(&batch), &forger, None);
    horn.publish(&topic, &forged, false).await;
    until(async || world.app.metrics.messages_disbelieved.get() == 1).await;
    assert_eq!(world.delivery(1).await.progress.state(), DeliveryState::Pending);
    let sealed = world.seal(MessageType::Receipts, wire::encode(&batch));
    for _ in 0..2 {
        horn.publish(&topic, &sealed, false).await;
        let ack = loop {
            let message = horn.message().await;
            if message.topic == Topic::TerminalAck(id()).to_string() {
                break message;
            }
        };
        let (max, now) = (limits::MESSAGE_BYTES_MAX, Some(world.app.now()));
        let kind = MessageType::ReceiptAck;
        let ack = trust::open::<ReceiptAck>(&ack.payload, max, kind, &world.roots, &[], now);
        let expected = ReceiptAck { terminal: id(), journal_id: u64::MAX, up_to: 3 };
        assert_eq!(ack.expect("believed").message, expected);
        let delivery = world.delivery(1).await;
        assert_eq!(delivery.progress.state(), DeliveryState::Finished);
        assert_eq!(delivery.progress.repeats_finished(), 1);
        assert_eq!(delivery.progress.first_sound_at, Some(at));
    }
    let mut connection = world.app.db.read().await.expect("reads");
    let page = deliveries::list(&mut connection, "alert-1", None, 2).await.expect("reads");
    assert_eq!(page.len(), 1);
    let place = deliveries::Place::of(&page[0].delivery);
    assert_eq!((place.rank, page[0].name.as_deref()), (1, Some("n")));
    let next = deliveries::list(&mut connection, "alert-1", Some(&place), 2).await;
    assert_eq!(next.expect("reads"), []);
    let events = store::events::after(&mut connection, 0, 100).await.expect("reads");
    drop(connection);
    let told = events.iter().filter(|event| event.body.contains("deliveries_changed")).count();
    assert_eq!(told, 1, "the repeat changed nothing");
    world.end().await;
}

#[tokio::test]
async fn a_stop_is_heard_at_once_and_told_to_whoever_comes_later_until_it_is_lifted() {
    let world = World::start().await;
    let app = &world.app;
    let mut actor = Actor::system();
    actor.grants = vec![Grant { role: Role::Commander, region: region("350212110000") }];
    actor.stepped_up_at = Some(app.now());
    let mut horn = world.connect().await;
    let mut tx = app.db.begin().await.expect("begins");
    let village = region("350212110201");
    let stop = stops::place(&mut tx, app, &actor, village, "误播").await.expect("placed");
    assert!(matches!(
        stops::place(&mut tx, app, &actor, village, "误播").await,
        Err(stops::StopError::Already(_))
    ));
    tx.commit().await.expect("commits");
    app.notifier.wake(Wake::Orders);
    let heard = horn.message().await;
    assert_eq!(heard.topic, Topic::RegionCommand(village).to_string());
    let sealed = world.seal(MessageType::Hello, wire::encode(&hello(Vec::new())));
    horn.publish(&Topic::TerminalHello(id()).to_string(), &sealed, false).await;
    assert_eq!(horn.message().await.topic, Topic::TerminalReply(id()).to_string());
    let again = horn.message().await;
    assert_eq!(again.topic, Topic::TerminalCommand(id()).to_string());
    assert_eq!(again.payload, heard.payload, "the same signed bytes");
    let mut tx = app.db.begin().await.expect("begins");
    stops::lift(&mut tx, app, &actor, &stop.id).await.expect("lifted");
    tx.commit().await.expect("commits");
    app.notifier.wake(Wake::Orders);
    let lifting = horn.message().await;
    assert_eq!(lifting.topic, Topic::RegionCommand(village).to_string());
    assert_ne!(lifting.payload, heard.payload);
    let mut tx = app.db.begin().await.expect("begins");
    let twice = stops::lift(&mut tx, app, &actor, &stop.id).await;
    assert!(matches!(twice, Err(stops::StopError::NotInForce)));
    drop(tx);
    world.end().await;
}

/// An external broker as a child process, killed when it is dropped.
struct External {
    _child: tokio::process::Child,
    _folder: tempfile::TempDir,
    url: String,
}

impl External {
    /// Starts `program` with the file that `config` makes of a free port; `None` when the program
    /// is not installed.
    async fn start(
        program: &str,
        flag: &str,
        config: impl Fn(u16, &Path) -> String,
    ) -> Option<Self> {
        let folder = tempfile::tempdir().expect("a folder");
        let free = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let port = free.local_addr().expect("bound").port();
        drop(free);
        let file = folder.path().join("broker.conf");
        std::fs::write(&file, config(port, folder.path())).expect("written");
        let child = tokio::process::Command::new(program)
            .arg(flag)
            .arg(&file)
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .ok()?;
        let url = format!("mqtt://127.0.0.1:{port}");
        until(async || tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok()).await;
        Some(Self { _child: child, _folder: folder, url })
    }
}

/// The way of an order and a hello over a broker that is not ours.
async fn serves(broker: &External) {
    let world = World::start_with(broker.url.clone()).await;
    let mut horn = world.connect().await;
    let sealed = world.issue(1, &village()).await;
    let message = horn.message().await;
    assert_eq!(message.topic, "tongluo/1/region/350212110201/order");
    assert_eq!(message.payload[..], sealed[..]);
    until(async || world.is_published(1).await).await;
    until(async || world.app.link.get() != liveness::Link::Down).await;
    let hello = world.seal(MessageType::Hello, wire::encode(&hello(Vec::new())));
    horn.publish(&Topic::TerminalHello(id()).to_string(), &hello, false).await;
    // A broker keeps the order within a topic, not between two.
    let mut topics = [horn.message().await.topic, horn.message().await.topic];
    topics.sort();
    assert_eq!(
        topics,
        [Topic::TerminalOrder(id()).to_string(), Topic::TerminalReply(id()).to_string(),]
    );
    world.end().await;
}

/// Where it is installed, as `cargo xtask` does.
#[tokio::test]
async fn mosquitto_serves_as_well_as_the_embedded_broker() {
    let config = |port: u16, _: &Path| format!("listener {port} 127.0.0.1\nallow_anonymous true\n");
    if let Some(broker) = External::start("/usr/sbin/mosquitto", "-c", config).await {
        serves(&broker).await;
    }
}

/// Where it is installed, as `cargo xtask` does.
#[tokio::test]
async fn nats_serves_as_well_as_the_embedded_broker() {
    let config = |port: u16, folder: &Path| {
        format!(
            "server_name: test\nlisten: \"127.0.0.1:-1\"\njetstream {{ store_dir: {:?} }}\n\
             mqtt {{ listen: \"127.0.0.1:{port}\" }}\n",
            folder.display().to_string()
        )
    };
    if let Some(broker) = External::start("/usr/sbin/nats-server", "-c", config).await {
        serves(&broker).await;
    }
}
