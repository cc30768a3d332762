//! The hook by which rmqtt asks for leave. It answers connect, subscribe and publish and never
//! leaves one unanswered: rmqtt takes no answer to a subscribe or publish as *allowed*.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use protocols::digest::Digest;
use rmqtt::codec::v5::SubscribeAckReason;
use rmqtt::hook::{Handler, HookResult, Parameter, Register, ReturnType, Type};
use rmqtt::types::{
    AuthResult, ConnectInfo, LastWill, PublishAclResult, Subscribe, SubscribeAclResult,
};

use super::admission::Identity;
use crate::mqtt::credentials::Credentials;

/// The priority of the guard among hooks: before all others.
const FIRST: u32 = u32::MAX;

/// How often the guard said no, since the start.
#[derive(Debug, Default)]
pub struct Denials {
    connects: AtomicU64,
    subscribes: AtomicU64,
    publishes: AtomicU64,
}

impl Denials {
    /// Refused connections.
    pub fn connects(&self) -> u64 {
        self.connects.load(Ordering::Relaxed)
    }

    /// Refused filters.
    pub fn subscribes(&self) -> u64 {
        self.subscribes.load(Ordering::Relaxed)
    }

    /// Refused messages.
    pub fn publishes(&self) -> u64 {
        self.publishes.load(Ordering::Relaxed)
    }
}

/// The guard.
#[derive(Clone)]
pub(super) struct Guard {
    credentials: Arc<dyn Credentials>,
    dispatcher_password: Digest,
    denials: Arc<Denials>,
}

impl Guard {
    pub(super) fn new(
        credentials: Arc<dyn Credentials>,
        dispatcher_password: Digest,
        denials: Arc<Denials>,
    ) -> Self {
        Self { credentials, dispatcher_password, denials }
    }

    /// Stands guard at every question that rmqtt asks.
    pub(super) async fn stand(self, register: &dyn Register) {
        for question in
            [Type::ClientAuthenticate, Type::ClientSubscribeCheckAcl, Type::MessagePublishCheckAcl]
        {
            register.add_priority(question, FIRST, Box::new(self.clone())).await;
        }
        register.start().await;
    }

    async fn connect(&self, info: &ConnectInfo) -> AuthResult {
        let answer = self.judge_connect(info).await;
        if !matches!(answer, AuthResult::Allow(..)) {
            self.denials.connects.fetch_add(1, Ordering::Relaxed);
            tracing::info!(client.id = %info.client_id(), "broker refuses a client");
        }
        answer
    }

    async fn judge_connect(&self, info: &ConnectInfo) -> AuthResult {
        // The protocol is MQTT 3.1.1; v5 would bring aliases and delays that were not thought of.
        if matches!(info, ConnectInfo::V5(..)) {
            return AuthResult::NotAuthorized;
        }
        let user_name = info.username().map(|name| &**name);
        let Some(identity) = Identity::claimed(info.client_id(), user_name) else {
            return AuthResult::NotAuthorized;
        };
        let Some(password) = info.password() else { return AuthResult::BadUsernameOrPassword };
        let expected = match identity {
            Identity::Dispatcher => Some(self.dispatcher_password),
            Identity::Terminal(id) => match self.credentials.password_digest(id).await {
                Ok(expected) => expected,
                Err(error) => {
                    tracing::warn!(terminal.id = %id, %error, "broker can't check a password");
                    return AuthResult::NotAuthorized;
                }
            },
        };
        if expected != Some(Digest::of(password)) {
            return AuthResult::BadUsernameOrPassword;
        }
        let is_will_allowed = info.last_will().is_none_or(|will| match will {
            LastWill::V3(will) => identity.may_leave_will(&will.topic, will.retain),
            LastWill::V5(_) => false,
        });
        if !is_will_allowed {
            return AuthResult::NotAuthorized;
        }
        AuthResult::Allow(false, None)
    }

    fn subscribe(&self, client_id: &str, subscribe: &Subscribe) -> SubscribeAclResult {
        let filter = &*subscribe.topic_filter;
        if Identity::named(client_id).is_some_and(|identity| identity.may_subscribe(filter)) {
            return SubscribeAclResult::new_success(subscribe.opts.qos(), None);
        }
        self.denials.subscribes.fetch_add(1, Ordering::Relaxed);
        tracing::info!(client.id = client_id, filter, "broker refuses a filter");
        SubscribeAclResult::new_failure(SubscribeAckReason::NotAuthorized)
    }

    fn publish(&self, client_id: &str, topic: &str, is_retained: bool) -> PublishAclResult {
        let identity = Identity::named(client_id);
        if identity.is_some_and(|identity| identity.may_publish(topic, is_retained)) {
            return PublishAclResult::allow();
        }
        self.denials.publishes.fetch_add(1, Ordering::Relaxed);
        tracing::info!(client.id = client_id, topic, "broker refuses a message");
        PublishAclResult::rejected(false, None)
    }
}

#[async_trait]
impl Handler for Guard {
    async fn hook(&self, parameter: &Parameter, earlier: Option<HookResult>) -> ReturnType {
        #[expect(clippy::wildcard_enum_match_arm, reason = "of rmqtt's events three are asked")]
        let answer = match parameter {
            Parameter::ClientAuthenticate(info) => HookResult::AuthResult(self.connect(info).await),
            Parameter::ClientSubscribeCheckAcl(session, subscribe) => {
                HookResult::SubscribeAclResult(self.subscribe(&session.id.client_id, subscribe))
            }
            Parameter::MessagePublishCheckAcl(session, publish) => HookResult::PublishAclResult(
                self.publish(&session.id.client_id, &publish.topic, publish.retain),
            ),
            // Registered for the three questions above and asked no other.
            _ => return (true, earlier),
        };
        (false, Some(answer))
    }
}
