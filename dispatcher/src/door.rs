//! How many may stand at a door: connections that have said nothing yet, and connections in all.
//! Knows nothing of HTTP or MQTT.
//!
//! Whoever opens ten thousand connections and says nothing costs a bounded place each, and takes
//! nobody's: when the doorway is full, the one who has stood in it longest is shown out, and an
//! honest client says at once what it wants.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use crate::metrics::{DoorLabel, DoorLabels, TurnedAway, TurnedAwayLabel};

/// Pause after a connection could not be taken, which happens when there are no open files left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// Waits a little, until open files may have been given back.
#[expect(clippy::disallowed_methods, reason = "a shell waits for open files to be given back")]
pub async fn until_files_are_free() {
    tokio::time::sleep(ACCEPT_PAUSE).await;
}

/// What a door allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Connections at once that have not yet said what they want.
    pub waiting_max: usize,
    /// How long each of them may take to say it.
    pub patience: Duration,
    /// Connections at once that have said it.
    pub connections_max: usize,
}

/// One listener's door.
#[derive(Debug)]
pub struct Door {
    label: DoorLabel,
    limits: Limits,
    /// By the order in which they came.
    waiting: Mutex<BTreeMap<u64, CancellationToken>>,
    next: AtomicU64,
    places: Arc<Semaphore>,
    turned_away: TurnedAway,
}

impl Door {
    /// A door with these limits, which counts whom it turns away.
    pub fn new(label: DoorLabel, limits: Limits, turned_away: TurnedAway) -> Arc<Self> {
        let places = Arc::new(Semaphore::new(limits.connections_max));
        let (waiting, next) = (Mutex::default(), AtomicU64::new(0));
        Arc::new(Self { label, limits, waiting, next, places, turned_away })
    }

    /// Its limits.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// Somebody stands in the doorway. If it is full, whoever has waited longest is told to leave:
    /// `leave` is theirs.
    pub fn enter(self: &Arc<Self>, leave: &CancellationToken) -> Guest {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let mut waiting = self.waiting();
        waiting.insert(number, leave.clone());
        let oldest = (waiting.len() > self.limits.waiting_max).then(|| waiting.pop_first());
        drop(waiting);
        if let Some((_, oldest)) = oldest.flatten() {
            oldest.cancel();
        }
        Guest { door: Arc::clone(self), number }
    }

    /// A place among the connections that count; none when all are taken.
    pub fn place(&self) -> Option<OwnedSemaphorePermit> {
        let place = Arc::clone(&self.places).try_acquire_owned().ok();
        if place.is_none() {
            self.count(TurnedAwayLabel::Full);
        }
        place
    }

    /// Counts somebody who was turned away.
    pub fn count(&self, why: TurnedAwayLabel) {
        self.turned_away.get_or_create(&DoorLabels { door: self.label, why }).inc();
    }

    fn waiting(&self) -> MutexGuard<'_, BTreeMap<u64, CancellationToken>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection in the doorway; it leaves it when dropped.
#[derive(Debug)]
pub struct Guest {
    door: Arc<Door>,
    number: u64,
}

impl Drop for Guest {
    fn drop(&mut self) {
        self.door.waiting().remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn door(waiting_max: usize, connections_max: usize) -> Arc<Door> {
        let limits = Limits { waiting_max, patience: Duration::from_secs(10), connections_max };
        Door::new(DoorLabel::Mqtt, limits, TurnedAway::default())
    }

    #[test]
    fn a_full_doorway_shows_out_whoever_waited_longest() {
        let door = door(2, 9);
        let leave = [(); 4].map(|()| CancellationToken::new());
        let _first = door.enter(&leave[0]);
        let second = door.enter(&leave[1]);
        assert!(!leave[0].is_cancelled());
        let _third = door.enter(&leave[2]);
        assert!(leave[0].is_cancelled() && !leave[1].is_cancelled());
        drop(second);
        let _fourth = door.enter(&leave[3]);
        assert!(!leave[2].is_cancelled() && !leave[3].is_cancelled());
        assert_eq!(door.waiting().len(), 2);
    }

    #[test]
    fn places_are_counted_and_come_back() {
        let door = door(2, 1);
        let place = door.place();
        assert!(place.is_some() && door.place().is_none());
        drop(place);
        assert!(door.place().is_some());
        let labels = DoorLabels { door: DoorLabel::Mqtt, why: TurnedAwayLabel::Full };
        assert_eq!(door.turned_away.get_or_create(&labels).get(), 1);
    }
}
