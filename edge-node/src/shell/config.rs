//! The configuration file: TOML, every key with a default, unknown keys refused by name, single
//! keys overridden by the environment. `config.default.toml` is these defaults, sentence by
//! sentence; a test proves it.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// First part of the names of overriding environment variables.
pub const ENV_PREFIX: &str = "TONGLUO_EDGE__";

/// Everything that can be set.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where things are kept.
    pub state: State,
    /// Broker and media.
    pub network: Network,
    /// The sound card.
    pub audio: Audio,
    /// How loud.
    pub volume: Volume,
    /// When not.
    pub quiet: Quiet,
    /// When people hear the self-test.
    pub self_test: SelfTest,
    /// The clip cache.
    pub clips: Clips,
    /// The local voice.
    pub voice: Voice,
    /// USB sticks.
    pub stick: Stick,
    /// The system clock.
    pub clock: Clock,
    /// The log.
    pub log: Log,
}

/// `[state]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct State {
    /// Folder of identity, journal and clips.
    pub dir: PathBuf,
}

impl Default for State {
    fn default() -> Self {
        Self { dir: "/var/lib/tongluo/edge".into() }
    }
}

/// `[network]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Network {
    /// MQTT broker; empty: as enrolled.
    pub mqtt_url: String,
    /// Base URL of clips and phrases; empty: as enrolled.
    pub media_url: String,
    /// PEM file of authorities; empty: the system's.
    pub ca_file: PathBuf,
    /// Seconds between signs of life.
    pub keep_alive_s: u64,
}

impl Default for Network {
    fn default() -> Self {
        Self {
            mqtt_url: String::new(),
            media_url: String::new(),
            ca_file: PathBuf::new(),
            keep_alive_s: 30,
        }
    }
}

/// `[audio]`
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Audio {
    /// ALSA name; empty: the default card.
    pub card: String,
    /// Keep it open between soundings.
    pub keep_open: bool,
}

/// `[volume]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Volume {
    /// For routine broadcasts and tests.
    pub routine_percent: u8,
    /// For alerts and drills.
    pub emergency_percent: u8,
}

impl Default for Volume {
    fn default() -> Self {
        Self { routine_percent: 60, emergency_percent: 100 }
    }
}

/// `[quiet]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Quiet {
    /// Stretches of hours, each `first-end`.
    pub hours: Vec<String>,
}

impl Default for Quiet {
    fn default() -> Self {
        Self { hours: vec!["22-6".to_owned(), "12-14".to_owned()] }
    }
}

impl Quiet {
    /// The stretches as numbers.
    pub fn stretches(&self) -> Result<Vec<(u8, u8)>, ConfigError> {
        let parse = |text: &String| {
            let (first, end) = text.split_once('-')?;
            let hour = |text: &str| text.trim().parse::<u8>().ok().filter(|hour| *hour <= 24);
            let stretch = (hour(first)?, hour(end)?);
            (stretch.0 != stretch.1).then_some(stretch)
        };
        self.hours
            .iter()
            .map(|text| {
                parse(text).ok_or_else(|| ConfigError::Value {
                    key: "quiet.hours",
                    reason: format!("{text:?} is not of the form \"22-6\""),
                })
            })
            .collect()
    }
}

/// `[self_test]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SelfTest {
    /// Day of the week, 1 for Monday to 7 for Sunday; 0: never.
    pub audible_weekday: u8,
    /// Hour of that day.
    pub audible_hour: u8,
}

impl Default for SelfTest {
    fn default() -> Self {
        Self { audible_weekday: 3, audible_hour: 10 }
    }
}

/// `[clips]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Clips {
    /// Bytes of the cache.
    pub bytes_max: u64,
}

impl Default for Clips {
    fn default() -> Self {
        Self { bytes_max: 32 * 1024 * 1024 }
    }
}

/// `[voice]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Voice {
    /// The program.
    pub program: String,
}

impl Default for Voice {
    fn default() -> Self {
        Self { program: "espeak-ng".to_owned() }
    }
}

/// `[stick]`
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Stick {
    /// Folder below which the system mounts them; empty: none is read.
    pub folder: PathBuf,
}

/// `[clock]`
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Clock {
    /// Whether it is believed at start.
    pub trust: ClockTrust,
}

/// Whether the system clock is believed at start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClockTrust {
    /// When it says that it is synchronised.
    #[default]
    Auto,
    /// Yes.
    Always,
    /// No: the dispatcher is asked first.
    Never,
}

/// `[log]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// A filter.
    pub level: String,
}

impl Default for Log {
    fn default() -> Self {
        Self { level: "info".to_owned() }
    }
}

/// Why a configuration is refused.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file can't be read.
    #[error("{path}: {source}")]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Not TOML, an unknown key, a value of another type.
    #[error("{place}: {reason}")]
    Parse {
        /// File, or environment variable.
        place: String,
        /// Why, with the key.
        reason: String,
    },
    /// A value that means nothing.
    #[error("{key}: {reason}")]
    Value {
        /// The key.
        key: &'static str,
        /// The rule.
        reason: String,
    },
}

