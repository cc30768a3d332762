//! Reconcilers, one a file: idempotent, without input, woken by a signal or a timer, so that a
//! restart, a lost signal and a second process are one code path.

pub mod audit_head;
pub mod expiry;
pub mod liveness;
pub mod phrases;
pub mod publish;
pub mod purge;
pub mod speech;
pub mod stops;
pub mod trust;

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::context::App;
use crate::metrics::{Job, JobLabels, Outcome};
use crate::mqtt::outgoing::Pipe;
use crate::store::StoreError;

/// How often liveness is derived: a terminal is named late within this of being so.
const LIVENESS_EVERY: Duration = Duration::from_secs(2);

/// How often old rows are looked for.
const PURGE_EVERY: Duration = Duration::from_hours(1);

/// How often missing phrase clips are looked for: a voice may be installed while it runs.
const PHRASES_EVERY: Duration = Duration::from_mins(10);

/// How often stops are looked at; they are signed anew a day and a half before their end.
const STOPS_EVERY: Duration = Duration::from_mins(10);

/// How often the head of the record is signed, if it has grown: so much of its tail could be cut
/// without being missed by the daily record.
const AUDIT_HEAD_EVERY: Duration = Duration::from_hours(1);
/// How often key, certificate and revocation list are looked at: a renewed certificate and a revoked
/// key count within this of their arrival.
const TRUST_EVERY: Duration = Duration::from_secs(2);

/// Starts the reconcilers of this module. Each ends with `stop` and is tracked in `tasks`.
pub fn start(app: &Arc<App>, pipe: Pipe, tasks: &TaskTracker, stop: &CancellationToken) {
    tasks.spawn(publish::serve(app.clone(), pipe.clone(), stop.clone()));
    tasks.spawn(expiry::serve(app.clone(), stop.clone()));
    tasks.spawn(speech::serve(app.clone(), stop.clone()));
    let context = app.clone();
    let mut watch = liveness::Watch::default();
    tasks.spawn(every(app.clone(), Job::Liveness, LIVENESS_EVERY, stop.clone(), async move || {
        watch.run(&context).await
    }));
    let context = app.clone();
    tasks.spawn(every(app.clone(), Job::Purge, PURGE_EVERY, stop.clone(), async move || {
        purge::run(&context).await
    }));
    let context = app.clone();
    tasks.spawn(every(app.clone(), Job::Stops, STOPS_EVERY, stop.clone(), async move || {
        stops::run(&context).await
    }));
    let context = app.clone();
    tasks.spawn(every(
        app.clone(),
        Job::AuditHead,
        AUDIT_HEAD_EVERY,
        stop.clone(),
        async move || audit_head::run(&context).await,
    ));
    tasks.spawn(trust::publish(app.clone(), pipe, stop.clone()));
    let context = app.clone();
    let mut watch = trust::Watch::default();
    tasks.spawn(every(app.clone(), Job::Trust, TRUST_EVERY, stop.clone(), async move || {
        watch.run(&context).await
    }));
    let (context, ended) = (app.clone(), stop.clone());
    tasks.spawn(every(app.clone(), Job::Phrases, PHRASES_EVERY, stop.clone(), async move || {
        phrases::run(&context, &ended).await
    }));
}

/// Runs `job` at once and then every so often, until `stop`. A run that failed is logged, counted
/// and tried again at the next turn.
pub async fn every(
    app: Arc<App>,
    job: Job,
    interval: Duration,
    stop: CancellationToken,
    mut run: impl AsyncFnMut() -> Result<(), StoreError>,
) {
    loop {
        let result = run().await;
        note(&app, job, &result);
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            () = pause(interval) => {}
        }
    }
}

/// Counts a run, and logs it when it failed.
pub fn note(app: &App, job: Job, result: &Result<(), StoreError>) {
    let outcome = match result {
        Ok(()) => Outcome::Finished,
        Err(error) => {
            tracing::error!(?job, %error, "a reconciler failed; it tries again");
            Outcome::Failed
        }
    };
    app.metrics.job_runs.get_or_create(&JobLabels { job, outcome }).inc();
}

#[expect(clippy::disallowed_methods, reason = "a driver waits for the next turn of its job")]
pub(crate) async fn pause(wait: Duration) {
    tokio::time::sleep(wait).await;
}
