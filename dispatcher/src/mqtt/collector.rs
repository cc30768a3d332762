//! Gathers what comes in small pieces, so that the database writes it in one transaction: at most
//! so many pieces, at most so long. Pure.

use jiff::{SignedDuration, Timestamp};

/// Pieces waiting to be written together.
#[derive(Debug)]
pub struct Collector<T> {
    pieces: Vec<T>,
    first_at: Option<Timestamp>,
    pieces_max: usize,
    wait_max: SignedDuration,
}

impl<T> Collector<T> {
    /// Gives `pieces_max` at once, or what there is after `wait_max`.
    pub fn new(pieces_max: usize, wait_max: SignedDuration) -> Self {
        Self { pieces: Vec::new(), first_at: None, pieces_max, wait_max }
    }

    /// Takes a piece in.
    pub fn push(&mut self, now: Timestamp, piece: T) {
        self.first_at.get_or_insert(now);
        self.pieces.push(piece);
    }

    /// What is due now; call it after each push and at [`Collector::next_wakeup`].
    pub fn due(&mut self, now: Timestamp) -> Option<Vec<T>> {
        let is_full = self.pieces.len() >= self.pieces_max;
        let is_time = self.next_wakeup().is_some_and(|at| at <= now);
        (is_full || is_time).then(|| self.drain())
    }

    /// When something is due at the latest.
    pub fn next_wakeup(&self) -> Option<Timestamp> {
        self.first_at.map(|at| at + self.wait_max)
    }

    /// Everything, due or not: on shutdown.
    pub fn drain(&mut self) -> Vec<T> {
        self.first_at = None;
        std::mem::take(&mut self.pieces)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millisecond: i64) -> Timestamp {
        Timestamp::from_millisecond(millisecond).expect("in the calendar")
    }

    #[test]
    fn pieces_leave_when_there_are_enough_or_when_the_first_has_waited() {
        let mut collector = Collector::new(3, SignedDuration::from_millis(100));
        assert_eq!(collector.due(at(0)), None);
        collector.push(at(0), 1);
        collector.push(at(60), 2);
        assert_eq!(collector.next_wakeup(), Some(at(100)));
        assert_eq!(collector.due(at(99)), None);
        assert_eq!(collector.due(at(100)), Some(vec![1, 2]));
        assert_eq!(collector.next_wakeup(), None);
        for piece in 1..=3 {
            collector.push(at(200), piece);
        }
        assert_eq!(collector.due(at(200)), Some(vec![1, 2, 3]));
    }
}
