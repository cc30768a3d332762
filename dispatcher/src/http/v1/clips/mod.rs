//! Clips and phrases, for terminals: no login, the digest is the capability.

mod list_phrases;
mod range;
mod read_clip;

use std::sync::Arc;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::context::App;

/// The operations.
pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(read_clip::read_clip))
        .routes(routes!(list_phrases::list_phrases))
}
