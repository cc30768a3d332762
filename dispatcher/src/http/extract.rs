//! Extractors: JSON that refuses what it does not know, keyed requests, versions.

use std::sync::Arc;

use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse as _, Response};
use futures::StreamExt as _;
use protocols::digest::Digest;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::app::idempotency::{self, Answer, Begin};
use crate::context::{App, Wake};
use crate::domain::actor::Actor;
use crate::http::BODY_BYTES_MAX;
use crate::http::problem::{Finding, Kind, Problem};
use crate::http::refusal::read;
use crate::store::Tx;

/// Bytes of a body that are read only to be forgotten. Beyond that the connection is cut.
const FORGOTTEN_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Characters of an `Idempotency-Key`: a UUID and something before it.
const KEY_LENGTH_MAX: usize = 128;

/// The body of an operation that takes none: absent, or an object without fields.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

impl FromRequest<Arc<App>> for Nothing {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Problem> {
        Ok(<Json<Self>>::from_request(request, app).await?.0)
    }
}

/// A JSON body of at most so many bytes; none at all is read as an object without fields. The type
/// says `#[serde(deny_unknown_fields)]`.
#[derive(Debug)]
pub struct Json<T, const BYTES_MAX: usize = BODY_BYTES_MAX>(pub T);

impl<T: DeserializeOwned, const BYTES_MAX: usize> FromRequest<Arc<App>> for Json<T, BYTES_MAX> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Problem> {
        let headers = request.headers().clone();
        Ok(Self(json(&headers, &body(request, app, BYTES_MAX).await?)?))
    }
}

/// A body that is not JSON, of at most so many bytes.
#[derive(Debug)]
pub struct Document<const BYTES_MAX: usize>(pub Vec<u8>);

impl<const BYTES_MAX: usize> FromRequest<Arc<App>> for Document<BYTES_MAX> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Problem> {
        Ok(Self(body(request, app, BYTES_MAX).await?))
    }
}

/// A [`Json`] body that came with an `Idempotency-Key`.
#[derive(Debug)]
pub struct Keyed<T> {
    /// The body.
    pub body: T,
    key: String,
    fingerprint: Digest,
}

impl<T: DeserializeOwned> FromRequest<Arc<App>> for Keyed<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Problem> {
        let headers = request.headers().clone();
        let key = key(&headers)?;
        let subject = format!("{} {}\n", request.method(), request.uri());
        let bytes = body(request, app, BODY_BYTES_MAX).await?;
        let fingerprint = Digest::of(&[subject.as_bytes(), &bytes].concat());
        Ok(Self { body: json(&headers, &bytes)?, key, fingerprint })
    }
}

impl<T> Keyed<T> {
    /// Does `act` once: in one transaction with its kept answer, and after the commit wakes whoever
    /// waits for it. A repeat is given the kept answer and does nothing. Ask whether the actor may
    /// *before* this or in `act`.
    pub async fn once(
        self,
        app: &App,
        actor: &Actor,
        wakes: &[Wake],
        act: impl AsyncFnOnce(&mut Tx, T) -> Result<Answer, Problem>,
    ) -> Result<Response, Problem> {
        let (key, fingerprint) = (self.key, self.fingerprint);
        let request = idempotency::Request { actor: actor.id, key, fingerprint };
        let begun = idempotency::begin(&app.db, &app.running, request, app.now()).await?;
        let mut work = match begun {
            Begin::New(work) => work,
            Begin::Replay(answer) => return Ok(answer.into_response()),
        };
        let answer = act(&mut work.tx, self.body).await?;
        work.finish(&answer).await?;
        for wake in wakes {
            app.notifier.wake(*wake);
        }
        app.notifier.wake(Wake::Events);
        Ok(answer.into_response())
    }
}

/// The version that `If-Match` names: `"7"`. Required on edits.
pub fn if_match(headers: &HeaderMap) -> Result<i64, Problem> {
    let missing = || {
        header_missing(
            "If-Match",
            "缺少 If-Match 请求头，其值为所读内容的 ETag",
            "the header If-Match with the ETag is required",
        )
    };
    let value = headers.get(header::IF_MATCH).ok_or_else(missing)?;
    let text = value.to_str().unwrap_or_default().trim().trim_matches('"');
    text.parse().map_err(|_| Problem::new(Kind::Stale))
}

