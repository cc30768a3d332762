//! `[server]`: HTTP.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use super::ConfigError;

/// Where HTTP listens and how it is reached.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServerConfig {
    /// Address and port.
    pub listen: SocketAddr,
    /// Base URL under which terminals and people reach it; empty: `http://` and the address.
    pub public_url: String,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self { listen: SocketAddr::from(([127, 0, 0, 1], 8480)), public_url: String::new() }
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

    pub(super) fn check(&self) -> Result<(), ConfigError> {
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
