//! Problem documents (RFC 9457): one shape for every refusal, in Chinese and English.

use std::sync::Arc;

use axum::Router;
use axum::extract::Path;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use serde::Serialize;

use crate::app::idempotency::KeyError;
use crate::context::App;
use crate::domain::actor::Denied;
use crate::domain::keys::CannotSign;
use crate::store::StoreError;
use crate::trace;

macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident => $status:ident, $slug:literal, $zh:literal, $en:literal;)*) => {
        /// Every kind of problem; the slug is part of the contract.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Kind { $($(#[$doc])* $variant,)* }

        impl Kind {
            /// All kinds.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The last part of `type`.
            pub const fn slug(self) -> &'static str {
                match self { $(Self::$variant => $slug,)* }
            }

            /// The HTTP status.
            pub const fn status(self) -> StatusCode {
                match self { $(Self::$variant => StatusCode::$status,)* }
            }

            /// Title in Chinese.
            pub const fn title_zh(self) -> &'static str {
                match self { $(Self::$variant => $zh,)* }
            }

            /// Title in English.
            pub const fn title_en(self) -> &'static str {
                match self { $(Self::$variant => $en,)* }
            }
        }
    };
}

kinds! {
    /// Not readable as what it should be.
    Malformed => BAD_REQUEST, "malformed", "请求格式有误", "The request is not well-formed";
    /// Nobody is logged in, or the token counts no more.
    Unauthenticated => UNAUTHORIZED, "unauthenticated", "请先登录", "Log in first";
    /// Name, password or code do not fit.
    WrongCredentials => UNAUTHORIZED, "wrong-credentials", "账号、密码或验证码不正确", "Name, password or code are wrong";
    /// No grant covers it.
    Forbidden => FORBIDDEN, "forbidden", "没有权限", "No grant allows this";
    /// A second factor is needed.
    StepUpRequired => FORBIDDEN, "step-up-required", "需要再次验证身份", "A fresh second factor is needed";
    /// A browser sent it from another site.
    CrossSite => FORBIDDEN, "cross-site", "拒绝跨站请求", "Requests from other sites are refused";
    /// There is none, or none that the asker may know of.
    NotFound => NOT_FOUND, "not-found", "未找到", "Not found";
    /// The path exists, the method does not.
    MethodNotAllowed => METHOD_NOT_ALLOWED, "method-not-allowed", "不支持该请求方法", "The method is not supported here";
    /// Not in the state for it.
    WrongState => CONFLICT, "wrong-state", "当前状态不允许该操作", "The present state does not allow this";
    /// It exists already.
    Duplicate => CONFLICT, "duplicate", "已存在", "It exists already";
    /// The first request with this key still runs.
    KeyRunning => CONFLICT, "idempotency-key-running", "同一请求仍在处理中", "The first request with this key is still running";
    /// Somebody else was first.
    Stale => PRECONDITION_FAILED, "stale", "内容已被他人修改，请刷新后重试", "Somebody else changed it meanwhile";
    /// Too many bytes.
    TooLarge => PAYLOAD_TOO_LARGE, "too-large", "内容过大", "The body is too large";
    /// The body took too long.
    TooSlow => REQUEST_TIMEOUT, "too-slow", "内容传输过慢", "The body came too slowly";
    /// Not a media type that is read here.
    UnsupportedMedia => UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", "不支持的内容类型", "The content type is not supported";
    /// Well-formed, and breaks a rule.
    RuleBroken => UNPROCESSABLE_ENTITY, "rule-broken", "内容不符合规则", "A rule is broken";
    /// The key was used for something else.
    KeyReused => UNPROCESSABLE_ENTITY, "idempotency-key-reused", "该幂等键已用于其他请求", "The Idempotency-Key was used for another request";
    /// `If-Match` or `Idempotency-Key` is missing.
    PreconditionRequired => PRECONDITION_REQUIRED, "precondition-required", "缺少必需的请求头", "A required header is missing";
    /// Too often.
    TooManyRequests => TOO_MANY_REQUESTS, "too-many-requests", "请求过于频繁，请稍后再试", "Too many requests";
    /// Our fault.
    Internal => INTERNAL_SERVER_ERROR, "internal", "系统内部错误", "An internal error";
    /// Key or certificate count no more.
    CannotSign => SERVICE_UNAVAILABLE, "cannot-sign", "本平台不能签发", "This dispatcher can't sign";
    /// Busy; worth trying again.
    Unavailable => SERVICE_UNAVAILABLE, "unavailable", "系统繁忙，请重试", "Busy; try again";
}

