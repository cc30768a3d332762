//! What the dispatcher knows of an alert at each terminal, from deliveries and receipts together.

use jiff::Timestamp;
use serde_json::Value;

use crate::harness::api::Api;
use crate::harness::city::text;
use crate::harness::progress;

/// What the dispatcher knows of one order at one terminal.
#[derive(Debug, Clone)]
pub(super) struct Step {
    pub(super) terminal: String,
    pub(super) is_closing: bool,
    pub(super) state: String,
    pub(super) reason: Option<String>,
    pub(super) accepted_at: Option<Timestamp>,
    pub(super) verified_at: Option<Timestamp>,
    pub(super) first_sound_at: Option<Timestamp>,
    pub(super) finished_at: Option<Timestamp>,
    pub(super) state_at: Option<Timestamp>,
    pub(super) repeat: u64,
    pub(super) is_meant: bool,
    /// Whether the second sounding began.
    pub(super) has_begun_again: bool,
    /// When a sounding was cut by the end of its alert.
    pub(super) cut_at: Option<Timestamp>,
}

impl Step {
    fn read(item: &Value) -> anyhow::Result<Self> {
        let at = |field: &str| item[field].as_str().and_then(|text| text.parse().ok());
        Ok(Self {
            terminal: text(item, "terminal")?.to_owned(),
            is_closing: progress::is_closing(item),
            state: text(item, "state")?.to_owned(),
            reason: item["reason"].as_str().map(str::to_owned),
            accepted_at: at("accepted_at"),
            verified_at: at("verified_at"),
            first_sound_at: at("first_sound_at"),
            finished_at: at("finished_at"),
            state_at: at("state_at").or_else(|| at("at")),
            repeat: item["repeat"].as_u64().unwrap_or(0),
            is_meant: true,
            has_begun_again: false,
            cut_at: None,
        })
    }

    /// Takes in one receipt, in the order in which they came.
    fn hear(&mut self, receipt: &Self) {
        match receipt.state.as_str() {
            "accepted" => self.accepted_at = self.accepted_at.or(receipt.state_at),
            "verified" => self.verified_at = self.verified_at.or(receipt.state_at),
            "started" if receipt.repeat == 2 => self.has_begun_again = true,
            "interrupted" if receipt.reason.as_deref() == Some("cancelled") => {
                self.cut_at = receipt.state_at;
            }
            // Whether it is meant is asked last: by then the order was found authentic.
            "refused" if receipt.reason.as_deref() == Some("out_of_area") => {
                self.verified_at = self.verified_at.or(receipt.state_at);
            }
            _ => {}
        }
        if !self.is_meant {
            self.state.clone_from(&receipt.state);
            self.reason = receipt.reason.clone().or(self.reason.take());
        }
    }
}

pub(super) struct Steps(Vec<Step>);

impl Steps {
    /// Reads deliveries and receipts of an alert and its end.
    pub(super) async fn read(api: &Api, alert: &str) -> anyhow::Result<Self> {
        let deliveries = progress::deliveries(api, alert).await?;
        let mut steps = deliveries.iter().map(Step::read).collect::<anyhow::Result<Vec<_>>>()?;
        for item in progress::receipts(api, alert).await? {
            let receipt = Step::read(&item)?;
            let is_same = |step: &&mut Step| {
                step.terminal == receipt.terminal && step.is_closing == receipt.is_closing
            };
            // A terminal that was not meant has no delivery; what it says are receipts alone.
            if let Some(step) = steps.iter_mut().find(is_same) {
                step.hear(&receipt);
            } else {
                let mut step = Step { is_meant: false, ..receipt.clone() };
                step.hear(&receipt);
                steps.push(step);
            }
        }
        Ok(Self(steps))
    }

    /// The step of a terminal: of the alert, or of its end.
    pub(super) fn of(&self, terminal: &str, is_closing: bool) -> Option<&Step> {
        self.0.iter().find(|step| step.terminal == terminal && step.is_closing == is_closing)
    }
}
