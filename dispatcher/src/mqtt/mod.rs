//! Everything that speaks MQTT: the embedded broker, the one client, and the machines that decide
//! what is published and what is answered.
//!
//! | module | does |
//! |---|---|
//! | [`broker`] | rmqtt as a library, with a guard that denies by default |
//! | [`client`] | the only one that knows rumqttc |
//! | [`publisher`], [`hello`], [`collector`], [`inbox`], [`backoff`] | decide, without sockets |
//! | [`outgoing`], [`incoming`] | the two connections |
//! | [`answering`], [`recording`], [`watching`] | work on what terminals say |
//! | [`directory`] | knows who is enrolled |
//! | [`dismissing`] | drops the sessions of retired terminals from the embedded broker |
//! | [`verifier`] | passwords as external brokers keep them |
//!
//! The broker is a pipe: whatever matters is in the database before it is published, and counts as
//! delivered when the terminal's own signed receipt says so.

pub mod answering;
pub mod backoff;
#[cfg(feature = "embedded-broker")]
pub mod broker;
pub mod client;
pub mod collector;
pub mod credentials;
pub mod directory;
#[cfg(feature = "embedded-broker")]
pub mod dismissing;
pub mod hello;
pub mod inbox;
pub mod incoming;
pub mod link;
pub mod outgoing;
pub mod publisher;
pub mod recording;
pub mod verifier;
pub mod watching;

#[cfg(test)]
mod raw_client;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use protocols::region::RegionCode;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::context::App;
use client::Address;
use directory::Directory;
use incoming::Inbox;
use outgoing::Pipe;

/// Why MQTT did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The embedded broker.
    #[cfg(feature = "embedded-broker")]
    #[error(transparent)]
    Broker(#[from] broker::BrokerError),
    /// The external broker's URL or its authorities.
    #[error(transparent)]
    Url(#[from] client::UrlError),
    /// No broker is configured and none is built in.
    #[cfg(not(feature = "embedded-broker"))]
    #[error("mqtt.url is empty and this program has no broker built in")]
    NoBroker,
}

/// What the rest of the program needs of MQTT.
#[derive(Debug, Clone)]
pub struct Handle {
    /// Publishes.
    pub pipe: Pipe,
    /// Where the embedded broker listens, with the real port.
    pub broker_address: Option<SocketAddr>,
}

/// Starts the broker (unless an external one is configured), both connections and their workers.
/// Each ends with `stop` and is tracked in `tasks`.
pub async fn start(
    app: &Arc<App>,
    tasks: &TaskTracker,
    stop: &CancellationToken,
) -> Result<Handle, StartError> {
    let (directory, questions) = Directory::new();
    tasks.spawn(directory::serve(app.clone(), questions, stop.clone()));
    let (out, listen, broker_address) = if app.config.mqtt.is_embedded() {
        embedded(app, &directory, tasks, stop).await?
    } else {
        let (out, listen) = external(app)?;
        (out, listen, None)
    };
    if let Some(address) = broker_address {
        let _ = app.broker_address.set(address);
    }
    let (pipe, requests) = Pipe::new();
    let (inbox, queues) = Inbox::new();
    tasks.spawn(outgoing::serve(app.clone(), out, requests, stop.clone()));
    tasks.spawn(incoming::serve(app.clone(), listen, inbox, stop.clone()));
    let hellos = queues.hellos;
    let (found, to) = (directory.clone(), pipe.clone());
    tasks.spawn(answering::serve(app.clone(), found, to, hellos, stop.clone()));
    let receipts = queues.receipts;
    let (found, to) = (directory.clone(), pipe.clone());
    tasks.spawn(recording::serve(app.clone(), found, to, receipts, stop.clone()));
    tasks.spawn(watching::serve(app.clone(), directory, queues.reports, stop.clone()));
    Ok(Handle { pipe, broker_address })
}

#[cfg(feature = "embedded-broker")]
async fn embedded(
    app: &Arc<App>,
    directory: &Directory,
    tasks: &TaskTracker,
    stop: &CancellationToken,
) -> Result<(Address, Address, Option<SocketAddr>), StartError> {
    use protocols::digest::Digest;

    use crate::door::Door;
    use crate::metrics::DoorLabel;

    // Drawn for this run: nobody else ever needs it.
    let password = hex::encode(app.ports.bytes::<32>());
    let secret = Digest::of(password.as_bytes());
    let credentials = Arc::new(directory.clone());
    let config = &app.config.mqtt;
    let turned_away = app.metrics.connections_turned_away.clone();
    let door = Door::new(DoorLabel::Mqtt, config.limits(), turned_away);
    let broker = broker::Broker::start(config.listen, door, credentials, secret).await?;
    let (listening, inner) = (broker.address(), broker.inner_address());
    tasks.spawn(dismissing::serve(app.clone(), broker, stop.clone()));
    let address = |name: &str| Address {
        host: inner.ip().to_string(),
        port: inner.port(),
        client_id: name.to_owned(),
        user: name.to_owned(),
        password: password.clone(),
        tls: None,
    };
    let (out, listen) = (address(broker::DISPATCHER_OUT), address(broker::DISPATCHER_IN));
    Ok((out, listen, Some(listening)))
}

#[cfg(not(feature = "embedded-broker"))]
async fn embedded(
    _: &Arc<App>,
    _: &Directory,
    _: &TaskTracker,
    _: &CancellationToken,
) -> Result<(Address, Address, Option<SocketAddr>), StartError> {
    Err(StartError::NoBroker)
}

/// Client ids, which are the user names, of the dispatcher at an external broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokerNames {
    /// The connection that publishes.
    pub out: String,
    /// The connection that listens.
    pub listen: String,
}

/// Both names carry the region, so that the dispatchers of several regions share a broker.
pub fn broker_names(user: &str, region: RegionCode) -> BrokerNames {
    let name = |what: &str| format!("{user}-{region}-{what}");
    BrokerNames { out: name("out"), listen: name("in") }
}

/// As at every broker, client id and user name are one.
fn external(app: &App) -> Result<(Address, Address), StartError> {
    let config = &app.config.mqtt;
    let (host, port, is_tls) = client::parse_url(&config.url)?;
    let tls = if is_tls { Some(client::tls(Path::new(&config.ca_file))?) } else { None };
    let address = |name: String| Address {
        host: host.clone(),
        port,
        client_id: name.clone(),
        user: name,
        password: config.password.clone(),
        tls: tls.clone(),
    };
    let names = broker_names(&config.user, app.region());
    Ok((address(names.out), address(names.listen)))
}
