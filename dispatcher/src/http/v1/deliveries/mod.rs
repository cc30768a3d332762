//! What each terminal did with an alert.

mod list;
mod list_receipts;

use std::sync::Arc;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::context::App;

/// The operations.
pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list::list_deliveries))
        .routes(routes!(list_receipts::list_receipts))
}
