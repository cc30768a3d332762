//! Drill enrolments: made and ended by signed commands, and asked before an exercise is issued.

use jiff::Timestamp;
use protocols::command::{Command, CommandAction};
use protocols::limits::ORDER_BYTES_MAX;
use protocols::order::Stream;
use protocols::terminal::TerminalId;
use protocols::wire::{self, MessageType};
use serde_json::json;

use crate::app::audit;
use crate::app::events::{self, Topic};
use crate::context::App;
use crate::domain::actor::{Actor, ActorId, Denied};
use crate::domain::authority::Action;
use crate::domain::drill::{self, DrillRequest, DrillScope};
use crate::domain::fault::Fault;
use crate::domain::keys::CannotSign;
use crate::store::drill_enrolments::{self, DrillEnrolment};
use crate::store::orders::{self, StreamKind};
use crate::store::stops::{self, NewCommand};
use crate::store::{Conn, StoreError, Tx};

/// Why an enrolment is not made or ended.
#[derive(Debug, thiserror::Error)]
pub enum DrillError {
    /// The actor may not.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// Rules are broken; all of them are named.
    #[error("the enrolment breaks {} rules", .0.len())]
    Faults(Vec<Fault>),
    /// Terminals of it are in this drill already.
    #[error("the enrolment {0} holds terminals of this one already: end it first")]
    Overlaps(String),
    /// There is none.
    #[error("there is no such enrolment")]
    NotFound,
    /// It is over.
    #[error("the enrolment is over already")]
    Over,
    /// This dispatcher's key or certificate counts no more.
    #[error(transparent)]
    CannotSign(#[from] CannotSign),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Whether the actor may enrol all of this: asked for each region and village by itself.
pub fn may(actor: &Actor, scope: &DrillScope, now: Timestamp) -> Result<(), Denied> {
    for topic in scope.topics() {
        actor.may(Action::EnrolDrill, topic.topic, None, now)?;
    }
    Ok(())
}

/// Enrols. The caller commits and wakes [`crate::context::Wake::Orders`].
pub async fn create(
    tx: &mut Tx,
    app: &App,
    actor: &Actor,
    request: DrillRequest,
) -> Result<DrillEnrolment, DrillError> {
    let now = app.now();
    may(actor, &request.scope, now)?;
    let places = app.places.current(tx).await?;
    let faults = drill::check(&request, app.region(), places.table(), now);
    if !faults.is_empty() {
        return Err(DrillError::Faults(faults));
    }
    // A terminal keeps one window a drill: a second one would silently take the first one's place.
    let others = drill_enrolments::of_drill(tx, &request.drill, now).await?;
    if let Some(other) = others.iter().find(|other| other.scope.overlaps(&request.scope)) {
        return Err(DrillError::Overlaps(other.id.clone()));
    }
    let enrolment = DrillEnrolment {
        id: app.id().to_string(),
        version: 1,
        region: request.scope.common().unwrap_or_else(|| app.region()),
        drill: request.drill,
        scope: request.scope,
        from: request.from,
        until: request.until,
        made_by: actor.id,
        made_at: now,
        ended: None,
    };
    drill_enrolments::insert(tx, &enrolment).await?;
    give_commands(tx, app, &enrolment, enrolment.from, enrolment.until, now).await?;
    record(tx, actor.id, "enrol_drill", &enrolment, now).await?;
    Ok(enrolment)
}

/// Ends an enrolment before its time: the same terminals are given a window that is over. The caller
/// commits and wakes [`crate::context::Wake::Orders`].
pub async fn end(
    tx: &mut Tx,
    app: &App,
    actor: &Actor,
    id: &str,
) -> Result<DrillEnrolment, DrillError> {
    let now = app.now();
    let mut enrolment = drill_enrolments::find(tx, id).await?.ok_or(DrillError::NotFound)?;
    may(actor, &enrolment.scope, now)?;
    if enrolment.ended.is_some() || enrolment.until <= now {
        return Err(DrillError::Over);
    }
    drill_enrolments::end(tx, &enrolment, actor.id, now).await?;
    enrolment.version += 1;
    enrolment.ended = Some((actor.id, now));
    drill_enrolments::end_commands(tx, id, now).await?;
    let from = enrolment.from.min(now);
    give_commands(tx, app, &enrolment, from, now, now).await?;
    record(tx, actor.id, "end_drill_enrolment", &enrolment, now).await?;
    Ok(enrolment)
}

/// The terminals of `meant` that are enrolled in this drill at some time from now to `until`.
pub async fn enrolled(
    connection: &mut Conn,
    drill: &str,
    meant: &[TerminalId],
    now: Timestamp,
    until: Timestamp,
) -> Result<usize, StoreError> {
    let enrolments = drill_enrolments::of_drill(connection, drill, now).await?;
    let in_time = enrolments.iter().filter(|one| one.from < until).collect::<Vec<_>>();
    let is_in = |terminal: &&TerminalId| in_time.iter().any(|one| one.scope.includes(**terminal));
    Ok(meant.iter().filter(is_in).count())
}

/// Signs one command a topic. They count until the end that was announced first: whoever was away
/// is told on its hello.
async fn give_commands(
    tx: &mut Tx,
    app: &App,
    enrolment: &DrillEnrolment,
    from: Timestamp,
    until: Timestamp,
    now: Timestamp,
) -> Result<(), DrillError> {
    let level = app.signer.certificate().level;
    let mut topics = enrolment.scope.topics();
    // So that two transactions never wait for each other's streams crosswise.
    topics.sort_by_key(|topic| topic.topic);
    for topic in topics {
        let stream = Stream { authority: app.region(), topic: topic.topic };
        let sequence = orders::take_number(tx, stream, StreamKind::Command).await?;
        let action = CommandAction::EnrolDrill {
            drill: enrolment.drill.clone(),
            terminals: topic.terminals,
            from,
            until,
        };
        let expires = enrolment.until;
        let command = Command { stream, sequence, level, sent: now, expires, action };
        let sealed = app.seal(MessageType::Command, Some(stream), wire::encode(&command))?;
        if sealed.len() > ORDER_BYTES_MAX {
            let zh = format!("指令 {} 字节，超过 {ORDER_BYTES_MAX} 字节", sealed.len());
            let en = format!("a command has {} bytes, {ORDER_BYTES_MAX} at most", sealed.len());
            let fault = Fault::new("/terminals", "command-too-large", zh, en);
            return Err(DrillError::Faults(vec![fault]));
        }
        let command = NewCommand {
            id: app.id().to_string(),
            kind: "drill",
            subject: enrolment.id.clone(),
            stream,
            sequence,
            sealed,
            created_at: now,
            expires_at: expires,
        };
        stops::insert_command(tx, &command).await?;
    }
    Ok(())
}

async fn record(
    tx: &mut Tx,
    by: ActorId,
    action: &str,
    enrolment: &DrillEnrolment,
    now: Timestamp,
) -> Result<(), StoreError> {
    let body = json!({
        "type": if enrolment.ended.is_some() { "drill_enrolment_ended" } else { "drill_enrolled" },
        "enrolment": enrolment.id,
        "drill": enrolment.drill,
        "region": enrolment.region,
        "from": enrolment.from,
        "until": enrolment.until,
    });
    events::push(tx, now, Topic::Attention, enrolment.region, &body).await?;
    let detail = json!({
        "drill": enrolment.drill,
        "scope": enrolment.scope,
        "from": enrolment.from,
        "until": enrolment.until,
    });
    let object = format!("drill_enrolment:{}", enrolment.id);
    audit::append_as(tx, now, by, action, &object, &detail).await
}
