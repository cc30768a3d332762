//! `/cap` and `/cap-documents`: messages as they come in, and as they are known outside.

mod document;
mod submit;

use std::sync::Arc;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::context::App;

/// All operations.
pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(submit::submit_cap))
        .routes(routes!(document::get_cap_document))
}
