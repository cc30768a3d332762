//! 送达: what is known of one order at one terminal, merged from receipts that may come late,
//! twice and in any order.
//!
//! [`Progress`] is a join: merging is commutative, associative and idempotent, so that the same
//! set of receipts gives the same state however the network shuffled it. *Finished* is final: a
//! terminal that has sounded an order to its end once has delivered it. Before that, the step with
//! the latest (time, number) stands.

use jiff::Timestamp;
use protocols::receipt::{Evidence, Reason, Receipt, ReceiptState};

/// The state of a delivery, as shown and counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DeliveryState {
    /// Nothing was heard yet.
    Pending,
    /// In the terminal's journal.
    Accepted,
    /// Found authentic and meant for it; in the queue.
    Verified,
    /// Sounding.
    Started,
    /// Sounded to its end at least once.
    Finished,
    /// Cut before its end.
    Interrupted,
    /// Could not sound.
    Failed,
    /// Would not sound.
    Refused,
}

impl DeliveryState {
    /// All states.
    pub const ALL: [Self; 8] = [
        Self::Pending,
        Self::Accepted,
        Self::Verified,
        Self::Started,
        Self::Finished,
        Self::Interrupted,
        Self::Failed,
        Self::Refused,
    ];

    /// The word in the database and in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Accepted => "accepted",
            Self::Verified => "verified",
            Self::Started => "started",
            Self::Finished => "finished",
            Self::Interrupted => "interrupted",
            Self::Failed => "failed",
            Self::Refused => "refused",
        }
    }

    /// Whether nobody near this terminal has heard the order, as far as is known. These are named
    /// first.
    pub const fn is_silent(self) -> bool {
        match self {
            Self::Pending | Self::Accepted | Self::Verified | Self::Failed | Self::Refused => true,
            Self::Started | Self::Finished | Self::Interrupted => false,
        }
    }
}

/// A text names no state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a state of a delivery")]
pub struct ParseDeliveryStateError;

impl std::str::FromStr for DeliveryState {
    type Err = ParseDeliveryStateError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|state| state.as_str() == text).ok_or(ParseDeliveryStateError)
    }
}

impl From<ReceiptState> for DeliveryState {
    fn from(state: ReceiptState) -> Self {
        match state {
            ReceiptState::Accepted => Self::Accepted,
            ReceiptState::Verified => Self::Verified,
            ReceiptState::Started => Self::Started,
            ReceiptState::Finished => Self::Finished,
            ReceiptState::Interrupted => Self::Interrupted,
            ReceiptState::Failed => Self::Failed,
            ReceiptState::Refused => Self::Refused,
        }
    }
}

/// The step that decides the state. `Ord` is the order in which steps count: by time, then by
/// number; the rest only breaks ties the same way everywhere.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Step {
    /// By the terminal's clock.
    pub at: Timestamp,
    /// Its number in the terminal's journal.
    pub number: u64,
    /// What happened.
    pub state: DeliveryState,
    /// Why.
    pub reason: Option<Reason>,
    /// Proof.
    pub evidence: Option<Proof>,
}

/// Evidence in a fixed order of fields, so that two can be compared.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Proof {
    /// When the first non-silent frame left the device.
    pub first_sound_at: Option<Timestamp>,
    /// Frames that the device consumed.
    pub frames: u64,
    /// Times it ran dry.
    pub underruns: u32,
    /// Whether a prepared clip sounded; `None` when it is not said.
    pub is_clip: Option<bool>,
    /// Amplifier current.
    pub amplifier_ma: Option<u32>,
    /// Level at the microphone.
    pub microphone_dbfs_x10: Option<i32>,
}

impl From<&Evidence> for Proof {
    fn from(evidence: &Evidence) -> Self {
        use protocols::receipt::SoundSource;
        Self {
            first_sound_at: evidence.first_sound_at,
            frames: evidence.frames,
            underruns: evidence.underruns,
            is_clip: evidence.source.map(|source| match source {
                SoundSource::Clip => true,
                SoundSource::LocalVoice => false,
            }),
            amplifier_ma: evidence.amplifier_ma,
            microphone_dbfs_x10: evidence.microphone_dbfs_x10,
        }
    }
}

/// All that receipts have said so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Progress {
    /// The deciding step: the first that finished, or else the latest.
    pub step: Option<Step>,
    /// Bit `n − 1` for each sounding `n` that finished.
    pub finished_repeats: u32,
    /// When it was first journalled.
    pub accepted_at: Option<Timestamp>,
    /// When it was first verified.
    pub verified_at: Option<Timestamp>,
    /// When the first sounding began.
    pub started_at: Option<Timestamp>,
    /// When it was first heard.
    pub first_sound_at: Option<Timestamp>,
    /// When it first ended.
    pub finished_at: Option<Timestamp>,
}

