//! `POST /api/v1/enrolments/claim`.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use kill_points::kill_point;
use protocols::enrolment::EnrolmentClaim;

use super::rate::ClaimRate;
use crate::app::enrolments::{self, ClaimError};
use crate::context::{App, Wake};
use crate::http::PUBLIC_BODY_BYTES_MAX;
use crate::http::answer;
use crate::http::extract::Json;
use crate::http::login::Peer;
use crate::http::problem::{Kind, Problem, ProblemBody};

/// Lets a terminal in by its code and the proof of its key. The code itself is the right to ask.
#[utoipa::path(
    post,
    path = "/enrolments/claim",
    tag = "enrolments",
    request_body(content = Object, description = "`secret`: 20 hex digits of the code; `proof`: sealed key proof, base64url"),
    responses(
        (status = 200, body = Object, description = "terminal, position, roots, certificate, mqtt_url, mqtt_password, media_url"),
        (status = 400, description = "Not well-formed", body = ProblemBody),
        (status = 404, description = "There is none", body = ProblemBody),
        (status = 422, description = "A field breaks a rule", body = ProblemBody),
        (status = 429, description = "Too often", body = ProblemBody),
    ),
    extensions(("x-action" = json!("public"))),
)]
pub(super) async fn claim_enrolment(
    State(app): State<Arc<App>>,
    Extension(rate): Extension<Arc<ClaimRate>>,
    Peer(address): Peer,
    Json(claim): Json<EnrolmentClaim, PUBLIC_BODY_BYTES_MAX>,
) -> Result<Response, Problem> {
    rate.count(address, app.now())
        .map_err(|seconds| Problem::new(Kind::TooManyRequests).retry_after(seconds))?;
    let mut tx = app.db.begin().await?;
    let grant = enrolments::claim(&mut tx, &app, &claim).await?;
    kill_point!("enrolment.storing");
    tx.commit().await?;
    kill_point!("enrolment.stored");
    app.notifier.wake(Wake::Terminals);
    app.notifier.wake(Wake::Events);
    Ok(answer::ok(&grant))
}

impl From<ClaimError> for Problem {
    fn from(error: ClaimError) -> Self {
        match error {
            ClaimError::Secret => Self::rule(
                "/secret",
                "secret-form",
                "登记码的密钥须为 20 个十六进制数字",
                "the secret is 20 hexadecimal digits",
            ),
            ClaimError::Proof => Self::rule(
                "/proof",
                "proof-invalid",
                "密钥证明无效：须由所声明的密钥对本登记码签名",
                "the proof is not this code's, signed by the key that it names",
            ),
            ClaimError::NotGood => Self::new(Kind::NotFound).detail(
                "登记码无效、已使用或已过期，请重新申请",
                "the code is not good, was used, or is too old: ask for a new one",
            ),
            ClaimError::Store(error) => error.into(),
        }
    }
}
