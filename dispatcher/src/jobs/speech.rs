//! Has clips made of words that may be needed next: the prepared ends of every alert in force or
//! about to be, and its own words where the submit was cut short. From the database alone, so that
//! a restart, a lost signal or a pulled plug changes nothing; a clip at a time, after everything
//! that an officer waits for.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use tokio_util::sync::CancellationToken;

use super::{note, pause};
use crate::app::alerts::speech;
use crate::context::{App, Wake};
use crate::domain::alert::lifecycle::Lifecycle;
use crate::domain::alert::record::Alert;
use crate::metrics::Job;
use crate::store::StoreError;
use crate::store::alerts::{self, Filter};

/// How often the database is looked at without a wake-up.
const AT_LEAST_EVERY: Duration = Duration::from_mins(5);

/// States whose words are looked at, the most pressing first, with the pages read of each.
const STATES: [(&str, usize); 4] =
    [("issued", PAGES_MAX), ("approved", PAGES_MAX), ("submitted", PAGES_MAX), ("closed", 1)];

/// Alerts read at once.
const PAGE: i64 = 100;

/// Pages of one state: more alerts than a city has in force on its worst day.
const PAGES_MAX: usize = 20;

/// How long after the end of an alert its closing words are worth a clip: as long as a storm's
/// other alerts are being closed, often with the same words.
const CLOSED_FOR: SignedDuration = SignedDuration::from_hours(1);

/// Makes clips at each wake-up and every so often, until `stop`.
pub async fn serve(app: Arc<App>, stop: CancellationToken) {
    let mut watch = Watch::default();
    loop {
        let result = tokio::select! {
            biased;
            () = stop.cancelled() => return,
            result = watch.run(&app) => result,
        };
        note(&app, Job::Speech, &result);
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            () = app.notifier.woken(Wake::Speech) => {}
            () = pause(AT_LEAST_EVERY) => {}
        }
    }
}

/// Versions of alerts all of whose clips were found. Not stored: what is forgotten is looked up.
#[derive(Debug, Default)]
pub struct Watch {
    complete: BTreeMap<String, i64>,
}

impl Watch {
    /// One run.
    pub async fn run(&mut self, app: &App) -> Result<(), StoreError> {
        let mut complete = BTreeMap::new();
        for (state, pages) in STATES {
            let (from, until) = app.region().range();
            let (state, kind) = (state.to_owned(), String::new());
            let mut filter = Filter { from, until, state, kind, before: None };
            for _ in 0..pages {
                let page = alerts::page(&mut *app.db.read().await?, &filter, PAGE).await?;
                filter.before = page.last().map(|alert| alert.id.clone());
                let is_last = i64::try_from(page.len()).is_ok_and(|length| length < PAGE);
                for alert in page {
                    let is_known = self.complete.get(&alert.id) == Some(&alert.version);
                    if is_known || prepare(app, &alert).await? {
                        complete.insert(alert.id, alert.version);
                    }
                }
                if is_last {
                    break;
                }
            }
        }
        self.complete = complete;
        Ok(())
    }
}

/// Makes what is missing for one alert; whether nothing is missing any more.
async fn prepare(app: &App, alert: &Alert) -> Result<bool, StoreError> {
    if let Lifecycle::Closed { closed, .. } = &alert.lifecycle
        && app.now().duration_since(closed.at) > CLOSED_FOR
    {
        return Ok(true);
    }
    let mut is_complete = true;
    for (language, text) in speech::words_to_come(alert) {
        is_complete &= speech::prepare(app, &language, &text).await?;
    }
    Ok(is_complete)
}
