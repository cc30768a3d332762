//! The decisions of the village device, pure and without I/O.
//!
//! Knows no socket, disk, sound card, clock or source of randomness: all of them are inputs and
//! outputs ([`io`]). The same engine runs in the device, in the fleet simulator and in the
//! deterministic simulation.
//!
//! One loop: an input is decided into a step (`step`), its entries are journalled, the state takes
//! them in, its effects follow; when no input waits, the engine asks itself what is due
//! (`sound`). At most one journal write is in flight; inputs wait behind it, so no decision is
//! ever made on what is not yet on disk.
//!
//! | file | decides |
//! |---|---|
//! | `admit`, `chain`, `command` | what of what arrives is believed, and what it does to alerts |
//! | `window`, `clock` | order and time |
//! | `sound`, `player`, `plan`, `quiet` | what sounds next, what is cut, what is said |
//! | `self_test` | whether it would be heard |
//! | `state`, `journal`, `store` | what is known for good, and how it is written down |
//! | `outbox`, `session` | what is said to the dispatcher |

mod admit;
mod chain;
mod clock;
mod command;
pub mod config;
pub mod io;
pub mod journal;
mod outbox;
pub mod plan;
mod player;
pub mod quiet;
pub mod self_test;
mod session;
mod sound;
mod state;
mod step;
mod store;
#[cfg(test)]
mod tests;
mod window;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use jiff::Timestamp;
use protocols::alert::AlertKey;
use protocols::digest::Digest;
use protocols::receipt::{Evidence, Reason, Receipt, ReceiptState};
use protocols::wire::KeyId;

use clock::Clock;
pub use config::Config;
pub use io::{Input, Now, Output};
use journal::Entry;
use player::Player;
use session::Session;

use state::State;
use step::{Effect, Step};
use store::Store;

/// The engine of one terminal.
#[derive(Debug)]
pub struct Engine {
    config: Config,
    state: State,
    clock: Clock,
    session: Session,
    player: Player,
    store: Store,
    /// When the last refusal receipt of each (reason, signer) was made.
    refusals: BTreeMap<(Reason, Option<KeyId>), Duration>,
    /// Orders that came while the time was unsure, and are above their stream's head.
    fresh: BTreeSet<Digest>,
    /// Expiry of the certificate under which the dispatcher last answered.
    signer_expires: Option<Timestamp>,
    now: Now,
    is_booted: bool,
    inbox: VecDeque<Input>,
    outputs: VecDeque<Output>,
    wakeup_at: Option<Duration>,
}

impl Engine {
    /// A terminal that has not booted: give it its journal, then [`Input::Booted`].
    pub fn new(config: Config) -> Self {
        let session = Session::new(config.seed);
        Self {
            config,
            state: State::default(),
            clock: Clock::new(),
            session,
            player: Player::default(),
            store: Store::default(),
            refusals: BTreeMap::new(),
            fresh: BTreeSet::new(),
            signer_expires: None,
            now: Now { clock: Timestamp::UNIX_EPOCH, uptime: Duration::ZERO },
            is_booted: false,
            inbox: VecDeque::new(),
            outputs: VecDeque::new(),
            wakeup_at: None,
        }
    }

    /// Something happened.
    pub fn handle(&mut self, now: Now, input: Input) {
        self.now = Now { clock: now.clock, uptime: now.uptime.max(self.now.uptime) };
        match input {
            Input::Replay(record) => self.replay(&record),
            Input::Journalled { token, result } => self.journalled(token, result),
            Input::Compacted { token, result } => self.compacted(token, result),
            // Not in the queue: a clip that is there must be known when the write is answered.
            Input::ClipReady { digest } => {
                self.player.clip_settled(digest, true);
                self.player.words_returned(digest, &self.state);
            }
            Input::ClipFailed { digest } => self.player.clip_settled(digest, false),
            Input::Message { .. } if self.inbox.len() >= config::INBOX_MAX => {}
            Input::Booted { .. }
            | Input::Connected { .. }
            | Input::Disconnected
            | Input::Message { .. }
            | Input::SoundStarted { .. }
            | Input::SoundEnded { .. }
            | Input::LocalStop
            | Input::Measured(_)
            | Input::Wakeup => self.inbox.push_back(input),
        }
        self.run();
    }

    /// What is to be done next; `None` when all is said.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// The uptime at which [`Input::Wakeup`] is due.
    pub const fn next_wakeup(&self) -> Option<Duration> {
        self.wakeup_at
    }

    fn run(&mut self) {
        while !self.store.is_writing() {
            let step = match self.inbox.pop_front() {
                Some(input) => self.decide(input),
                None if self.is_booted => match self.advance() {
                    Some(step) => Some(step),
                    None => break,
                },
                None => break,
            };
            if let Some(step) = step {
                self.commit(step);
            }
        }
        if self.is_booted {
            self.announce();
            self.wakeup_at = self.soonest();
        }
    }

