//! HTTP to the dispatcher, bounded in time and size, without redirects. Blocking
//! underneath, so callers of the async side wait on a thread of the pool.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use rustls::crypto::ring;
use ureq::Agent;
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};

/// Longest wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Longest request in all: 1 MiB at 40 kB/s, the slowest link that is worth a try.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(25);

/// Why a request failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// The server's answer is not success. The text is what it said, cut.
    #[error("the server answered {status}: {text}")]
    Status {
        /// The code.
        status: u16,
        /// Its words.
        text: String,
    },
    /// No answer, or a broken one.
    #[error("{0}")]
    Transport(String),
    /// The authorities can't be read.
    #[error("ca_file: no certificate in it")]
    NoAuthority,
}

/// An answer of whatever status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The code.
    pub status: u16,
    /// The server's clock, to the second, if it tells.
    pub date: Option<Timestamp>,
    /// At most as many bytes as asked for.
    pub body: Vec<u8>,
}

/// A client.
#[derive(Debug, Clone)]
pub struct Http(Agent);

impl Http {
    /// A client that trusts the authorities in this PEM text; nobody over https when it is empty.
    pub fn new(authorities: &[u8]) -> Result<Self, HttpError> {
        let certificates: Vec<_> = parse_pem(authorities)
            .filter_map(|item| match item {
                Ok(PemItem::Certificate(certificate)) => Some(certificate),
                Ok(_) | Err(_) => None,
            })
            .collect();
        if certificates.is_empty() && !authorities.is_empty() {
            return Err(HttpError::NoAuthority);
        }
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::Specific(certificates.into()))
            .unversioned_rustls_crypto_provider(Arc::new(ring::default_provider()));
        let config = Agent::config_builder()
            .timeout_connect(Some(CONNECT_TIMEOUT))
            .timeout_global(Some(REQUEST_TIMEOUT))
            .http_status_as_error(false)
            .max_redirects(0)
            .tls_config(tls.build());
        Ok(Self(config.build().new_agent()))
    }

    /// Fetches at most `bytes_max` bytes.
    pub fn get(&self, url: &str, bytes_max: usize) -> Result<Vec<u8>, HttpError> {
        finish(self.0.get(url).call(), bytes_max)
    }

    /// Fetches whatever is there, with the server's time.
    pub fn look(&self, url: &str, bytes_max: usize) -> Result<Answer, HttpError> {
        let transport = |error: ureq::Error| HttpError::Transport(error.to_string());
        let mut response = self.0.get(url).call().map_err(transport)?;
        let date = response.headers().get("date").and_then(|date| date.to_str().ok());
        let date = date.and_then(|date| jiff::fmt::rfc2822::parse(date).ok());
        let status = response.status().as_u16();
        let body = response.body_mut().with_config().limit(bytes_max as u64);
        let body = body.read_to_vec().map_err(transport)?;
        Ok(Answer { status, date: date.map(|date| date.timestamp()), body })
    }

    /// Posts JSON and fetches at most `bytes_max` bytes.
    pub fn post_json(
        &self,
        url: &str,
        body: &[u8],
        bytes_max: usize,
    ) -> Result<Vec<u8>, HttpError> {
        finish(self.0.post(url).content_type("application/json").send(body), bytes_max)
    }

    /// [`Self::get`] on a thread of the pool.
    pub async fn fetch(&self, url: String, bytes_max: usize) -> Result<Vec<u8>, HttpError> {
        let http = self.clone();
        let work = tokio::task::spawn_blocking(move || http.get(&url, bytes_max));
        work.await.unwrap_or_else(|error| Err(HttpError::Transport(error.to_string())))
    }
}

fn finish(
    response: Result<ureq::http::Response<ureq::Body>, ureq::Error>,
    bytes_max: usize,
) -> Result<Vec<u8>, HttpError> {
    let transport = |error: ureq::Error| HttpError::Transport(error.to_string());
    let mut response = response.map_err(transport)?;
    let status = response.status();
    let limit = bytes_max as u64 + 1;
    let body = response.body_mut().with_config().limit(limit).read_to_vec().map_err(transport)?;
    if !status.is_success() {
        let text: String = String::from_utf8_lossy(&body).chars().take(300).collect();
        return Err(HttpError::Status { status: status.as_u16(), text });
    }
    if body.len() > bytes_max {
        return Err(HttpError::Transport(format!("the answer is longer than {bytes_max} bytes")));
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_without_a_certificate_is_no_authority() {
        assert_eq!(Http::new(b"no certificate").err(), Some(HttpError::NoAuthority));
    }

    #[test]
    fn https_without_authorities_fails_as_a_request_and_not_as_a_program() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("has one").port();
        let server = std::thread::spawn(move || listener.accept().map(drop));
        let got = Http::new(&[]).expect("a client").get(&format!("https://127.0.0.1:{port}/"), 9);
        assert!(matches!(got, Err(HttpError::Transport(_))), "{got:?}");
        server.join().expect("no panic").expect("it was asked");
    }
}
