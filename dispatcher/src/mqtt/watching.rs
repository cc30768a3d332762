//! Notes vitals and status: who was heard, when, and how it is.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use kill_points::kill_point;
use protocols::terminal::TerminalId;
use protocols::vitals::{StatusHint, Vitals};
use protocols::wire;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::collector::Collector;
use super::directory::Directory;
use super::inbox::{self, Disbelief};
use super::incoming::{Report, Said};
use super::outgoing::{pause_for, until};
use crate::context::App;
use crate::store::{StoreError, terminal_states};

/// Reports written in one transaction.
const REPORTS_MAX: usize = 512;

/// How long a report waits for others.
const WAIT_MAX: SignedDuration = SignedDuration::from_millis(500);

enum Noted {
    Vitals(Timestamp, terminal_states::Vitals),
    Hint(TerminalId, bool),
}

/// Notes reports until `stop`.
pub async fn serve(
    app: Arc<App>,
    directory: Directory,
    mut reports: mpsc::Receiver<Report>,
    stop: CancellationToken,
) {
    let mut collector = Collector::new(REPORTS_MAX, WAIT_MAX);
    loop {
        let wait = until(&app, collector.next_wakeup());
        let report = tokio::select! {
            biased;
            () = stop.cancelled() => break,
            report = reports.recv() => match report {
                Some(report) => Some(report),
                None => break,
            },
            () = pause_for(wait) => None,
        };
        let noted = match report {
            Some(Report::Vitals(said)) => believe(&app, &directory, said).await,
            Some(Report::Status((terminal, bytes))) => hint(terminal, &bytes),
            None => None,
        };
        if let Some(noted) = noted {
            collector.push(app.now(), noted);
        }
        if let Some(due) = collector.due(app.now()) {
            write(&app, due).await;
        }
    }
    write(&app, collector.drain()).await;
}

async fn believe(app: &App, directory: &Directory, said: Said) -> Option<Noted> {
    let (terminal, bytes) = said;
    let opened = match directory.find(terminal).await.ok().flatten() {
        Some(member) => inbox::open::<Vitals>(terminal, &bytes, &member.key),
        None => Err(Disbelief::UnknownTerminal),
    };
    match opened {
        Ok(vitals) => {
            let (journal_id, number) = (vitals.journal_id, vitals.number);
            let body = wire::encode(&vitals);
            let certificate_expires = vitals.certificate_expires;
            let row =
                terminal_states::Vitals { terminal, journal_id, number, certificate_expires, body };
            Some(Noted::Vitals(app.now(), row))
        }
        Err(disbelief) => {
            app.metrics.messages_disbelieved.inc();
            tracing::info!(terminal.id = %terminal, %disbelief, "vitals are not believed");
            None
        }
    }
}

fn hint(terminal: TerminalId, bytes: &[u8]) -> Option<Noted> {
    [StatusHint::Online, StatusHint::Offline]
        .into_iter()
        .find(|hint| hint.as_bytes() == bytes)
        .map(|hint| Noted::Hint(terminal, hint == StatusHint::Online))
}

async fn write(app: &App, noted: Vec<Noted>) {
    if noted.is_empty() {
        return;
    }
    if let Err(error) = store(app, noted).await {
        tracing::error!(%error, "vitals were not written");
    }
}

async fn store(app: &App, noted: Vec<Noted>) -> Result<(), StoreError> {
    // The latest hint of each terminal is enough.
    let mut hints = BTreeMap::new();
    let mut tx = app.db.begin().await?;
    for one in noted {
        match one {
            Noted::Vitals(at, vitals) => {
                terminal_states::note_vitals(&mut tx, &vitals, at).await?;
            }
            Noted::Hint(terminal, is_connected) => {
                hints.insert(terminal, is_connected);
            }
        }
    }
    for (terminal, is_connected) in hints {
        terminal_states::note_hint(&mut tx, terminal, is_connected).await?;
    }
    kill_point!("vitals.noting");
    tx.commit().await?;
    kill_point!("vitals.noted");
    Ok(())
}
