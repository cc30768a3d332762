//! Commands and revocations: stop, its lifting, drill enrolment, keys that count no more.

use jiff::SignedDuration;
use protocols::command::{Command, CommandAction};
use protocols::digest::Digest;
use protocols::receipt::{Reason, Receipt, ReceiptState};
use protocols::trust::{self, Authentic, TrustError};
use protocols::wire::{KeyId, MessageType};

use super::Engine;
use super::admit::{Arrival, Numbered, Refusal};
use super::config::STOPS_MAX;
use super::io::Output;
use super::journal::{Enrolment, Entry, Numbering, Stop};
use super::step::Step;

/// A drill enrolment is for one day.
const ENROLMENT_HOURS_MAX: i64 = 24;

/// Bytes of the reason of a stop.
const REASON_BYTES_MAX: usize = 200;

/// Bytes of a drill's name.
const DRILL_BYTES_MAX: usize = 128;

impl Engine {
    pub(super) fn on_command(&mut self, arrival: Arrival, payload: &[u8]) -> Result<Step, Refusal> {
        let (authentic, header) = self.open_signed::<Command>(payload, MessageType::Command)?;
        let Authentic { message: command, certificate, key_id } = authentic;
        let refuse = |reason| Refusal { reason, signer: Some(key_id), order: None };
        let numbered =
            Numbered { stream: command.stream, sent: command.sent, certificate: &certificate };
        self.check_scope(arrival, header, numbered).map_err(refuse)?;
        let is_numbered = command.sequence.epoch > 0 && command.sequence.number > 0;
        if !is_numbered || command.level != certificate.level {
            return Err(refuse(Reason::Invalid));
        }
        let number = self.judge_number(
            Numbering::Commands,
            command.stream,
            command.sequence,
            arrival.digest,
        );
        let Some(is_ahead) = number.map_err(refuse)? else {
            return Ok(Step::default().out(Output::Ack(arrival.ack)));
        };
        let is_fresh = is_ahead && command.sent >= self.clock.floor(self.now);
        self.clock.raise(self.now, command.sent);
        if command.expires <= self.time() {
            return Err(refuse(Reason::Expired));
        }
        if self.clock.is_unsure() && !is_fresh {
            return Err(refuse(Reason::BelowWindow));
        }
        let entry = self.action_entry(&command, key_id).map_err(refuse)?;
        let receipt = |state| Entry::Receipt(self.receipt(arrival.digest, None, state));
        let (stream, sequence) = (command.stream, command.sequence);
        let mut step = Step::default()
            .entry(Entry::Seen(Numbering::Commands, stream, sequence, arrival.digest))
            .entry(receipt(ReceiptState::Accepted))
            .entry(receipt(ReceiptState::Verified));
        if let Some(entry) = entry {
            step = step.entry(entry);
        } else {
            let refused = self.receipt(arrival.digest, None, ReceiptState::Refused);
            let reason = Some(Reason::OutOfArea);
            step = step.entry(Entry::Receipt(Receipt { reason, ..refused }));
        }
        // A stop or its lifting takes effect even when it can't be written: people are waiting.
        Ok(step.out(Output::Ack(arrival.ack)))
    }

    /// The fact that a command makes; `None` when it is not meant for this terminal.
    fn action_entry(&self, command: &Command, key_id: KeyId) -> Result<Option<Entry>, Reason> {
        let terminal = self.config.terminal;
        let authority = command.stream.authority;
        match &command.action {
            CommandAction::Stop { region, reason } => {
                if !authority.contains(*region) {
                    return Err(Reason::OutOfScope);
                }
                if reason.len() > REASON_BYTES_MAX {
                    return Err(Reason::Invalid);
                }
                let is_known = |s: &Stop| (s.region, s.level) == (*region, command.level);
                if self.state.stops.len() >= STOPS_MAX && !self.state.stops.iter().any(is_known) {
                    return Err(Reason::TooManyOrders);
                }
                Ok(region.contains(terminal.village()).then(|| {
                    Entry::Stop(Stop {
                        region: *region,
                        level: command.level,
                        key_id,
                        reason: reason.clone(),
                    })
                }))
            }
            CommandAction::LiftStop { region } => {
                if !authority.contains(*region) {
                    return Err(Reason::OutOfScope);
                }
                Ok(Some(Entry::Lifted(*region, command.level)))
            }
            CommandAction::EnrolDrill { drill, terminals, from, until } => {
                let window = until.duration_since(*from);
                if window.is_negative()
                    || window > SignedDuration::from_hours(ENROLMENT_HOURS_MAX)
                    || drill.is_empty()
                    || drill.len() > DRILL_BYTES_MAX
                {
                    return Err(Reason::Invalid);
                }
                let is_meant = terminals.is_empty() || terminals.contains(&terminal);
                Ok(is_meant.then(|| {
                    Entry::Enrolled(Enrolment {
                        drill: drill.clone(),
                        authority,
                        key_id,
                        from: *from,
                        until: *until,
                        suspended_at: None,
                    })
                }))
            }
        }
    }

    /// A higher number replaces a lower one; what a revoked key is sounding stops at once.
    pub(super) fn on_revocations(
        &self,
        arrival: Arrival,
        payload: Vec<u8>,
    ) -> Result<Step, Refusal> {
        let list =
            trust::open_revocations(&payload, &self.config.roots).map_err(TrustError::reason)?;
        let step = Step::default().out(Output::Ack(arrival.ack));
        if list.number <= self.state.revocation_number {
            return Ok(step);
        }
        let mut step = step.entry(Entry::Revocations(payload.into()));
        let running = self.player.sounding();
        for (digest, held) in &self.state.orders {
            if !list.keys.contains(&held.key_id) || held.progress.ended.is_some() {
                continue;
            }
            step = step.entry(Entry::Ended(*digest, Reason::KeyRevoked));
            if running != Some(*digest) && held.is_live() {
                step = step.entry(self.revoked_receipt(*digest, held.has_started()));
            }
        }
        Ok(step)
    }

    fn revoked_receipt(&self, digest: Digest, has_started: bool) -> Entry {
        let state = if has_started { ReceiptState::Interrupted } else { ReceiptState::Refused };
        let receipt = self.receipt_of(digest, state);
        Entry::Receipt(Receipt { reason: Some(Reason::KeyRevoked), ..receipt })
    }
}
