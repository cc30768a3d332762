//! Rules by which CAP issues itself: proposed by one person, approved by another, ended by anyone
//! who may.

use serde_json::{Value, json};

use crate::app::alerts::{AlertError, person};
use crate::app::{audit, events};
use crate::context::App;
use crate::domain::actor::Actor;
use crate::domain::authority::Action;
use crate::domain::auto_issue::{AutoIssueRule, Limits, RuleError, RuleState};
use crate::domain::fault::Fault;
use crate::store::{self, Conn, StoreError, Tx};

/// Why a use case of a rule was refused.
#[derive(Debug, thiserror::Error)]
pub enum RuleCaseError {
    /// As for an alert.
    #[error(transparent)]
    Alert(#[from] AlertError),
    /// Its life does not allow it.
    #[error(transparent)]
    Rule(#[from] RuleError),
}

impl From<StoreError> for RuleCaseError {
    fn from(error: StoreError) -> Self {
        Self::Alert(error.into())
    }
}

/// The rule, if the actor may see it.
pub async fn load(
    connection: &mut Conn,
    actor: &Actor,
    id: &str,
) -> Result<AutoIssueRule, RuleCaseError> {
    let rule = store::auto_issue_rules::find(connection, id).await?;
    let rule = rule.ok_or(AlertError::NotFound)?;
    if !actor.is_granted(Action::ReadAlerts, rule.limits.region, None) {
        return Err(AlertError::NotFound.into());
    }
    Ok(rule)
}

/// A person proposes a rule; it issues nothing yet.
pub async fn propose(
    tx: &mut Tx,
    app: &App,
    actor: &Actor,
    limits: Limits,
) -> Result<AutoIssueRule, RuleCaseError> {
    let now = app.now();
    let color = Some(limits.highest_color);
    actor.may(Action::ManageAutoIssueRules, limits.region, color, now).map_err(AlertError::from)?;
    let mut faults = limits.faults(now);
    if !app.region().contains(limits.region) {
        faults.push(Fault::new(
            "/region",
            "outside-authority",
            "该区划不属于本平台",
            "the region does not belong to this dispatcher",
        ));
    }
    if !faults.is_empty() {
        return Err(AlertError::Faults(faults).into());
    }
    let author = person(actor)?;
    let rule = AutoIssueRule {
        id: app.id().to_string(),
        version: 1,
        limits,
        state: RuleState::Proposed { author },
        created_at: now,
    };
    store::auto_issue_rules::insert(tx, &rule).await?;
    record(tx, app, actor, &rule, "auto_issue_rule_proposed", Value::Null).await?;
    Ok(rule)
}

/// Another person makes it active.
pub async fn approve(
    tx: &mut Tx,
    app: &App,
    actor: &Actor,
    id: &str,
) -> Result<AutoIssueRule, RuleCaseError> {
    let rule = load(tx, actor, id).await?;
    let now = app.now();
    let color = Some(rule.limits.highest_color);
    actor
        .may(Action::ApproveAutoIssueRule, rule.limits.region, color, now)
        .map_err(AlertError::from)?;
    let rule = rule.approve(&person(actor)?, now)?;
    save(tx, app, actor, rule, "auto_issue_rule_approved", Value::Null).await
}

/// One person ends it.
pub async fn end(
    tx: &mut Tx,
    app: &App,
    actor: &Actor,
    id: &str,
    reason: &str,
) -> Result<AutoIssueRule, RuleCaseError> {
    let rule = load(tx, actor, id).await?;
    actor
        .may(Action::ManageAutoIssueRules, rule.limits.region, None, app.now())
        .map_err(AlertError::from)?;
    let rule = rule.end(&person(actor)?, reason)?;
    save(tx, app, actor, rule, "auto_issue_rule_ended", json!({ "reason": reason })).await
}

async fn save(
    tx: &mut Tx,
    app: &App,
    actor: &Actor,
    mut rule: AutoIssueRule,
    action: &str,
    detail: Value,
) -> Result<AutoIssueRule, RuleCaseError> {
    store::auto_issue_rules::save(tx, &rule).await?;
    rule.version += 1;
    record(tx, app, actor, &rule, action, detail).await?;
    Ok(rule)
}

async fn record(
    tx: &mut Tx,
    app: &App,
    actor: &Actor,
    rule: &AutoIssueRule,
    action: &str,
    detail: Value,
) -> Result<(), RuleCaseError> {
    let now = app.now();
    let region = rule.limits.region;
    let body = json!({ "type": action, "rule": rule.id, "state": rule.state.as_str() });
    events::push(tx, now, events::Topic::Alerts, region, &body).await?;
    let record = json!({ "limits": rule.limits, "state": rule.state, "detail": detail });
    let object = format!("auto_issue_rule:{}", rule.id);
    audit::append(tx, now, actor, action, &object, &record).await?;
    Ok(())
}
