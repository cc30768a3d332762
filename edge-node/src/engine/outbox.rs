//! Receipts that wait for the dispatcher's word that it has them: numbered, bounded, never dropped
//! uncounted.

use std::collections::BTreeMap;

use protocols::limits::RECEIPTS_PER_BATCH_MAX;
use protocols::receipt::{Receipt, ReceiptState};

use super::config::OUTBOX_MAX;

/// The outbox. Numbers run within the life of the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Outbox {
    next: u64,
    waiting: BTreeMap<u64, Receipt>,
}

impl Default for Outbox {
    fn default() -> Self {
        Self { next: 1, waiting: BTreeMap::new() }
    }
}

/// What yields first when there is no room: the lower.
const fn worth(state: ReceiptState) -> u8 {
    match state {
        ReceiptState::Accepted => 0,
        ReceiptState::Verified => 1,
        ReceiptState::Started => 2,
        ReceiptState::Refused => 3,
        ReceiptState::Interrupted => 4,
        ReceiptState::Failed => 5,
        ReceiptState::Finished => 6,
    }
}

impl Outbox {
    /// Adds a receipt; returns whether one had to yield.
    #[must_use]
    pub(crate) fn push(&mut self, receipt: Receipt) -> bool {
        self.waiting.insert(self.next, receipt);
        self.next += 1;
        if self.waiting.len() <= OUTBOX_MAX {
            return false;
        }
        let least = self.waiting.iter().min_by_key(|(number, r)| (worth(r.state), **number));
        let Some(number) = least.map(|(number, _)| *number) else { return false };
        self.waiting.remove(&number);
        true
    }

    pub(crate) fn acknowledge(&mut self, up_to: u64) {
        self.waiting = self.waiting.split_off(&up_to.saturating_add(1));
    }

    /// The next receipt gets this number.
    pub(crate) const fn start_from(&mut self, number: u64) {
        self.next = number;
    }

    pub(crate) const fn next(&self) -> u64 {
        self.next
    }

    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }

    pub(crate) fn waiting(&self) -> impl Iterator<Item = (u64, &Receipt)> {
        self.waiting.iter().map(|(number, receipt)| (*number, receipt))
    }

    /// The waiting receipts above `after`, in batches of consecutive numbers.
    pub(crate) fn batches(&self, after: u64, batches_max: usize) -> Vec<(u64, Vec<Receipt>)> {
        let mut batches: Vec<(u64, Vec<Receipt>)> = Vec::new();
        for (number, receipt) in self.waiting.range(after.saturating_add(1)..) {
            match batches.last_mut() {
                Some((first, batch))
                    if *first + batch.len() as u64 == *number
                        && batch.len() < RECEIPTS_PER_BATCH_MAX =>
                {
                    batch.push(receipt.clone());
                }
                Some(_) | None => {
                    if batches.len() == batches_max {
                        break;
                    }
                    batches.push((*number, vec![receipt.clone()]));
                }
            }
        }
        batches
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use protocols::digest::Digest;

    use super::*;

    fn receipt(state: ReceiptState) -> Receipt {
        Receipt {
            order: Digest([0; 32]),
            alert: None,
            state,
            reason: None,
            repeat: 0,
            at: Timestamp::UNIX_EPOCH,
            clock_unsure: false,
            evidence: None,
        }
    }

    #[test]
    fn accepted_yields_before_started_and_finished_stays() {
        let mut outbox = Outbox::default();
        for index in 0..OUTBOX_MAX {
            let state = match index % 3 {
                0 => ReceiptState::Accepted,
                1 => ReceiptState::Started,
                _ => ReceiptState::Finished,
            };
            assert!(!outbox.push(receipt(state)));
        }
        let accepted = |outbox: &Outbox| {
            outbox.waiting().filter(|(_, r)| r.state == ReceiptState::Accepted).count()
        };
        let before = accepted(&outbox);
        for _ in 0..10 {
            assert!(outbox.push(receipt(ReceiptState::Finished)), "one had to yield");
        }
        assert_eq!(accepted(&outbox), before - 10);
        assert_eq!(outbox.len(), OUTBOX_MAX);
    }

    #[test]
    fn batches_are_consecutive_and_bounded() {
        let mut outbox = Outbox::default();
        for _ in 0..70 {
            assert!(!outbox.push(receipt(ReceiptState::Started)));
        }
        outbox.waiting.remove(&5);
        let sizes: Vec<_> =
            outbox.batches(0, 8).iter().map(|(first, batch)| (*first, batch.len())).collect();
        assert_eq!(sizes, [(1, 4), (6, 32), (38, 32), (70, 1)]);
        outbox.acknowledge(69);
        assert_eq!(outbox.batches(0, 8).len(), 1);
    }
}
