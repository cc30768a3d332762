//! `GET /events`: server-sent events with replay.
//!
//! A reader is pulled by its own socket: nothing is queued for it, it reads the table at its own
//! pace. One that is too far behind, or whose place is no longer kept, is told `resync` and goes
//! on from the present.

use std::collections::{BTreeSet, VecDeque};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::sse::{Event as Frame, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use futures::Stream;
use jiff::{SignedDuration, Timestamp};
use prometheus_client::metrics::gauge::Gauge;
use serde::Deserialize;
use tokio::sync::watch;

use crate::app::events::{Event, Topic};
use crate::app::sessions;
use crate::context::App;
use crate::domain::actor::RegionScope;
use crate::domain::authority::Action;
use crate::http::login::LoggedIn;
use crate::http::parameters::Parameters;
use crate::http::problem::{Finding, Problem, ProblemBody};
use crate::store::{self, StoreError};

/// Proxies cut a connection that is silent for 30 s; half of it.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Events read from the table at once.
const BATCH: i64 = 200;

/// A reader further behind than this is told to begin anew: it reads states faster than steps.
const BEHIND_MAX: i64 = 2_000;

/// How often it is asked again whether the session still counts and what it may see.
const RECHECK: SignedDuration = SignedDuration::from_secs(60);

/// Which events.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct StreamQuery {
    /// Topics joined by commas: alerts, deliveries, terminals, attention. Absent: all.
    topics: Option<String>,
}

/// Events of the regions one may see, from `Last-Event-ID` or from now on. Each has the outbox
/// number as `id`, its topic as `event` and JSON as `data`.
#[utoipa::path(
    get, path = "/events", tag = "events",
    params(
        StreamQuery,
        ("Last-Event-ID" = Option<i64>, Header, description = "The last event that was read"),
    ),
    responses(
        (status = 200, description = "The stream", content_type = "text/event-stream", body = String),
        (status = 400, description = "Not a topic", body = ProblemBody),
    ),
    extensions(("x-action" = json!("read_events")))
)]
pub(super) async fn stream_events(
    State(app): State<Arc<App>>,
    login: LoggedIn,
    Parameters(query): Parameters<StreamQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let topics = topics(query.topics.as_deref())?;
    let scope = login.actor.scope(Action::ReadEvents);
    if scope.is_empty() {
        let action = Action::ReadEvents;
        let denied = crate::domain::actor::Denied::NotGranted { action, region: app.region() };
        return Err(denied.into());
    }
    // Subscribed before the first look at the table, so that nothing falls between.
    let wake = app.notifier.events();
    let last = headers.get("last-event-id").and_then(|value| value.to_str().ok());
    let last = last.and_then(|text| text.trim().parse().ok());
    let (place, is_lost) = start(&app, last).await?;
    let mut waiting = VecDeque::new();
    if is_lost {
        waiting.push_back(resync(place));
    }
    let checked_at = app.now();
    let open = Open::new(&app.metrics.sse_subscribers);
    let reader =
        Reader { login, topics, scope, wake, place, waiting, checked_at, _open: open, app };
    let keep_alive = KeepAlive::new().interval(KEEP_ALIVE).text("keep-alive");
    let mut response = Sse::new(stream(reader)).keep_alive(keep_alive).into_response();
    let no = HeaderValue::from_static("no");
    response.headers_mut().insert(HeaderName::from_static("x-accel-buffering"), no);
    Ok(response)
}

struct Reader {
    app: Arc<App>,
    login: LoggedIn,
    topics: BTreeSet<Topic>,
    scope: RegionScope,
    wake: watch::Receiver<u64>,
    /// Number of the last event that was read from the table.
    place: i64,
    waiting: VecDeque<Frame>,
    checked_at: Timestamp,
    _open: Open,
}

/// Counts an open stream for as long as it lives.
struct Open(Gauge);

impl Open {
    fn new(gauge: &Gauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.dec();
    }
}