impl Progress {
    /// What one receipt says alone.
    pub fn of(number: u64, receipt: &Receipt) -> Self {
        let state = DeliveryState::from(receipt.state);
        let at = |wanted: DeliveryState| (state == wanted).then_some(receipt.at);
        let evidence = receipt.evidence.as_ref().map(Proof::from);
        let finished_repeats = match state {
            DeliveryState::Finished => 1_u32 << (receipt.repeat.clamp(1, 32) - 1),
            DeliveryState::Pending
            | DeliveryState::Accepted
            | DeliveryState::Verified
            | DeliveryState::Started
            | DeliveryState::Interrupted
            | DeliveryState::Failed
            | DeliveryState::Refused => 0,
        };
        Self {
            finished_repeats,
            accepted_at: at(DeliveryState::Accepted),
            verified_at: at(DeliveryState::Verified),
            started_at: at(DeliveryState::Started),
            first_sound_at: evidence.as_ref().and_then(|evidence| evidence.first_sound_at),
            finished_at: at(DeliveryState::Finished),
            step: Some(Step { at: receipt.at, number, state, reason: receipt.reason, evidence }),
        }
    }

    /// What both say together.
    #[must_use]
    pub fn merge(self, other: Self) -> Self {
        Self {
            step: decide(self.step, other.step),
            finished_repeats: self.finished_repeats | other.finished_repeats,
            accepted_at: earlier(self.accepted_at, other.accepted_at),
            verified_at: earlier(self.verified_at, other.verified_at),
            started_at: earlier(self.started_at, other.started_at),
            first_sound_at: earlier(self.first_sound_at, other.first_sound_at),
            finished_at: earlier(self.finished_at, other.finished_at),
        }
    }

    /// The state to show.
    pub fn state(&self) -> DeliveryState {
        self.step.as_ref().map_or(DeliveryState::Pending, |step| step.state)
    }

    /// How many different soundings ended.
    pub fn repeats_finished(&self) -> u32 {
        self.finished_repeats.count_ones()
    }
}

impl From<&Proof> for Evidence {
    fn from(proof: &Proof) -> Self {
        use protocols::receipt::SoundSource;
        let source = |is_clip| if is_clip { SoundSource::Clip } else { SoundSource::LocalVoice };
        Self {
            first_sound_at: proof.first_sound_at,
            frames: proof.frames,
            underruns: proof.underruns,
            source: proof.is_clip.map(source),
            amplifier_ma: proof.amplifier_ma,
            microphone_dbfs_x10: proof.microphone_dbfs_x10,
        }
    }
}

fn decide(one: Option<Step>, other: Option<Step>) -> Option<Step> {
    let (Some(one), Some(other)) = (&one, &other) else { return one.or(other) };
    let is_finished = |step: &Step| step.state == DeliveryState::Finished;
    let chosen = match (is_finished(one), is_finished(other)) {
        (true, true) => one.min(other),
        (true, false) => one,
        (false, true) => other,
        (false, false) => one.max(other),
    };
    Some(chosen.clone())
}

