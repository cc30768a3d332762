//! Who is enrolled, from the database, with a short memory: asked by the broker for passwords and
//! by the inbox for keys. The task lives on the dispatcher's runtime; askers may live on another.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use protocols::area::Position;
use protocols::digest::Digest;
use protocols::terminal::TerminalId;
use protocols::wire::VerifyingKey;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::credentials::{Credentials, DirectoryUnavailable};
use crate::context::{App, Wake};
use crate::store::{StoreError, terminal_states};

/// How long an answer is remembered when nobody says that terminals changed: another process on
/// the same database does not tell this one.
const REMEMBERED: SignedDuration = SignedDuration::from_secs(30);

/// How long it is remembered that a terminal is *not* enrolled: it may be just about to be.
const UNKNOWN_REMEMBERED: SignedDuration = SignedDuration::from_secs(1);

/// Terminals remembered; beyond that the memory begins anew.
const REMEMBERED_MAX: usize = 50_000;

/// Questions waiting: all terminals of a city that connect in one second.
const QUESTIONS_MAX: usize = 16_384;

/// What the inbox and the broker must know of a terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its public key.
    pub key: VerifyingKey,
    /// SHA-256 of its MQTT password.
    pub password_digest: Option<Digest>,
    /// Where it stands.
    pub position: Option<Position>,
}

type Found = Option<Arc<Member>>;
type Question = (TerminalId, oneshot::Sender<Found>);

/// Asks the directory. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Directory {
    questions: mpsc::Sender<Question>,
}

impl Directory {
    /// The directory and the questions that [`serve`] answers.
    pub fn new() -> (Self, mpsc::Receiver<Question>) {
        let (questions, asked) = mpsc::channel(QUESTIONS_MAX);
        (Self { questions }, asked)
    }

    /// The terminal, if it is enrolled and not retired.
    pub async fn find(&self, terminal: TerminalId) -> Result<Found, DirectoryUnavailable> {
        let (answer, answered) = oneshot::channel();
        let question = (terminal, answer);
        self.questions.send(question).await.map_err(|_| DirectoryUnavailable)?;
        answered.await.map_err(|_| DirectoryUnavailable)
    }
}

#[async_trait]
impl Credentials for Directory {
    async fn password_digest(
        &self,
        terminal: TerminalId,
    ) -> Result<Option<Digest>, DirectoryUnavailable> {
        Ok(self.find(terminal).await?.and_then(|member| member.password_digest))
    }
}

/// Answers questions until `stop`. One whose answer can't be read is dropped, which the asker
/// sees as unavailable.
pub async fn serve(app: Arc<App>, mut asked: mpsc::Receiver<Question>, stop: CancellationToken) {
    let mut memory = HashMap::<TerminalId, (Timestamp, Found)>::new();
    loop {
        let (terminal, answer) = tokio::select! {
            biased;
            () = stop.cancelled() => return,
            () = app.notifier.woken(Wake::Terminals) => {
                memory.clear();
                continue;
            }
            question = asked.recv() => match question {
                Some(question) => question,
                None => return,
            },
        };
        let now = app.now();
        let remembered = memory.get(&terminal).filter(|(at, found)| {
            let valid = if found.is_some() { REMEMBERED } else { UNKNOWN_REMEMBERED };
            *at <= now && now.duration_since(*at) < valid
        });
        let found = match remembered {
            Some((_, found)) => found.clone(),
            None => match look_up(&app, terminal).await {
                Ok(found) => {
                    if memory.len() >= REMEMBERED_MAX {
                        memory.clear();
                    }
                    memory.insert(terminal, (now, found.clone()));
                    found
                }
                Err(error) => {
                    tracing::warn!(terminal.id = %terminal, %error, "can't look up a terminal");
                    continue;
                }
            },
        };
        drop(answer.send(found));
    }
}

async fn look_up(app: &App, terminal: TerminalId) -> Result<Found, StoreError> {
    let mut connection = app.db.read().await?;
    let Some(enrolled) = terminal_states::enrolled(&mut connection, terminal).await? else {
        return Ok(None);
    };
    let Ok(key) = VerifyingKey::from_bytes(&enrolled.public_key) else {
        return Err(StoreError::Inconsistent { table: "terminals", column: "public_key" });
    };
    let (password_digest, position) = (enrolled.password_digest, enrolled.position);
    Ok(Some(Arc::new(Member { key, password_digest, position })))
}