    fn decide(&mut self, input: Input) -> Option<Step> {
        if let Input::Booted { fresh_journal_id, clock_is_trusted } = input {
            return (!self.is_booted).then(|| self.boot(fresh_journal_id, clock_is_trusted));
        }
        if !self.is_booted {
            return None;
        }
        match input {
            Input::Connected { session_present: _, nonce } => {
                self.session.connected(self.now.uptime, nonce);
                None
            }
            Input::Disconnected => {
                self.session.disconnected();
                None
            }
            Input::Message { topic, payload, ack } => Some(self.on_message(&topic, payload, ack)),
            Input::SoundStarted { sounding, at } => self.on_sound_started(sounding, at),
            Input::SoundEnded { sounding, outcome, evidence } => {
                self.on_sound_ended(sounding, outcome, &evidence)
            }
            Input::LocalStop => {
                self.cut_running(Reason::StoppedLocally, io::CutHow::Now);
                None
            }
            Input::Measured(measurements) => {
                self.session.measured(measurements);
                if measurements.audio == protocols::vitals::AudioState::Present {
                    self.player.device_returned(&self.state);
                }
                None
            }
            Input::Booted { .. }
            | Input::Replay(_)
            | Input::Journalled { .. }
            | Input::Compacted { .. }
            | Input::ClipReady { .. }
            | Input::ClipFailed { .. }
            | Input::Wakeup => None,
        }
    }

    /// What was sounding when the power went is due again; its clips are looked for.
    fn boot(&mut self, fresh_journal_id: u64, is_trusted: bool) -> Step {
        self.is_booted = true;
        let is_wiped = self.state.journal_id.is_none();
        self.clock.boot(self.now, self.state.floor, is_trusted, is_wiped);
        self.session.booted(self.state.vitals_up_to);
        let mut step = Step::default();
        if is_wiped {
            let complete_since = is_trusted.then(|| self.time());
            step = step.entry(Entry::Born { journal_id: fresh_journal_id, complete_since });
        }
        for (digest, held) in &self.state.orders {
            if held.progress.is_sounding {
                let receipt = self.receipt_of(*digest, ReceiptState::Interrupted);
                step = step
                    .entry(Entry::Cut(*digest, held.progress.muted_until))
                    .entry(Entry::Receipt(Receipt { reason: Some(Reason::PowerCut), ..receipt }));
            }
            if held.is_live() {
                for output in self.fetches(&held.order, held.received_at) {
                    self.outputs.push_back(output);
                }
            }
        }
        step
    }

    fn time(&self) -> Timestamp {
        self.clock.time(self.now)
    }

    fn perform(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Out(output) => self.outputs.push_back(output),
                Effect::Count(reason, about) => self.count(reason, about),
                Effect::Play(digest) => self.play(digest),
                Effect::SelfTest(kind) => self.play_self_test(kind),
            }
        }
    }

    fn count(&mut self, reason: Reason, about: Option<Digest>) {
        *self.state.counters.entry(reason).or_default() += 1;
        self.store.counted();
        self.session.refused(self.now.uptime);
        self.outputs.push_back(Output::Count { reason, about });
    }

    fn receipt(&self, order: Digest, alert: Option<AlertKey>, state: ReceiptState) -> Receipt {
        Receipt {
            order,
            alert,
            state,
            reason: None,
            repeat: 0,
            at: self.time(),
            clock_unsure: self.clock.is_unsure(),
            evidence: None,
        }
    }

    /// A receipt about the current sounding of a held order.
    fn receipt_of(&self, digest: Digest, state: ReceiptState) -> Receipt {
        let held = self.state.orders.get(&digest);
        let alert = held.map(|held| held.order.alert.clone());
        let repeat = held.map_or(0, |held| held.progress.finished.saturating_add(1));
        let evidence = matches!(state, ReceiptState::Finished | ReceiptState::Interrupted)
            .then(Evidence::default);
        Receipt { repeat, evidence, ..self.receipt(digest, alert, state) }
    }

    /// The earliest of all that is due later.
    fn soonest(&self) -> Option<Duration> {
        let time = self.time();
        let by_uptime =
            [self.session.due(&self.state, self.now.uptime), self.store.due(), self.sound_due()];
        let by_clock =
            self.next_instant().map(|at| self.now.uptime.saturating_add(clock::since(at, time)));
        // Never in the past: what is overdue waits for an answer of the shell, not for the time.
        let soonest = self.now.uptime.saturating_add(Duration::from_millis(10));
        by_uptime.into_iter().flatten().chain(by_clock).min().map(|at| at.max(soonest))
    }
}
