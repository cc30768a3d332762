//! `GET /clips/{digest}`: a clip, whole or in part.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use protocols::digest::Digest;

use super::range::{Asked, asked};
use crate::context::App;
use crate::http::problem::Problem;
use crate::store;

/// 音频素材. Ogg Opus, 48 kHz mono. Content-addressed: it never changes, and whoever knows the
/// digest may have it. Ranges are answered with 206, an impossible one with 416.
#[utoipa::path(
    get,
    path = "/clips/{digest}",
    tag = "clips",
    params(("digest" = String, Path, description = "SHA-256 of the file, 64 hex digits")),
    responses(
        (status = 200, description = "The whole file", content_type = "audio/ogg"),
        (status = 206, description = "The range", content_type = "audio/ogg"),
        (status = 304, description = "The asker has it already"),
        (status = 404, description = "No such clip"),
        (status = 416, description = "The range lies outside the file")
    ),
    extensions(("x-action" = json!("public")))
)]
pub(super) async fn read_clip(
    State(app): State<Arc<App>>,
    Path(digest): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let digest: Digest = digest.parse().map_err(|_| Problem::not_found("clip"))?;
    let etag = format!("\"{digest}\"");
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let answer = Response::builder()
        .header(header::CONTENT_TYPE, "audio/ogg")
        .header(header::ACCEPT_RANGES, "bytes")
        .header(header::CACHE_CONTROL, "public, max-age=31536000, immutable")
        .header(header::ETAG, &etag);
    let bytes = store::clips::bytes(&mut *app.db.read().await?, &digest)
        .await?
        .ok_or_else(|| Problem::not_found("clip"))?;
    let is_known = text(header::IF_NONE_MATCH)
        .is_some_and(|tags| tags.split(',').any(|tag| tag.trim() == etag || tag.trim() == "*"));
    if is_known {
        return finish(answer.status(StatusCode::NOT_MODIFIED), Vec::new());
    }
    let length = bytes.len();
    // A range of another version is of no use; there is no other version, but a proxy may ask.
    let is_same = text(header::IF_RANGE).is_none_or(|tag| tag == etag);
    match asked(text(header::RANGE).filter(|_| is_same), length) {
        Asked::Whole => finish(answer, bytes),
        Asked::Part(part) => {
            let range = format!("bytes {}-{}/{length}", part.start, part.end - 1);
            let answer =
                answer.status(StatusCode::PARTIAL_CONTENT).header(header::CONTENT_RANGE, range);
            finish(answer, bytes[part].to_vec())
        }
        Asked::Unsatisfiable => {
            let answer = answer
                .status(StatusCode::RANGE_NOT_SATISFIABLE)
                .header(header::CONTENT_RANGE, format!("bytes */{length}"));
            finish(answer, Vec::new())
        }
    }
}

fn finish(answer: axum::http::response::Builder, bytes: Vec<u8>) -> Result<Response, Problem> {
    answer.body(Body::from(bytes)).map_err(|_| Problem::internal())
}
