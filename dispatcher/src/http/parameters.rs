//! Query and path, refused as problems.

use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{FromRequestParts, Path, Query};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use crate::http::problem::Problem;
use crate::http::refusal;

/// The query. The type says `#[serde(deny_unknown_fields)]`.
#[derive(Debug)]
pub struct Parameters<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Parameters<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let query: Result<Query<T>, QueryRejection> = Query::from_request_parts(parts, state).await;
        query.map(|Query(query)| Self(query)).map_err(|rejection| {
            let said = rejection.body_text();
            let said = said.rsplit_once("query string: ").map_or(said.as_str(), |(_, said)| said);
            // What was wrong with one parameter comes behind its name.
            let (name, reason) = said
                .split_once(": ")
                .filter(|(name, _)| {
                    name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
                })
                .unwrap_or(("", said));
            let pointer = if name.is_empty() { String::new() } else { format!("/{name}") };
            let finding = refusal::named(pointer, reason);
            let zh = format!("查询参数不符合要求：{name}：{}", finding.message_zh);
            let en = format!("the query is refused: {said}");
            Problem::malformed(zh, en).finding(finding)
        })
    }
}

/// The one parameter in the path; a text that is none names nothing, so the answer is 404.
#[derive(Debug)]
pub struct PathOf<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for PathOf<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path: Result<Path<T>, PathRejection> = Path::from_request_parts(parts, state).await;
        path.map(|Path(path)| Self(path)).map_err(|_| Problem::not_found("page"))
    }
}