/// One broken rule: where, which, and why, in both languages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Finding {
    /// JSON pointer into the request, such as `/infos/0/event`.
    pub pointer: String,
    /// The rule.
    pub slug: String,
    /// For people, in Chinese.
    pub message_zh: String,
    /// For people, in English.
    pub message_en: String,
}

impl Finding {
    /// A finding.
    pub fn new(pointer: &str, slug: &str, zh: &str, en: &str) -> Self {
        Self {
            pointer: pointer.to_owned(),
            slug: slug.to_owned(),
            message_zh: zh.to_owned(),
            message_en: en.to_owned(),
        }
    }
}

impl From<crate::domain::fault::Fault> for Finding {
    fn from(fault: crate::domain::fault::Fault) -> Self {
        Self {
            pointer: fault.pointer,
            slug: fault.rule,
            message_zh: fault.zh,
            message_en: fault.en,
        }
    }
}

/// A refusal. Handlers answer `Result<_, Problem>`.
#[derive(Debug, Clone)]
pub struct Problem {
    kind: Kind,
    detail_zh: String,
    detail_en: String,
    errors: Vec<Finding>,
    retry_after_s: Option<i64>,
}

impl Problem {
    /// Of this kind, without more.
    pub fn new(kind: Kind) -> Self {
        Self {
            kind,
            detail_zh: kind.title_zh().to_owned(),
            detail_en: kind.title_en().to_owned(),
            errors: Vec::new(),
            retry_after_s: None,
        }
    }

    /// With what exactly is wrong.
    #[must_use]
    pub fn detail(mut self, zh: impl Into<String>, en: impl Into<String>) -> Self {
        self.detail_zh = zh.into();
        self.detail_en = en.into();
        self
    }

    /// With a broken rule.
    #[must_use]
    pub fn finding(mut self, finding: Finding) -> Self {
        self.errors.push(finding);
        self
    }

    /// With broken rules.
    #[must_use]
    pub fn findings(mut self, findings: impl IntoIterator<Item = impl Into<Finding>>) -> Self {
        self.errors.extend(findings.into_iter().map(Into::into));
        self
    }

    /// With the seconds after which it is worth trying again.
    #[must_use]
    pub fn retry_after(mut self, seconds: i64) -> Self {
        self.retry_after_s = Some(seconds.max(1));
        self
    }

    /// 404: `what` does not exist, or the asker may not know that it does.
    pub fn not_found(what: &str) -> Self {
        Self::new(Kind::NotFound).detail(format!("未找到: {what}"), format!("no such {what}"))
    }

    /// 422 with one broken rule.
    pub fn rule(pointer: &str, slug: &str, zh: &str, en: &str) -> Self {
        Self::new(Kind::RuleBroken).detail(zh, en).finding(Finding::new(pointer, slug, zh, en))
    }

    /// 422 with every broken rule.
    pub fn faults(faults: impl IntoIterator<Item = impl Into<Finding>>) -> Self {
        Self::new(Kind::RuleBroken).findings(faults)
    }

    /// 409: the state does not allow it.
    pub fn wrong_state(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self::new(Kind::WrongState).detail(zh, en)
    }

    /// 400: not readable.
    pub fn malformed(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self::new(Kind::Malformed).detail(zh, en)
    }

    /// 500; the cause is in the log, under the trace.
    pub fn internal() -> Self {
        Self::new(Kind::Internal)
    }

