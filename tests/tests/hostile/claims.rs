//! Bytes that claim more than they are: bombs, depths and gigabytes, at each real entrance.

use anyhow::{Context as _, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::SignedDuration;
use reqwest::Method;
use serde_json::json;
use tests::attack::memory::resident_bytes;
use tests::attack::stage::{MUTE, Stage};
use tests::harness::api::Api;
use tests::harness::broker::BrokerKind;
use tests::harness::city::{CITY, text};
use tests::harness::clock;
use tests::harness::mqtt::{Client, Credentials};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const GROWTH_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// Each is said so often.
const TIMES: usize = 50;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bombs_depths_and_claims_of_gigabytes_meet_a_limit_and_a_red_alert_sounds()
-> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let mut stage = Stage::build(BrokerKind::Embedded, folder.path(), &[MUTE]).await?;
    stage.red_alert().await?;
    let process = stage.dispatcher_id()?;
    let service = service(&stage).await?;
    // The largest that is read at all is held once before.
    stage.officer.post_raw("/api/v1/alerts", "application/json", vec![b' '; 200_000]).await?;
    service.post_raw("/api/v1/cap", "application/cap+xml", vec![b' '; 2_000_000]).await?;
    let before = resident_bytes(process)?;
    cap(&service).await?;
    bodies(&stage).await?;
    over_mqtt(&stage).await?;
    packets(&stage).await?;
    let lag = stage.red_alert().await?;
    let grown = resident_bytes(process)?.saturating_sub(before);
    ensure!(grown <= GROWTH_BYTES_MAX, "{} KiB more, red alert after {lag:?}", grown / 1_024);
    stage.city.process()?.check_alive()?;
    stage.node.process()?.check_alive()?;
    Ok(())
}

/// A token that may hand in CAP messages.
async fn service(stage: &Stage) -> anyhow::Result<Api> {
    let admin = stage.city.officer("admin", "admin", CITY)?;
    let admin = stage.city.log_in(&admin).await?;
    let expires = clock::now().checked_add(SignedDuration::from_hours(24))?;
    let body = json!({
        "name": "厦门市气象台",
        "region": CITY,
        "scope": "cap:submit",
        "expires_at": expires,
    });
    let made = admin.post("/api/v1/tokens", &body).await?;
    Ok(stage.city.anonymous()?.bearing(text(&made, "secret")?))
}

/// Entities that multiply, elements without end, a document over the limit.
async fn cap(service: &Api) -> anyhow::Result<()> {
    let alert = "<alert xmlns='urn:oasis:names:tc:emergency:cap:1.2'>";
    let laughs =
        (1..10).map(|n| format!("<!ENTITY a{n} '{}'>", format!("&a{};", n - 1).repeat(10)));
    let laughs = laughs.collect::<String>();
    let laughs = format!("<!DOCTYPE alert [<!ENTITY a0 'ha'>{laughs}]>{alert}&a9;</alert>");
    for (document, finding) in [
        (laughs, "doctype"),
        (alert.repeat(20_000), "too_deep"),
        (format!("{alert}{}", "<a/>".repeat(400_000)), "too_complex"),
        (" ".repeat(2 * 1024 * 1024 + 1), "too_large"),
    ] {
        let reply = service.post_raw("/api/v1/cap", "application/cap+xml", document.into()).await?;
        ensure!(reply.status == 422, "{finding}: {} {}", reply.status, reply.body);
        let said = reply.body.to_string();
        ensure!(said.contains(finding), "{finding}: {said}");
    }
    Ok(())
}

