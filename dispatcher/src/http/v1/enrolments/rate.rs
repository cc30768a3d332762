//! How often an address may claim. The secret has 80 bits, so this guards the machine, not the
//! secret: each claim costs a signature check and a write.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

/// Claims of one address a minute: a town enrols all its terminals from behind one address.
const CLAIMS_PER_MINUTE_MAX: u32 = 60;
/// Addresses remembered; beyond it the oldest minutes are forgotten first.
const ADDRESSES_MAX: usize = 10_000;
const MINUTE: SignedDuration = SignedDuration::from_mins(1);

/// Claims by address since the start of each address's minute.
#[derive(Debug, Default)]
pub(super) struct ClaimRate(Mutex<BTreeMap<IpAddr, (Timestamp, u32)>>);

impl ClaimRate {
    /// Counts a claim; the seconds to wait when there were too many.
    pub(super) fn count(&self, address: IpAddr, now: Timestamp) -> Result<(), i64> {
        let mut claims = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if claims.len() >= ADDRESSES_MAX && !claims.contains_key(&address) {
            claims.retain(|_, (since, _)| now.duration_since(*since) < MINUTE);
            if claims.len() >= ADDRESSES_MAX {
                return Err(MINUTE.as_secs());
            }
        }
        let (since, count) = claims.entry(address).or_insert((now, 0));
        if now.duration_since(*since) >= MINUTE {
            (*since, *count) = (now, 0);
        }
        if *count >= CLAIMS_PER_MINUTE_MAX {
            return Err((MINUTE - now.duration_since(*since)).as_secs().max(1));
        }
        *count += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_waits_after_its_sixtieth_claim_and_another_does_not() {
        let rate = ClaimRate::default();
        let (one, other) = (IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 0, 2]));
        let now = Timestamp::UNIX_EPOCH;
        for _ in 0..CLAIMS_PER_MINUTE_MAX {
            assert_eq!(rate.count(one, now), Ok(()));
        }
        assert_eq!(rate.count(one, now), Err(60));
        assert_eq!(rate.count(other, now), Ok(()));
        assert_eq!(rate.count(one, now + MINUTE), Ok(()));
    }
}
