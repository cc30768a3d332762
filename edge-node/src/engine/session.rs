//! What is said to the dispatcher while the link stands: hello, status, receipts, vitals. All of it
//! may be lost and is said again.

use std::time::Duration;

use protocols::digest::Digest;
use protocols::hello::{Hello, HelloReply, StreamHead};
use protocols::limits::{HELLO_LIST_MAX, MESSAGE_BYTES_MAX};
use protocols::receipt::{Reason, ReceiptAck, ReceiptBatch};
use protocols::trust::{self, Authentic, TrustError};
use protocols::vitals::{AudioState, StatusHint, Vitals};
use protocols::wire::{self, MessageType, Topic};

use super::Engine;
use super::config::{HELLO_PATIENCE, RETRY_FIRST, RETRY_LONGEST, VITALS_EVERY};
use super::io::{AckToken, Measurements, Output};
use super::journal::{Numbering, TestKind};
use super::state::State;
use super::step::{Effect, Step};

/// Batches of receipts sent without waiting for an answer.
const BATCHES_IN_FLIGHT_MAX: usize = 8;

/// Vitals numbers reserved in the journal at once: one write in some 17 hours.
const VITALS_RESERVED: u64 = 1_000;

/// Bytes of the version text in hello and vitals.
const VERSION_BYTES_MAX: usize = 64;

/// Refusals after which it asks again what it lacks: whoever sends forgeries by the thousand crowds
/// true orders out of the broker's queue, and nobody tells either side.
const STRAIN_REFUSALS: u64 = 500;

/// It asks for that reason at most this often.
const STRAIN_EVERY: Duration = Duration::from_secs(30);

/// A message to be said again and again until it is answered.
#[derive(Debug, Clone, Copy)]
struct Retry {
    at: Duration,
    pause: Duration,
}

impl Retry {
    const fn now(uptime: Duration) -> Self {
        Self { at: uptime, pause: RETRY_FIRST }
    }

    fn again(self, uptime: Duration, jitter: &mut Jitter) -> Self {
        let pause = jitter.around(self.pause);
        Self { at: uptime.saturating_add(pause), pause: (self.pause * 2).min(RETRY_LONGEST) }
    }
}

/// A small generator for pauses; nothing secret hangs on it (SplitMix64).
#[derive(Debug)]
struct Jitter(u64);

impl Jitter {
    const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// The pause ± 20 %.
    fn around(&mut self, pause: Duration) -> Duration {
        let share = 800 + self.next() % 401;
        pause.saturating_mul(share as u32) / 1_000
    }
}

/// The session with the broker, and through it with the dispatcher.
#[derive(Debug)]
pub(crate) struct Session {
    jitter: Jitter,
    connected_at: Option<Duration>,
    /// The nonce of the hello that was not yet answered.
    awaited: Option<[u8; 16]>,
    /// The newest nonce, and when it was first said for the sake of a new link or of strain.
    nonce: [u8; 16],
    asked_at: Duration,
    /// Refusals since then.
    refusals: u64,
    greets: bool,
    hello: Retry,
    sent_up_to: u64,
    acknowledged: u64,
    receipts: Retry,
    vitals_at: Duration,
    vitals_number: u64,
    vitals_up_to: u64,
    measurements: Measurements,
}

impl Session {
    pub(crate) const fn new(seed: u64) -> Self {
        Self {
            jitter: Jitter(seed),
            connected_at: None,
            awaited: None,
            nonce: [0; 16],
            asked_at: Duration::ZERO,
            refusals: 0,
            greets: false,
            hello: Retry::now(Duration::ZERO),
            sent_up_to: 0,
            acknowledged: 0,
            receipts: Retry::now(Duration::ZERO),
            vitals_at: Duration::ZERO,
            vitals_number: 0,
            vitals_up_to: 0,
            measurements: Measurements {
                audio: AudioState::Absent,
                journal_bytes: 0,
                disk_free_bytes: None,
                battery_percent: None,
                is_on_mains: None,
            },
        }
    }

    pub(crate) const fn booted(&mut self, vitals_up_to: u64) {
        self.vitals_number = vitals_up_to;
        self.vitals_up_to = vitals_up_to;
    }

    pub(crate) const fn connected(&mut self, uptime: Duration, nonce: [u8; 16]) {
        self.connected_at = Some(uptime);
        self.awaited = Some(nonce);
        self.nonce = nonce;
        self.asked_at = uptime;
        self.refusals = 0;
        self.greets = true;
        self.hello = Retry::now(uptime);
        self.sent_up_to = 0;
        self.receipts = Retry::now(uptime);
        self.vitals_at = uptime;
    }

    pub(crate) const fn disconnected(&mut self) {
        self.connected_at = None;
        self.awaited = None;
    }