impl Config {
    /// Reads `file` (or the defaults alone) and the overrides of the environment.
    pub fn load(
        file: Option<&Path>,
        environment: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let (place, text) = match file {
            None => ("defaults".to_owned(), String::new()),
            Some(path) => {
                let read = std::fs::read_to_string(path)
                    .map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
                (path.display().to_string(), read)
            }
        };
        let parse_error = |place: &str, reason: &dyn std::fmt::Display| ConfigError::Parse {
            place: place.to_owned(),
            reason: reason.to_string(),
        };
        // Read once as it stands, so that a fault is shown with its line.
        let config: Self = toml::from_str(&text).map_err(|e| parse_error(&place, &e))?;
        let mut table = toml::Table::try_from(&config).map_err(|e| parse_error(&place, &e))?;
        let mut overrides: Vec<_> =
            environment.filter(|(name, _)| name.starts_with(ENV_PREFIX)).collect();
        overrides.sort();
        for (name, value) in overrides {
            override_key(&mut table, &name, &value)
                .map_err(|reason| parse_error(&name, &reason))?;
            let merged: Result<Self, _> = table.clone().try_into();
            merged.map_err(|e| parse_error(&name, &e))?;
        }
        let config: Self = table.try_into().map_err(|e| parse_error(&place, &e))?;
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<(), ConfigError> {
        let fault = |key, reason: &str| Err(ConfigError::Value { key, reason: reason.to_owned() });
        if !(5..=600).contains(&self.network.keep_alive_s) {
            return fault("network.keep_alive_s", "is 5 to 600 seconds");
        }
        if self.volume.routine_percent > 100 {
            return fault("volume.routine_percent", "is at most 100");
        }
        if !(70..=100).contains(&self.volume.emergency_percent) {
            return fault("volume.emergency_percent", "is 70 to 100");
        }
        if self.self_test.audible_weekday > 7 {
            return fault("self_test.audible_weekday", "is 1 for Monday to 7, or 0 for never");
        }
        if self.self_test.audible_hour > 23 {
            return fault("self_test.audible_hour", "is 0 to 23");
        }
        if self.clips.bytes_max < 1024 * 1024 {
            return fault("clips.bytes_max", "is 1 MiB at least, the largest clip");
        }
        if self.voice.program.is_empty() {
            return fault("voice.program", "names a program");
        }
        self.quiet.stretches().map(|_| ())
    }
}

/// Sets `TONGLUO_EDGE__SECTION__KEY`, with the value read as the type that stands there.
fn override_key(table: &mut toml::Table, name: &str, value: &str) -> Result<(), String> {
    let path = name[ENV_PREFIX.len()..].to_lowercase();
    let (section, key) = path.split_once("__").ok_or("is not of the form SECTION__KEY")?;
    let slot = table
        .get_mut(section)
        .and_then(toml::Value::as_table_mut)
        .and_then(|section| section.get_mut(key))
        .ok_or_else(|| format!("there is no key {section}.{key}"))?;
    *slot = if slot.is_str() {
        toml::Value::String(value.to_owned())
    } else {
        let parsed: toml::Table = toml::from_str(&format!("v = {value}"))
            .map_err(|_| format!("{value:?} is not a value of {section}.{key}"))?;
        parsed.get("v").cloned().ok_or("has no value")?
    };
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEFAULT: &str = include_str!("../../config.default.toml");

    #[test]
    fn the_default_file_is_the_defaults_of_the_code_key_by_key() {
        let file: toml::Table = toml::from_str(DEFAULT).expect("TOML");
        let code = toml::Table::try_from(Config::default()).expect("a table");
        assert_eq!(file, code);
    }

    #[test]
    fn each_key_of_the_default_file_has_a_sentence() {
        let lines: Vec<_> = DEFAULT.lines().collect();
        for pair in lines.windows(2) {
            if pair[1].contains(" = ") && !pair[1].starts_with('#') {
                assert!(pair[0].starts_with('#') && pair[0].ends_with('.'), "{}", pair[1]);
            }
        }
    }

    fn load(text: &str, env: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("edge.toml");
        std::fs::write(&path, text).expect("writes");
        let env = env.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        Config::load(Some(&path), env.collect::<Vec<_>>().into_iter())
    }

    #[test]
    fn an_unknown_key_is_refused_by_name() {
        let error = load("[audio]\nkeep_opened = true", &[]).expect_err("unknown").to_string();
        assert!(error.contains("keep_opened"), "{error}");
        let error = load("", &[("TONGLUO_EDGE__AUDIO__LOUD", "1")]).expect_err("unknown");
        assert!(error.to_string().contains("audio.loud"), "{error}");
    }

    #[test]
    fn the_environment_overrides_the_file_by_the_type_of_the_key() {
        let config = load(
            "[audio]\nkeep_open = false\n[log]\nlevel = \"warn\"",
            &[
                ("TONGLUO_EDGE__AUDIO__KEEP_OPEN", "true"),
                ("TONGLUO_EDGE__STATE__DIR", "/tmp/7"),
                ("TONGLUO_EDGE__VOLUME__ROUTINE_PERCENT", "40"),
                ("TONGLUO_EDGE__QUIET__HOURS", "[\"1-2\"]"),
                ("OTHER", "x"),
            ],
        )
        .expect("well-formed");
        assert!(config.audio.keep_open);
        assert_eq!(config.state.dir, Path::new("/tmp/7"));
        assert_eq!(config.volume.routine_percent, 40);
        assert_eq!(config.quiet.hours, ["1-2"]);
        assert_eq!(config.log.level, "warn");
    }

    #[test]
    fn values_that_mean_nothing_are_refused_with_their_key() {
        for (text, key) in [
            ("[volume]\nemergency_percent = 20", "volume.emergency_percent"),
            ("[network]\nkeep_alive_s = 0", "network.keep_alive_s"),
            ("[quiet]\nhours = [\"late\"]", "quiet.hours"),
            ("[quiet]\nhours = [\"6-6\"]", "quiet.hours"),
            ("[self_test]\naudible_hour = 24", "self_test.audible_hour"),
            ("[clips]\nbytes_max = 5", "clips.bytes_max"),
        ] {
            let error = load(text, &[]).expect_err("refused").to_string();
            assert!(error.contains(key), "{error}");
        }
    }
}
