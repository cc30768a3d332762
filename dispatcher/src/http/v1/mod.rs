//! `/api/v1`: one module a noun, one file an operation.

pub mod accounts;
pub mod alerts;
pub mod audit;
pub mod auto_issue_rules;
pub mod cap;
pub mod clips;
pub mod deliveries;
pub mod drill_enrolments;
pub mod enrolments;
pub mod events;
pub mod liveness;
pub mod regions;
pub mod sessions;
pub mod stops;
pub mod terminals;
pub mod tokens;

use std::sync::Arc;

use utoipa_axum::router::OpenApiRouter;

use crate::context::App;

/// All operations.
pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        // Accounts, sessions, tokens, audit, events.
        .merge(sessions::routes())
        .merge(accounts::routes())
        .merge(tokens::routes())
        .merge(audit::routes())
        .merge(events::routes())
        // Regions, terminals, enrolments.
        .merge(regions::routes())
        .merge(terminals::routes())
        .merge(enrolments::routes())
        // Alerts, CAP, rules.
        .merge(alerts::routes())
        .merge(auto_issue_rules::routes())
        .merge(cap::routes())
        // Deliveries, liveness, stops.
        .merge(deliveries::routes())
        .merge(liveness::routes())
        .merge(stops::routes())
        // Drills.
        .merge(drill_enrolments::routes())
        // Clips, phrases.
        .merge(clips::routes())
}
