//! `[mqtt]`: the broker, embedded or external.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{ConfigError, within};
use crate::door::Limits;

/// The broker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MqttConfig {
    /// External broker (`mqtt://host:port`); empty: the embedded one.
    pub url: String,
    /// Where the embedded broker listens.
    pub listen: std::net::SocketAddr,
    /// URL that terminals are given on enrolment; empty: the external URL, or `mqtt://` and the
    /// embedded broker's address.
    pub public_url: String,
    /// Certificates (PEM) by which an external broker with `mqtts://` is believed.
    pub ca_file: String,
    /// How the dispatcher's user names at an external broker begin: region and `-out`, `-in` follow.
    pub user: String,
    /// The dispatcher's password at an external broker.
    pub password: String,
    /// Connections at once to the embedded broker. A city has some 20,000 terminals; the rest is
    /// room for moving. Each takes three open files.
    pub connections_max: usize,
    /// Connections at once that have not yet said who they are. After a power cut all terminals
    /// come at once, and each says it with its first packet.
    pub waiting_max: usize,
    /// Seconds to say it.
    pub connect_timeout_s: u64,
}

impl Default for MqttConfig {
    fn default() -> Self {
        Self {
            url: String::new(),
            listen: std::net::SocketAddr::from(([127, 0, 0, 1], 1883)),
            public_url: String::new(),
            ca_file: String::new(),
            user: "dispatcher".to_owned(),
            password: String::new(),
            connections_max: 50_000,
            waiting_max: 1_024,
            connect_timeout_s: 10,
        }
    }
}

impl MqttConfig {
    /// Whether the broker runs inside this process.
    pub fn is_embedded(&self) -> bool {
        self.url.is_empty()
    }

    /// What the door of the embedded broker allows.
    pub fn limits(&self) -> Limits {
        Limits {
            waiting_max: self.waiting_max,
            patience: Duration::from_secs(self.connect_timeout_s),
            connections_max: self.connections_max,
        }
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        within("mqtt.connections_max", self.connections_max as u64, 16, 100_000)?;
        within("mqtt.waiting_max", self.waiting_max as u64, 16, 100_000)?;
        within("mqtt.connect_timeout_s", self.connect_timeout_s, 1, 600)
    }

    /// The URL that terminals are given. `broker` is where the embedded broker really listens, once
    /// it does: the configured port may be 0, any free one.
    pub fn terminal_url(&self, broker: Option<std::net::SocketAddr>) -> String {
        if !self.public_url.is_empty() {
            return self.public_url.clone();
        }
        if !self.is_embedded() {
            return self.url.clone();
        }
        format!("mqtt://{}", broker.unwrap_or(self.listen))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminals_are_given_the_port_that_was_found() {
        let mut config = MqttConfig { listen: ([127, 0, 0, 1], 0).into(), ..MqttConfig::default() };
        let found = Some(([127, 0, 0, 1], 40_123).into());
        assert_eq!(config.terminal_url(found), "mqtt://127.0.0.1:40123");
        config.url = "mqtt://broker.example:1883".to_owned();
        assert_eq!(config.terminal_url(found), config.url);
        config.public_url = "mqtt://horns.example:1883".to_owned();
        assert_eq!(config.terminal_url(found), config.public_url);
    }
}
