//! Clips of words, by the real voice, before anybody waits for them and never in anybody's way.

use super::*;
use crate::app::alerts::{close, speech};
use crate::app::clips;
use crate::domain::alert::closure::{BilingualText, Closure};
use crate::jobs::speech::Watch;

impl City {
    async fn clips_of(&self, words: &[(String, String)]) -> Vec<bool> {
        let mut read = self.app.db.read().await.expect("a connection");
        let mut kept = Vec::new();
        for (language, text) in words {
            let clip = clips::kept(&self.app, &mut read, language, text).await.expect("read");
            kept.push(clip.is_some());
        }
        kept
    }

    async fn close_saying(&self, id: &str, text: &BilingualText) -> Alert {
        let mut tx = self.app.db.begin().await.expect("begun");
        let (how, text) = (Closure::Withdrawn, Some(text.clone()));
        let closed = close::close(&mut tx, &self.app, &author(), id, how, text, "test").await;
        tx.commit().await.expect("committed");
        closed.expect("withdrawn")
    }

    /// Whether each text of the order that ends this alert names a clip.
    async fn end_has_clips(&self, id: &str) -> Vec<bool> {
        let orders = self.orders(id).await;
        let (end, _) = orders.iter().find(|(_, is_ended)| !is_ended).expect("an end");
        end.texts.iter().map(|text| text.clip.is_some()).collect()
    }
}

#[tokio::test]
async fn own_words_are_made_at_submit_and_the_ends_by_the_reconciler() {
    let city = city().await;
    let alert = city.draft(TOWN, content(Some(AlertColor::Yellow), &[TOWN])).await;
    speech::prepare_draft(&city.app, &author(), &alert.id).await.expect("made");
    let submitted = city.submit(&alert.id).await.expect("submitted");
    let words = speech::words_to_come(&submitted);
    assert_eq!(city.clips_of(&words).await, [true, true, false, false, false, false]);
    Watch::default().run(&city.app).await.expect("run");
    assert_eq!(city.clips_of(&words).await, [true; 6]);
    city.issue(&alert.id).await.expect("issued");
    let (order, _) = city.orders(&alert.id).await.remove(0);
    assert!(order.texts.iter().all(|text| text.clip.is_some()), "{order:?}");
    city.close(&alert.id, Closure::Withdrawn).await.expect("withdrawn");
    assert_eq!(city.end_has_clips(&alert.id).await, [true, true]);
}

#[tokio::test]
async fn what_a_pulled_plug_left_out_is_made_at_the_next_start() {
    let city = city().await;
    let alert = city.draft(TOWN, content(Some(AlertColor::Yellow), &[TOWN])).await;
    let submitted = city.submit(&alert.id).await.expect("submitted");
    let words = speech::words_to_come(&submitted);
    assert_eq!(city.clips_of(&words).await, [false; 6]);
    let mut watch = Watch::default();
    watch.run(&city.app).await.expect("run");
    assert_eq!(city.clips_of(&words).await, [true; 6]);
    watch.run(&city.app).await.expect("a run without work");
}

#[tokio::test]
async fn words_given_at_the_end_are_not_waited_for_and_have_a_clip_the_next_time() {
    let city = city().await;
    let text =
        BilingualText { zh: "刚才的预警作废。".to_owned(), en: "Ignore it.".to_owned() };
    let first = city.issued().await;
    let closed = city.close_saying(&first.id, &text).await;
    assert_eq!(closed.closures.map(|closures| closures.withdrawn), Some(text.clone()));
    assert_eq!(city.end_has_clips(&first.id).await, [false, false]);
    Watch::default().run(&city.app).await.expect("run");
    let second = city.issued().await;
    city.close_saying(&second.id, &text).await;
    assert_eq!(city.end_has_clips(&second.id).await, [true, true]);
}

#[tokio::test]
async fn what_can_not_be_submitted_is_refused_before_a_word_of_it_is_spoken() {
    let city = city().await;
    let mut endless = content(Some(AlertColor::Yellow), &[TOWN]);
    endless.texts[0].description = "雨".repeat(20_000);
    let alert = city.draft(TOWN, endless).await;
    let refused = speech::prepare_draft(&city.app, &author(), &alert.id).await;
    assert!(matches!(refused, Err(AlertError::Faults(_))), "{refused:?}");
    let spoken = alert.content.texts.iter().map(|text| (text.language.clone(), text.spoken()));
    assert_eq!(city.clips_of(&spoken.collect::<Vec<_>>()).await, [false, false]);
}
