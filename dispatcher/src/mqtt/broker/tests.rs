//! The embedded broker through real clients: who may connect, listen and publish.
use protocols::wire::terminal_filters;
use rumqttc::{LastWill, QoS};

use super::*;
use crate::metrics::TurnedAway;
use crate::mqtt::credentials::DirectoryUnavailable;
use crate::mqtt::raw_client::RawClient;

const HORN: &str = "350212110201-0007";
const NEIGHBOUR: &str = "350212110201-0008";
const PASSWORD: &str = "correct horse";
const DISPATCHER_PASSWORD: &str = "drawn at the start";

/// Every terminal of one village has the same password; no other exists.
struct OneVillage;

#[async_trait::async_trait]
impl Credentials for OneVillage {
    async fn password_digest(
        &self,
        terminal: TerminalId,
    ) -> Result<Option<Digest>, DirectoryUnavailable> {
        if terminal.number() == 99 {
            return Err(DirectoryUnavailable);
        }
        let is_known = terminal.village().to_string() == "350212110201";
        Ok(is_known.then(|| Digest::of(PASSWORD.as_bytes())))
    }
}

/// Room for two that say nothing.
fn door() -> Arc<Door> {
    let patience = Duration::from_secs(10);
    let limits = crate::door::Limits { waiting_max: 2, patience, connections_max: 100 };
    Door::new(crate::metrics::DoorLabel::Mqtt, limits, TurnedAway::default())
}

async fn broker() -> Broker {
    let secret = Digest::of(DISPATCHER_PASSWORD.as_bytes());
    let listen = ([127, 0, 0, 1], 0).into();
    Broker::start(listen, door(), Arc::new(OneVillage), secret).await.expect("starts")
}

async fn horn(broker: &Broker, id: &str) -> RawClient {
    RawClient::connect(broker.address(), id, id, PASSWORD).await.expect("let in")
}

async fn dispatcher(broker: &Broker, name: &str) -> RawClient {
    let client = RawClient::connect(broker.address(), name, name, DISPATCHER_PASSWORD).await;
    client.expect("let in")
}

#[tokio::test]
async fn only_an_enrolled_terminal_with_its_own_name_and_password_comes_in() {
    let broker = broker().await;
    let connect = async |id: &str, user: &str, password: &str| {
        RawClient::connect(broker.address(), id, user, password).await.is_some()
    };
    assert!(connect(HORN, HORN, PASSWORD).await);
    assert!(!connect(HORN, HORN, "wrong").await);
    assert!(!connect(HORN, NEIGHBOUR, PASSWORD).await, "a session of another is not taken over");
    assert!(!connect("350212110202-0001", "350212110202-0001", PASSWORD).await);
    assert!(!connect("350212110201-0099", "350212110201-0099", PASSWORD).await);
    assert!(!connect(DISPATCHER_IN, DISPATCHER_IN, PASSWORD).await);
    assert!(!connect("anybody", "anybody", "").await);
    assert_eq!(broker.denials().connects(), 6);
    broker.stop().await;
}

#[tokio::test]
async fn an_order_reaches_the_terminal_that_subscribed_and_nothing_else_can_be_heard() {
    let broker = broker().await;
    let mut horn = horn(&broker, HORN).await;
    let id: TerminalId = HORN.parse().expect("an id");
    let filters = terminal_filters(id);
    assert_eq!(horn.subscribe(&filters).await, Some(vec![true; filters.len()]));
    for foreign in ["tongluo/1/terminal/350212110201-0008/reply", "tongluo/1/#", "#"] {
        assert_eq!(horn.subscribe(&[foreign.into()]).await, Some(vec![false]), "{foreign}");
    }
    let mut dispatcher = dispatcher(&broker, DISPATCHER_OUT).await;
    dispatcher.publish("tongluo/1/region/350212110000/order", b"sealed", false).await;
    let message = horn.message().await;
    assert_eq!(message.topic, "tongluo/1/region/350212110000/order");
    assert_eq!(&message.payload[..], b"sealed");
    broker.stop().await;
}

/// A terminal that is broken into gives an order to its village. Whether it is heard.
async fn foreign_order_is_heard(broker: &Broker) -> bool {
    let mut victim = horn(broker, NEIGHBOUR).await;
    let topic = "tongluo/1/region/350212110201/order";
    assert_eq!(victim.subscribe(&[topic.into()]).await, Some(vec![true]));
    let mut attacker = horn(broker, HORN).await;
    attacker.publish(topic, b"forged", false).await;
    victim.stray().await.is_some()
}

#[tokio::test]
async fn an_order_published_by_a_terminal_is_refused_by_the_guard() {
    let broker = broker().await;
    assert!(!foreign_order_is_heard(&broker).await);
    assert_eq!(broker.denials().publishes(), 1);
    broker.stop().await;
}

