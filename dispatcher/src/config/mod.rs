//! The configuration: one file a section, one default file (`dispatcher/config.default.toml`) that
//! a test proves equal to the code. Unknown keys are refused by name; environment variables of the
//! form `TONGLUO__SECTION__KEY` override.

pub mod audit;
pub mod database;
pub mod log;
pub mod mqtt;
pub mod region;
pub mod server;
pub mod speech;
pub mod trust;

use std::path::Path;

use serde::{Deserialize, Serialize};

/// Everything that can be set.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// HTTP.
    pub server: server::ServerConfig,
    /// Where the truth is kept.
    pub database: database::DatabaseConfig,
    /// The broker.
    pub mqtt: mqtt::MqttConfig,
    /// Keys and certificates.
    pub trust: trust::TrustConfig,
    /// The daily record.
    pub audit: audit::AuditConfig,
    /// The voice.
    pub speech: speech::SpeechConfig,
    /// The region list.
    pub region: region::RegionConfig,
    /// Logs.
    pub log: log::LogConfig,
}

/// Why a configuration was refused.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file can't be read.
    #[error("read the configuration {path}")]
    Read {
        /// Which.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Not TOML, an unknown key, or a value of another type.
    #[error("the configuration is refused: {0}")]
    Toml(#[from] toml::de::Error),
    /// An environment variable that names no key.
    #[error("{0} names no key of the configuration; see config.default.toml")]
    UnknownVariable(String),
    /// A value outside its bounds.
    #[error("{key}: {reason}")]
    Value {
        /// The key, as `section.key`.
        key: &'static str,
        /// The rule.
        reason: String,
    },
}

const PREFIX: &str = "TONGLUO__";

impl Config {
    /// The file (none: the defaults) under these environment variables. Variables of another
    /// prefix are not ours.
    pub fn load(
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let text = match file {
            None => String::new(),
            Some(path) => std::fs::read_to_string(path)
                .map_err(|source| ConfigError::Read { path: path.display().to_string(), source })?,
        };
        Self::from_toml(&text, environment)
    }

    /// As [`Config::load`], from text.
    pub fn from_toml(
        text: &str,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        // Read once for the sake of its error, which points at the line.
        toml::from_str::<Self>(text)?;
        let mut table: toml::Table = toml::from_str(text)?;
        let defaults = toml::Table::try_from(Self::default())
            .expect("the defaults are made of strings, numbers and booleans");
        for (name, value) in environment {
            let Some(path) = name.strip_prefix(PREFIX) else { continue };
            let lower = path.to_lowercase();
            let known = lower
                .split_once("__")
                .and_then(|(section, key)| Some((section, key, defaults.get(section)?.get(key)?)));
            let Some((section, key, default)) = known else {
                return Err(ConfigError::UnknownVariable(name));
            };
            let value = typed(default, value);
            let section =
                table.entry(section).or_insert_with(|| toml::Value::Table(toml::Table::new()));
            if let Some(section) = section.as_table_mut() {
                section.insert(key.to_owned(), value);
            }
        }
        let config: Self = table.try_into()?;
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<(), ConfigError> {
        self.server.check()?;
        self.mqtt.check()?;
        self.database.check()
    }
}

/// Refuses a number outside its bounds, by the key's name.
fn within(key: &'static str, value: u64, least: u64, most: u64) -> Result<(), ConfigError> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    Err(ConfigError::Value { key, reason: format!("is {value}, and may be {least} to {most}") })
}

/// The variable's text as a value of the default's type; what does not fit stays a string and is
/// refused with the key's name by the reader.
fn typed(default: &toml::Value, text: String) -> toml::Value {
    if default.is_str() {
        return toml::Value::String(text);
    }
    let parsed = toml::from_str::<toml::Table>(&format!("value = {text}"));
    match parsed.ok().and_then(|mut table| table.remove("value")) {
        Some(value) => value,
        None => toml::Value::String(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEFAULT: &str = include_str!("../../config.default.toml");

    #[test]
    fn the_default_file_says_what_the_code_does_key_by_key() {
        let file: toml::Table = toml::from_str(DEFAULT).expect("TOML");
        let code = toml::Table::try_from(Config::default()).expect("TOML");
        assert_eq!(file, code);
    }

    #[test]
    fn every_key_of_the_default_file_has_a_sentence_above_it() {
        let lines = DEFAULT.lines().collect::<Vec<_>>();
        for (index, line) in lines.iter().enumerate() {
            let is_key = !line.starts_with('#') && line.contains(" = ");
            assert!(!is_key || lines[index - 1].starts_with("# "), "{line}");
        }
    }

    #[test]
    fn an_unknown_key_is_refused_by_name() {
        let error = Config::from_toml("[server]\nport = 1\n", []).expect_err("no such key");
        assert!(error.to_string().contains("port"), "{error}");
    }

    #[test]
    fn the_environment_overrides_the_file_and_an_unknown_variable_is_refused() {
        let set = |name: &str, value: &str| [(name.to_owned(), value.to_owned())];
        let config = Config::from_toml(
            "[database]\nconnections = 3\n",
            set("TONGLUO__DATABASE__CONNECTIONS", "5"),
        );
        assert_eq!(config.expect("good").database.connections, 5);
        let error = Config::from_toml("", set("TONGLUO__DATABASE__CONECTIONS", "5"));
        assert!(matches!(error, Err(ConfigError::UnknownVariable(_))));
        let error = Config::from_toml("", set("TONGLUO__DATABASE__CONNECTIONS", "many"));
        assert!(error.expect_err("not a number").to_string().contains("connections"));
    }
}
