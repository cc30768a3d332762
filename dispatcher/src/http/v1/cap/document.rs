//! `GET /cap-documents/{digest}`.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use protocols::digest::Digest;

use crate::context::App;
use crate::http::problem::{Problem, ProblemBody};
use crate::store;

/// A CAP document by its digest, which is the capability: orders name it.
#[utoipa::path(
    get, path = "/cap-documents/{digest}", tag = "cap",
    params(("digest" = String, Path, description = "SHA-256 in hexadecimal")),
    responses(
        (status = 200, description = "The document", content_type = "application/cap+xml"),
        (status = 404, description = "No such document", body = ProblemBody),
    ),
    extensions(("x-action" = json!("public")))
)]
pub(super) async fn get_cap_document(
    State(app): State<Arc<App>>,
    Path(digest): Path<String>,
) -> Result<Response, Problem> {
    let missing = || Problem::not_found("document");
    let digest: Digest = digest.parse().map_err(|_| missing())?;
    let mut connection = app.db.read().await?;
    let bytes = store::cap_documents::find(&mut connection, digest).await?;
    let kind = [(header::CONTENT_TYPE, "application/cap+xml")];
    Ok((kind, bytes.ok_or_else(missing)?).into_response())
}
