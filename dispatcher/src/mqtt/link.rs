//! The dispatcher's own connection to the broker, as the rest of the program sees it.

use std::sync::atomic::{AtomicI64, Ordering};

use jiff::Timestamp;

use crate::domain::liveness::Link;

/// No instant: the link is down.
const DOWN: i64 = i64::MIN;

/// Whether, and since when, the dispatcher hears its terminals.
#[derive(Debug)]
pub struct LinkState(AtomicI64);

impl Default for LinkState {
    fn default() -> Self {
        Self(AtomicI64::new(DOWN))
    }
}

impl LinkState {
    /// The state now.
    pub fn get(&self) -> Link {
        match self.0.load(Ordering::Acquire) {
            DOWN => Link::Down,
            since => Timestamp::from_microsecond(since).map_or(Link::Down, Link::UpSince),
        }
    }

    /// Up since `now`.
    pub fn up(&self, now: Timestamp) {
        self.0.store(now.as_microsecond(), Ordering::Release);
    }

    /// Down.
    pub fn down(&self) {
        self.0.store(DOWN, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_down_until_it_is_up() {
        let link = LinkState::default();
        assert_eq!(link.get(), Link::Down);
        link.up(Timestamp::UNIX_EPOCH);
        assert_eq!(link.get(), Link::UpSince(Timestamp::UNIX_EPOCH));
        link.down();
        assert_eq!(link.get(), Link::Down);
    }
}