    /// One more message was refused. When there are many, a hello is due: its answer brings the
    /// orders that were crowded out. Each question has a nonce of its own, drawn from the last.
    pub(crate) fn refused(&mut self, uptime: Duration) {
        self.refusals += 1;
        let is_early = uptime < self.asked_at.saturating_add(STRAIN_EVERY);
        if self.connected_at.is_none() || self.refusals < STRAIN_REFUSALS || is_early {
            return;
        }
        self.refusals = 0;
        self.asked_at = uptime;
        if self.awaited.is_none() {
            let Digest(next) = Digest::of(&self.nonce);
            self.nonce.copy_from_slice(&next[..16]);
            self.awaited = Some(self.nonce);
        }
        self.hello = Retry::now(uptime);
    }

    pub(crate) const fn measured(&mut self, measurements: Measurements) {
        self.measurements = measurements;
    }

    /// Receipts up to this number are on the dispatcher's disk.
    pub(crate) const fn acknowledged(&self) -> u64 {
        self.acknowledged
    }

    /// While the time is unsure: until when the answer to the hello is waited for.
    pub(crate) fn patience_ends(&self) -> Option<Duration> {
        self.awaited?;
        self.connected_at.map(|at| at.saturating_add(HELLO_PATIENCE))
    }

    /// The new upper end of reserved vitals numbers, when they have run out.
    pub(crate) fn needs_vitals_numbers(&mut self) -> Option<u64> {
        if self.connected_at.is_none() || self.vitals_number < self.vitals_up_to {
            return None;
        }
        self.vitals_up_to = self.vitals_number + VITALS_RESERVED;
        Some(self.vitals_up_to)
    }

    /// When something is to be said.
    pub(crate) fn due(&self, state: &State, uptime: Duration) -> Option<Duration> {
        self.connected_at?;
        let hello = self.awaited.map(|_| self.hello.at);
        let has_receipts = state.outbox.next() > self.acknowledged.saturating_add(1);
        let receipts = (has_receipts && state.outbox.len() > 0).then_some(self.receipts.at);
        let patience = self.patience_ends().filter(|at| *at > uptime);
        [hello, receipts, patience, Some(self.vitals_at)].into_iter().flatten().min()
    }

    fn acknowledge(&mut self, up_to: u64) {
        self.acknowledged = self.acknowledged.max(up_to);
        self.receipts.pause = RETRY_FIRST;
    }
}

impl Engine {
    /// Says what is due to be said.
    pub(super) fn announce(&mut self) {
        if self.session.connected_at.is_none() {
            return;
        }
        if self.session.greets {
            self.session.greets = false;
            let topic = Topic::TerminalStatus(self.config.terminal);
            let payload = StatusHint::Online.as_bytes().to_vec();
            self.outputs.push_back(Output::Publish { topic, payload, retain: true });
        }
        let uptime = self.now.uptime;
        if let Some(nonce) = self.session.awaited
            && self.session.hello.at <= uptime
        {
            self.session.hello = self.session.hello.again(uptime, &mut self.session.jitter);
            self.say_hello(nonce);
        }
        self.say_receipts();
        let has_number = self.session.vitals_number < self.state.vitals_up_to;
        if self.session.vitals_at <= uptime && has_number {
            self.session.vitals_at =
                uptime.saturating_add(self.session.jitter.around(VITALS_EVERY));
            self.say_vitals();
        }
    }

    fn publish<T: minicbor::Encode<()>>(&mut self, topic: Topic, kind: MessageType, message: &T) {
        let payload = wire::seal(kind, None, wire::encode(message), &self.config.key, None);
        self.outputs.push_back(Output::Publish { topic, payload, retain: false });
    }

    fn say_hello(&mut self, nonce: [u8; 16]) {
        let heads = self.state.windows.iter().filter_map(|((numbering, stream), window)| {
            let highest = (*numbering == Numbering::Orders).then(|| window.head())??;
            Some(StreamHead { stream: *stream, highest })
        });
        let hello = Hello {
            terminal: self.config.terminal,
            nonce,
            journal_id: self.state.journal_id.unwrap_or_default(),
            heads: heads.take(HELLO_LIST_MAX).collect(),
            held: self.state.orders.keys().copied().take(HELLO_LIST_MAX).collect(),
            time_floor: self.clock.floor(self.now),
            clock_unsure: self.clock.is_unsure(),
            revocation_number: self.state.revocation_number,
            version: self.version(),
        };
        self.publish(Topic::TerminalHello(self.config.terminal), MessageType::Hello, &hello);
    }

