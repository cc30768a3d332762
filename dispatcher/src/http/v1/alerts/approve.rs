//! `POST /alerts/{id}/approve`: approve what was shown (签发).

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use protocols::digest::Digest;
use serde::Deserialize;

use super::{AlertBody, Refusals, act};
use crate::app::alerts::approval;
use crate::context::{App, Wake};
use crate::domain::actor::Actor;
use crate::http::extract::Keyed;
use crate::http::parameters::PathOf;
use crate::http::problem::Problem;

/// An approval.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ApproveAlertRequest {
    /// `digest` of the alert as it was shown.
    #[schema(value_type = String)]
    digest: Digest,
    /// Why, for the record.
    reason: String,
}

/// Approve exactly the content whose digest was shown.
#[utoipa::path(
    post, path = "/alerts/{id}/approve", tag = "alerts", request_body = ApproveAlertRequest,
    params(("id" = String, Path, description = "The alert")),
    responses((status = 200, description = "Done", body = AlertBody), Refusals),
    extensions(("x-action" = json!("approve_alert")))
)]
pub(super) async fn approve_alert(
    State(app): State<Arc<App>>,
    actor: Actor,
    PathOf(id): PathOf<String>,
    keyed: Keyed<ApproveAlertRequest>,
) -> Result<Response, Problem> {
    act(&app, &actor, keyed, &[Wake::Alerts], async |tx, body| {
        approval::approve(tx, &app, &actor, &id, body.digest, &body.reason).await
    })
    .await
}
