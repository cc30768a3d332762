//! Clock, identifiers and entropy as ports: the only places that read the system are
//! [`SystemClock`] and [`SystemEntropy`]. Tests and the simulation bring their own.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use rand::{Rng as _, SeedableRng as _, TryRng as _};
use uuid::Uuid;

/// What time it is.
pub trait Clock: Send + Sync {
    /// Now, cut to the microsecond: what the database and the wire can hold.
    fn now(&self) -> Timestamp;
}

/// Unpredictable bytes.
pub trait Entropy: Send + Sync {
    /// Fills `bytes`.
    fn fill(&self, bytes: &mut [u8]);
}

/// The three ports of the program, cheap to clone.
#[derive(Clone)]
pub struct Ports {
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Unpredictable bytes.
    pub entropy: Arc<dyn Entropy>,
}

impl Ports {
    /// The system's.
    pub fn system() -> Self {
        Self { clock: Arc::new(SystemClock), entropy: Arc::new(SystemEntropy) }
    }

    /// A clock that stands at `now` until it is moved, and bytes that follow from `seed`.
    pub fn fixed(now: Timestamp, seed: u64) -> (Self, Arc<ManualClock>) {
        let clock = Arc::new(ManualClock::at(now));
        (Self { clock: clock.clone(), entropy: Arc::new(SeededEntropy::new(seed)) }, clock)
    }

    /// Now.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A fresh identifier (UUID version 7): sorts by the time of its making.
    pub fn id(&self) -> Uuid {
        let millis = u64::try_from(self.now().as_millisecond()).unwrap_or(0);
        uuid::Builder::from_unix_timestamp_millis(millis, &self.bytes()).into_uuid()
    }

    /// `N` unpredictable bytes.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.entropy.fill(&mut bytes);
        bytes
    }
}

impl std::fmt::Debug for Ports {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ports")
    }
}

/// The system's wall clock.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place where the program reads a clock")]
    fn now(&self) -> Timestamp {
        cut(Timestamp::now())
    }
}

/// A clock that stands until it is moved.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// Standing at `now`.
    pub fn at(now: Timestamp) -> Self {
        Self(AtomicI64::new(now.as_microsecond()))
    }

    /// Moves it forward (or back).
    pub fn advance(&self, by: jiff::SignedDuration) {
        self.0.fetch_add(by.as_micros() as i64, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_microsecond(self.0.load(Ordering::SeqCst))
            .expect("a test moves its clock within the calendar")
    }
}

/// The operating system's generator.
#[derive(Debug, Clone, Copy)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        rand::rngs::SysRng
            .try_fill_bytes(bytes)
            .expect("the operating system gives random bytes or nothing here is safe");
    }
}

/// Bytes that follow from a seed: for tests and the simulation alone.
#[derive(Debug)]
pub struct SeededEntropy(Mutex<rand::rngs::StdRng>);

impl SeededEntropy {
    /// The sequence of this seed.
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(rand::rngs::StdRng::seed_from_u64(seed)))
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(bytes);
    }
}

fn cut(at: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(at.as_microsecond()).expect("coarser than an instant that exists")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_made_later_sort_later() {
        let (ports, clock) = Ports::fixed(Timestamp::UNIX_EPOCH, 1);
        let first = ports.id();
        clock.advance(jiff::SignedDuration::from_millis(1));
        assert!(ports.id() > first);
    }

    #[test]
    fn the_same_seed_gives_the_same_bytes() {
        let bytes = |seed| Ports::fixed(Timestamp::UNIX_EPOCH, seed).0.bytes::<8>();
        assert_eq!(bytes(3), bytes(3));
        assert_ne!(bytes(3), bytes(4));
    }
}
