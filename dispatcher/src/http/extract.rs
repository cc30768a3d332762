//! Extractors: JSON that refuses what it does not know, keyed requests, versions.

use std::sync::Arc;

use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, header};
use protocols::digest::Digest;
use serde::de::DeserializeOwned;

use crate::app::idempotency::{self, Answer, Begin, Work};
use crate::context::App;
use crate::domain::actor::Actor;
use crate::http::problem::{Finding, Kind, Problem};

/// Characters of an `Idempotency-Key`: a UUID and something before it.
const KEY_LENGTH_MAX: usize = 128;

/// A JSON body. The type says `#[serde(deny_unknown_fields)]`.
#[derive(Debug)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned> FromRequest<Arc<App>> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Problem> {
        is_json(request.headers())?;
        Ok(Self(read(&body(request, app).await?)?))
    }
}

/// A JSON body that came with an `Idempotency-Key`: [`Keyed::begin`] before the effect,
/// [`Work::finish`] after it.
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
        let bytes = Raw::from_request(request, app).await?;
        is_json(&bytes.headers)?;
        let text = bytes.body.trim_ascii();
        let body = match read(if text.is_empty() { b"null" } else { text }) {
            // What takes no body also takes an empty object, as many clients send it.
            Err(problem) if text == b"{}" => read(b"null").map_err(|_| problem)?,
            body => body?,
        };
        Ok(Self { body, key: bytes.key, fingerprint: bytes.fingerprint })
    }
}

impl<T> Keyed<T> {
    /// Opens the transaction of the effect, or finds the answer that was given before. Ask
    /// whether the actor may *before* this.
    pub async fn begin(self, app: &App, actor: &Actor) -> Result<(T, Begun), Problem> {
        let begun = begin(app, actor, self.key, self.fingerprint).await?;
        Ok((self.body, begun))
    }
}

/// As [`Keyed`], for a body that is not JSON.
#[derive(Debug)]
pub struct Raw {
    /// The body's bytes.
    pub body: axum::body::Bytes,
    /// The request's headers.
    pub headers: HeaderMap,
    key: String,
    fingerprint: Digest,
}

impl FromRequest<Arc<App>> for Raw {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Problem> {
        let headers = request.headers().clone();
        let key = key(&headers)?;
        let subject = format!("{} {}\n", request.method(), request.uri());
        let body = body(request, app).await?;
        let fingerprint = Digest::of(&[subject.as_bytes(), &body].concat());
        Ok(Self { body, headers, key, fingerprint })
    }
}

impl Raw {
    /// As [`Keyed::begin`].
    pub async fn begin(&self, app: &App, actor: &Actor) -> Result<Begun, Problem> {
        begin(app, actor, self.key.clone(), self.fingerprint).await
    }
}

/// What [`Keyed::begin`] found.
#[derive(Debug)]
pub enum Begun {
    /// Do it in `work.tx`, then `work.finish(&answer)`.
    New(Box<Work>),
    /// Give this answer again.
    Replay(Answer),
}

async fn begin(
    app: &App,
    actor: &Actor,
    key: String,
    fingerprint: Digest,
) -> Result<Begun, Problem> {
    let request = idempotency::Request { actor: actor.id, key, fingerprint };
    match idempotency::begin(&app.db, &app.running, request, app.now()).await? {
        Begin::New(work) => Ok(Begun::New(work)),
        Begin::Replay(answer) => Ok(Begun::Replay(answer)),
    }
}

/// The version that `If-Match` names: `"7"`. Required on edits.
pub fn if_match(headers: &HeaderMap) -> Result<i64, Problem> {
    let missing = || {
        Problem::new(Kind::PreconditionRequired)
            .detail("缺少 If-Match 请求头", "the header If-Match with the ETag is required")
    };
    let value = headers.get(header::IF_MATCH).ok_or_else(missing)?;
    let text = value.to_str().unwrap_or_default().trim().trim_matches('"');
    text.parse().map_err(|_| Problem::new(Kind::Stale))
}

/// The `ETag` of a version.
pub fn etag(version: i64) -> String {
    format!("\"{version}\"")
}

fn key(headers: &HeaderMap) -> Result<String, Problem> {
    let missing = || {
        Problem::new(Kind::PreconditionRequired)
            .detail("缺少 Idempotency-Key 请求头", "the header Idempotency-Key is required")
    };
    let value = headers.get("idempotency-key").ok_or_else(missing)?;
    let text = value.to_str().unwrap_or_default().trim();
    let is_key = (1..=KEY_LENGTH_MAX).contains(&text.len());
    if is_key {
        Ok(text.to_owned())
    } else {
        Err(Problem::malformed(
            "Idempotency-Key 须为 1 至 128 个 ASCII 字符",
            "an Idempotency-Key is 1 to 128 ASCII characters",
        ))
    }
}

/// A form of another site can't send this type, which is half of the protection against it.
fn is_json(headers: &HeaderMap) -> Result<(), Problem> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let kind = kind.and_then(|value| value.split(';').next()).map(str::trim);
    if kind.is_some_and(|kind| kind.eq_ignore_ascii_case("application/json")) {
        return Ok(());
    }
    Err(Problem::new(Kind::UnsupportedMedia)
        .detail("内容类型须为 application/json", "the content type must be application/json"))
}

async fn body(request: Request, app: &Arc<App>) -> Result<axum::body::Bytes, Problem> {
    axum::body::Bytes::from_request(request, app).await.map_err(|rejection| {
        if rejection.status() == axum::http::StatusCode::PAYLOAD_TOO_LARGE {
            return Problem::new(Kind::TooLarge);
        }
        tracing::debug!("a body could not be read: {rejection}");
        Problem::malformed("无法读取请求内容", "the body could not be read")
    })
}

fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(bytes).map_err(|error| {
        let en = format!("the body is refused: {error}");
        let zh = format!("请求内容不符合要求: {error}");
        let slug = if error.is_data() { "not-of-its-type" } else { "not-json" };
        Problem::malformed(&zh, &en).finding(Finding::new("", slug, &zh, &en))
    })
}
