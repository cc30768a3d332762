//! Stop: one signed command silences a region until another one lifts it.

use jiff::{SignedDuration, Timestamp};
use protocols::command::{Command, CommandAction};
use protocols::order::Stream;
use protocols::region::RegionCode;
use protocols::wire::{self, MessageType};
use serde_json::json;

use crate::app::audit;
use crate::app::events::{self, Topic};
use crate::context::App;
use crate::domain::actor::{Actor, ActorId, Denied};
use crate::domain::authority::Action;
use crate::domain::keys::CannotSign;
use crate::store::orders::{self, StreamKind};
use crate::store::stops::{self, NewCommand, Stop};
use crate::store::{StoreError, Tx};

/// Bytes of a reason.
pub const REASON_BYTES_MAX: usize = 200;

/// How long a command counts at a terminal that has not seen it. A stop in force is signed anew
/// before that; an old one that somebody kept silences nobody.
pub const COMMAND_VALID: SignedDuration = SignedDuration::from_hours(72);

/// How long before its end a command is signed anew.
pub const RENEW_BEFORE: SignedDuration = SignedDuration::from_hours(36);

/// How long a lifting is repeated for terminals that were away when it was made.
pub const LIFTING_TOLD: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Commands signed anew in one transaction.
const RENEWALS_MAX: i64 = 64;

/// Why a stop is not placed or lifted.
#[derive(Debug, thiserror::Error)]
pub enum StopError {
    /// The actor may not.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The region is not this dispatcher's.
    #[error("region: {0} lies outside the region of this dispatcher's certificate")]
    OutsideCertificate(RegionCode),
    /// No reason, or too long a one.
    #[error("reason: 1 to 200 bytes")]
    Reason,
    /// It is silent already.
    #[error("region: {0} is stopped already")]
    Already(RegionCode),
    /// There is no such stop.
    #[error("there is no such stop")]
    NotFound,
    /// It was lifted before.
    #[error("the stop was lifted already")]
    NotInForce,
    /// This dispatcher's key or certificate counts no more.
    #[error(transparent)]
    CannotSign(#[from] CannotSign),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Silences a region. The caller commits and wakes [`crate::context::Wake::Orders`].
pub async fn place(
    tx: &mut Tx,
    app: &App,
    actor: &Actor,
    region: RegionCode,
    reason: &str,
) -> Result<Stop, StopError> {
    let now = app.now();
    actor.may(Action::StopTerminals, region, None, now)?;
    let reason = reason.trim();
    if reason.is_empty() || reason.len() > REASON_BYTES_MAX {
        return Err(StopError::Reason);
    }
    if !app.region().contains(region) {
        return Err(StopError::OutsideCertificate(region));
    }
    if stops::in_force(tx, region).await?.is_some() {
        return Err(StopError::Already(region));
    }
    let stop = Stop {
        id: app.id().to_string(),
        version: 1,
        region,
        reason: reason.to_owned(),
        placed_by: actor.id,
        placed_at: now,
        lifted: None,
    };
    stops::insert(tx, &stop).await?;
    give_command(tx, app, &stop, now).await?;
    record(tx, actor.id, "place_stop", &stop, now).await?;
    Ok(stop)
}

/// Lets a region sound again. The caller commits and wakes [`crate::context::Wake::Orders`].
pub async fn lift(tx: &mut Tx, app: &App, actor: &Actor, id: &str) -> Result<Stop, StopError> {
    let now = app.now();
    let mut stop = stops::find(tx, id).await?.ok_or(StopError::NotFound)?;
    actor.may(Action::LiftStop, stop.region, None, now)?;
    if stop.lifted.is_some() {
        return Err(StopError::NotInForce);
    }
    stops::lift(tx, &stop, actor.id, now).await?;
    stop.version += 1;
    stop.lifted = Some((actor.id, now));
    give_command(tx, app, &stop, now).await?;
    record(tx, actor.id, "lift_stop", &stop, now).await?;
    Ok(stop)
}

/// Signs anew what would end soon; gives how many. The caller commits and wakes.
pub async fn renew(tx: &mut Tx, app: &App) -> Result<usize, StopError> {
    let now = app.now();
    let due = stops::to_renew(tx, now + RENEW_BEFORE, now - LIFTING_TOLD, RENEWALS_MAX).await?;
    for stop in &due {
        give_command(tx, app, stop, now).await?;
    }
    Ok(due.len())
}

/// Signs the command that a stop asks for now, in place of the one before it.
async fn give_command(
    tx: &mut Tx,
    app: &App,
    stop: &Stop,
    now: Timestamp,
) -> Result<(), StopError> {
    let region = stop.region;
    let stream = Stream { authority: app.region(), topic: region };
    let sequence = orders::take_number(tx, stream, StreamKind::Command).await?;
    let (kind, action) = match stop.lifted {
        None => ("stop", CommandAction::Stop { region, reason: stop.reason.clone() }),
        Some(_) => ("lift", CommandAction::LiftStop { region }),
    };
    let expires = now + COMMAND_VALID;
    let level = app.signer.certificate().level;
    let command = Command { stream, sequence, level, sent: now, expires, action };
    let sealed = app.seal(MessageType::Command, Some(stream), wire::encode(&command))?;
    stops::end_commands(tx, region, now).await?;
    let command = NewCommand {
        id: app.id().to_string(),
        kind,
        subject: stop.id.clone(),
        stream,
        sequence,
        sealed,
        created_at: now,
        expires_at: expires,
    };
    Ok(stops::insert_command(tx, &command).await?)
}

async fn record(
    tx: &mut Tx,
    by: ActorId,
    action: &str,
    stop: &Stop,
    now: Timestamp,
) -> Result<(), StoreError> {
    let detail = json!({ "region": stop.region, "reason": stop.reason });
    let event = json!({
        "type": if stop.lifted.is_some() { "stop_lifted" } else { "stop_placed" },
        "stop": stop.id,
        "region": stop.region,
        "reason": stop.reason,
    });
    events::push(tx, now, Topic::Attention, stop.region, &event).await?;
    audit::append_as(tx, now, by, action, &format!("stop:{}", stop.id), &detail).await
}
