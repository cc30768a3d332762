//! Retained messages of the embedded broker, in memory. rmqtt's own storage of this name keeps
//! nothing; without this, `retain` is accepted and lost.

use std::time::Duration;

use async_trait::async_trait;
use rmqtt::retain::{DefaultRetainStorage, RetainStorage};
use rmqtt::types::{Retain, TopicFilter, TopicName};

/// The last message of each retained topic. Bounded by the admission rules: one status topic for
/// each enrolled terminal, one revocation topic for each region.
pub(super) struct RetainedInMemory(DefaultRetainStorage);

impl RetainedInMemory {
    pub(super) fn new() -> Self {
        Self(DefaultRetainStorage::new())
    }
}

#[async_trait]
impl RetainStorage for RetainedInMemory {
    fn enable(&self) -> bool {
        true
    }

    /// The expiry is that of queued messages (minutes) and is not for states: a state stands
    /// until another one comes.
    async fn set(
        &self,
        topic: &TopicName,
        retain: Retain,
        _expiry_interval: Option<Duration>,
    ) -> rmqtt::Result<()> {
        self.0.set_with_timeout(topic, retain, None).await
    }

    async fn get(&self, filter: &TopicFilter) -> rmqtt::Result<Vec<(TopicName, Retain)>> {
        self.0.get_message(filter).await
    }

    async fn count(&self) -> isize {
        self.0.count().await
    }

    async fn max(&self) -> isize {
        self.0.max().await
    }
}
