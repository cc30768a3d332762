//! `/cap` and `/cap-documents`: messages as they come in, and as they are known outside.

mod document;
mod submit;

use std::sync::Arc;

use axum::extract::DefaultBodyLimit;
use protocols::limits::CAP_BYTES_MAX;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::context::App;

/// All operations.
pub fn routes() -> OpenApiRouter<Arc<App>> {
    // One byte more than is read, so that a message over the limit is refused as CAP, with its
    // finding.
    let submit = OpenApiRouter::new()
        .routes(routes!(submit::submit_cap))
        .layer(DefaultBodyLimit::max(CAP_BYTES_MAX + 1));
    submit.routes(routes!(document::get_cap_document))
}
