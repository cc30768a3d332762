//! `[server]`: HTTP.

use std::net::SocketAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{ConfigError, within};
use crate::door::Limits;

/// Where HTTP listens and how it is reached.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServerConfig {
    /// Address and port.
    pub listen: SocketAddr,
    /// Base URL under which terminals and people reach it; empty: `http://` and the address.
    pub public_url: String,
    /// Requests in flight at once; more are answered 503. An event stream is one for each officer
    /// who watches; the rest is for clips that terminals fetch in the first second of an alert.
    pub connections_max: usize,
    /// Connections at once without a request in flight: not yet, or between two.
    pub waiting_max: usize,
    /// Seconds for a request's head, and between two requests of a connection.
    pub head_timeout_s: u64,
    /// Seconds for a request's body: 2 MiB of CAP at 1 Mbit/s take 17.
    pub body_timeout_s: u64,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8480)),
            public_url: String::new(),
            connections_max: 1_024,
            waiting_max: 512,
            head_timeout_s: 10,
            body_timeout_s: 30,
        }
    }
}

impl ServerConfig {
    /// The base URL without a slash at its end.
    pub fn base_url(&self) -> String {
        if self.public_url.is_empty() {
            return format!("http://{}", self.listen);
        }
        self.public_url.trim_end_matches('/').to_owned()
    }

    /// Whether browsers reach it over TLS: then the session cookie is `Secure` and host-bound.
    pub fn is_secure(&self) -> bool {
        self.public_url.starts_with("https://")
    }

    /// What the door of HTTP allows.
    pub fn limits(&self) -> Limits {
        Limits {
            waiting_max: self.waiting_max,
            patience: Duration::from_secs(self.head_timeout_s),
            connections_max: self.connections_max,
        }
    }

    /// How long a body may take.
    pub fn body_timeout(&self) -> Duration {
        Duration::from_secs(self.body_timeout_s)
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        within("server.connections_max", self.connections_max as u64, 16, 100_000)?;
        within("server.waiting_max", self.waiting_max as u64, 16, 100_000)?;
        within("server.head_timeout_s", self.head_timeout_s, 1, 600)?;
        within("server.body_timeout_s", self.body_timeout_s, 1, 600)?;
        let is_url = self.public_url.is_empty()
            || self.public_url.starts_with("https://")
            || self.public_url.starts_with("http://");
        if is_url {
            return Ok(());
        }
        let reason = "begins with http:// or https://".to_owned();
        Err(ConfigError::Value { key: "server.public_url", reason })
    }
}
