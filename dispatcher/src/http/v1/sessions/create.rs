//! `POST /sessions`: log in.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::app::limiter::LOGINS_MAX;
use crate::app::sessions::{self, Credentials};
use crate::context::App;
use crate::domain::account::ABSOLUTE;
use crate::domain::actor::Grant;
use crate::http::PUBLIC_BODY_BYTES_MAX;
use crate::http::answer;
use crate::http::extract::Json;
use crate::http::login::{Peer, set_cookie};
use crate::http::problem::{Kind, Problem, ProblemBody};

/// What is shown to log in.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LoginRequest {
    /// The login name.
    name: String,
    /// The password.
    password: String,
    /// The second factor, to step up at once.
    code: Option<String>,
}

/// A login that worked.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct LoginBody {
    /// The session.
    id: Uuid,
    /// The secret for `Authorization: Bearer`; browsers hold it in their cookie.
    secret: String,
    /// The account.
    account: Uuid,
    /// The person's name.
    name: String,
    /// What was granted.
    #[schema(value_type = Vec<Object>)]
    grants: Vec<Grant>,
    /// The end at the latest.
    expires_at: Timestamp,
    /// When the second factor was shown.
    stepped_up_at: Option<Timestamp>,
}

/// Log in with name and password, and the second factor if it is at hand.
#[utoipa::path(
    post, path = "/sessions", tag = "sessions", request_body = LoginRequest,
    responses(
        (status = 201, description = "Logged in", body = LoginBody),
        (status = 401, description = "Wrong", body = ProblemBody),
        (status = 429, description = "Locked or too often", body = ProblemBody),
    ),
    extensions(("x-action" = json!("public")))
)]
pub(super) async fn create_session(
    State(app): State<Arc<App>>,
    Peer(address): Peer,
    headers: HeaderMap,
    Json(body): Json<LoginRequest, PUBLIC_BODY_BYTES_MAX>,
) -> Result<Response, Problem> {
    app.logins
        .count(address, LOGINS_MAX, app.now())
        .map_err(|seconds| Problem::new(Kind::TooManyRequests).retry_after(seconds))?;
    let agent = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
    let shown = Credentials {
        name: body.name,
        password: body.password,
        code: body.code,
        address: address.to_string(),
        agent: agent.unwrap_or_default().to_owned(),
    };
    let login = sessions::login(&app.db, &app.ports, shown).await.inspect_err(|_| {
        app.metrics.logins_refused.inc();
    })?;
    let body = LoginBody {
        id: login.session.id,
        account: login.session.account,
        name: login.actor.name,
        grants: login.actor.grants,
        expires_at: login.session.created_at + ABSOLUTE,
        stepped_up_at: login.session.stepped_up_at,
        secret: login.secret.clone(),
    };
    let mut response = answer::json(StatusCode::CREATED, &body);
    let cookie = set_cookie(app.config.server.is_secure(), &login.secret);
    response.headers_mut().insert(header::SET_COOKIE, cookie);
    Ok(response)
}