    fn say_receipts(&mut self) {
        let uptime = self.now.uptime;
        let acknowledged = self.session.acknowledged;
        let in_flight = self.session.sent_up_to > acknowledged;
        let is_overdue = self.session.receipts.at <= uptime;
        if in_flight && is_overdue {
            self.session.sent_up_to = acknowledged;
        }
        let after = self.session.sent_up_to.max(acknowledged);
        let batches = self.state.outbox.batches(after, BATCHES_IN_FLIGHT_MAX);
        if batches.is_empty() {
            return;
        }
        // New receipts go out at once and do not put off what waits for its answer.
        if is_overdue || !in_flight {
            self.session.receipts = self.session.receipts.again(uptime, &mut self.session.jitter);
        }
        for (first_number, receipts) in batches {
            self.session.sent_up_to = first_number + receipts.len() as u64 - 1;
            let batch = ReceiptBatch {
                terminal: self.config.terminal,
                journal_id: self.state.journal_id.unwrap_or_default(),
                first_number,
                receipts,
            };
            self.publish(
                Topic::TerminalReceipt(self.config.terminal),
                MessageType::Receipts,
                &batch,
            );
        }
    }

    fn say_vitals(&mut self) {
        self.session.vitals_number += 1;
        let measured = self.session.measurements;
        let expires = self.state.orders.values().map(|held| held.certificate_expires).min();
        let waiting = self.state.outbox.waiting().filter(|(n, _)| *n > self.session.acknowledged);
        let vitals = Vitals {
            terminal: self.config.terminal,
            at: self.time(),
            journal_id: self.state.journal_id.unwrap_or_default(),
            number: self.session.vitals_number,
            clock_unsure: self.clock.is_unsure(),
            uptime_s: self.now.uptime.as_secs(),
            version: self.version(),
            audio: measured.audio,
            sounding: self.player.sounding(),
            is_stopped: !self.state.stops.is_empty(),
            journal_bytes: measured.journal_bytes,
            disk_free_bytes: measured.disk_free_bytes,
            certificate_expires: expires.into_iter().chain(self.signer_expires).min(),
            revocation_number: self.state.revocation_number,
            receipts_waiting: waiting.count() as u32,
            counters: self.state.counters(),
            battery_percent: measured.battery_percent,
            is_on_mains: measured.is_on_mains,
            silent_test: self.state.self_tests.get(&TestKind::Silent).cloned(),
            audible_test: self.state.self_tests.get(&TestKind::Audible).cloned(),
        };
        self.publish(Topic::TerminalVitals(self.config.terminal), MessageType::Vitals, &vitals);
    }

    fn version(&self) -> String {
        let version = &self.config.version;
        version[..version.floor_char_boundary(VERSION_BYTES_MAX)].to_owned()
    }

    /// The answer to a hello: time, and which receipts are safe. It is taken once.
    pub(super) fn on_reply(&mut self, payload: &[u8], ack: AckToken) -> Step {
        let step = Step::default().out(Output::Ack(ack));
        let about = Some(Digest::of(payload));
        let opened = self.open_unstreamed::<HelloReply>(payload, MessageType::HelloReply);
        let Authentic { message: reply, certificate, .. } = match opened {
            Ok(authentic) => authentic,
            Err(error) => return step.effect(Effect::Count(error.reason(), about)),
        };
        if reply.terminal != self.config.terminal
            || !certificate.region.contains(self.config.terminal.village())
        {
            return step.effect(Effect::Count(Reason::OutOfScope, about));
        }
        if !(certificate.not_before..certificate.not_after).contains(&reply.at) {
            return step.effect(Effect::Count(Reason::CertificateExpired, about));
        }
        if self.session.awaited != Some(reply.nonce) {
            // An answer to an earlier question: nothing in it is news.
            return step.effect(Effect::Count(Reason::BelowWindow, about));
        }
        self.session.awaited = None;
        self.signer_expires = Some(certificate.not_after);
        self.clock.answered(self.now, reply.at);
        self.take_acknowledgement(reply.receipts_up_to);
        step
    }

    pub(super) fn on_receipt_ack(&mut self, payload: &[u8], ack: AckToken) -> Step {
        let step = Step::default().out(Output::Ack(ack));
        match self.open_unstreamed::<ReceiptAck>(payload, MessageType::ReceiptAck) {
            Err(error) => step.effect(Effect::Count(error.reason(), Some(Digest::of(payload)))),
            Ok(Authentic { message, certificate, .. }) => {
                let is_ours = message.terminal == self.config.terminal
                    && Some(message.journal_id) == self.state.journal_id
                    && certificate.region.contains(self.config.terminal.village());
                if is_ours {
                    // Renewed certificates show here first: a session may last for months.
                    self.signer_expires = Some(certificate.not_after);
                    self.take_acknowledgement(message.up_to);
                }
                step
            }
        }
    }

    /// Nothing is forgotten that was never said.
    fn take_acknowledgement(&mut self, up_to: u64) {
        self.session.acknowledge(up_to.min(self.state.outbox.next() - 1));
    }

    fn open_unstreamed<T>(
        &self,
        payload: &[u8],
        kind: MessageType,
    ) -> Result<Authentic<T>, TrustError>
    where
        T: for<'b> minicbor::Decode<'b, ()>,
    {
        let revoked = &self.state.revoked;
        let now = (!self.clock.is_unsure()).then(|| self.time());
        trust::open(payload, MESSAGE_BYTES_MAX, kind, &self.config.roots, revoked, now)
    }
}
