//! `/healthz` (the process runs), `/readyz` (it can serve), `/metrics`. For machines on the inside:
//! they name nothing of anybody.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;

use crate::context::App;
use crate::domain::keys::Standing;
use crate::store;

/// The three routes.
pub fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
}

async fn healthz() -> &'static str {
    "ok\n"
}

async fn readyz(State(app): State<Arc<App>>) -> (StatusCode, &'static str) {
    let Ok(mut connection) = app.db.read().await else {
        return (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n");
    };
    if store::events::newest(&mut connection).await.is_err() {
        return (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n");
    }
    match app.signer.standing(app.now()) {
        Standing::Good | Standing::Due => {}
        Standing::NotValid => {
            return (StatusCode::SERVICE_UNAVAILABLE, "the certificate is not valid now\n");
        }
        Standing::Revoked => {
            return (StatusCode::SERVICE_UNAVAILABLE, "the key is revoked\n");
        }
    }
    (StatusCode::OK, "ready\n")
}

async fn metrics(State(app): State<Arc<App>>) -> impl IntoResponse {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], app.metrics.encode())
}
