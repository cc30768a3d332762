//! Points around each journal write, named by the weightiest thing that the record says. In a build
//! without points nothing of this remains.

use kill_points::{IS_ARMED, kill_point};

use crate::engine::journal::{Entry, decode};

/// What a record is about, from the weightiest down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Landmark {
    Order,
    Started,
    Finished,
    /// What was cut, failed or ended.
    Interruption,
    /// An order was dropped, mostly since it expired.
    Drop,
    /// A stop, its lifting, a drill.
    Command,
    Revocations,
    /// Nothing but receipts for the outbox.
    Receipt,
    /// Birth, numbers, times, counters.
    Note,
}

/// The record is about to be written.
pub(super) fn before(record: &[u8]) {
    match landmark(record) {
        None => {}
        Some(Landmark::Order) => kill_point!("order.journalling"),
        Some(Landmark::Started) => kill_point!("started.journalling"),
        Some(Landmark::Finished) => kill_point!("finished.journalling"),
        Some(Landmark::Interruption) => kill_point!("interruption.journalling"),
        Some(Landmark::Drop) => kill_point!("drop.journalling"),
        Some(Landmark::Command) => kill_point!("command.journalling"),
        Some(Landmark::Revocations) => kill_point!("revocations.journalling"),
        Some(Landmark::Receipt) => kill_point!("receipt.journalling"),
        Some(Landmark::Note) => kill_point!("note.journalling"),
    }
}

/// The record is on disk and nothing has followed from it.
pub(super) fn after(record: &[u8]) {
    match landmark(record) {
        None => {}
        Some(Landmark::Order) => kill_point!("order.journalled"),
        Some(Landmark::Started) => kill_point!("started.journalled"),
        Some(Landmark::Finished) => kill_point!("finished.journalled"),
        Some(Landmark::Interruption) => kill_point!("interruption.journalled"),
        Some(Landmark::Drop) => kill_point!("drop.journalled"),
        Some(Landmark::Command) => kill_point!("command.journalled"),
        Some(Landmark::Revocations) => kill_point!("revocations.journalled"),
        Some(Landmark::Receipt) => kill_point!("receipt.journalled"),
        Some(Landmark::Note) => kill_point!("note.journalled"),
    }
}

fn landmark(record: &[u8]) -> Option<Landmark> {
    if !IS_ARMED {
        return None;
    }
    decode(record).ok()?.iter().map(of).min()
}

const fn of(entry: &Entry) -> Landmark {
    match entry {
        Entry::Order { .. } => Landmark::Order,
        Entry::Started(..) => Landmark::Started,
        Entry::Finished(_) => Landmark::Finished,
        Entry::Cut(..) | Entry::Failed(..) | Entry::Ended(..) | Entry::AlertEnded(..) => {
            Landmark::Interruption
        }
        Entry::Dropped(_) => Landmark::Drop,
        Entry::Stop(_) | Entry::Lifted(..) | Entry::Enrolled(_) | Entry::DrillSuspended(..) => {
            Landmark::Command
        }
        Entry::Revocations(_) => Landmark::Revocations,
        Entry::Receipt(_) => Landmark::Receipt,
        Entry::Born { .. }
        | Entry::Floor(_)
        | Entry::Seen(..)
        | Entry::Alert(_)
        | Entry::Mark(_)
        | Entry::Unmark(..)
        | Entry::AbortPending(_)
        | Entry::Acknowledged(_)
        | Entry::ReceiptsFrom(_)
        | Entry::Counters(_)
        | Entry::VitalsUpTo(_)
        | Entry::SelfTested(..) => Landmark::Note,
    }
}
