//! `/api/v1/enrolments`: codes for terminals, and the claim by which one joins.

mod claim;
mod create;
mod rate;

use std::sync::Arc;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::context::App;

/// The operations.
pub fn routes() -> OpenApiRouter<Arc<App>> {
    let claims = Arc::new(rate::ClaimRate::default());
    OpenApiRouter::new()
        .routes(routes!(create::create_enrolment))
        .routes(routes!(claim::claim_enrolment))
        .layer(axum::Extension(claims))
}