fn stream(reader: Reader) -> impl Stream<Item = Result<Frame, Infallible>> {
    futures::stream::unfold(reader, |mut reader| async move {
        loop {
            if let Some(frame) = reader.waiting.pop_front() {
                return Some((Ok(frame), reader));
            }
            reader.wake.mark_unchanged();
            match reader.read().await {
                // The session ended, or the database failed: the client comes back with its place.
                Ok(false) | Err(_) => return None,
                Ok(true) if !reader.waiting.is_empty() => {}
                Ok(true) => reader.sleep().await?,
            }
        }
    })
}

impl Reader {
    /// Reads on until there is something to send or nothing more to read. `false`: the session
    /// counts no more.
    async fn read(&mut self) -> Result<bool, StoreError> {
        if !self.recheck().await? {
            return Ok(false);
        }
        let mut connection = self.app.db.read().await?;
        let newest = store::events::newest(&mut connection).await?;
        if newest - self.place > BEHIND_MAX {
            self.place = newest;
            self.waiting.push_back(resync(newest));
            return Ok(true);
        }
        while self.waiting.is_empty() && self.place < newest {
            let events = store::events::after(&mut connection, self.place, BATCH).await?;
            let Some(last) = events.last() else { break };
            self.place = last.seq;
            let seen = events.iter().filter(|event| {
                self.topics.contains(&event.topic) && self.scope.covers(event.region)
            });
            self.waiting.extend(seen.map(frame));
        }
        Ok(true)
    }

    async fn recheck(&mut self) -> Result<bool, StoreError> {
        let now = self.app.now();
        if now.duration_since(self.checked_at) < RECHECK {
            return Ok(true);
        }
        let found = sessions::authenticate(&self.app.db, now, self.login.secret).await?;
        let Some((actor, _)) = found else { return Ok(false) };
        self.scope = actor.scope(Action::ReadEvents);
        self.checked_at = now;
        Ok(!self.scope.is_empty())
    }

    /// Waits for an event, or for the time to ask again about the session. `None`: the server ends.
    async fn sleep(&mut self) -> Option<()> {
        let recheck = Duration::from_secs(RECHECK.as_secs().unsigned_abs());
        tokio::select! {
            biased;
            () = self.app.stopping.cancelled() => None,
            woken = tokio::time::timeout(recheck, self.wake.changed()) => match woken {
                Ok(Err(_)) => None,
                Ok(Ok(())) | Err(_) => Some(()),
            },
        }
    }
}

/// Where to begin, and whether what the reader last saw is no longer followed without a gap.
async fn start(app: &App, last: Option<i64>) -> Result<(i64, bool), StoreError> {
    let mut connection = app.db.read().await?;
    let newest = store::events::newest(&mut connection).await?;
    let Some(last) = last else { return Ok((newest, false)) };
    let oldest = store::events::oldest(&mut connection).await?.unwrap_or(newest + 1);
    // Above the newest: a place in a database that was since restored from a backup.
    let is_followed = last + 1 >= oldest && last <= newest;
    Ok(if is_followed { (last, false) } else { (newest, true) })
}

fn topics(text: Option<&str>) -> Result<BTreeSet<Topic>, Problem> {
    let Some(text) = text else { return Ok(Topic::ALL.into()) };
    let parsed = text.split(',').map(|part| part.trim().parse()).collect::<Result<_, _>>();
    parsed.map_err(|_| {
        let zh = "主题须为 alerts、deliveries、terminals 或 attention";
        let en = "a topic is alerts, deliveries, terminals or attention";
        Problem::malformed(zh, en).finding(Finding::new("/topics", "unknown-topic", zh, en))
    })
}

fn frame(event: &Event) -> Frame {
    Frame::default().id(event.seq.to_string()).event(event.topic.as_str()).data(&event.body)
}

fn resync(place: i64) -> Frame {
    Frame::default().id(place.to_string()).event("resync").data("{}")
}
