//! The numbers of one stream that were seen: the highest, and the 1,024 below one by one.

use std::collections::BTreeMap;

use protocols::digest::Digest;
use protocols::limits::SEQUENCE_WINDOW;
use protocols::order::Sequence;

/// Epochs kept: the newest, and the one before, whose live orders are still sent after a restore.
const EPOCHS_MAX: usize = 2;

/// What a number means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Not seen; `is_ahead` when above every number seen.
    Fresh { is_ahead: bool },
    /// Seen, with these bytes.
    Duplicate,
    /// Seen, with other bytes.
    Tampered,
    /// Too far below to know.
    BelowWindow,
}

/// The window of one stream.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Window {
    epochs: BTreeMap<u32, BTreeMap<u64, Digest>>,
}

impl Window {
    pub(crate) fn judge(&self, sequence: Sequence, digest: Digest) -> Verdict {
        let Some(seen) = self.epochs.get(&sequence.epoch) else {
            let is_older_than_all = self.epochs.len() == EPOCHS_MAX
                && self.epochs.keys().all(|epoch| *epoch > sequence.epoch);
            if is_older_than_all {
                return Verdict::BelowWindow;
            }
            return Verdict::Fresh { is_ahead: self.head().is_none_or(|head| sequence > head) };
        };
        let highest = seen.last_key_value().map_or(0, |(number, _)| *number);
        match seen.get(&sequence.number) {
            Some(known) if *known == digest => Verdict::Duplicate,
            Some(_) => Verdict::Tampered,
            None if sequence.number.saturating_add(SEQUENCE_WINDOW) < highest => {
                Verdict::BelowWindow
            }
            None => Verdict::Fresh { is_ahead: self.head().is_none_or(|head| sequence > head) },
        }
    }

    pub(crate) fn note(&mut self, sequence: Sequence, digest: Digest) {
        let seen = self.epochs.entry(sequence.epoch).or_default();
        seen.insert(sequence.number, digest);
        let highest = seen.last_key_value().map_or(0, |(number, _)| *number);
        let lowest = highest.saturating_sub(SEQUENCE_WINDOW);
        *seen = seen.split_off(&lowest);
        while self.epochs.len() > EPOCHS_MAX {
            self.epochs.pop_first();
        }
    }

    pub(crate) fn head(&self) -> Option<Sequence> {
        let (epoch, seen) = self.epochs.last_key_value()?;
        let (number, _) = seen.last_key_value()?;
        Some(Sequence { epoch: *epoch, number: *number })
    }

    /// All that was seen, lowest first.
    pub(crate) fn seen(&self) -> impl Iterator<Item = (Sequence, Digest)> {
        self.epochs.iter().flat_map(|(epoch, seen)| {
            seen.iter()
                .map(|(number, digest)| (Sequence { epoch: *epoch, number: *number }, *digest))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn at(epoch: u32, number: u64) -> Sequence {
        Sequence { epoch, number }
    }

    fn digest(n: u64) -> Digest {
        Digest::of(&n.to_be_bytes())
    }

    #[test]
    fn unseen_numbers_within_the_window_are_fresh_in_any_order() {
        let mut window = Window::default();
        window.note(at(1, 2_000), digest(1));
        assert_eq!(window.judge(at(1, 976), digest(2)), Verdict::Fresh { is_ahead: false });
        assert_eq!(window.judge(at(1, 975), digest(2)), Verdict::BelowWindow);
        assert_eq!(window.judge(at(1, 2_001), digest(2)), Verdict::Fresh { is_ahead: true });
        assert_eq!(window.judge(at(1, 2_000), digest(1)), Verdict::Duplicate);
        assert_eq!(window.judge(at(1, 2_000), digest(2)), Verdict::Tampered);
    }

    #[test]
    fn a_restored_dispatcher_counts_anew_and_its_older_orders_still_come_through() {
        let mut window = Window::default();
        window.note(at(1, 50), digest(1));
        assert_eq!(window.judge(at(2, 1), digest(2)), Verdict::Fresh { is_ahead: true });
        window.note(at(2, 1), digest(2));
        assert_eq!(window.judge(at(1, 51), digest(3)), Verdict::Fresh { is_ahead: false });
        window.note(at(3, 1), digest(4));
        assert_eq!(window.judge(at(1, 51), digest(3)), Verdict::BelowWindow);
    }

    proptest! {
        /// Against an oracle that remembers everything.
        #[test]
        fn nothing_is_fresh_twice(numbers in prop::collection::vec((1_u64..3_000, 0_u64..2), 1..200)) {
            let mut window = Window::default();
            let mut oracle: BTreeMap<u64, Digest> = BTreeMap::new();
            for (number, content) in numbers {
                let highest = oracle.last_key_value().map_or(0, |(n, _)| *n);
                let expected = if number + SEQUENCE_WINDOW < highest {
                    Verdict::BelowWindow
                } else {
                    match oracle.get(&number) {
                        Some(known) if *known == digest(content) => Verdict::Duplicate,
                        Some(_) => Verdict::Tampered,
                        None => Verdict::Fresh { is_ahead: number > highest },
                    }
                };
                prop_assert_eq!(window.judge(at(1, number), digest(content)), expected);
                if matches!(expected, Verdict::Fresh { .. }) {
                    window.note(at(1, number), digest(content));
                    oracle.insert(number, digest(content));
                }
            }
        }
    }
}
