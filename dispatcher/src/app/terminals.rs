//! Terminals: planned, changed, retired. Enrolment is in [`super::enrolments`].

use jiff::Timestamp;
use protocols::region::RegionCode;
use protocols::terminal::TerminalId;
use serde_json::json;

use crate::app::{audit, events};
use crate::domain::actor::Actor;
use crate::domain::fault::Fault;
use crate::domain::terminal::{Terminal, TerminalDetails, plan};
use crate::store::{self, StoreError, Tx};

/// Why a terminal is not as asked.
#[derive(Debug, thiserror::Error)]
pub enum TerminalError {
    /// There is none.
    #[error("no such terminal")]
    NotFound,
    /// Rules that the request breaks.
    #[error("the terminal is refused: {} faults", .0.len())]
    Faults(Vec<Fault>),
    /// It was taken away for good.
    #[error("the terminal is retired")]
    Retired,
    /// Somebody changed it meanwhile.
    #[error("the terminal was changed by somebody else meanwhile")]
    Stale,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Plans a terminal with the next number of its village. Two at once in one village: one of them
/// finds its number taken and is told to try again.
pub async fn create(
    tx: &mut Tx,
    now: Timestamp,
    actor: &Actor,
    village: RegionCode,
    details: &TerminalDetails,
) -> Result<Terminal, TerminalError> {
    let tree = store::regions::tree(tx).await?;
    let number = store::terminals::next_number(tx, village).await?;
    let terminal = plan(village, number, details, &tree).map_err(TerminalError::Faults)?;
    store::terminals::insert(tx, &terminal).await?;
    record(tx, now, actor, "plan_terminal", &terminal).await?;
    Ok(terminal)
}

/// Changes name, position and loudspeaker. A terminal that has joined learns a new position when
/// it joins again; the dispatcher targets by the new one at once and lists its number.
pub async fn edit(
    tx: &mut Tx,
    now: Timestamp,
    actor: &Actor,
    id: TerminalId,
    version: i64,
    details: &TerminalDetails,
) -> Result<Terminal, TerminalError> {
    let mut terminal = read(tx, id, version).await?;
    let faults = details.faults();
    if !faults.is_empty() {
        return Err(TerminalError::Faults(faults));
    }
    details.name.trim().clone_into(&mut terminal.name);
    terminal.position = details.position();
    terminal.is_speaking = details.is_speaking;
    store::terminals::save(tx, &terminal).await?;
    store::regions::raise_revision(tx).await?;
    terminal.version += 1;
    record(tx, now, actor, "edit_terminal", &terminal).await?;
    Ok(terminal)
}

/// Takes a terminal away for good: it is meant by nothing any more, the broker refuses it, its
/// number is not used again.
pub async fn retire(
    tx: &mut Tx,
    now: Timestamp,
    actor: &Actor,
    id: TerminalId,
    version: i64,
) -> Result<Terminal, TerminalError> {
    let mut terminal = read(tx, id, version).await?;
    terminal.retired_at = Some(now);
    store::terminals::save(tx, &terminal).await?;
    store::enrolments::revoke(tx, id, now).await?;
    store::regions::raise_revision(tx).await?;
    terminal.version += 1;
    record(tx, now, actor, "retire_terminal", &terminal).await?;
    Ok(terminal)
}

async fn read(tx: &mut Tx, id: TerminalId, version: i64) -> Result<Terminal, TerminalError> {
    let terminal = store::terminals::get(tx, id).await?.ok_or(TerminalError::NotFound)?;
    if terminal.retired_at.is_some() {
        return Err(TerminalError::Retired);
    }
    if terminal.version != version {
        return Err(TerminalError::Stale);
    }
    Ok(terminal)
}

async fn record(
    tx: &mut Tx,
    now: Timestamp,
    actor: &Actor,
    action: &str,
    terminal: &Terminal,
) -> Result<(), StoreError> {
    let village = terminal.id.village();
    let body = json!({ "type": action, "terminal": terminal.id });
    events::push(tx, now, events::Topic::Terminals, village, &body).await?;
    let detail = json!({
        "name": terminal.name,
        "lat": terminal.position.map(protocols::area::Position::lat),
        "lon": terminal.position.map(protocols::area::Position::lon),
        "is_speaking": terminal.is_speaking,
    });
    audit::append(tx, now, actor, action, &format!("terminal:{}", terminal.id), &detail).await
}
