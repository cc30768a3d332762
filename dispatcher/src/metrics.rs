//! The counters of `/metrics`: typed, passed in, no globals. Labels are closed enums, never ids.

use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

/// How a delivery or an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
pub enum Outcome {
    /// Played to its end, or simply worked.
    Finished,
    /// Begun and cut.
    Interrupted,
    /// Could not.
    Failed,
    /// Would not.
    Refused,
}

/// Label of deliveries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct DeliveryLabels {
    /// How it ended.
    pub outcome: Outcome,
}

/// 在线状态 as a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
pub enum LivenessLabel {
    /// Heard of in time.
    Online,
    /// One missed.
    Late,
    /// Two missed.
    Lost,
    /// The dispatcher's own link is down.
    Unknown,
}

/// Label of terminals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct TerminalLabels {
    /// Their liveness.
    pub liveness: LivenessLabel,
}

/// A background task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
pub enum Job {
    /// Publishes orders.
    Publisher,
    /// Closes what has expired.
    Expiry,
    /// Makes clips.
    Speech,
    /// Derives liveness.
    Liveness,
    /// Keeps the phrase clips made.
    Phrases,
    /// Forgets what is older than its time.
    Purge,
    /// Signs stops anew.
    Stops,
    /// Signs the head of the record.
    AuditHead,
    /// Watches over key, certificate and revocation list.
    Trust,
    /// Publishes the revocation list.
    Revocations,
}

/// Labels of job runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct JobLabels {
    /// Which.
    pub job: Job,
    /// How the run ended.
    pub outcome: Outcome,
}

/// The first digit of an HTTP status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
pub enum StatusClass {
    /// 1xx to 3xx.
    Success,
    /// 4xx.
    ClientError,
    /// 5xx.
    ServerError,
}

/// Label of HTTP requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct RequestLabels {
    /// How it was answered.
    pub status: StatusClass,
}

/// Which listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
pub enum DoorLabel {
    /// HTTP.
    Http,
    /// The embedded broker.
    Mqtt,
}

/// Why a connection was turned away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
pub enum TurnedAwayLabel {
    /// It said nothing whole in time, or others needed its place.
    Silent,
    /// It said something that is not the protocol, or too much.
    Malformed,
    /// All places were taken.
    Full,
}

/// Labels of connections turned away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct DoorLabels {
    /// Where.
    pub door: DoorLabel,
    /// Why.
    pub why: TurnedAwayLabel,
}

/// Connections turned away, by listener and reason.
pub type TurnedAway = Family<DoorLabels, Counter>;

/// All metrics of one dispatcher.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    /// From the request to issue to the commit.
    pub alert_issue_latency_seconds: Histogram,
    /// Deliveries that ended.
    pub deliveries: Family<DeliveryLabels, Counter>,
    /// From issue to a terminal's first sound.
    pub delivery_lag_seconds: Histogram,
    /// Terminals by liveness.
    pub terminals: Family<TerminalLabels, Gauge>,
    /// Interrupted receipts for a higher order.
    pub preemptions: Counter,
    /// Receipts that came after their order's expiry.
    pub receipts_late: Counter,
    /// Open event streams.
    pub sse_subscribers: Gauge,
    /// Runs of background tasks.
    pub job_runs: Family<JobLabels, Counter>,
    /// Orders not yet given to the broker.
    pub outbox_depth: Gauge,
    /// Requests answered.
    pub http_requests: Family<RequestLabels, Counter>,
    /// Connections turned away.
    pub connections_turned_away: TurnedAway,
    /// Logins refused.
    pub logins_refused: Counter,
    /// Messages of terminals whose sender or signature was not believed.
    pub messages_disbelieved: Counter,
    /// End of the dispatcher's certificate, in seconds since 1970.
    pub certificate_expires: Gauge,
    /// Nearest end of a certificate that a terminal relies on, in seconds since 1970; 0 for none.
    pub terminal_certificate_expires: Gauge,
    /// Terminals that rely on a certificate which ends soon.
    pub terminals_certificate_due: Gauge,
    /// Number of the revocation list in force.
    pub revocation_number: Gauge,
}

