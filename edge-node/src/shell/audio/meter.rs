//! The account that the sound callback keeps and the player reads. Atomics only: the callback
//! never waits.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, AtomicU64, Ordering};

use jiff::Timestamp;

use super::RATE_HZ;

/// Level below which a sample counts as silence (−60 dB of full scale).
pub const SILENCE_MAX: f32 = 0.001;

/// Microseconds of a start in the future that one callback looks ahead.
const HOLD_US_MAX: u64 = 10_000_000;

const NEVER: u64 = u64::MAX;

/// Shared by the callback of one opened device and the player.
#[derive(Debug)]
pub struct Meter {
    /// Frames given to the device since it was opened, silence included.
    written: AtomicU64,
    /// Frames that had left the device at the last callback.
    played: AtomicU64,
    /// Frames of the running sounding given to the device.
    consumed: AtomicU64,
    /// Value of `consumed` at which the sounding is complete.
    end: AtomicU64,
    /// Value of `written` when the sounding was complete.
    end_written: AtomicU64,
    underruns: AtomicU32,
    callbacks: AtomicU64,
    /// When frame 0 left the device, in microseconds, or would have if the device had not paused
    /// since; 0 until known. Followed slowly while nothing sounds, held while something does.
    origin_us: AtomicI64,
    /// The first frame of the sounding leaves the device no earlier, in microseconds.
    start_at_us: AtomicI64,
    first_sound_us: AtomicI64,
    first_sound_frame: AtomicU64,
    is_sounding: AtomicBool,
    /// The callback throws away what is in the ring and lowers this flag.
    flush: AtomicBool,
    /// Errors since the last callback.
    errors: AtomicU32,
    is_lost: AtomicBool,
}

impl Default for Meter {
    fn default() -> Self {
        Self {
            written: AtomicU64::new(0),
            played: AtomicU64::new(0),
            consumed: AtomicU64::new(0),
            end: AtomicU64::new(NEVER),
            end_written: AtomicU64::new(NEVER),
            underruns: AtomicU32::new(0),
            callbacks: AtomicU64::new(0),
            origin_us: AtomicI64::new(0),
            start_at_us: AtomicI64::new(0),
            first_sound_us: AtomicI64::new(0),
            first_sound_frame: AtomicU64::new(0),
            is_sounding: AtomicBool::new(false),
            flush: AtomicBool::new(false),
            errors: AtomicU32::new(0),
            is_lost: AtomicBool::new(false),
        }
    }
}

impl Meter {
    // --- the player's side ---

    /// A sounding is being prepared: the ring is filled and the callback leaves it alone.
    pub fn prepare(&self) {
        self.consumed.store(0, Ordering::Relaxed);
        self.end.store(NEVER, Ordering::Relaxed);
        self.end_written.store(NEVER, Ordering::Relaxed);
        self.underruns.store(0, Ordering::Relaxed);
        self.first_sound_us.store(0, Ordering::Relaxed);
        self.flush.store(false, Ordering::Relaxed);
    }

    /// The ring is full enough: the callback may begin.
    /// `start_at` holds its first frame back to that instant, to the sample.
    pub fn begin(&self, start_at: Option<Timestamp>) {
        let start_at_us = start_at.map_or(0, Timestamp::as_microsecond);
        self.start_at_us.store(start_at_us, Ordering::Relaxed);
        self.is_sounding.store(true, Ordering::Release);
    }

    /// The sounding has exactly this many frames.
    pub fn set_end(&self, frames: u64) {
        self.end.store(frames, Ordering::Release);
    }

    /// Silence now: the callback fades out and throws the rest away.
    pub fn cut(&self) {
        self.flush.store(true, Ordering::Release);
    }

    /// Whether a cut has been carried out.
    pub fn is_cut(&self) -> bool {
        !self.flush.load(Ordering::Acquire)
    }

    /// The sounding is over: an empty ring is no underrun any more.
    pub fn finish(&self) {
        self.is_sounding.store(false, Ordering::Release);
    }

