//! Answers: JSON with status, `Location` and `ETag`, and the same again for a repeat.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::app::idempotency::Answer;
use crate::http::extract::etag;

/// 200 with a body.
pub fn ok<T: Serialize>(body: &T) -> Response {
    json(StatusCode::OK, body)
}

/// 200 with a body and the `ETag` of its version.
pub fn versioned<T: Serialize>(version: i64, body: &T) -> Response {
    let mut response = ok(body);
    let tag = HeaderValue::from_str(&etag(version)).expect("digits in quotes");
    response.headers_mut().insert(header::ETAG, tag);
    response
}

/// An answer to keep: this status, this body.
pub fn kept<T: Serialize>(status: StatusCode, location: Option<String>, body: &T) -> Answer {
    Answer { status: status.as_u16(), body: text(body), location }
}

/// 204.
pub fn nothing() -> Response {
    StatusCode::NO_CONTENT.into_response()
}

/// This status with a body.
pub fn json<T: Serialize>(status: StatusCode, body: &T) -> Response {
    let kind = HeaderValue::from_static("application/json");
    (status, [(header::CONTENT_TYPE, kind)], text(body)).into_response()
}

fn text<T: Serialize>(body: &T) -> String {
    serde_json::to_string(body).expect("bodies have string keys and finite numbers")
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::OK);
        let mut response = Response::builder().status(status);
        if !self.body.is_empty() {
            response = response.header(header::CONTENT_TYPE, "application/json");
        }
        if let Some(location) = self.location {
            response = response.header(header::LOCATION, location);
        }
        response.body(Body::from(self.body)).expect("the location was written by us")
    }
}
