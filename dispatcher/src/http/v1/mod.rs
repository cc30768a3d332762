//! `/api/v1`: one module a noun, one file an operation.

use std::sync::Arc;

use utoipa_axum::router::OpenApiRouter;

use crate::context::App;

/// All operations.
pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
    // Accounts, sessions, tokens, audit, events.
    // Regions, terminals, enrolments.
    // Alerts, CAP, rules.
    // Deliveries, stops.
    // Clips, phrases.
}