/// The control of the test above: rmqtt allows what nobody answers. If this one fails, the test
/// above proves nothing.
#[tokio::test]
async fn without_the_guard_the_same_order_would_be_heard() {
    use rmqtt::hook::{Handler, HookResult, Parameter, ReturnType, Type};
    struct LetsInEverybody;
    #[async_trait::async_trait]
    impl Handler for LetsInEverybody {
        async fn hook(&self, _: &Parameter, _: Option<HookResult>) -> ReturnType {
            let allow = rmqtt::types::AuthResult::Allow(false, None);
            (false, Some(HookResult::AuthResult(allow)))
        }
    }
    let (ready, started) = oneshot::channel();
    let (_stop, stopped) = oneshot::channel();
    let listen = (([127, 0, 0, 1], 0).into(), door());
    let setup = async move |context: &ServerContext| {
        let register = context.extends.hook_mgr().register();
        register.add(Type::ClientAuthenticate, Box::new(LetsInEverybody)).await;
        register.start().await;
    };
    let task = tokio::spawn(serve(listen, setup, ready, stopped));
    let Started { address, inner, context } = started.await.expect("started").expect("bound");
    let denials = Arc::default();
    let broker = Broker { address, inner, context, denials, stop: None, thread: None };
    assert!(foreign_order_is_heard(&broker).await);
    task.abort();
}

#[tokio::test]
async fn a_will_that_would_speak_for_the_dispatcher_is_refused_at_the_door() {
    let broker = broker().await;
    let will =
        |topic: &str| Some(LastWill::new(topic, b"offline".to_vec(), QoS::AtLeastOnce, true));
    let connect = async |topic: &str| {
        let address = broker.address();
        RawClient::connect_with_will(address, HORN, HORN, PASSWORD, will(topic)).await.is_some()
    };
    assert!(connect("tongluo/1/terminal/350212110201-0007/status").await);
    assert!(!connect("tongluo/1/region/350212110201/order").await);
    assert!(!connect("tongluo/1/region/350212110201/revocation").await);
    broker.stop().await;
}

#[tokio::test]
async fn the_dispatcher_hears_terminals_and_a_late_one_gets_the_revocation_list() {
    let broker = broker().await;
    let mut ears = dispatcher(&broker, DISPATCHER_IN).await;
    assert_eq!(ears.subscribe(&protocols::wire::dispatcher_filters()).await, Some(vec![true; 4]));
    let mut mouth = dispatcher(&broker, DISPATCHER_OUT).await;
    let topic = "tongluo/1/region/350212110201/revocation";
    mouth.publish(topic, b"list", true).await;
    let mut horn = horn(&broker, HORN).await;
    assert_eq!(horn.subscribe(&[topic.into()]).await, Some(vec![true]));
    let late = horn.message().await;
    assert_eq!((&late.payload[..], late.retain), (&b"list"[..], true));
    horn.publish("tongluo/1/terminal/350212110201-0007/vitals", b"alive", false).await;
    let heard = ears.message().await;
    assert_eq!(heard.topic, "tongluo/1/terminal/350212110201-0007/vitals");
    broker.stop().await;
}

#[tokio::test]
async fn a_stopped_broker_frees_its_port_and_an_occupied_one_is_named() {
    let first = broker().await;
    let address = first.address();
    let secret = Digest::of(b"x");
    let second = Broker::start(address, door(), Arc::new(OneVillage), secret).await;
    let error = second.err().expect("occupied").to_string();
    assert!(error.contains(&address.to_string()), "{error}");
    first.stop().await;
    let third =
        Broker::start(address, door(), Arc::new(OneVillage), secret).await.expect("free again");
    third.stop().await;
}

#[tokio::test]
async fn a_dismissed_terminal_is_cut_off_at_once_and_its_neighbour_stays() {
    let broker = broker().await;
    let mut horn = horn(&broker, HORN).await;
    let mut neighbour = self::horn(&broker, NEIGHBOUR).await;
    let topic = "tongluo/1/region/350212110201/order".to_owned();
    assert_eq!(horn.subscribe(std::slice::from_ref(&topic)).await, Some(vec![true]));
    assert_eq!(neighbour.subscribe(std::slice::from_ref(&topic)).await, Some(vec![true]));
    assert!(broker.dismiss(HORN.parse().expect("an id")).await);
    assert_eq!(horn.subscribe(std::slice::from_ref(&topic)).await, None, "its connection is cut");
    assert!(!broker.dismiss(HORN.parse().expect("an id")).await, "nothing of it is left");
    let mut dispatcher = dispatcher(&broker, DISPATCHER_OUT).await;
    dispatcher.publish(&topic, b"sealed", false).await;
    assert_eq!(&neighbour.message().await.payload[..], b"sealed");
    broker.stop().await;
}

/// Whether the broker has closed this connection.
async fn is_closed(mut stream: tokio::net::TcpStream) -> bool {
    use tokio::io::AsyncReadExt as _;

    let read = tokio::time::timeout(Duration::from_secs(10), stream.read(&mut [0])).await;
    matches!(read, Ok(Ok(0) | Err(_)))
}

#[tokio::test]
async fn whoever_says_nothing_gives_way_and_no_packet_but_a_short_connect_comes_first() {
    use tokio::io::AsyncWriteExt as _;
    use tokio::net::TcpStream;

    let broker = broker().await;
    let silent = async || TcpStream::connect(broker.address()).await.expect("connects");
    let first = silent().await;
    let mut others = Vec::new();
    for _ in 0..20 {
        others.push(silent().await);
    }
    assert!(is_closed(first).await, "it waited longest");
    assert!(horn(&broker, HORN).await.subscribe(&["#".into()]).await.is_some(), "others come in");
    for bytes in [&b"GET / HTTP/1.1\r\n"[..], &[0x10, 0xFF, 0xFF, 0xFF, 0x7F], &[0x30, 0x02]] {
        let mut stream = silent().await;
        stream.write_all(bytes).await.expect("writes");
        assert!(is_closed(stream).await, "{bytes:?}");
    }
    broker.stop().await;
}
