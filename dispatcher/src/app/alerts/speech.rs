//! Has clips made of the words of an alert and of its prepared ends, before anybody waits for them.
//! Nothing here keeps an alert from being issued: without a clip terminals use their own voice.

use super::{AlertError, ask, load};
use crate::app::clips;
use crate::context::App;
use crate::domain::actor::Actor;
use crate::domain::alert::closure::{Closure, ClosureTexts};
use crate::domain::alert::record::Alert;
use crate::domain::authority::Action;
use crate::store::StoreError;

/// As [`prepare`], for a draft that the actor is about to submit. Not inside a transaction.
pub async fn prepare_draft(app: &App, actor: &Actor, id: &str) -> Result<(), AlertError> {
    let alert = load(&mut *app.db.read().await?, actor, id).await?;
    ask(actor, Action::SubmitAlert, &alert, app.now())?;
    Ok(prepare(app, &alert).await?)
}

/// Makes the clips that are missing. Not inside a transaction: each clip is kept in its own.
pub async fn prepare(app: &App, alert: &Alert) -> Result<(), StoreError> {
    for text in &alert.content.texts {
        clips::ensure(app, &text.language, &text.spoken()).await?;
    }
    let prepared = alert.closures.clone();
    let prepared = prepared.unwrap_or_else(|| ClosureTexts::prepare(&alert.content));
    let languages = alert.content.texts.iter().map(|text| text.language.clone());
    let languages = languages.collect::<Vec<_>>();
    for how in [Closure::Withdrawn, Closure::Lifted] {
        for (language, text) in prepared.of(how).spoken(&languages) {
            clips::ensure(app, &language, &text).await?;
        }
    }
    Ok(())
}
