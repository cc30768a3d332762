//! `[database]`: where the truth is kept.

use serde::{Deserialize, Serialize};

use super::ConfigError;
use crate::store::{CONNECTIONS_DEFAULT, Engine};

/// The database.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DatabaseConfig {
    /// `sqlite:<path>` or `postgres://…`.
    pub url: String,
    /// Connections of the pool.
    pub connections: u32,
}

impl Default for DatabaseConfig {
    fn default() -> Self {
        Self { url: "sqlite:data/tongluo.db".to_owned(), connections: CONNECTIONS_DEFAULT }
    }
}

impl DatabaseConfig {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let refuse = |key, reason: String| Err(ConfigError::Value { key, reason });
        if let Err(error) = Engine::of(&self.url) {
            return refuse("database.url", error.to_string());
        }
        // Two: a reader must never wait for the writer's connection.
        if !(2..=100).contains(&self.connections) {
            return refuse("database.connections", "2 to 100".to_owned());
        }
        Ok(())
    }
}
