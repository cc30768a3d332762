//! HTTP: extractors, problems, the operations of `/api/v1`, health and metrics.
//!
//! Handlers are thin: they extract, ask a use case, and shape the answer. An operation is one file
//! `v1/<noun>/<operation>.rs` with one `#[utoipa::path]` handler whose name is `<verb>_<resource>`
//! (also its operation id), and one line in `v1/<noun>/mod.rs`. It names what it asks for:
//! `extensions(("x-action" = json!("issue_alert")))`: an [`crate::domain::authority::Action`],
//! `own` (whoever is logged in, about themselves) or `public`.

pub mod answer;
pub mod extract;
pub mod health;
pub mod login;
pub mod page;
pub mod parameters;
pub mod problem;
pub mod refusal;
pub mod serve;
pub mod v1;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use tower_http::catch_panic::CatchPanicLayer;
use tracing::Instrument as _;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use crate::context::App;
use crate::http::problem::Problem;
use crate::metrics::{RequestLabels, StatusClass};
use crate::trace::{self, Trace};

/// Bytes of a JSON body. Routes that take documents set their own limit.
pub const BODY_BYTES_MAX: usize = 256 * 1024;

/// Bytes of a JSON body that anybody may send: a login or a claim has some 500. As many requests as
/// may be in flight then hold a few megabytes, whoever sends them.
pub const PUBLIC_BODY_BYTES_MAX: usize = 4 * 1024;

/// How long the server waits for requests in flight when it is told to end.
pub const GRACE: Duration = Duration::from_secs(5);

/// Routes of the API with their document, without state.
pub fn api() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::with_openapi(document()).nest("/api/v1", v1::routes())
}

/// The whole server.
pub fn router(app: Arc<App>) -> Router {
    let (routes, _) = api().split_for_parts();
    routes
        .merge(health::routes())
        .merge(problem::pages())
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(CatchPanicLayer::custom(|_: Box<dyn std::any::Any + Send>| {
            Problem::internal().into_response()
        }))
        .layer(middleware::from_fn_with_state(app.clone(), observe))
        .with_state(app)
}

/// The OpenAPI 3.1 document as it is committed.
pub fn openapi() -> OpenApi {
    api().into_openapi()
}

fn document() -> OpenApi {
    let info = utoipa::openapi::InfoBuilder::new()
        .title("Tongluo dispatcher")
        .description(Some("调度平台的接口: alerts, approval, targeting, terminals, receipts."))
        .version(env!("CARGO_PKG_VERSION"))
        .build();
    utoipa::openapi::OpenApiBuilder::new().info(info).build()
}

async fn not_found() -> Problem {
    Problem::not_found("page")
}

async fn method_not_allowed() -> Problem {
    Problem::new(problem::Kind::MethodNotAllowed)
}

/// Names each request by its trace, counts and logs its answer.
async fn observe(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let sent = request.headers().get("traceparent").and_then(|value| value.to_str().ok());
    let trace = sent.and_then(Trace::from_traceparent);
    let trace = trace.unwrap_or_else(|| Trace::new(app.ports.bytes()));
    let span = tracing::info_span!("request", trace.id = %trace);
    trace::within(trace, answer(app, request, next)).instrument(span).await
}

async fn answer(app: Arc<App>, request: Request, next: Next) -> Response {
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let response = if path.contains("%00") {
        // A NUL names nothing, and not every database can be asked for it.
        not_found().await.into_response()
    } else {
        next.run(request).await
    };
    let code = response.status();
    let status = match code.as_u16() {
        500.. => StatusClass::ServerError,
        400..500 => StatusClass::ClientError,
        _ => StatusClass::Success,
    };
    app.metrics.http_requests.get_or_create(&RequestLabels { status }).inc();
    tracing::debug!(http.status = code.as_u16(), "{method} {path} → {code}");
    response
}
