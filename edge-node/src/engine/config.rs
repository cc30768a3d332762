//! What one terminal is told once, at start, and the engine's own limits.

use std::time::Duration;

use protocols::area::Position;
use protocols::terminal::TerminalId;
use protocols::trust::Roots;
use protocols::wire::SigningKey;

use super::quiet::{QuietTable, Volume};
use super::self_test::AudibleTest;

/// Orders that a terminal holds at once, finished ones included until they expire. A village that
/// is under more than 64 unexpired orders hears none of them any more.
pub const HELD_ORDERS_MAX: usize = 64;

/// Early cancels and updates kept per signer.
pub const MARKS_PER_SIGNER_MAX: usize = 256;

/// Alerts whose end or start is remembered. At the busiest, a terminal hears some 50 alerts in the
/// three days that one can be valid; 512 leaves room for a storm.
pub const KNOWN_ALERTS_MAX: usize = 512;

/// Signed stops in force at once.
pub const STOPS_MAX: usize = 16;

/// Drills a terminal is enrolled in at once.
pub const ENROLMENTS_MAX: usize = 32;

/// Receipts waiting to be acknowledged. At some 150 bytes each they fit twice into a small SD
/// card's erase block.
pub const OUTBOX_MAX: usize = 1_024;

/// Messages that wait while a journal write is in flight; more are not acknowledged, so the broker
/// delivers them again.
pub const INBOX_MAX: usize = 256;

/// (reason, signer) pairs whose last refusal receipt is remembered.
pub const REFUSAL_PAIRS_MAX: usize = 128;

/// The journal is compacted when it has grown by this many bytes since the last time. A worst-case
/// compacted journal (windows, 64 orders, full outbox) is below 2 MiB.
pub const JOURNAL_GROWTH_BYTES_MAX: u64 = 1024 * 1024;

/// One refusal receipt for each (reason, signer) in this time.
pub const REFUSAL_RECEIPT_EVERY: Duration = Duration::from_mins(1);

/// How long a terminal that is unsure of the time waits for the answer to its hello before it
/// judges alone.
pub const HELLO_PATIENCE: Duration = Duration::from_secs(5);

/// First pause before a hello or a batch of receipts is said again; it doubles.
pub const RETRY_FIRST: Duration = Duration::from_secs(10);

/// Longest such pause.
pub const RETRY_LONGEST: Duration = Duration::from_mins(5);

/// Pause before a sounding that failed is tried again.
pub const SOUND_RETRY: Duration = Duration::from_secs(10);

/// The local key silences the running order for this long.
pub const LOCAL_STOP: Duration = Duration::from_mins(10);

/// A cut that the shell does not confirm in this time counts as a stalled device.
pub const CUT_PATIENCE: Duration = Duration::from_secs(3);

/// What is running when it expires may end its sentence within this.
pub const EXPIRY_GRACE_MS: u32 = 10_000;

/// A sounding with `play_at` is handed to the shell this much earlier.
pub const PLAY_LEAD: Duration = Duration::from_millis(300);

/// Mean pause between vitals.
pub const VITALS_EVERY: Duration = Duration::from_mins(1);

/// The time floor is journalled with every order, and alone when it has advanced by this much:
/// more often would wear out an SD card for nothing.
pub const FLOOR_STEP: Duration = Duration::from_mins(10);

/// Everything an engine is told at start.
#[derive(Debug)]
pub struct Config {
    /// Who it is.
    pub terminal: TerminalId,
    /// Where it stands, if enrolled with a position.
    pub position: Option<Position>,
    /// Whom it believes.
    pub roots: Roots,
    /// Signs what it says.
    pub key: SigningKey,
    /// Program and version for hello and vitals; cut to 64 bytes.
    pub version: String,
    /// Seeds the jitter of timers; nothing secret hangs on it.
    pub seed: u64,
    /// What may sound when.
    pub quiet: QuietTable,
    /// How loud.
    pub volume: Volume,
    /// When people hear the self-test.
    pub audible_test: AudibleTest,
}
