//! Has clips made of the words of an alert and of its ends, before anybody waits for them. Nothing
//! here keeps an alert from being issued or ended: without a clip terminals use their own voice.

use futures::future::try_join_all;

use super::{AlertError, approval, ask, load};
use crate::app::clips;
use crate::context::App;
use crate::domain::actor::Actor;
use crate::domain::alert::closure::{Closure, ClosureTexts};
use crate::domain::alert::lifecycle::Lifecycle;
use crate::domain::alert::record::Alert;
use crate::domain::authority::Action;
use crate::store::StoreError;
use crate::voice::Need;

/// Makes the clips of a draft that the actor is about to submit, all languages at once, so that
/// approval never waits for speech. What can't be submitted is refused here already, before a word
/// of it is spoken. Not inside a transaction: each clip is kept in its own.
pub async fn prepare_draft(app: &App, actor: &Actor, id: &str) -> Result<(), AlertError> {
    let mut connection = app.db.read().await?;
    let alert = load(&mut connection, actor, id).await?;
    ask(actor, Action::SubmitAlert, &alert, app.now())?;
    if !matches!(alert.lifecycle, Lifecycle::Draft(_)) {
        // The submit itself says what is wrong with that, or gives its answer again.
        return Ok(());
    }
    approval::check(&mut connection, app, &alert).await?;
    drop(connection);
    let words = own_words(&alert);
    let clips = words.iter().map(|(language, text)| clips::ensure(app, language, text, Need::Now));
    try_join_all(clips).await?;
    Ok(())
}

/// The words that may be spoken for this alert as it stands and of which no order went out yet, in
/// the order in which they may be needed.
pub fn words_to_come(alert: &Alert) -> Vec<(String, String)> {
    let ends = |hows: &[Closure]| {
        let prepared = alert.closures.clone();
        let prepared = prepared.unwrap_or_else(|| ClosureTexts::prepare(&alert.content));
        let languages = alert.content.texts.iter().map(|text| text.language.clone());
        let languages = languages.collect::<Vec<_>>();
        hows.iter().flat_map(|how| prepared.of(*how).spoken(&languages)).collect::<Vec<_>>()
    };
    match &alert.lifecycle {
        // A draft changes with every key; a successor brings words of its own.
        Lifecycle::Draft(_) | Lifecycle::Updated { .. } => Vec::new(),
        Lifecycle::Submitted(_) | Lifecycle::Approved(_) => {
            let mut words = own_words(alert);
            words.extend(ends(&[Closure::Withdrawn, Closure::Lifted]));
            words
        }
        Lifecycle::Issued(_) => ends(&[Closure::Withdrawn, Closure::Lifted]),
        // The words of an officer who closed: the next alert is often closed with the same ones.
        Lifecycle::Closed { closed, .. } => match closed.how {
            Closure::Withdrawn | Closure::Lifted => ends(&[closed.how]),
            Closure::Expired => Vec::new(),
        },
    }
}

fn own_words(alert: &Alert) -> Vec<(String, String)> {
    alert.content.texts.iter().map(|text| (text.language.clone(), text.spoken())).collect()
}

/// Makes one clip that nobody waits for; whether there is one now. Not inside a transaction.
pub async fn prepare(app: &App, language: &str, text: &str) -> Result<bool, StoreError> {
    Ok(clips::ensure(app, language, text, Need::Soon).await?.is_some())
}
