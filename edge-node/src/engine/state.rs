//! What a terminal knows for good: the fold of its journal.

use std::collections::BTreeMap;

use jiff::Timestamp;
use minicbor::bytes::ByteVec;
use protocols::alert::AlertKey;
use protocols::digest::Digest;
use protocols::limits;
use protocols::order::{Order, Stream};
use protocols::priority::{Precedence, Priority};
use protocols::receipt::Reason;
use protocols::trust::{self, Roots};
use protocols::vitals::{Counter, SelfTest};
use protocols::wire::{KeyId, MessageType};

use super::config::{ENROLMENTS_MAX, KNOWN_ALERTS_MAX, MARKS_PER_SIGNER_MAX, STOPS_MAX};
use super::journal::{Enrolment, Entry, KnownAlert, Mark, Numbering, Progress, Stop, TestKind};
use super::outbox::Outbox;
use super::window::Window;

/// An accepted order and how far it has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Held {
    pub sealed: Vec<u8>,
    pub order: Order,
    pub key_id: KeyId,
    pub certificate_expires: Timestamp,
    pub received_at: Timestamp,
    /// Its own place, or for a lifting or withdrawal that of its alert.
    pub place: Precedence,
    pub progress: Progress,
}

impl Held {
    /// Whether there is still something to sound.
    pub(crate) fn is_live(&self) -> bool {
        self.progress.ended.is_none()
            && self.progress.finished < self.order.repeats.times
            && self.order.outputs.plays()
    }

    /// Whether a sounding of it was ever journalled.
    pub(crate) const fn has_started(&self) -> bool {
        self.progress.last_start_at.is_some()
    }

    pub(crate) fn priority(&self, digest: Digest) -> Priority {
        Priority {
            precedence: self.place,
            level: self.order.level,
            sent: self.order.sent,
            digest: std::cmp::Reverse(digest),
        }
    }
}

/// The state.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct State {
    pub journal_id: Option<u64>,
    /// An alert sent at or after this instant would be known, had it come. `None`: nothing is
    /// known to be complete.
    pub complete_since: Option<Timestamp>,
    pub floor: Timestamp,
    pub windows: BTreeMap<(Numbering, Stream), Window>,
    pub orders: BTreeMap<Digest, Held>,
    pub alerts: BTreeMap<AlertKey, KnownAlert>,
    pub marks: Vec<Mark>,
    pub stops: Vec<Stop>,
    pub enrolments: Vec<Enrolment>,
    pub is_abort_pending: bool,
    pub revocations: Vec<u8>,
    pub revocation_number: u64,
    pub revoked: Vec<KeyId>,
    pub outbox: Outbox,
    pub counters: BTreeMap<Reason, u64>,
    pub vitals_up_to: u64,
    pub self_tests: BTreeMap<TestKind, SelfTest>,
}