/// JSON that nests without end, bodies over the limit, CBOR inside of JSON that claims 2 GiB.
async fn bodies(stage: &Stage) -> anyhow::Result<()> {
    let json = "application/json";
    let deep = format!("{{\"region\":{}", "[".repeat(100_000));
    let reply = stage.officer.post_raw("/api/v1/alerts", json, deep.into_bytes()).await?;
    ensure!(reply.status == 400, "{} {}", reply.status, reply.body);
    let large = vec![b' '; 300 * 1024];
    let reply = stage.officer.post_raw("/api/v1/alerts", json, large).await?;
    ensure!(reply.status == 413 && reply.problem() == "too-large", "{}", reply.status);
    let anybody = stage.city.anonymous()?;
    let reply = anybody.post_raw("/api/v1/sessions", json, vec![b' '; 5_000]).await?;
    ensure!(reply.status == 413, "a login of 5,000 bytes: {}", reply.status);
    for claim in claims() {
        let claim = claim.get(..2_000).unwrap_or(&claim);
        let body = json!({ "secret": "0".repeat(20), "proof": URL_SAFE_NO_PAD.encode(claim) });
        let path = "/api/v1/enrolments/claim";
        let reply = anybody.send(Method::POST, path, Some(&body)).await?;
        let is_refused = [404, 422, 429].contains(&reply.status.as_u16());
        ensure!(is_refused, "{} {}", reply.status, reply.body);
    }
    Ok(())
}

/// CBOR whose heads claim what never comes, and arrays in arrays.
fn claims() -> Vec<Vec<u8>> {
    let claim = |major: u8, length: u64| {
        let mut bytes = vec![major << 5 | 0b1_1011];
        bytes.extend(length.to_be_bytes());
        bytes.extend([0; 100]);
        bytes
    };
    let two_gib = 2 * 1024 * 1024 * 1024;
    let mut claims = (2..6).map(|major| claim(major, two_gib)).collect::<Vec<_>>();
    claims.extend((2..6).map(|major| claim(major, u64::MAX)));
    // Inside of an envelope.
    claims.extend([2, 4].map(|major| [vec![0x84], claim(major, two_gib)].concat()));
    claims.push(vec![0x81; 16_000]);
    claims.push(vec![0x9F; 16_000]);
    claims.push(vec![0xD8; 16_000]);
    claims
}

/// The same from a terminal that has a password, on each topic that it may use.
async fn over_mqtt(stage: &Stage) -> anyhow::Result<()> {
    let code = stage.city.enrolment_code("350211102202", None)?;
    let folder = stage.city.folder().join("stranger");
    let horn = tests::harness::village::Village::enrol(&folder, "350211102202", &code)?;
    let broker = ([127, 0, 0, 1], stage.city.mqtt_port).into();
    let own = Credentials::own(&horn.id, &horn.mqtt_password()?);
    let client = Client::connect(broker, &own).await?;
    let mut client = client.context("an enrolled terminal comes in")?;
    for _ in 0..TIMES {
        for leaf in ["hello", "receipt", "vitals", "status"] {
            for claim in claims() {
                let topic = format!("tongluo/1/terminal/{}/{leaf}", horn.id);
                client.publish(&topic, &claim, false).await?;
            }
        }
    }
    Ok(())
}

/// MQTT and HTTP heads that claim gigabytes.
async fn packets(stage: &Stage) -> anyhow::Result<()> {
    for head in [&[0x10, 0xFF, 0xFF, 0xFF, 0x7F][..], &[0x30, 0xFF, 0xFF, 0xFF, 0x7F]] {
        let mut broker = TcpStream::connect(("127.0.0.1", stage.city.mqtt_port)).await?;
        broker.write_all(head).await?;
        let mut said = Vec::new();
        let _ = broker.read_to_end(&mut said).await;
        ensure!(said.is_empty(), "the broker hangs up: {said:?}");
    }
    let mut http = TcpStream::connect(("127.0.0.1", stage.http_port()?)).await?;
    let long = "x".repeat(20 * 1024);
    // It may hang up before all of it is said.
    let _ = http.write_all(format!("GET / HTTP/1.1\r\nx-long: {long}\r\n\r\n").as_bytes()).await;
    let mut said = [0; 12];
    http.read_exact(&mut said).await.context("HTTP answers a head of 20 KiB")?;
    ensure!(said.starts_with(b"HTTP/1.1 431"), "{}", String::from_utf8_lossy(&said));
    Ok(())
}
