//! The journal as seen by the engine: one write at a time, what follows from its failure, and when
//! to compact.

use std::time::Duration;

use protocols::receipt::Reason;

use super::Engine;
use super::config::{FLOOR_STEP, JOURNAL_GROWTH_BYTES_MAX, OUTBOX_MAX, RETRY_LONGEST, SOUND_RETRY};
use super::io::{JournalError, JournalToken, Output};
use super::journal::{self, Entry, FRAME_BYTES};
use super::step::{Effect, Step};

/// A write in flight.
#[derive(Debug)]
enum Writing {
    Record { token: JournalToken, step: Step, late: usize, bytes: u64 },
    Compaction { token: JournalToken },
}

/// An entry of a step that happened although it could not be written.
#[derive(Debug)]
struct Late {
    entry: Entry,
    /// Receipts are taken in only once they are written, so that no number is used twice.
    is_applied: bool,
}

/// The journal's side of the engine.
#[derive(Debug, Default)]
pub(crate) struct Store {
    next_token: u64,
    writing: Option<Writing>,
    late: Vec<Late>,
    retry_at: Option<Duration>,
    grown_bytes: u64,
    compacted_at: Option<Duration>,
    wants_compaction: bool,
    has_counted: bool,
}

impl Store {
    pub(crate) const fn is_writing(&self) -> bool {
        self.writing.is_some()
    }

    pub(crate) const fn counted(&mut self) {
        self.has_counted = true;
    }

    pub(crate) const fn due(&self) -> Option<Duration> {
        self.retry_at
    }

    const fn token(&mut self) -> JournalToken {
        self.next_token += 1;
        JournalToken(self.next_token)
    }
}

impl Engine {
    pub(super) fn replay(&mut self, record: &[u8]) {
        if self.is_booted {
            return;
        }
        self.store.grown_bytes += record.len() as u64 + FRAME_BYTES;
        // A record whose frame is whole and whose content is not ours was written by another
        // version: it is passed over.
        for entry in journal::decode(record).unwrap_or_default() {
            self.state.apply(entry, &self.config.roots);
        }
    }

    /// Writes the entries of a step down, or lets it happen at once if it has none.
    pub(super) fn commit(&mut self, mut step: Step) {
        if step.entries.is_empty() {
            self.perform(step.effects);
            return;
        }
        self.add_lazy_entries(&mut step);
        let late = self.store.late.len();
        let mut entries: Vec<_> = self.store.late.iter().map(|l| l.entry.clone()).collect();
        entries.extend(step.entries.iter().cloned());
        let record = journal::encode(&entries);
        let token = self.store.token();
        let bytes = record.len() as u64 + FRAME_BYTES;
        self.store.writing = Some(Writing::Record { token, step, late, bytes });
        self.outputs.push_back(Output::Journal { token, record });
    }

    /// What need not be on disk at once goes along with what must.
    fn add_lazy_entries(&mut self, step: &mut Step) {
        let floor = self.clock.floor(self.now);
        let has_order = step.entries.iter().any(|entry| matches!(entry, Entry::Order { .. }));
        if floor > self.state.floor && (has_order || self.is_floor_due()) {
            step.entries.push(Entry::Floor(floor));
        }
        if self.store.has_counted {
            self.store.has_counted = false;
            step.entries.push(Entry::Counters(self.state.counters()));
        }
        let acknowledged = self.session.acknowledged();
        if self.state.outbox.waiting().next().is_some_and(|(first, _)| first <= acknowledged) {
            // First, so that it makes room for the receipts of this step.
            step.entries.insert(0, Entry::Acknowledged(acknowledged));
        }
    }

    fn is_floor_due(&self) -> bool {
        self.clock.floor(self.now) >= super::clock::later(self.state.floor, FLOOR_STEP)
    }

    pub(super) fn journalled(&mut self, token: JournalToken, result: Result<(), JournalError>) {
        let (step, late, bytes) = match self.store.writing.take() {
            Some(Writing::Record { token: awaited, step, late, bytes }) if awaited == token => {
                (step, late, bytes)
            }
            other => {
                self.store.writing = other;
                return;
            }
        };
        match result {
            Ok(()) => {
                self.store.grown_bytes += bytes;
                self.store.retry_at = None;
                for late in self.store.late.drain(..late).collect::<Vec<_>>() {
                    if !late.is_applied {
                        self.state.apply(late.entry, &self.config.roots);
                    }
                }
                for entry in step.entries {
                    self.state.apply(entry, &self.config.roots);
                }
                self.perform(step.effects);
            }
            Err(JournalError) => self.not_written(step),
        }
    }

    fn not_written(&mut self, step: Step) {
        self.count(Reason::JournalFull, None);
        self.store.retry_at = Some(self.now.uptime.saturating_add(SOUND_RETRY));
        let is_due = self
            .store
            .compacted_at
            .is_none_or(|at| self.now.uptime >= at.saturating_add(RETRY_LONGEST));
        self.store.wants_compaction |= is_due;
        for effect in &step.effects {
            if let Effect::Play(digest) = effect {
                self.player.retry_later(*digest, self.now.uptime);
            }
        }
        let (entries, effects) = match step.only_on_disk {
            Some(instead) => (instead, Vec::new()),
            None => (step.entries, step.effects),
        };
        for entry in entries {
            let is_applied = !matches!(entry, Entry::Receipt(_));
            if is_applied {
                self.state.apply(entry.clone(), &self.config.roots);
            }
            if self.store.late.len() < OUTBOX_MAX {
                self.store.late.push(Late { entry, is_applied });
            } else {
                self.count(Reason::JournalFull, None);
            }
        }
        self.perform(effects);
    }

    pub(super) fn compacted(&mut self, token: JournalToken, result: Result<(), JournalError>) {
        match self.store.writing.take() {
            Some(Writing::Compaction { token: awaited }) if awaited == token => {}
            other => {
                self.store.writing = other;
                return;
            }
        }
        match result {
            Ok(()) => {
                // The new journal holds the state as it is, and with it all that was applied.
                self.store.late.retain(|late| !late.is_applied);
                self.store.grown_bytes = 0;
                self.store.retry_at = (!self.store.late.is_empty()).then_some(self.now.uptime);
            }
            Err(JournalError) => self.count(Reason::JournalFull, None),
        }
    }

    /// Compaction, and writing what could not be written before.
    pub(super) fn upkeep(&mut self) -> Option<Step> {
        if self.store.grown_bytes > JOURNAL_GROWTH_BYTES_MAX {
            self.store.grown_bytes = 0;
            self.store.wants_compaction = true;
        }
        if self.store.wants_compaction {
            self.store.wants_compaction = false;
            self.store.compacted_at = Some(self.now.uptime);
            let records =
                self.state.compacted().iter().map(|entries| journal::encode(entries)).collect();
            let token = self.store.token();
            self.store.writing = Some(Writing::Compaction { token });
            self.outputs.push_back(Output::CompactJournal { token, records });
            return Some(Step::default());
        }
        if self.store.retry_at.is_some_and(|at| at <= self.now.uptime) {
            self.store.retry_at = None;
            if !self.store.late.is_empty() {
                return Some(Step::default().entry(Entry::Counters(self.state.counters())));
            }
        }
        if self.is_floor_due() {
            return Some(Step::default().entry(Entry::Floor(self.clock.floor(self.now))));
        }
        self.session
            .needs_vitals_numbers()
            .map(|up_to| Step::default().entry(Entry::VitalsUpTo(up_to)))
    }
}