impl State {
    /// Takes in one fact. Facts about what is not there change nothing, so that every prefix of a
    /// journal, and every damaged one, gives a legal state.
    pub(crate) fn apply(&mut self, entry: Entry, roots: &Roots) {
        match entry {
            Entry::Born { journal_id, complete_since } => {
                self.journal_id = Some(journal_id);
                self.complete_since = complete_since;
            }
            Entry::Floor(at) => {
                self.floor = self.floor.max(at);
                self.alerts.retain(|_, alert| alert.forget_at > at);
                self.marks.retain(|mark| mark.forget_at > at);
                self.enrolments.retain(|enrolment| enrolment.until > at);
            }
            Entry::Order { sealed, received_at, progress } => {
                self.hold(sealed.into(), received_at, progress, roots);
            }
            Entry::Seen(numbering, stream, sequence, digest) => {
                self.windows.entry((numbering, stream)).or_default().note(sequence, digest);
            }
            Entry::Started(digest, at) => self.progress(digest, |p| {
                p.is_sounding = true;
                p.last_start_at = Some(at);
            }),
            Entry::Finished(digest) => self.progress(digest, |p| {
                p.finished = p.finished.saturating_add(1);
                p.is_sounding = false;
                p.is_cut = false;
                p.failure = None;
            }),
            Entry::Cut(digest, muted_until) => self.progress(digest, |p| {
                p.is_sounding = false;
                p.is_cut = true;
                p.muted_until = muted_until;
            }),
            Entry::Failed(digest, reason) => self.progress(digest, |p| p.failure = reason),
            Entry::Ended(digest, reason) => self.progress(digest, |p| p.ended = Some(reason)),
            Entry::Dropped(digest) => {
                self.orders.remove(&digest);
            }
            Entry::Alert(alert) => self.know(alert),
            Entry::AlertEnded(key, end) => {
                if let Some(alert) = self.alerts.get_mut(&key) {
                    alert.end = Some(end);
                }
            }
            Entry::Mark(mark) => self.mark(mark),
            Entry::Unmark(order, key) => {
                self.marks.retain(|mark| mark.order != order || mark.reference.key != key);
            }
            Entry::Stop(stop) => {
                self.stops.retain(|s| (s.region, s.level) != (stop.region, stop.level));
                if self.stops.len() < STOPS_MAX {
                    self.stops.push(stop);
                }
            }
            Entry::Lifted(region, level) => {
                self.stops.retain(|stop| stop.region != region || stop.level > level);
            }
            Entry::Enrolled(enrolment) => {
                self.enrolments
                    .retain(|e| (&e.drill, e.authority) != (&enrolment.drill, enrolment.authority));
                if self.enrolments.len() == ENROLMENTS_MAX {
                    self.enrolments.remove(0);
                }
                self.enrolments.push(enrolment);
            }
            Entry::DrillSuspended(drill, at) => {
                for enrolment in self.enrolments.iter_mut().filter(|e| e.drill == drill) {
                    enrolment.suspended_at = Some(at);
                }
            }
            Entry::AbortPending(is_pending) => self.is_abort_pending = is_pending,
            Entry::Revocations(sealed) => self.revoke(sealed.into(), roots),
            Entry::Receipt(receipt) => {
                if self.outbox.push(receipt) {
                    *self.counters.entry(Reason::JournalFull).or_default() += 1;
                }
            }
            Entry::Acknowledged(up_to) => self.outbox.acknowledge(up_to),
            Entry::ReceiptsFrom(number) => self.outbox.start_from(number),
            Entry::Counters(counters) => {
                self.counters = counters.iter().map(|c| (c.reason, c.times)).collect();
            }
            Entry::VitalsUpTo(number) => self.vitals_up_to = number,
            Entry::SelfTested(kind, test) => {
                self.self_tests.insert(kind, test);
            }
        }
    }

    fn progress(&mut self, digest: Digest, change: impl FnOnce(&mut Progress)) {
        let Some(held) = self.orders.get_mut(&digest) else { return };
        change(&mut held.progress);
        if let Some(alert) = self.alerts.get_mut(&held.order.alert) {
            alert.has_started |= held.progress.is_sounding;
            alert.has_finished |= held.progress.finished > 0;
        }
    }

    /// Opens the bytes once more: a journal that was tampered with makes nothing sound.
    fn hold(&mut self, sealed: Vec<u8>, at: Timestamp, progress: Progress, roots: &Roots) {
        let opened = trust::open::<Order>(
            &sealed,
            limits::ORDER_BYTES_MAX,
            MessageType::Order,
            roots,
            &self.revoked,
            None,
        );
        let Ok(authentic) = opened else { return };
        let order = authentic.message;
        if order.validate().is_err() {
            return;
        }
        let digest = Digest::of(&sealed);
        self.windows
            .entry((Numbering::Orders, order.stream))
            .or_default()
            .note(order.sequence, digest);
        let own = Precedence { kind: order.kind, color: order.color };
        let of_alert = order
            .references
            .iter()
            .filter(|_| order.purpose.is_closing())
            .filter_map(|reference| self.alerts.get(&reference.key))
            .map(|alert| Precedence { kind: alert.kind, color: alert.color })
            .max();
        let held = Held {
            sealed,
            key_id: authentic.key_id,
            certificate_expires: authentic.certificate.not_after,
            received_at: at,
            place: of_alert.map_or(own, |place| place.max(own)),
            order,
            progress,
        };
        self.orders.insert(digest, held);
    }

    fn know(&mut self, alert: KnownAlert) {
        if self.alerts.len() >= KNOWN_ALERTS_MAX && !self.alerts.contains_key(&alert.key) {
            let oldest = self.alerts.values().min_by_key(|known| known.forget_at);
            if let Some(key) = oldest.map(|known| known.key.clone()) {
                // From here on the journal can't swear that it never knew it.
                self.complete_since = self.complete_since.map(|since| since.max(key.sent));
                self.alerts.remove(&key);
            }
        }
        self.alerts.insert(alert.key.clone(), alert);
    }