fn header_missing(name: &str, zh: &str, en: &str) -> Problem {
    let finding = Finding::new(&format!("/{name}"), "header-missing", zh, en);
    Problem::new(Kind::PreconditionRequired).detail(zh, en).finding(finding)
}

/// The `ETag` of a version.
pub fn etag(version: i64) -> String {
    format!("\"{version}\"")
}

fn key(headers: &HeaderMap) -> Result<String, Problem> {
    let missing = || {
        header_missing(
            "Idempotency-Key",
            "缺少 Idempotency-Key 请求头",
            "the header Idempotency-Key is required",
        )
    };
    let value = headers.get("idempotency-key").ok_or_else(missing)?;
    let text = value.to_str().unwrap_or_default().trim();
    let is_key = (1..=KEY_LENGTH_MAX).contains(&text.len());
    if is_key {
        Ok(text.to_owned())
    } else {
        let (zh, en) = (
            "Idempotency-Key 须为 1 至 128 个 ASCII 字符",
            "an Idempotency-Key is 1 to 128 ASCII characters",
        );
        let finding = Finding::new("/Idempotency-Key", "length", zh, en);
        Err(Problem::malformed(zh, en).finding(finding))
    }
}

/// Reads a body; none at all is an object without fields, whatever its type is said to be.
fn json<T: DeserializeOwned>(headers: &HeaderMap, body: &[u8]) -> Result<T, Problem> {
    let body = body.trim_ascii();
    if body.is_empty() {
        return read(b"{}");
    }
    is_json(headers)?;
    if body.starts_with(b"[") {
        // It would be read field by field, in an order that nobody agreed upon.
        let (zh, en) = ("请求内容须为 JSON 对象", "the body is a JSON object");
        return Err(Problem::malformed(zh, en).finding(Finding::new("", "not-an-object", zh, en)));
    }
    read(body)
}

/// A form of another site can't send this type, which is half of the protection against it.
fn is_json(headers: &HeaderMap) -> Result<(), Problem> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let kind = kind.and_then(|value| value.split(';').next()).map(str::trim);
    if kind.is_some_and(|kind| kind.eq_ignore_ascii_case("application/json")) {
        return Ok(());
    }
    let (zh, en) = ("内容类型须为 application/json", "the content type must be application/json");
    let finding = Finding::new("/Content-Type", "content-type", zh, en);
    Err(Problem::new(Kind::UnsupportedMedia).detail(zh, en).finding(finding))
}

/// Reads the body within the time that `server.body_timeout_s` gives.
async fn body(request: Request, app: &App, bytes_max: usize) -> Result<Vec<u8>, Problem> {
    let within = app.config.server.body_timeout();
    let read = tokio::time::timeout(within, read_body(request, bytes_max)).await;
    read.unwrap_or_else(|_| {
        let seconds = within.as_secs();
        let zh = format!("请求内容须在 {seconds} 秒内传完（server.body_timeout_s）");
        let en = format!("a body comes within {seconds} s (server.body_timeout_s)");
        let finding = Finding::new("", "too-slow", &zh, &en);
        Err(Problem::new(Kind::TooSlow).detail(zh, en).finding(finding))
    })
}

/// Reads the body. What is too large is read to its end all the same, and forgotten: a client that
/// is cut off while it sends never learns why.
async fn read_body(request: Request, bytes_max: usize) -> Result<Vec<u8>, Problem> {
    let mut stream = request.into_body().into_data_stream();
    let (mut bytes, mut length) = (Vec::new(), 0);
    while let Some(part) = stream.next().await {
        let part = part.map_err(|error| {
            tracing::debug!("a body could not be read: {error}");
            let (zh, en) = ("请求内容没有传完", "the body broke off");
            Problem::malformed(zh, en).finding(Finding::new("", "cut-off", zh, en))
        })?;
        length += part.len();
        if length <= bytes_max {
            bytes.extend_from_slice(&part);
        } else {
            bytes = Vec::new();
        }
        if length > FORGOTTEN_BYTES_MAX {
            break;
        }
    }
    if length <= bytes_max {
        return Ok(bytes);
    }
    let zh = format!("请求内容最多 {bytes_max} 字节");
    let en = format!("a body has at most {bytes_max} bytes");
    let finding = Finding::new("", "too-large", &zh, &en);
    Err(Problem::new(Kind::TooLarge).detail(zh, en).finding(finding))
}
