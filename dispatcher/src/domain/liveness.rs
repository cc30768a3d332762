//! 在线状态: derived from what was heard and when, never reported by the terminal itself.
//!
//! Time counts from the later of the last word heard and the dispatcher's own connection: a
//! dispatcher that was deaf accuses nobody. A terminal that was not yet heard on this connection
//! is Unknown, not Online, until its first word or its first missed one.

use jiff::{SignedDuration, Timestamp};

/// Seconds between two vitals of a terminal, before jitter.
pub const VITALS_INTERVAL_S: i64 = 60;

/// Jitter of that interval in percent, either way.
pub const VITALS_JITTER_PERCENT: i64 = 20;

/// Seconds that a message may take on a bad line before it counts as missed.
pub const TRANSIT_S: i64 = 5;

/// The longest legal interval between two vitals.
const INTERVAL: SignedDuration =
    SignedDuration::from_secs(VITALS_INTERVAL_S * (100 + VITALS_JITTER_PERCENT) / 100);

const LATE_AFTER: SignedDuration = SignedDuration::from_secs(INTERVAL.as_secs() + TRANSIT_S);
const LOST_AFTER: SignedDuration = SignedDuration::from_secs(2 * INTERVAL.as_secs() + TRANSIT_S);

/// Whether a terminal can be reached. `Ord` from good to bad; Unknown is worst, since nothing may
/// be hoped from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Liveness {
    /// Heard in time.
    Online,
    /// One message missed.
    Late,
    /// Two messages missed.
    Lost,
    /// The dispatcher itself is or was deaf.
    Unknown,
}

impl Liveness {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Online, Self::Late, Self::Lost, Self::Unknown];

    /// The word in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Online => "online",
            Self::Late => "late",
            Self::Lost => "lost",
            Self::Unknown => "unknown",
        }
    }
}

/// The dispatcher's own connection to the broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    /// Down: nobody can be heard.
    Down,
    /// Up since this instant.
    UpSince(Timestamp),
}

/// The liveness of a terminal that was last heard at `last_seen`.
pub fn liveness(now: Timestamp, last_seen: Option<Timestamp>, link: Link) -> Liveness {
    let Link::UpSince(since) = link else { return Liveness::Unknown };
    let heard_on_this_link = last_seen.is_some_and(|seen| seen >= since);
    let silent_for = now.duration_since(last_seen.map_or(since, |seen| seen.max(since)));
    if silent_for > LOST_AFTER {
        Liveness::Lost
    } else if silent_for > LATE_AFTER {
        Liveness::Late
    } else if heard_on_this_link {
        Liveness::Online
    } else {
        Liveness::Unknown
    }
}

/// Since when a terminal that was last heard at `last_seen` is late, lost, or awaited on this
/// connection; `None` while it is online, and while nobody can be heard.
pub fn since(now: Timestamp, last_seen: Option<Timestamp>, link: Link) -> Option<Timestamp> {
    let Link::UpSince(up) = link else { return None };
    let from = last_seen.map_or(up, |seen| seen.max(up));
    match liveness(now, last_seen, link) {
        Liveness::Online => None,
        Liveness::Late => Some(from + LATE_AFTER),
        Liveness::Lost => Some(from + LOST_AFTER),
        Liveness::Unknown => Some(up),
    }
}

/// When this liveness may change next if nothing is heard; `None` when it can't.
pub fn next_change(last_seen: Option<Timestamp>, link: Link, now: Timestamp) -> Option<Timestamp> {
    let Link::UpSince(since) = link else { return None };
    let from = last_seen.map_or(since, |seen| seen.max(since));
    // One microsecond later it is *more* than the bound.
    let step = SignedDuration::from_micros(1);
    [LATE_AFTER, LOST_AFTER].into_iter().map(|bound| from + bound + step).find(|at| *at > now)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).expect("in the calendar")
    }

    #[test]
    fn one_missed_is_late_and_two_are_lost() {
        let of = |now: i64| liveness(at(now), Some(at(100)), Link::UpSince(at(0)));
        assert_eq!(of(100 + 72), Liveness::Online, "the longest legal interval");
        assert_eq!(of(100 + 77), Liveness::Online);
        assert_eq!(of(100 + 78), Liveness::Late);
        assert_eq!(of(100 + 149), Liveness::Late);
        assert_eq!(of(100 + 150), Liveness::Lost);
    }

    #[test]
    fn a_dispatcher_that_was_deaf_accuses_nobody() {
        let of = |now: i64| liveness(at(now), Some(at(100)), Link::UpSince(at(1_000)));
        assert_eq!(of(1_001), Liveness::Unknown, "not heard on this connection yet");
        assert_eq!(of(1_078), Liveness::Late);
        assert_eq!(of(1_150), Liveness::Lost);
    }

    #[test]
    fn while_the_broker_is_down_nothing_is_known() {
        assert_eq!(liveness(at(101), Some(at(100)), Link::Down), Liveness::Unknown);
    }

    #[test]
    fn a_terminal_that_was_never_heard_becomes_lost() {
        let of = |now: i64| liveness(at(now), None, Link::UpSince(at(0)));
        assert_eq!((of(10), of(78), of(150)), (Liveness::Unknown, Liveness::Late, Liveness::Lost));
    }

    #[test]
    fn a_silence_is_dated_from_the_word_that_was_missed() {
        let of = |now: i64| since(at(now), Some(at(100)), Link::UpSince(at(0)));
        assert_eq!((of(110), of(178), of(300)), (None, Some(at(177)), Some(at(249))));
        assert_eq!(since(at(10), None, Link::UpSince(at(3))), Some(at(3)));
        assert_eq!(since(at(10), Some(at(9)), Link::Down), None);
    }

    #[test]
    fn the_next_change_is_when_the_answer_changes() {
        let link = Link::UpSince(at(0));
        let mut now = at(100);
        let mut seen = vec![liveness(now, Some(at(100)), link)];
        while let Some(next) = next_change(Some(at(100)), link, now) {
            let before = next - SignedDuration::from_micros(1);
            assert_eq!(liveness(before, Some(at(100)), link), *seen.last().expect("not empty"));
            now = next;
            seen.push(liveness(now, Some(at(100)), link));
        }
        assert_eq!(seen, [Liveness::Online, Liveness::Late, Liveness::Lost]);
    }
}
