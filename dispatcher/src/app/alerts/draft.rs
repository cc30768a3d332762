//! Begins an alert, changes it, begins the update of an issued one.

use protocols::limits;
use protocols::region::RegionCode;
use serde_json::{Value, json};

use super::{AlertError, announce, ask, load, person, save};
use crate::context::App;
use crate::domain::actor::Actor;
use crate::domain::alert::PersonId;
use crate::domain::alert::content::AlertContent;
use crate::domain::alert::lifecycle::{Lifecycle, LifecycleError};
use crate::domain::alert::record::Alert;
use crate::domain::authority::Action;
use crate::domain::fault::Fault;
use crate::store::{self, Tx};

/// CAP sender of what this dispatcher makes.
pub fn sender(app: &App) -> String {
    match app.config.region.sender.as_str() {
        "" => format!("tongluo-{}", app.region()),
        sender => sender.to_owned(),
    }
}

/// A new draft on behalf of `region`, by a person or by a machine.
pub fn begin(
    app: &App,
    region: RegionCode,
    content: AlertContent,
    author: Option<PersonId>,
    origin: String,
    asked: Vec<Fault>,
) -> Alert {
    let id = app.id().to_string();
    Alert {
        chain: id.clone(),
        id,
        version: 1,
        predecessor: None,
        region,
        sender: sender(app),
        sent: None,
        content,
        asked,
        lifecycle: Lifecycle::draft(author),
        closures: None,
        cap_digest: None,
        origin,
        created_at: app.now(),
    }
}

/// A person begins an alert.
pub async fn create(
    tx: &mut Tx,
    app: &App,
    actor: &Actor,
    region: RegionCode,
    content: AlertContent,
) -> Result<Alert, AlertError> {
    if !app.region().contains(region) {
        return Err(AlertError::fault(
            "/region",
            "outside-authority",
            "该区划不属于本平台",
            "the region does not belong to this dispatcher",
        ));
    }
    let author = person(actor)?;
    let alert = begin(app, region, content, Some(author), "person".to_owned(), Vec::new());
    ask(actor, Action::DraftAlert, &alert, app.now())?;
    store::alerts::insert(tx, &alert).await?;
    announce(tx, app, actor.id, &alert, "alert_drafted", Value::Null).await?;
    Ok(alert)
}

/// A person changes what is not issued yet. `answered` names the questions that are settled by it.
pub async fn edit(
    tx: &mut Tx,
    app: &App,
    actor: &Actor,
    id: &str,
    version: i64,
    content: AlertContent,
    answered: &[String],
) -> Result<Alert, AlertError> {
    let mut alert = load(tx, actor, id).await?;
    ask(actor, Action::EditAlert, &alert, app.now())?;
    if alert.version != version {
        return Err(AlertError::Stale);
    }
    alert.lifecycle = alert.lifecycle.edit(&person(actor)?)?;
    alert.content = content;
    // The colour may have risen by the edit: it is asked again with the new one.
    ask(actor, Action::EditAlert, &alert, app.now())?;
    alert.asked.retain(|question| !answered.contains(&question.pointer));
    let detail = json!({ "answered": answered });
    save(tx, app, actor.id, &mut alert, "alert_edited", detail).await?;
    Ok(alert)
}

/// A person begins the successor of an issued alert, with its content to start from.
pub async fn update(
    tx: &mut Tx,
    app: &App,
    actor: &Actor,
    id: &str,
    content: Option<AlertContent>,
) -> Result<Alert, AlertError> {
    let issued = load(tx, actor, id).await?;
    ask(actor, Action::UpdateAlert, &issued, app.now())?;
    let author = person(actor)?;
    let content = content.unwrap_or_else(|| issued.content.clone());
    let successor = succeed(tx, app, &issued, content, Some(author), "person".to_owned()).await?;
    ask(actor, Action::UpdateAlert, &successor, app.now())?;
    store::alerts::insert(tx, &successor).await?;
    let detail = json!({ "predecessor": issued.id });
    announce(tx, app, actor.id, &successor, "alert_update_drafted", detail).await?;
    Ok(successor)
}

/// The draft that is to take the place of `issued`; not stored yet.
pub async fn succeed(
    tx: &mut Tx,
    app: &App,
    issued: &Alert,
    content: AlertContent,
    author: Option<PersonId>,
    origin: String,
) -> Result<Alert, AlertError> {
    if !matches!(issued.lifecycle, Lifecycle::Issued(_)) {
        let state = issued.lifecycle.state();
        return Err(LifecycleError::WrongState { state }.into());
    }
    let members = store::alerts::chain(tx, &issued.chain).await?;
    let count = members.iter().filter(|alert| alert.lifecycle.issued().is_some()).count();
    if count >= limits::REFERENCES_MAX {
        return Err(AlertError::fault(
            "",
            "chain-too-long",
            "同一预警最多更新 15 次；请解除后另行发布",
            "an alert is updated at most 15 times; lift it and issue a new one",
        ));
    }
    let mut successor = begin(app, issued.region, content, author, origin, Vec::new());
    successor.chain.clone_from(&issued.chain);
    successor.predecessor = Some(issued.id.clone());
    Ok(successor)
}