    /// Frames of the sounding that the device consumed.
    pub fn consumed(&self) -> u64 {
        self.consumed.load(Ordering::Acquire)
    }

    /// A number that rises with every sign of life.
    pub fn callbacks(&self) -> u64 {
        self.callbacks.load(Ordering::Acquire)
    }

    /// Times the device ran dry in this sounding.
    pub fn underruns(&self) -> u32 {
        self.underruns.load(Ordering::Acquire)
    }

    /// When the first non-silent frame left the device, and its number.
    pub fn first_sound(&self) -> Option<(Timestamp, u64)> {
        let at = self.first_sound_us.load(Ordering::Acquire);
        let at = (at != 0).then(|| Timestamp::from_microsecond(at).ok())??;
        Some((at, self.first_sound_frame.load(Ordering::Acquire)))
    }

    /// When frame 0 left the device: the time zero of a capture.
    pub fn origin(&self) -> Option<Timestamp> {
        let at = self.origin_us.load(Ordering::Acquire);
        (at != 0).then(|| Timestamp::from_microsecond(at).ok())?
    }

    /// Whether the last frame of the sounding has left the device. A device whose delay is wrong
    /// must have played it when two further seconds were consumed.
    pub fn is_drained(&self) -> bool {
        let end = self.end_written.load(Ordering::Acquire);
        end != NEVER
            && (self.played.load(Ordering::Acquire) >= end
                || self.written.load(Ordering::Acquire) >= end + 2 * u64::from(RATE_HZ))
    }

    /// Whether the device is gone.
    pub fn is_lost(&self) -> bool {
        self.is_lost.load(Ordering::Acquire)
    }

    // --- the callback's side ---

    pub(super) fn lose(&self) {
        self.is_lost.store(true, Ordering::Release);
    }

    /// An error that may pass; how many there were since the last callback.
    pub(super) fn error(&self) -> u32 {
        self.errors.fetch_add(1, Ordering::AcqRel) + 1
    }

    pub(super) fn xrun(&self) {
        if self.is_sounding() && self.consumed() > 0 {
            self.underruns.fetch_add(1, Ordering::AcqRel);
        }
    }

    pub(super) fn is_sounding(&self) -> bool {
        self.is_sounding.load(Ordering::Acquire)
    }

    /// How many frames of a callback whose first one leaves at `leaves_at` come before the start.
    pub(super) fn frames_until_start(&self, leaves_at: Timestamp) -> usize {
        if self.consumed() > 0 {
            return 0;
        }
        let start_at_us = self.start_at_us.load(Ordering::Acquire);
        let early_us = u64::try_from(start_at_us - leaves_at.as_microsecond()).unwrap_or(0);
        (early_us.min(HOLD_US_MAX) * u64::from(RATE_HZ) / 1_000_000) as usize
    }

    pub(super) fn wants_cut(&self) -> bool {
        self.flush.load(Ordering::Acquire)
    }

    pub(super) fn cut_done(&self) {
        self.flush.store(false, Ordering::Release);
    }

    /// A driver's delay jitters by a callback, and is wrong for the first ones: the mean of some
    /// eight callbacks is taken.
    fn follow_origin(&self, leaves_at_us: i64, frame: u64) {
        let after_us = (frame * 1_000_000 / u64::from(RATE_HZ)).cast_signed();
        let seen = leaves_at_us - after_us;
        let origin = self.origin_us.load(Ordering::Relaxed);
        let followed = if origin == 0 { seen } else { origin + (seen - origin) / 8 };
        self.origin_us.store(followed, Ordering::Release);
    }

