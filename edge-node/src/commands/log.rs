//! The log: text for a person at a terminal, JSON lines otherwise, to standard error.

use std::io::IsTerminal as _;

use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// Begins to log what `filter` lets through: a level, or levels of targets. No patterns: an engine
/// for them has no place in a program of four megabytes.
pub(super) fn begin(filter: &str) -> anyhow::Result<()> {
    let targets: Targets =
        filter.parse().map_err(|error| anyhow::anyhow!("log.level: {filter:?}: {error}"))?;
    let log = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let begun = if std::io::stderr().is_terminal() {
        tracing_subscriber::registry().with(log).with(targets).try_init()
    } else {
        let lines = log.json().flatten_event(true);
        tracing_subscriber::registry().with(lines).with(targets).try_init()
    };
    begun.map_err(|error| anyhow::anyhow!("log: {error}"))
}
