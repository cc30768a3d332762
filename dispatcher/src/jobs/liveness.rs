//! Derives who is online, late or lost, and says so when it changes.

use std::collections::BTreeMap;

use protocols::terminal::TerminalId;
use serde_json::json;

use crate::app::events::{self, Topic};
use crate::context::{App, Wake};
use crate::domain::liveness::{self, Link, Liveness};
use crate::metrics::{LivenessLabel, TerminalLabels};
use crate::store::{StoreError, terminal_states};

/// Changes that are told one by one; more are told as one number, and readers ask again.
const TOLD_SINGLY_MAX: usize = 64;

/// What was derived last. Not stored: after a restart the first run is the new beginning.
#[derive(Debug, Default)]
pub struct Watch {
    known: Option<Known>,
}

#[derive(Debug)]
struct Known {
    is_linked: bool,
    terminals: BTreeMap<TerminalId, Liveness>,
}

impl Watch {
    /// One run.
    pub async fn run(&mut self, app: &App) -> Result<(), StoreError> {
        let link = app.link.get();
        let mut connection = app.db.read().await?;
        let heard = terminal_states::last_seen(&mut connection).await?;
        drop(connection);
        let now = app.now();
        let terminals = heard
            .into_iter()
            .map(|(terminal, seen)| (terminal, liveness::liveness(now, seen, link)))
            .collect::<BTreeMap<_, _>>();
        measure(app, &terminals);
        let is_linked = link != Link::Down;
        let found = Known { is_linked, terminals };
        if let Some(known) = &self.known {
            announce(app, known, &found).await?;
        }
        self.known = Some(found);
        Ok(())
    }
}

fn measure(app: &App, terminals: &BTreeMap<TerminalId, Liveness>) {
    for liveness in Liveness::ALL {
        let label = match liveness {
            Liveness::Online => LivenessLabel::Online,
            Liveness::Late => LivenessLabel::Late,
            Liveness::Lost => LivenessLabel::Lost,
            Liveness::Unknown => LivenessLabel::Unknown,
        };
        let count = terminals.values().filter(|one| **one == liveness).count();
        app.metrics
            .terminals
            .get_or_create(&TerminalLabels { liveness: label })
            .set(i64::try_from(count).unwrap_or(i64::MAX));
    }
}

/// Tells what changed. While the link itself went down or came up, that is the one thing to tell:
/// a thousand terminals that became Unknown are one fault, of the broker.
async fn announce(app: &App, known: &Known, found: &Known) -> Result<(), StoreError> {
    let now = app.now();
    if known.is_linked != found.is_linked {
        let body = json!({ "type": "broker_link_changed", "is_up": found.is_linked });
        let mut tx = app.db.begin().await?;
        events::push(&mut tx, now, Topic::Attention, app.region(), &body).await?;
        tx.commit().await?;
        app.notifier.wake(Wake::Events);
        return Ok(());
    }
    let changed = found
        .terminals
        .iter()
        .filter(|(terminal, liveness)| {
            known.terminals.get(*terminal).is_some_and(|before| before != *liveness)
        })
        .collect::<Vec<_>>();
    if changed.is_empty() {
        return Ok(());
    }
    let mut tx = app.db.begin().await?;
    if changed.len() > TOLD_SINGLY_MAX {
        let body = json!({ "type": "liveness_changed_widely", "changed": changed.len() });
        events::push(&mut tx, now, Topic::Terminals, app.region(), &body).await?;
    } else {
        for (terminal, liveness) in changed {
            let body = json!({
                "type": "liveness_changed",
                "terminal": terminal,
                "liveness": liveness.as_str(),
            });
            events::push(&mut tx, now, Topic::Terminals, terminal.village(), &body).await?;
        }
    }
    tx.commit().await?;
    app.notifier.wake(Wake::Events);
    Ok(())
}