    fn mark(&mut self, mark: Mark) {
        self.marks.retain(|m| m.order != mark.order || m.reference.key != mark.reference.key);
        let of_signer = |m: &Mark| m.authority == mark.authority;
        if self.marks.iter().filter(|m| of_signer(m)).count() >= MARKS_PER_SIGNER_MAX
            && let Some(oldest) = self.marks.iter().position(of_signer)
        {
            self.marks.remove(oldest);
        }
        self.marks.push(mark);
    }

    fn revoke(&mut self, sealed: Vec<u8>, roots: &Roots) {
        let Ok(list) = trust::open_revocations(&sealed, roots) else { return };
        if list.number <= self.revocation_number {
            return;
        }
        self.revocation_number = list.number;
        self.revocations = sealed;
        self.marks.retain(|mark| !list.keys.contains(&mark.key_id));
        self.stops.retain(|stop| !list.keys.contains(&stop.key_id));
        self.enrolments.retain(|enrolment| !list.keys.contains(&enrolment.key_id));
        self.revoked = list.keys;
    }

    /// The alerts joined to `of` by references in either direction, itself left out. A reference
    /// joins only where its signer may end what it names: a stranger's word ties nothing to its
    /// own alerts; nor does one of `strays` to `of`. What is not known yet joins those that name it.
    pub(crate) fn chain(&self, of: &KnownAlert, strays: &[AlertKey]) -> Vec<AlertKey> {
        let reaches = |alert: &KnownAlert, key: &AlertKey| {
            let named = if *key == of.key { Some(of) } else { self.alerts.get(key) };
            let is_stray = *key == of.key && strays.contains(&alert.key);
            !is_stray && named.is_none_or(|named| alert.authority.contains(named.authority))
        };
        let mut chain = vec![of.key.clone()];
        let mut next = 0;
        while let Some(member) = chain.get(next).cloned() {
            next += 1;
            let alert = if member == of.key { Some(of) } else { self.alerts.get(&member) };
            let forward = alert
                .into_iter()
                .flat_map(|alert| alert.links.iter().filter(|link| reaches(alert, link)));
            let back = self
                .alerts
                .values()
                .filter(|alert| alert.links.contains(&member) && reaches(alert, &member));
            let joined: Vec<_> = forward.chain(back.map(|alert| &alert.key)).cloned().collect();
            for key in joined {
                if !chain.contains(&key) {
                    chain.push(key);
                }
            }
        }
        chain.split_off(1)
    }

    /// The shortest journal that gives this state, one record of entries each.
    pub(crate) fn compacted(&self) -> Vec<Vec<Entry>> {
        let mut records = vec![vec![
            Entry::Born {
                journal_id: self.journal_id.unwrap_or_default(),
                complete_since: self.complete_since,
            },
            Entry::Floor(self.floor),
            Entry::AbortPending(self.is_abort_pending),
            Entry::VitalsUpTo(self.vitals_up_to),
        ]];
        if !self.revocations.is_empty() {
            records.push(vec![Entry::Revocations(ByteVec::from(self.revocations.clone()))]);
        }
        records.extend(self.windows.iter().map(|((numbering, stream), window)| {
            window
                .seen()
                .map(|(sequence, digest)| Entry::Seen(*numbering, *stream, sequence, digest))
                .collect()
        }));
        let tests = self.self_tests.iter();
        records.push(tests.map(|(kind, test)| Entry::SelfTested(*kind, test.clone())).collect());
        records.push(self.alerts.values().cloned().map(Entry::Alert).collect());
        records.push(self.marks.iter().cloned().map(Entry::Mark).collect());
        records.push(self.stops.iter().cloned().map(Entry::Stop).collect());
        records.push(self.enrolments.iter().cloned().map(Entry::Enrolled).collect());
        records.extend(self.orders.values().map(|held| {
            vec![Entry::Order {
                sealed: ByteVec::from(held.sealed.clone()),
                received_at: held.received_at,
                progress: held.progress.clone(),
            }]
        }));
        let mut receipts = Vec::new();
        for (number, receipt) in self.outbox.waiting() {
            receipts.push(Entry::ReceiptsFrom(number));
            receipts.push(Entry::Receipt(receipt.clone()));
        }
        receipts.push(Entry::ReceiptsFrom(self.outbox.next()));
        receipts.push(Entry::Counters(self.counters()));
        records.push(receipts);
        records.retain(|record| !record.is_empty());
        records
    }

    pub(crate) fn counters(&self) -> Vec<Counter> {
        self.counters
            .iter()
            .map(|(reason, times)| Counter { reason: *reason, times: *times })
            .collect()
    }
}