    /// One callback wrote `sounding` frames of the ring and silence up to `total`, while `delay`
    /// frames were still ahead of it in the device. `first_loud` is the first loud frame among
    /// them; the callback's first frame leaves the device at `leaves_at`.
    pub(super) fn record(&self, passage: Passage) {
        let before = self.written.load(Ordering::Relaxed);
        let at = |frame: u64| {
            let after_us = (frame * 1_000_000 / u64::from(RATE_HZ)).cast_signed();
            passage.leaves_at.as_microsecond() + after_us
        };
        if !self.is_sounding() {
            self.follow_origin(at(0), before);
        }
        self.played.store(before.saturating_sub(passage.delay), Ordering::Release);
        if let Some(loud) = passage.first_loud
            && self.first_sound_us.load(Ordering::Relaxed) == 0
        {
            self.first_sound_frame.store(before + loud, Ordering::Release);
            self.first_sound_us.store(at(loud), Ordering::Release);
        }
        let consumed = self.consumed.load(Ordering::Relaxed) + passage.sounding;
        self.consumed.store(consumed, Ordering::Release);
        let end = self.end.load(Ordering::Acquire);
        if self.is_sounding() {
            if consumed >= end {
                if self.end_written.load(Ordering::Relaxed) == NEVER {
                    self.end_written.store(before + passage.sounding, Ordering::Release);
                }
            } else if consumed > passage.sounding && passage.sounding < passage.total {
                self.underruns.fetch_add(1, Ordering::AcqRel);
            }
        }
        self.written.store(before + passage.total, Ordering::Release);
        self.errors.store(0, Ordering::Release);
        self.callbacks.fetch_add(1, Ordering::AcqRel);
    }
}

/// What one callback did.
#[derive(Debug, Clone, Copy)]
pub(super) struct Passage {
    pub(super) sounding: u64,
    pub(super) total: u64,
    pub(super) delay: u64,
    pub(super) first_loud: Option<u64>,
    pub(super) leaves_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passage(sounding: u64, delay: u64, first_loud: Option<u64>, at_us: i64) -> Passage {
        let leaves_at = Timestamp::from_microsecond(at_us).expect("a time");
        Passage { sounding, total: 480, delay, first_loud, leaves_at }
    }

    #[test]
    fn the_first_loud_frame_is_timed_to_the_sample() {
        let meter = Meter::default();
        meter.record(passage(0, 0, None, 1_000_000));
        meter.prepare();
        meter.begin(None);
        meter.record(passage(480, 480, Some(48), 1_010_000));
        meter.record(passage(480, 480, Some(0), 1_020_000));
        let (at, frame) = meter.first_sound().expect("it was loud");
        assert_eq!((at.as_microsecond(), frame), (1_011_000, 528));
        assert_eq!(meter.origin().map(Timestamp::as_microsecond), Some(1_000_000));
    }

    #[test]
    fn drained_means_the_last_frame_left_not_that_it_was_taken() {
        let meter = Meter::default();
        meter.prepare();
        meter.begin(None);
        meter.set_end(480);
        meter.record(passage(480, 0, None, 1));
        assert!(!meter.is_drained());
        meter.record(passage(0, 480, None, 1));
        assert!(!meter.is_drained());
        meter.record(passage(0, 480, None, 1));
        assert!(meter.is_drained());
        assert_eq!((meter.consumed(), meter.underruns()), (480, 0));
    }

    #[test]
    fn a_start_in_the_future_is_held_to_the_sample_and_one_in_the_past_is_now() {
        let meter = Meter::default();
        let at = |us| Timestamp::from_microsecond(us).expect("a time");
        meter.prepare();
        meter.begin(None);
        assert_eq!(meter.frames_until_start(at(1_800_000_000_000_000)), 0);
        meter.begin(Some(at(1_800_000_000_010_000)));
        assert_eq!(meter.frames_until_start(at(1_800_000_000_000_000)), 480);
        assert_eq!(meter.frames_until_start(at(1_800_000_000_020_000)), 0);
        assert!(meter.frames_until_start(Timestamp::UNIX_EPOCH) > 48_000);
    }

    #[test]
    fn a_ring_that_runs_dry_before_the_end_is_an_underrun() {
        let meter = Meter::default();
        meter.prepare();
        meter.begin(None);
        meter.record(passage(0, 0, None, 1));
        assert_eq!(meter.underruns(), 0, "nothing had begun");
        meter.record(passage(480, 0, None, 1));
        meter.record(passage(100, 0, None, 1));
        assert_eq!(meter.underruns(), 1);
    }
}
