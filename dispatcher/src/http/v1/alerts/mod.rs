//! `/alerts`: the life of an alert.

mod approve;
mod closure_texts;
mod countersign;
mod create;
mod edit;
mod emergency;
mod get;
mod issue;
mod lift;
mod list;
mod preview;
mod reject;
mod submit;
mod take_back;
mod update;
mod view;
mod withdraw;

use std::sync::Arc;

use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub use view::AlertBody;

use crate::app::alerts::AlertError;
use crate::context::{App, Wake};
use crate::domain::actor::Actor;
use crate::domain::alert::lifecycle::LifecycleError;
use crate::domain::alert::record::Alert;
use crate::http::answer;
use crate::http::extract::Keyed;
use crate::http::problem::{Finding, Kind, Problem, ProblemBody};
use crate::store::Tx;

/// All operations.
pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(create::create_alert))
        .routes(routes!(list::list_alerts))
        .routes(routes!(get::get_alert))
        .routes(routes!(edit::edit_alert))
        .routes(routes!(submit::submit_alert))
        .routes(routes!(take_back::take_back_alert))
        .routes(routes!(approve::approve_alert))
        .routes(routes!(reject::reject_alert))
        .routes(routes!(preview::preview_alert))
        .routes(routes!(issue::issue_alert))
        .routes(routes!(emergency::override_alert))
        .routes(routes!(countersign::countersign_alert))
        .routes(routes!(update::update_alert))
        .routes(routes!(lift::lift_alert))
        .routes(routes!(withdraw::withdraw_alert))
        .routes(routes!(closure_texts::list_closure_texts))
}

/// A decision with its reason.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReasonRequest {
    /// Why, for the record.
    pub(super) reason: String,
}

/// Why a step of an alert's life may be refused.
#[derive(utoipa::IntoResponses)]
#[expect(dead_code, reason = "the document is made of it")]
pub(super) enum Refusals {
    /// No grant, or no fresh second factor
    #[response(status = 403)]
    Forbidden(ProblemBody),
    /// No such alert
    #[response(status = 404)]
    NotFound(ProblemBody),
    /// Not in the state for it
    #[response(status = 409)]
    WrongState(ProblemBody),
    /// Changed by somebody else
    #[response(status = 412)]
    Stale(ProblemBody),
    /// A rule is broken
    #[response(status = 422)]
    RuleBroken(ProblemBody),
}

/// Who is woken after an alert was issued or ended.
const ISSUED: &[Wake] = &[Wake::Orders, Wake::Alerts, Wake::Speech];

/// Does a step of an alert's life, once.
async fn act<T>(
    app: &App,
    actor: &Actor,
    keyed: Keyed<T>,
    wakes: &[Wake],
    step: impl AsyncFnOnce(&mut Tx, T) -> Result<Alert, AlertError>,
) -> Result<Response, Problem> {
    let act = async |tx: &mut Tx, body: T| {
        let alert = step(tx, body).await?;
        Ok(answer::kept(StatusCode::OK, None, &AlertBody::of(&alert, app.now())))
    };
    keyed.once(app, actor, wakes, act).await
}

/// Begins an alert, once.
async fn begin<T>(
    app: &App,
    actor: &Actor,
    keyed: Keyed<T>,
    step: impl AsyncFnOnce(&mut Tx, T) -> Result<Alert, AlertError>,
) -> Result<Response, Problem> {
    let act = async |tx: &mut Tx, body: T| {
        let alert = step(tx, body).await?;
        let location = format!("/api/v1/alerts/{}", alert.id);
        let body = AlertBody::of(&alert, app.now());
        Ok(answer::kept(StatusCode::CREATED, Some(location), &body))
    };
    keyed.once(app, actor, &[Wake::Alerts], act).await
}

impl From<AlertError> for Problem {
    fn from(error: AlertError) -> Self {
        match error {
            AlertError::Denied(denied) => denied.into(),
            AlertError::NotAPerson => Self::new(Kind::Forbidden)
                .detail("该操作只能由本人账号进行", "only a person may do this"),
            AlertError::NotFound => Self::not_found("alert"),
            AlertError::Lifecycle(error) => lifecycle(error),
            AlertError::Faults(faults) => Self::new(Kind::RuleBroken)
                .detail(
                    format!("有 {} 处不符合要求", faults.len()),
                    format!("{} rules are broken", faults.len()),
                )
                .findings(faults.into_iter().map(Finding::from)),
            AlertError::Stale => Self::new(Kind::Stale),
            AlertError::CannotSign(error) => error.into(),
            AlertError::Store(error) => error.into(),
        }
    }
}

fn lifecycle(error: LifecycleError) -> Problem {
    let en = error.to_string();
    let rule = |pointer: &str, slug: &str, zh: &str| Problem::rule(pointer, slug, zh, &en);
    match error {
        LifecycleError::WrongState { state } => {
            let finding = Finding::new("/state", state, "当前状态不允许该操作", &en);
            Problem::wrong_state(format!("预警当前状态为 {state}，不能进行该操作"), &en)
                .finding(finding)
        }
        LifecycleError::OtherContent => Problem::new(Kind::Stale).detail(
            "内容已变更，与所示内容不一致，请重新查看",
            "the content is not the one that was shown: look at it again",
        ),
        LifecycleError::IsAuthor => {
            rule("", "author-cannot-approve", "拟稿人不能审核或补签自己的预警")
        }
        LifecycleError::ApprovedAlready => rule("", "approved-already", "本人已审核，一人只计一次"),
        LifecycleError::NotInvolved => rule("", "not-involved", "只有拟稿人或审核人可以发布"),
        LifecycleError::NotAuthor => rule("", "not-author", "只有拟稿人可以撤回送审"),
        LifecycleError::TooFewPersons => {
            let finding = Finding::new("", "too-few-persons", "审核人数不足", &en);
            Problem::wrong_state("审核人数不足，不能发布", &en).finding(finding)
        }
        LifecycleError::ReasonMissing => rule("/reason", "reason-missing", "必须写明理由"),
        LifecycleError::NothingToCountersign => Problem::wrong_state("没有需要补签的发布", &en),
        LifecycleError::Expired => rule("/expires_at", "expiry-past", "失效时间已过"),
        LifecycleError::NotExpired => Problem::wrong_state("尚未到失效时间", &en),
    }
}
