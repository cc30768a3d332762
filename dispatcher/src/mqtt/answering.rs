//! Answers hellos: the reply first, then the orders and commands that the terminal lacks.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use kill_points::kill_point;
use protocols::digest::Digest;
use protocols::hello::Hello;
use protocols::terminal::TerminalId;
use protocols::wire::{self, MessageType, Topic};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::directory::{Directory, Member};
use super::hello::{self, Admission, Facts, Line, LiveOrder};
use super::inbox::{self, Disbelief};
use super::incoming::Said;
use super::outgoing::{NotPublished, Pipe};
use crate::context::App;
use crate::domain::keys::CannotSign;
use crate::store::outbox::{self, LiveCommand};
use crate::store::revocations::SealedList;
use crate::store::{self, Conn, StoreError, receipts, terminal_states};

/// Why a batch of hellos was not answered.
#[derive(Debug, thiserror::Error)]
enum AnswerError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    CannotSign(#[from] CannotSign),
    #[error(transparent)]
    NotPublished(#[from] NotPublished),
}

/// Answers until `stop`.
pub async fn serve(
    app: Arc<App>,
    directory: Directory,
    pipe: Pipe,
    mut hellos: mpsc::Receiver<Said>,
    stop: CancellationToken,
) {
    let mut line = Line::default();
    loop {
        let said = tokio::select! {
            biased;
            () = stop.cancelled() => return,
            said = hellos.recv() => said,
        };
        let Some((terminal, bytes)) = said else { return };
        enter(&app, &mut line, terminal, bytes);
        // Whoever came meanwhile is answered from the same look at the database.
        while let Ok((terminal, bytes)) = hellos.try_recv() {
            enter(&app, &mut line, terminal, bytes);
        }
        while !line.is_empty() {
            let batch = line.take(app.now());
            if let Err(error) = answer(&app, &directory, &pipe, batch).await {
                tracing::error!(%error, "hellos were not answered");
            }
        }
    }
}

fn enter(app: &App, line: &mut Line, terminal: TerminalId, bytes: Vec<u8>) {
    match line.enter(app.now(), terminal, bytes) {
        Admission::Waits => {}
        Admission::TooSoon => tracing::debug!(terminal.id = %terminal, "said hello too often"),
        Admission::Full => tracing::warn!(terminal.id = %terminal, "the line of hellos is full"),
    }
}

/// What all answers of a batch share.
struct Present {
    now: Timestamp,
    orders: Vec<Arc<LiveOrder>>,
    commands: Vec<LiveCommand>,
    audit_head: Option<Digest>,
    revocations: Option<SealedList>,
}

async fn answer(
    app: &App,
    directory: &Directory,
    pipe: &Pipe,
    batch: Vec<Said>,
) -> Result<(), AnswerError> {
    let mut believed = Vec::with_capacity(batch.len());
    for (terminal, bytes) in batch {
        match believe(directory, terminal, &bytes).await {
            Ok(one) => believed.push(one),
            Err(disbelief) => {
                app.metrics.messages_disbelieved.inc();
                tracing::info!(terminal.id = %terminal, %disbelief, "a hello is not believed");
            }
        }
    }
    let now = app.now();
    let mut tx = app.db.begin().await?;
    let present = Present {
        now,
        orders: outbox::live_orders(&mut tx, now).await?,
        commands: outbox::live_commands(&mut tx, now).await?,
        audit_head: audit_head(&mut tx).await?,
        revocations: store::revocations::newest(&mut tx).await?,
    };
    let mut known = Vec::with_capacity(believed.len());
    for (hello, member) in believed {
        terminal_states::note_hello(&mut tx, hello.terminal, hello.journal_id, now).await?;
        let up_to = receipts::up_to(&mut tx, hello.terminal, hello.journal_id).await?;
        known.push((hello, member, up_to));
    }
    kill_point!("hello.noting");
    tx.commit().await?;
    kill_point!("hello.noted");
    let hellos = known.iter().map(|(hello, ..)| hello);
    tell_revocations(pipe, present.revocations.as_ref(), hellos).await?;
    for (hello, member, up_to) in known {
        send(app, pipe, &present, &hello, &member, up_to).await?;
        kill_point!("hello.answered");
    }
    Ok(())
}

/// Whoever knows an older revocation list than the newest gets that one on the topic of its village,
/// retained as always: the broker may have lost it, or never had it. It goes before the reply, and
/// also where no reply can be signed: a revoked dispatcher still says that it is revoked.
async fn tell_revocations(
    pipe: &Pipe,
    newest: Option<&SealedList>,
    hellos: impl Iterator<Item = &Hello>,
) -> Result<(), NotPublished> {
    let Some(newest) = newest else { return Ok(()) };
    let villages = hellos
        .filter(|hello| hello.revocation_number < newest.number)
        .map(|hello| hello.terminal.village())
        .collect::<BTreeSet<_>>();
    for village in villages {
        pipe.answer(Topic::RegionRevocation(village), newest.sealed.clone()).await?;
    }
    Ok(())
}

/// The head of the record; none while it is empty.
async fn audit_head(connection: &mut Conn) -> Result<Option<Digest>, StoreError> {
    let (_, head) = store::audit::head(connection).await?;
    if head.is_empty() {
        return Ok(None);
    }
    store::digest(&head, "sequences", "audit_digest").map(Some)
}

async fn believe(
    directory: &Directory,
    terminal: TerminalId,
    bytes: &[u8],
) -> Result<(Hello, Arc<Member>), Disbelief> {
    let member = directory.find(terminal).await.ok().flatten();
    let member = member.ok_or(Disbelief::UnknownTerminal)?;
    Ok((inbox::open(terminal, bytes, &member.key)?, member))
}

async fn send(
    app: &App,
    pipe: &Pipe,
    present: &Present,
    hello: &Hello,
    member: &Member,
    receipts_up_to: u64,
) -> Result<(), AnswerError> {
    let terminal = hello.terminal;
    let facts = Facts {
        now: present.now,
        position: member.position,
        live: &present.orders,
        receipts_up_to,
        revocation_number: present.revocations.as_ref().map_or(0, |list| list.number),
        audit_head: present.audit_head,
    };
    let answer = hello::answer(hello, facts);
    let reply = app.seal(MessageType::HelloReply, None, wire::encode(&answer.reply))?;
    pipe.answer(Topic::TerminalReply(terminal), reply).await?;
    // Silence before sound: a stop that is in force reaches the terminal before any order.
    for command in &present.commands {
        if command.topic.contains(terminal.village()) {
            pipe.answer(Topic::TerminalCommand(terminal), command.sealed.clone()).await?;
        }
    }
    for order in answer.missing {
        pipe.answer(Topic::TerminalOrder(terminal), order.sealed.clone()).await?;
    }
    Ok(())
}