    /// The first broken rule.
    #[cfg(test)]
    pub fn first_finding(&self) -> Option<&Finding> {
        self.errors.first()
    }

    /// Its kind.
    pub fn kind(&self) -> Kind {
        self.kind
    }
}

/// As it is sent.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody {
    /// `/problems/<slug>`: a page that explains it.
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind, in both languages.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// This case, in English.
    pub detail: String,
    /// This case, in Chinese.
    pub detail_zh: String,
    /// The trace of the request: the caller's own when it sent a `traceparent`. Every line of the
    /// log about this request carries it.
    pub instance: String,
    /// Each broken rule.
    pub errors: Vec<Finding>,
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.kind.status();
        let instance = trace::current().map(|trace| trace.to_string()).unwrap_or_default();
        tracing::info!(problem.slug = self.kind.slug(), "answered {status}: {}", self.detail_en);
        let body = ProblemBody {
            kind: format!("/problems/{}", self.kind.slug()),
            title: format!("{} / {}", self.kind.title_zh(), self.kind.title_en()),
            status: status.as_u16(),
            detail: self.detail_en,
            detail_zh: self.detail_zh,
            instance,
            errors: self.errors,
        };
        let text = serde_json::to_string(&body).expect("strings and numbers always encode");
        let kind = HeaderValue::from_static("application/problem+json");
        let mut response = (status, [(header::CONTENT_TYPE, kind)], text).into_response();
        if let Some(seconds) = self.retry_after_s {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.kind == Kind::Unauthenticated {
            let scheme = HeaderValue::from_static("Bearer");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
        }
        response
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict { .. } => Self::new(Kind::Stale),
            StoreError::Duplicate { .. } => Self::new(Kind::Duplicate),
            StoreError::Busy => Self::new(Kind::Unavailable).retry_after(1),
            StoreError::Inconsistent { .. }
            | StoreError::Url(_)
            | StoreError::Migration { .. }
            | StoreError::Driver(_) => {
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                tracing::error!(cause, "the store failed: {error}");
                Self::internal()
            }
        }
    }
}

impl From<CannotSign> for Problem {
    fn from(error: CannotSign) -> Self {
        let zh = match error {
            CannotSign::KeyRevoked(key) => {
                format!("本平台的密钥 {key} 已被吊销，不能签发；请更换密钥与证书")
            }
            CannotSign::NotValid { from, until } => {
                format!("本平台的证书有效期为 {from} 至 {until}，现在不能签发；请续期证书")
            }
        };
        Self::new(Kind::CannotSign).detail(zh, error.to_string())
    }
}

impl From<KeyError> for Problem {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::OtherRequest => Self::new(Kind::KeyReused),
            KeyError::Running => Self::new(Kind::KeyRunning).retry_after(1),
            KeyError::Store(error) => error.into(),
        }
    }
}

impl From<Denied> for Problem {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::NotGranted { action, region } => Self::new(Kind::Forbidden)
                .detail(format!("在 {region} 没有权限: {action}"), denied.to_string()),
            Denied::StepUp { action } => Self::new(Kind::StepUpRequired)
                .detail(format!("该操作需要五分钟内的二次验证: {action}"), denied.to_string()),
        }
    }
}

/// `/problems/<slug>`: what each kind means, offline, in both languages.
pub fn pages() -> Router<Arc<App>> {
    Router::new().route("/problems/{slug}", get(page))
}

async fn page(Path(slug): Path<String>) -> Result<Html<String>, Problem> {
    let kind = Kind::ALL.iter().find(|kind| kind.slug() == slug);
    let kind = kind.ok_or_else(|| Problem::not_found("problem"))?;
    let (zh, en, status) = (kind.title_zh(), kind.title_en(), kind.status());
    Ok(Html(format!(
        "<!doctype html><meta charset=utf-8><title>{zh}</title><h1>{zh}</h1><p lang=en>{en}</p>\
         <p>HTTP {status}</p>"
    )))
}
