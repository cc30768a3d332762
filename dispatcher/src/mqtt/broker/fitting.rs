//! How much the embedded broker holds for one session: little for a terminal, much for the
//! dispatcher's own listening connection, on which all receipts of a city arrive at once.

use std::num::{NonZeroU16, NonZeroU32};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use rmqtt::codec::types::Publish;
use rmqtt::fitter::{DefaultFitter, Fitter, FitterManager};
use rmqtt::types::{ConnectInfo, Disconnect, FitterType, Id, ListenerConfig};

use super::admission::{DISPATCHER_IN, DISPATCHER_OUT};

/// Messages waiting for one terminal. More than the live orders of a region on its worst day;
/// what is dropped here is sent again at the next hello.
pub(super) const TERMINAL_QUEUE_MAX: usize = 256;

/// Messages waiting for the dispatcher: 3 receipts from each of 10,000 terminals, twice over.
pub(super) const DISPATCHER_QUEUE_MAX: usize = 65_536;

/// Unacknowledged messages towards the dispatcher. More than the default of 16 so that a burst of
/// receipts is not paced by round trips.
const DISPATCHER_IN_FLIGHT: NonZeroU16 = NonZeroU16::new(512).expect("not zero");

/// Gives each session its bounds.
pub(super) struct Fitting;

impl FitterManager for Fitting {
    fn create(&self, info: Arc<ConnectInfo>, id: Id, config: ListenerConfig) -> FitterType {
        let is_dispatcher =
            [DISPATCHER_IN, DISPATCHER_OUT].iter().any(|name| *id.client_id == **name);
        let inner = DefaultFitter::new(info, id, config);
        if is_dispatcher { Arc::new(ForDispatcher(inner)) } else { Arc::new(inner) }
    }
}

struct ForDispatcher(DefaultFitter);

#[async_trait]
impl Fitter for ForDispatcher {
    fn keep_alive(&self, keep_alive: &mut u16) -> rmqtt::Result<u16> {
        self.0.keep_alive(keep_alive)
    }

    fn max_mqueue_len(&self) -> usize {
        DISPATCHER_QUEUE_MAX
    }

    fn mqueue_rate_limit(&self) -> (NonZeroU32, Duration) {
        self.0.mqueue_rate_limit()
    }

    fn max_inflight(&self) -> NonZeroU16 {
        DISPATCHER_IN_FLIGHT
    }

    fn session_expiry_interval(&self, disconnect: Option<&Disconnect>) -> Duration {
        self.0.session_expiry_interval(disconnect)
    }

    fn message_expiry_interval(&self, publish: &Publish) -> Duration {
        self.0.message_expiry_interval(publish)
    }

    fn max_client_topic_aliases(&self) -> u16 {
        self.0.max_client_topic_aliases()
    }

    fn max_server_topic_aliases(&self) -> u16 {
        self.0.max_server_topic_aliases()
    }
}
