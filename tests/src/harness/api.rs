//! An officer at the HTTP API: logs in, steps up, sends, and shows every refusal in full.

use std::time::Duration;

use anyhow::{Context as _, bail};
use reqwest::{Method, StatusCode};
use serde_json::Value;
use totp_rs::{Builder, Secret};

use super::clock;

/// A deadline that only a hang reaches: a submit waits until its words are spoken.
const REQUEST_DEADLINE: Duration = Duration::from_mins(2);

/// What came back.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The status.
    pub status: StatusCode,
    /// `ETag`, if any.
    pub etag: Option<String>,
    /// `Content-Type`, if any.
    pub content_type: Option<String>,
    /// The body as JSON; `Null` when it is none.
    pub body: Value,
    /// The body as it came.
    pub bytes: Vec<u8>,
}

impl Reply {
    /// The body, when the status is a success; the refusal as an error otherwise.
    pub fn ok(self) -> anyhow::Result<Value> {
        if !self.status.is_success() {
            bail!("{}: {}", self.status, String::from_utf8_lossy(&self.bytes));
        }
        Ok(self.body)
    }

    /// The slug of the problem, such as `not-found`.
    pub fn problem(&self) -> &str {
        let kind = self.body["type"].as_str().unwrap_or_default();
        kind.rsplit('/').next().unwrap_or_default()
    }
}

/// Somebody at the API.
#[derive(Clone)]
pub struct Api {
    base: String,
    client: reqwest::Client,
    bearer: Option<String>,
}

impl Api {
    /// Nobody, at this base URL.
    pub fn anonymous(base: &str) -> anyhow::Result<Self> {
        let client = reqwest::Client::builder().timeout(REQUEST_DEADLINE).no_proxy().build();
        let client = client.context("make an HTTP client")?;
        Ok(Self { base: base.to_owned(), client, bearer: None })
    }

    /// The holder of this token or session.
    #[must_use]
    pub fn bearing(&self, secret: &str) -> Self {
        Self { bearer: Some(secret.to_owned()), ..self.clone() }
    }

    /// The secret it bears.
    pub fn bearer(&self) -> Option<&str> {
        self.bearer.as_deref()
    }

    /// The client underneath, for requests of unusual shape.
    pub fn client(&self) -> &reqwest::Client {
        &self.client
    }

    /// The base URL.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Sends. A request that changes something carries a fresh `Idempotency-Key`.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<Reply> {
        self.send_with(method, path, body, &[]).await
    }

    /// Sends with these headers besides.
    pub async fn send_with(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        headers: &[(&str, &str)],
    ) -> anyhow::Result<Reply> {
        let mut request = self.client.request(method.clone(), format!("{}{path}", self.base));
        if let Some(bearer) = &self.bearer {
            request = request.bearer_auth(bearer);
        }
        let has_key = headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("idempotency-key"));
        if method != Method::GET && !has_key {
            request = request.header("idempotency-key", fresh_key());
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        read(request.send().await.with_context(|| format!("{method} {path}"))?).await
    }

    /// `GET`.
    pub async fn get(&self, path: &str) -> anyhow::Result<Value> {
        self.send(Method::GET, path, None).await?.ok().with_context(|| format!("GET {path}"))
    }

    /// `POST`.
    pub async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let reply = self.send(Method::POST, path, Some(body)).await?;
        reply.ok().with_context(|| format!("POST {path}"))
    }

    /// `POST` of a raw body.
    pub async fn post_raw(
        &self,
        path: &str,
        content_type: &str,
        body: Vec<u8>,
    ) -> anyhow::Result<Reply> {
        let mut request = self.client.post(format!("{}{path}", self.base)).body(body);
        request = request.header("content-type", content_type);
        request = request.header("idempotency-key", fresh_key());
        if let Some(bearer) = &self.bearer {
            request = request.bearer_auth(bearer);
        }
        read(request.send().await.with_context(|| format!("POST {path}"))?).await
    }
}

async fn read(response: reqwest::Response) -> anyhow::Result<Reply> {
    let status = response.status();
    let header =
        |name: &str| response.headers().get(name).and_then(|v| v.to_str().ok()).map(str::to_owned);
    let etag = header("etag");
    let content_type = header("content-type");
    let bytes = response.bytes().await.context("read the body")?.to_vec();
    let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
    Ok(Reply { status, etag, content_type, body, bytes })
}

/// A key that nobody used.
pub fn fresh_key() -> String {
    format!("{:032x}", rand::random::<u128>())
}

/// The six digits that an authenticator shows now for this base32 secret.
pub fn totp_code(secret: &str) -> anyhow::Result<String> {
    let secret = Secret::try_from_base32(secret).map_err(|error| anyhow::anyhow!("{error:?}"))?;
    let totp = Builder::new().with_secret(secret).build_noncompliant();
    let seconds = u64::try_from(clock::now().as_second()).context("a time before 1970")?;
    Ok(totp.generate(seconds).to_string())
}
