//! `dispatcher doctor`: is everything there that serving needs? One line a check, in Chinese and
//! English, with how to mend it. Changes nothing.

mod database;
mod machine;
mod network;
mod trust;

use std::process::ExitCode;

use super::print;
use crate::config::{Config, ConfigError};
use crate::ports::Ports;

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// As it should be.
    Good,
    /// It serves today, and not for long.
    Soon,
    /// It does not serve.
    Broken,
}

struct Check {
    verdict: Verdict,
    name: &'static str,
    zh: String,
    en: String,
}

impl Check {
    fn good(name: &'static str, zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self { verdict: Verdict::Good, name, zh: zh.into(), en: en.into() }
    }

    fn soon(name: &'static str, zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self { verdict: Verdict::Soon, name, zh: zh.into(), en: en.into() }
    }

    fn broken(name: &'static str, zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self { verdict: Verdict::Broken, name, zh: zh.into(), en: en.into() }
    }
}

/// An error and its first cause, on one line.
fn words(error: &(dyn std::error::Error + 'static)) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

/// Runs all checks; exit code 1 unless each is good.
pub async fn run(config: Result<Config, ConfigError>) -> anyhow::Result<ExitCode> {
    let now = Ports::system().now();
    let mut checks = Vec::new();
    match config {
        Err(error) => {
            let text = words(&error);
            checks.push(Check::broken(
                "configuration",
                format!("配置不可用: {text}；参照 config.default.toml 修改"),
                format!("refused: {text}; see config.default.toml"),
            ));
        }
        Ok(config) => {
            checks.push(Check::good("configuration", "配置正常", "readable"));
            let (signer, trusted) = trust::checks(&config, now);
            checks.extend(trusted);
            let (stored, newest) = database::checks(&config, signer.as_ref()).await;
            checks.push(machine::clock(now, signer.as_ref(), newest));
            checks.extend(stored);
            checks.extend(network::checks(&config, signer.as_ref()).await);
            checks.push(machine::disk().await);
            checks.push(machine::voice(&config).await);
        }
    }
    for check in &checks {
        let mark = match check.verdict {
            Verdict::Good => "ok    ",
            Verdict::Soon => "soon  ",
            Verdict::Broken => "broken",
        };
        print(&format!("{mark} {:<13} {} / {}", check.name, check.zh, check.en))?;
    }
    let is_well = checks.iter().all(|check| check.verdict == Verdict::Good);
    Ok(if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
