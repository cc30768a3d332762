//! How often one address may try something: a bounded count a window, kept in memory.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

/// The window over which tries are counted.
pub const WINDOW: SignedDuration = SignedDuration::from_mins(1);

/// Logins one address may try in a window: an office behind one address logs in at a shift's
/// change, a guesser does not get far.
pub const LOGINS_MAX: u32 = 30;

/// Addresses remembered at once; beyond it the oldest windows are forgotten.
const ADDRESSES_MAX: usize = 10_000;

/// Counts by address.
#[derive(Debug, Default)]
pub struct Limiter(Mutex<BTreeMap<IpAddr, (Timestamp, u32)>>);

impl Limiter {
    /// Counts a try. `Err` with the seconds to wait when there were too many.
    pub fn count(&self, address: IpAddr, most: u32, now: Timestamp) -> Result<(), i64> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.len() >= ADDRESSES_MAX {
            counts.retain(|_, (since, _)| now.duration_since(*since) < WINDOW);
        }
        let (since, count) = counts.entry(address).or_insert((now, 0));
        if now.duration_since(*since) >= WINDOW {
            (*since, *count) = (now, 0);
        }
        *count = count.saturating_add(1);
        if *count > most {
            return Err((*since + WINDOW).duration_since(now).as_secs() + 1);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_waits_for_the_window_to_pass_and_others_do_not() {
        let limiter = Limiter::default();
        let (now, here) = (Timestamp::UNIX_EPOCH, IpAddr::from([10, 0, 0, 1]));
        assert_eq!(limiter.count(here, 2, now), Ok(()));
        assert_eq!(limiter.count(here, 2, now), Ok(()));
        assert_eq!(limiter.count(here, 2, now), Err(61));
        assert_eq!(limiter.count(IpAddr::from([10, 0, 0, 2]), 2, now), Ok(()));
        assert_eq!(limiter.count(here, 2, now + WINDOW), Ok(()));
    }
}
