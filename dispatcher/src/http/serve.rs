//! The listener of HTTP: connections behind a door that bounds how many there are and how long one
//! may say nothing. Knows nothing of what is asked.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::ConnectInfo;
use axum::http::{HeaderValue, Request, header};
use axum::response::{IntoResponse as _, Response};
use hyper::body::{Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::OwnedSemaphorePermit;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::problem::{Kind, Problem};
use crate::context::App;
use crate::door::{self, Door, Guest};
use crate::metrics::{DoorLabel, TurnedAwayLabel};

/// Bytes that are read ahead on one connection, and so of a request's head at most. A browser's
/// head with its cookie has some 2 KiB.
const READ_AHEAD_BYTES: usize = 16 * 1024;

/// Serves until `stop`, then until the requests in flight are answered.
pub async fn serve(app: Arc<App>, listener: TcpListener, stop: CancellationToken) {
    let limits = app.config.server.limits();
    let turned_away = app.metrics.connections_turned_away.clone();
    let door = Door::new(DoorLabel::Http, limits, turned_away);
    let router = super::router(app);
    let connections = TaskTracker::new();
    loop {
        let accepted = tokio::select! {
            biased;
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                let seat = Seat::new(&door, peer);
                connections.spawn(connection(stream, router.clone(), seat, stop.clone()));
            }
            Err(error) => {
                tracing::error!(%error, "a connection to HTTP can't be taken");
                door::until_files_are_free().await;
            }
        }
    }
    connections.close();
    connections.wait().await;
}

/// Where a connection stands: in the doorway while it asks nothing, at a counted place while it is
/// answered.
struct Seat {
    door: Arc<Door>,
    peer: SocketAddr,
    leave: CancellationToken,
    guest: Mutex<Option<Guest>>,
}

impl Seat {
    fn new(door: &Arc<Door>, peer: SocketAddr) -> Arc<Self> {
        let leave = CancellationToken::new();
        let guest = Mutex::new(Some(door.enter(&leave)));
        Arc::new(Self { door: Arc::clone(door), peer, leave, guest })
    }

    fn put(&self, guest: Option<Guest>) {
        // The one before leaves the doorway when it is dropped, after the lock.
        let _before = std::mem::replace(
            &mut *self.guest.lock().unwrap_or_else(PoisonError::into_inner),
            guest,
        );
    }

    /// A request came, whole: a place for it, or none when all are taken.
    fn begin(self: &Arc<Self>) -> Option<Answering> {
        self.put(None);
        let place = self.door.place()?;
        Some(Answering { seat: Arc::clone(self), _place: place })
    }

    fn is_waiting(&self) -> bool {
        self.guest.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }
}

/// A request in flight. When its answer is written, the connection stands in the doorway again.
struct Answering {
    seat: Arc<Seat>,
    _place: OwnedSemaphorePermit,
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.seat.put(Some(self.seat.door.enter(&self.seat.leave)));
    }
}

/// The body of an answer: what is in flight is so until it is written.
struct AnswerBody {
    body: Body,
    _answering: Answering,
}

impl HttpBody for AnswerBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// One connection, until it ends, says nothing for too long, or others need its place.
async fn connection(stream: TcpStream, router: Router, seat: Arc<Seat>, stop: CancellationToken) {
    let service = TowerToHyperService::new(router);
    let at = Arc::clone(&seat);
    let service = service_fn(move |request: Request<Incoming>| {
        let (service, seat) = (service.clone(), Arc::clone(&at));
        async move { answer(&service, &seat, request).await }
    });
    let mut connection = std::pin::pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(seat.door.limits().patience)
            .max_buf_size(READ_AHEAD_BYTES)
            .serve_connection(TokioIo::new(stream), service)
    );
    let mut is_ending = false;
    loop {
        tokio::select! {
            biased;
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    count_fault(&seat, &error);
                }
                return;
            }
            () = seat.leave.cancelled() => return seat.door.count(TurnedAwayLabel::Silent),
            () = stop.cancelled(), if !is_ending => {
                is_ending = true;
                connection.as_mut().graceful_shutdown();
            }
        }
    }
}

fn count_fault(seat: &Seat, error: &hyper::Error) {
    tracing::debug!(%error, "a connection to HTTP ended");
    if error.is_timeout() && seat.is_waiting() {
        seat.door.count(TurnedAwayLabel::Silent);
    } else if error.is_parse() {
        seat.door.count(TurnedAwayLabel::Malformed);
    }
}

async fn answer(
    service: &TowerToHyperService<Router>,
    seat: &Arc<Seat>,
    mut request: Request<Incoming>,
) -> Result<Response, Infallible> {
    let Some(answering) = seat.begin() else { return Ok(full(seat)) };
    request.extensions_mut().insert(ConnectInfo(seat.peer));
    let response = service.call(request).await?;
    Ok(response.map(|body| Body::new(AnswerBody { body, _answering: answering })))
}

/// The answer when all places are taken.
fn full(seat: &Seat) -> Response {
    let max = seat.door.limits().connections_max;
    let zh = format!("同时处理的请求已达上限 {max} 个（server.connections_max），请稍后重试");
    let en = format!("all {max} places (server.connections_max) are taken; try again");
    let mut response =
        Problem::new(Kind::Unavailable).detail(zh, en).retry_after(1).into_response();
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}