impl Default for Metrics {
    fn default() -> Self {
        // 1 ms to 32 s.
        let latency = || Histogram::new(exponential_buckets(0.001, 2.0, 16));
        let mut metrics = Self {
            registry: Registry::with_prefix("tongluo"),
            alert_issue_latency_seconds: latency(),
            deliveries: Family::default(),
            delivery_lag_seconds: latency(),
            terminals: Family::default(),
            preemptions: Counter::default(),
            receipts_late: Counter::default(),
            sse_subscribers: Gauge::default(),
            job_runs: Family::default(),
            outbox_depth: Gauge::default(),
            http_requests: Family::default(),
            connections_turned_away: Family::default(),
            logins_refused: Counter::default(),
            messages_disbelieved: Counter::default(),
            certificate_expires: Gauge::default(),
            terminal_certificate_expires: Gauge::default(),
            terminals_certificate_due: Gauge::default(),
            revocation_number: Gauge::default(),
        };

        metrics.register();
        metrics.register_trust();
        metrics
    }
}

impl Metrics {
    fn register(&mut self) {
        let r = &mut self.registry;
        r.register_with_unit(
            "alert_issue_latency",
            "From the request to issue to the commit",
            Unit::Seconds,
            self.alert_issue_latency_seconds.clone(),
        );
        r.register("delivery", "Deliveries that ended", self.deliveries.clone());
        r.register_with_unit(
            "delivery_lag",
            "From issue to a terminal's first sound",
            Unit::Seconds,
            self.delivery_lag_seconds.clone(),
        );
        r.register("terminals", "Terminals by liveness", self.terminals.clone());
        r.register("preemptions", "Soundings cut by a higher order", self.preemptions.clone());
        r.register(
            "receipts_late",
            "Receipts after their order's expiry",
            self.receipts_late.clone(),
        );
        r.register("sse_subscribers", "Open event streams", self.sse_subscribers.clone());
        r.register("job_runs", "Runs of background tasks", self.job_runs.clone());
        r.register("outbox_depth", "Orders not yet given to the broker", self.outbox_depth.clone());
        r.register("http_requests", "Requests answered", self.http_requests.clone());
        r.register(
            "connections_turned_away",
            "Connections turned away at a door",
            self.connections_turned_away.clone(),
        );
        r.register("logins_refused", "Logins refused", self.logins_refused.clone());
        r.register(
            "messages_disbelieved",
            "Messages of terminals that were not believed",
            self.messages_disbelieved.clone(),
        );
    }

    fn register_trust(&mut self) {
        let r = &mut self.registry;
        r.register_with_unit(
            "certificate_expires_timestamp",
            "End of the dispatcher's certificate",
            Unit::Seconds,
            self.certificate_expires.clone(),
        );
        r.register_with_unit(
            "terminal_certificate_expires_timestamp",
            "Nearest end of a certificate that a terminal relies on",
            Unit::Seconds,
            self.terminal_certificate_expires.clone(),
        );
        r.register(
            "terminals_certificate_due",
            "Terminals that rely on a certificate which ends soon",
            self.terminals_certificate_due.clone(),
        );
        r.register(
            "revocation_number",
            "Number of the revocation list in force",
            self.revocation_number.clone(),
        );
    }

    /// The text of `/metrics` (OpenMetrics 1.0).
    pub fn encode(&self) -> String {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.registry)
            .expect("writing into a string cannot fail");
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_are_those_that_dashboards_use() {
        let metrics = Metrics::default();
        // A family shows from its first member on.
        let outcome = Outcome::Finished;
        metrics.deliveries.get_or_create(&DeliveryLabels { outcome }).inc();
        metrics.job_runs.get_or_create(&JobLabels { job: Job::Purge, outcome }).inc();
        let liveness = LivenessLabel::Online;
        metrics.terminals.get_or_create(&TerminalLabels { liveness }).set(1);
        let status = StatusClass::Success;
        metrics.http_requests.get_or_create(&RequestLabels { status }).inc();
        let text = metrics.encode();
        let names = text
            .lines()
            .filter_map(|line| line.strip_prefix("# TYPE "))
            .map(|line| line.split(' ').next().unwrap_or_default())
            .collect::<Vec<_>>();
        assert_eq!(
            names,
            [
                "tongluo_alert_issue_latency_seconds",
                "tongluo_delivery",
                "tongluo_delivery_lag_seconds",
                "tongluo_terminals",
                "tongluo_preemptions",
                "tongluo_receipts_late",
                "tongluo_sse_subscribers",
                "tongluo_job_runs",
                "tongluo_outbox_depth",
                "tongluo_http_requests",
                "tongluo_logins_refused",
                "tongluo_messages_disbelieved",
                "tongluo_certificate_expires_timestamp_seconds",
                "tongluo_terminal_certificate_expires_timestamp_seconds",
                "tongluo_terminals_certificate_due",
                "tongluo_revocation_number",
            ]
        );
    }
}
