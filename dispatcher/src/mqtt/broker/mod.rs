//! The embedded broker: rmqtt as a library on a runtime and a thread of its own.
//!
//! rmqtt has no handle to stop it, so the whole runtime is dropped at shutdown. It keeps nothing
//! on disk: durability is end to end between dispatcher and terminal, the broker is a pipe.

mod admission;
mod fitting;
mod front;
mod guard;
mod retained;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use protocols::digest::Digest;
use protocols::limits::PACKET_BYTES_MAX;
use protocols::terminal::TerminalId;
use rmqtt::codec::types::QoS;
use rmqtt::context::ServerContext;
use rmqtt::net::Builder;
use rmqtt::server::MqttServer;
use rmqtt::types::Id;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::oneshot;

pub use admission::{DISPATCHER_IN, DISPATCHER_OUT};
pub use guard::Denials;

use super::credentials::Credentials;
use crate::door::Door;
use guard::Guard;

/// Worker threads of the broker: it shares the machine with the dispatcher, and 10,000 terminals
/// are served in 0.3 s by one.
const WORKER_THREADS: usize = 2;

/// Sessions at once, offline ones that are kept included: the most connections that may be set.
const SESSIONS_MAX: isize = 100_000;

/// Connections waiting in the kernel: after a power cut all terminals come at once.
const BACKLOG: u32 = 4_096;

/// Bytes of a client id: 17 for a terminal, with room for the dispatcher's own.
const CLIENT_ID_BYTES_MAX: usize = 64;

/// Filters of one session: 16 for a terminal.
const FILTERS_MAX: usize = 32;

/// Levels of a topic of ours: five.
const TOPIC_LEVELS_MAX: usize = 5;

/// How long an offline terminal's session is kept. An optimisation: hello makes up for its loss.
const SESSION_KEPT: Duration = Duration::from_hours(2);

/// How long the broker's threads may take to end.
const STOP_WITHIN: Duration = Duration::from_secs(2);

/// Why the broker did not start.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// The address could not be bound.
    #[error("MQTT broker can't listen on {listen}: {reason}")]
    Listen {
        /// The configured address.
        listen: SocketAddr,
        /// What the system said.
        reason: String,
    },
    /// No thread, no runtime.
    #[error("MQTT broker has no thread: {0}")]
    Thread(#[from] std::io::Error),
    /// The thread ended before it listened.
    #[error("MQTT broker ended before it listened")]
    Ended,
}

