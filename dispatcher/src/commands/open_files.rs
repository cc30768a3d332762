//! How many files and connections the system lets this process hold open.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::config::Config;

/// Open files besides connections: database, clips, logs, and what libraries hold.
const BESIDE: u64 = 512;

/// Open files that one connection to the embedded broker takes: its own, and both ends of the
/// way on to rmqtt.
const PER_BROKER_CONNECTION: u64 = 3;

/// Raises the soft limit to what the configured connections take, as far as the hard limit allows,
/// and says so where that is too little.
pub(super) fn raise(config: &Config) {
    let wanted = wanted(config);
    let limit = getrlimit(Resource::Nofile);
    let is_enough = |limit: Option<u64>| limit.is_none_or(|limit| limit >= wanted);
    if is_enough(limit.current) {
        return;
    }
    let reach = limit.maximum.map_or(wanted, |maximum| maximum.min(wanted));
    let raised = Rlimit { current: Some(reach), maximum: limit.maximum };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        tracing::warn!(%error, "the limit of open files can't be raised");
    }
    if !is_enough(getrlimit(Resource::Nofile).current) {
        tracing::warn!(
            open_files.limit = reach,
            open_files.wanted = wanted,
            "open files: the limit {reach} is below the {wanted} that server.connections_max and \
             mqtt.connections_max may take; raise it (LimitNOFILE= in the unit, or ulimit -n)"
        );
    }
}

fn wanted(config: &Config) -> u64 {
    let (http, mqtt) = (config.server.limits(), config.mqtt.limits());
    let broker = if config.mqtt.is_embedded() {
        mqtt.waiting_max as u64 + PER_BROKER_CONNECTION * mqtt.connections_max as u64
    } else {
        0
    };
    BESIDE + (http.waiting_max + http.connections_max) as u64 + broker
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_external_broker_takes_its_connections_elsewhere() {
        let mut config = Config::default();
        let embedded = wanted(&config);
        config.mqtt.url = "mqtt://broker.example:1883".to_owned();
        assert!(embedded > 3 * 50_000 && wanted(&config) < 10_000);
    }
}
