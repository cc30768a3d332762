//! Who is asking: a session in a cookie or a bearer secret. [`Actor`] as an argument of a handler
//! means "logged in"; what the actor may is asked in the use case.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, header};
use protocols::digest::Digest;

use crate::app::sessions;
use crate::context::App;
use crate::domain::account::{ABSOLUTE, Session};
use crate::domain::actor::Actor;
use crate::http::problem::{Kind, Problem};

/// Name of the cookie behind TLS: bound to the host, never sent in clear.
const COOKIE_SECURE: &str = "__Host-tongluo";

/// Name of the cookie on plain HTTP, which is for loopback and trials.
const COOKIE_PLAIN: &str = "tongluo";

/// Somebody who is logged in, with what a session's own operations need.
#[derive(Debug, Clone)]
pub struct LoggedIn {
    /// Who.
    pub actor: Actor,
    /// The session; a machine's token has none.
    pub session: Option<Session>,
    /// Digest of the secret, to ask again later whether it still counts.
    pub secret: Digest,
}

impl FromRequestParts<Arc<App>> for LoggedIn {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let secret = secret(&parts.headers, &parts.method)?;
        let secret = Digest::of(secret.as_bytes());
        let found = sessions::authenticate(&app.db, app.now(), secret).await?;
        let (actor, session) = found.ok_or_else(|| Problem::new(Kind::Unauthenticated))?;
        Ok(Self { actor, session, secret })
    }
}

impl FromRequestParts<Arc<App>> for Actor {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        Ok(LoggedIn::from_request_parts(parts, app).await?.actor)
    }
}

/// The address of the other end of the connection. A proxy's word about it is not taken.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub IpAddr);

impl FromRequestParts<Arc<App>> for Peer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<App>) -> Result<Self, Problem> {
        let info = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        // Absent only where no connection is: tests that call the router directly.
        Ok(Self(info.map_or(IpAddr::from([127, 0, 0, 1]), |info| info.0.ip())))
    }
}

fn secret(headers: &HeaderMap, method: &Method) -> Result<String, Problem> {
    let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    if let Some(secret) = bearer.and_then(|text| text.strip_prefix("Bearer ")) {
        return Ok(secret.trim().to_owned());
    }
    let Some(secret) = cookie(headers) else { return Err(Problem::new(Kind::Unauthenticated)) };
    // A cookie travels by itself, so a browser must say that this request is of our own pages.
    let site = headers.get("sec-fetch-site").and_then(|value| value.to_str().ok());
    let is_own = site.is_none_or(|site| matches!(site, "same-origin" | "none"));
    if !is_own && !method.is_safe() {
        return Err(Problem::new(Kind::CrossSite));
    }
    Ok(secret)
}

fn cookie(headers: &HeaderMap) -> Option<String> {
    let texts = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = texts.flat_map(|text| text.split(';')).filter_map(|pair| pair.split_once('='));
    pairs
        .find(|(name, _)| matches!(name.trim(), COOKIE_SECURE | COOKIE_PLAIN))
        .map(|(_, value)| value.trim().to_owned())
}

/// The header that gives a browser its session.
pub fn set_cookie(is_secure: bool, secret: &str) -> HeaderValue {
    let text = if is_secure {
        let rest =
            format!("Path=/; HttpOnly; Secure; SameSite=Strict; Max-Age={}", ABSOLUTE.as_secs());
        format!("{COOKIE_SECURE}={secret}; {rest}")
    } else {
        let rest = format!("Path=/; HttpOnly; SameSite=Strict; Max-Age={}", ABSOLUTE.as_secs());
        format!("{COOKIE_PLAIN}={secret}; {rest}")
    };
    HeaderValue::from_str(&text).expect("the secret is base64url")
}

/// The header that takes it away.
pub fn clear_cookie(is_secure: bool) -> HeaderValue {
    HeaderValue::from_static(if is_secure {
        "__Host-tongluo=; Path=/; HttpOnly; Secure; SameSite=Strict; Max-Age=0"
    } else {
        "tongluo=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0"
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| {
                (header::HeaderName::from_static(name), HeaderValue::from_static(value))
            })
            .collect()
    }

    #[test]
    fn a_cookie_counts_for_writing_only_from_our_own_pages() {
        let cookie = ("cookie", "a=b; tongluo=tls_x");
        let post = |site| secret(&headers(&[cookie, ("sec-fetch-site", site)]), &Method::POST);
        assert_eq!(post("same-origin").ok().as_deref(), Some("tls_x"));
        assert_eq!(post("cross-site").expect_err("refused").kind(), Kind::CrossSite);
        assert_eq!(post("same-site").expect_err("refused").kind(), Kind::CrossSite);
        let read = headers(&[cookie, ("sec-fetch-site", "cross-site")]);
        assert!(secret(&read, &Method::GET).is_ok());
    }

    #[test]
    fn a_bearer_secret_needs_no_cookie_and_nothing_is_no_login() {
        let bearer = headers(&[("authorization", "Bearer tlt_y")]);
        assert_eq!(secret(&bearer, &Method::POST).ok().as_deref(), Some("tlt_y"));
        let none = secret(&headers(&[]), &Method::GET).expect_err("refused");
        assert_eq!(none.kind(), Kind::Unauthenticated);
    }
}