/// A running broker.
pub struct Broker {
    address: SocketAddr,
    inner: SocketAddr,
    context: ServerContext,
    denials: Arc<Denials>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Broker {
    /// Starts a broker on `listen` (port 0 takes a free one) behind `door` that lets in the
    /// terminals known to `credentials`, and the dispatcher with a password of this digest.
    pub async fn start(
        listen: SocketAddr,
        door: Arc<Door>,
        credentials: Arc<dyn Credentials>,
        dispatcher_password: Digest,
    ) -> Result<Self, BrokerError> {
        let denials = Arc::new(Denials::default());
        let guard = Guard::new(credentials, dispatcher_password, Arc::clone(&denials));
        let (stop, stopped) = oneshot::channel();
        let (ready, started) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(WORKER_THREADS)
            .thread_name("broker")
            .enable_all()
            .build()?;
        let thread = std::thread::Builder::new().name("broker".into()).spawn(move || {
            let stand = async move |context: &ServerContext| {
                let register = context.extends.hook_mgr().register();
                guard.stand(&*register).await;
            };
            runtime.block_on(serve((listen, door), stand, ready, stopped));
            runtime.shutdown_timeout(STOP_WITHIN);
        })?;
        let Started { address, inner, context } =
            started.await.map_err(|_| BrokerError::Ended)??;
        Ok(Self { address, inner, context, denials, stop: Some(stop), thread: Some(thread) })
    }

    /// The address it listens on, with the real port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where the dispatcher's own connections go: on loopback and past the door, so that no crowd
    /// in front of it keeps them out.
    pub fn inner_address(&self) -> SocketAddr {
        self.inner
    }

    /// How often it refused something.
    pub fn denials(&self) -> &Arc<Denials> {
        &self.denials
    }

    /// Drops the session of a terminal and its connection; whether there was one. A session that
    /// is just being made may be missed: ask again.
    pub async fn dismiss(&self, terminal: TerminalId) -> bool {
        let client = terminal.to_string().into();
        let shared = self.context.extends.shared().await;
        let entry = shared.entry(Id::from(self.context.node.id(), client));
        if !entry.exist() {
            return false;
        }
        let Ok(mut entry) = entry.try_lock().await else { return false };
        // Nothing of it is kept for a return, and its will is not held back.
        entry.kick(true, true, true).await.is_ok()
    }

    /// Drops every connection and ends the threads.
    pub async fn stop(mut self) {
        drop(self.stop.take());
        let Some(thread) = self.thread.take() else { return };
        if tokio::task::spawn_blocking(move || thread.join()).await.is_err() {
            tracing::error!("the broker's thread could not be joined");
        }
    }
}

impl Drop for Broker {
    /// The sender's end is the signal; the thread then ends by itself within [`STOP_WITHIN`].
    fn drop(&mut self) {
        drop(self.stop.take());
    }
}

/// What stands once the broker listens.
struct Started {
    address: SocketAddr,
    inner: SocketAddr,
    context: ServerContext,
}

async fn serve(
    (listen, door): (SocketAddr, Arc<Door>),
    guard: impl AsyncFnOnce(&ServerContext),
    ready: oneshot::Sender<Result<Started, BrokerError>>,
    stopped: oneshot::Receiver<()>,
) {
    // The busy check refuses connections while the machine is loaded: on a storm day that is
    // exactly when terminals must come in.
    let context =
        ServerContext::new().busy_check_enable(false).mqtt_max_sessions(SESSIONS_MAX).build().await;
    *context.extends.retain_mut().await = Box::new(retained::RetainedInMemory::new());
    *context.extends.fitter_mgr_mut().await = Box::new(fitting::Fitting);
    guard(&context).await;
    let bound = bind(listen).and_then(|outer| {
        let listener = listener(door.limits().connections_max).bind()?.tcp()?;
        Ok((outer.local_addr()?, listener.local_addr()?, outer, listener))
    });
    let (address, inner, outer, listener) = match bound {
        Ok(bound) => bound,
        Err(error) => {
            let reason = format!("{error:#}");
            drop(ready.send(Err(BrokerError::Listen { listen, reason })));
            return;
        }
    };
    let server = MqttServer::new(context.clone()).listener_by_id(listener, 1).build();
    if ready.send(Ok(Started { address, inner, context })).is_err() {
        return;
    }
    tracing::info!(broker.address = %address, "MQTT broker listens on {address}");
    tokio::select! {
        biased;
        _ = stopped => {}
        () = front::serve(outer, door, inner) => {}
        ended = server.run() => {
            if let Err(error) = ended {
                tracing::error!(%error, "the MQTT broker ended");
            }
        }
    }
}

/// The listener that the world sees.
fn bind(listen: SocketAddr) -> rmqtt::Result<TcpListener> {
    let socket = if listen.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(listen)?;
    Ok(socket.listen(BACKLOG)?)
}

/// rmqtt's own listener, which only the front and the dispatcher itself reach.
fn listener(connections_max: usize) -> Builder {
    Builder::new()
        .name("tongluo")
        .laddr(SocketAddr::from(([127, 0, 0, 1], 0)))
        .backlog(BACKLOG.cast_signed())
        .nodelay(true)
        .allow_anonymous(false)
        .max_connections(connections_max)
        .max_packet_size(PACKET_BYTES_MAX as u32)
        .max_clientid_len(CLIENT_ID_BYTES_MAX)
        .max_qos_allowed(QoS::AtLeastOnce)
        .max_topic_levels(TOPIC_LEVELS_MAX)
        .max_subscriptions(FILTERS_MAX)
        .max_mqueue_len(fitting::TERMINAL_QUEUE_MAX)
        .session_expiry_interval(SESSION_KEPT)
        .message_expiry_interval(SESSION_KEPT)
}
