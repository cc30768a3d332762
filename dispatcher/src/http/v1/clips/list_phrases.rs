//! `GET /phrases`: which phrase clips a terminal should hold, sealed.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use protocols::wire::{self, MessageType};

use crate::app;
use crate::context::App;
use crate::http::problem::Problem;

/// 预置短语. A COSE_Sign1 envelope of type PhraseSet (`protocols/docs/wire.md`).
#[utoipa::path(
    get,
    path = "/phrases",
    tag = "clips",
    responses((status = 200, description = "Sealed phrase set", content_type = "application/cose")),
    extensions(("x-action" = json!("public")))
)]
pub(super) async fn list_phrases(
    State(app): State<Arc<App>>,
) -> Result<impl IntoResponse, Problem> {
    let set = app::clips::phrase_set(&app).await?;
    let sealed = app.seal(MessageType::PhraseSet, None, wire::encode(&set))?;
    Ok(([(header::CONTENT_TYPE, "application/cose")], sealed))
}