fn earlier(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

/// Up to which number of a journal receipts may be acknowledged, after the numbers `first` to
/// `last` were stored and `known` was acknowledged before.
///
/// A gap before `first` is either a batch that is still on its way or one that will never come
/// (this dispatcher was restored from a backup; the terminal gave numbers up when its outbox was
/// full). A terminal repeats from its oldest unacknowledged receipt, so that a repeated batch
/// (`is_repeat`: nothing in it was new) proves that nothing before it waits.
pub fn acknowledged(known: u64, first: u64, last: u64, is_repeat: bool) -> u64 {
    let is_next = first <= known.saturating_add(1);
    if is_next || is_repeat { known.max(last) } else { known }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use protocols::digest::Digest;

    use super::*;

    fn receipt(state: ReceiptState, at_s: i64, repeat: u8, reason: Option<Reason>) -> Receipt {
        let at = Timestamp::from_second(1_800_000_000 + at_s).expect("in the calendar");
        let evidence = (state == ReceiptState::Finished).then(|| Evidence {
            first_sound_at: Some(at),
            frames: 48_000,
            ..Evidence::default()
        });
        let order = Digest([1; 32]);
        Receipt { order, alert: None, state, reason, repeat, at, clock_unsure: false, evidence }
    }

    fn all(receipts: &[(u64, Receipt)]) -> Progress {
        receipts
            .iter()
            .map(|(number, receipt)| Progress::of(*number, receipt))
            .fold(Progress::default(), Progress::merge)
    }

    #[test]
    fn a_sounding_that_was_cut_and_resumed_is_finished() {
        let receipts = [
            (1, receipt(ReceiptState::Accepted, 0, 0, None)),
            (2, receipt(ReceiptState::Verified, 0, 0, None)),
            (3, receipt(ReceiptState::Started, 1, 1, None)),
            (4, receipt(ReceiptState::Interrupted, 2, 1, Some(Reason::Preempted))),
        ];
        let cut = all(&receipts);
        assert_eq!(cut.state(), DeliveryState::Interrupted);
        assert_eq!(cut.step.as_ref().and_then(|step| step.reason), Some(Reason::Preempted));
        let end = Progress::of(6, &receipt(ReceiptState::Finished, 9, 1, None));
        let whole = cut.merge(Progress::of(5, &receipt(ReceiptState::Started, 4, 1, None)));
        assert_eq!(whole.state(), DeliveryState::Started);
        let whole = whole.merge(end);
        assert_eq!((whole.state(), whole.repeats_finished()), (DeliveryState::Finished, 1));
        assert!(whole.started_at < whole.finished_at);
    }

    #[test]
    fn once_heard_stays_heard_though_a_later_repeat_fails() {
        let progress = all(&[
            (1, receipt(ReceiptState::Finished, 1, 1, None)),
            (2, receipt(ReceiptState::Failed, 9, 2, Some(Reason::DeviceStalled))),
        ]);
        assert_eq!(progress.state(), DeliveryState::Finished);
        assert!(!progress.state().is_silent());
    }

    #[test]
    fn a_repeat_is_counted_once_however_often_it_is_reported() {
        let twice = receipt(ReceiptState::Finished, 1, 3, None);
        let progress = all(&[(1, twice.clone()), (1, twice.clone()), (7, twice)]);
        assert_eq!(progress.repeats_finished(), 1);
    }

    #[test]
    fn a_gap_is_acknowledged_only_when_the_batch_is_repeated() {
        assert_eq!(acknowledged(0, 1, 5, false), 5);
        assert_eq!(acknowledged(5, 4, 8, false), 8, "overlap");
        assert_eq!(acknowledged(5, 9, 12, false), 5, "6 to 8 may be on their way");
        assert_eq!(acknowledged(5, 9, 12, true), 12, "they will never come");
        assert_eq!(acknowledged(12, 1, 5, true), 12, "an old one takes nothing back");
    }

    prop_compose! {
        fn any_receipt()(
            state in prop::sample::select(vec![
                ReceiptState::Accepted, ReceiptState::Verified, ReceiptState::Started,
                ReceiptState::Finished, ReceiptState::Interrupted, ReceiptState::Failed,
                ReceiptState::Refused,
            ]),
            at_s in 0_i64..6,
            repeat in 0_u8..4,
            number in 1_u64..8,
            reason in prop::option::of(prop::sample::select(vec![
                Reason::Preempted, Reason::Stopped, Reason::NoSpeech,
            ])),
        ) -> (u64, Receipt) {
            (number, receipt(state, at_s, repeat, reason))
        }
    }

    proptest! {
        #[test]
        fn any_order_and_any_duplicates_end_in_the_same_state(
            receipts in prop::collection::vec(any_receipt(), 0..12),
            order in prop::collection::vec(any::<prop::sample::Index>(), 0..24),
        ) {
            let expected = all(&receipts);
            let mut shuffled = order
                .iter()
                .filter(|_| !receipts.is_empty())
                .map(|index| receipts[index.index(receipts.len())].clone())
                .collect::<Vec<_>>();
            shuffled.extend(receipts.iter().rev().cloned());
            prop_assert_eq!(all(&shuffled), expected);
        }

        #[test]
        fn batches_merge_like_single_receipts(
            receipts in prop::collection::vec(any_receipt(), 0..12),
            cut in any::<prop::sample::Index>(),
        ) {
            let at = if receipts.is_empty() { 0 } else { cut.index(receipts.len()) };
            let (left, right) = receipts.split_at(at);
            prop_assert_eq!(all(right).merge(all(left)), all(&receipts));
        }

        #[test]
        fn finished_is_never_lost(
            before in prop::collection::vec(any_receipt(), 0..12),
            after in prop::collection::vec(any_receipt(), 0..12),
        ) {
            let early = all(&before);
            let late = early.clone().merge(all(&after));
            if early.state() == DeliveryState::Finished {
                prop_assert_eq!(late.state(), DeliveryState::Finished);
            }
            prop_assert!(late.repeats_finished() >= early.repeats_finished());
        }
    }
}
