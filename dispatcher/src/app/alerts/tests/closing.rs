//! Updates and the three ends.

use protocols::order::Purpose;

use super::*;
use crate::app::alerts::close;
use crate::domain::alert::closure::Closure;
use crate::domain::alert::lifecycle::LifecycleError;

impl City {
    pub(super) async fn close(&self, id: &str, how: Closure) -> Result<Alert, AlertError> {
        let mut tx = self.app.db.begin().await?;
        let closed = close::close(&mut tx, &self.app, &author(), id, how, None, "test").await?;
        tx.commit().await?;
        Ok(closed)
    }

    pub(super) async fn successor(&self, id: &str, content: AlertContent) -> Alert {
        let mut tx = self.app.db.begin().await.expect("begun");
        let next = draft::update(&mut tx, &self.app, &author(), id, Some(content)).await;
        tx.commit().await.expect("committed");
        let next = next.expect("drafted");
        self.submit(&next.id).await.expect("submitted");
        next
    }
}

#[tokio::test]
async fn a_withdrawal_goes_where_the_alert_went_and_says_that_it_was_a_mistake() {
    let city = city().await;
    let alert = city.issued().await;
    let closed = city.close(&alert.id, Closure::Withdrawn).await.expect("withdrawn");
    assert_eq!(closed.lifecycle.state(), "closed");
    let orders = city.orders(&alert.id).await;
    let [(first, true), (end, false)] = orders.as_slice() else { panic!("{orders:?}") };
    assert_eq!(end.purpose, Purpose::Withdrawn);
    assert_eq!((end.stream, &end.target), (first.stream, &first.target));
    assert_eq!(end.references.len(), 1);
    assert_eq!(end.references[0].key, first.alert);
    assert_eq!(end.references[0].digest, first.alert_digest);
    assert_ne!(end.alert, first.alert);
    assert!(end.texts[0].text.contains("误发") && end.texts[1].text.contains("by mistake"));
    let mut read = city.app.db.read().await.expect("a connection");
    let progress = store::orders::progress(&mut read, &alert.id).await.expect("read");
    assert_eq!(progress.len(), 2, "deliveries of the end are counted apart: {progress:?}");
    drop(read);
    let again = city.close(&alert.id, Closure::Lifted).await;
    assert!(
        matches!(again, Err(AlertError::Lifecycle(LifecycleError::WrongState { state: "closed" }))),
        "{again:?}"
    );
}

#[tokio::test]
async fn an_update_takes_the_place_of_its_predecessor_and_silences_who_is_left_out() {
    let city = city().await;
    let alert = city.issued().await;
    let mut narrower = alert.content.clone();
    narrower.area.regions = vec![code(VILLAGE)];
    let next = city.successor(&alert.id, narrower).await;
    let next = city.issue(&next.id).await.expect("issued");
    let mut read = city.app.db.read().await.expect("a connection");
    let old = store::alerts::find(&mut read, &alert.id).await.expect("read").expect("there");
    assert_eq!(old.lifecycle.state(), "updated");
    drop(read);
    assert!(city.orders(&alert.id).await.iter().all(|(_, is_ended)| *is_ended));
    let orders = city.orders(&next.id).await;
    let [(left, _), (own, _)] = orders.as_slice() else { panic!("{orders:?}") };
    assert_eq!((left.stream.topic, own.stream.topic), (code(TOWN), code(VILLAGE)));
    for order in [left, own] {
        assert_eq!(order.purpose, Purpose::Update);
        assert_eq!(order.references[0].key.identifier, alert.id);
    }
    let terminal = TerminalId::new(code(VILLAGE), 1).expect("a terminal");
    assert!(!left.target.includes(terminal, None) && own.target.includes(terminal, None));
}

#[tokio::test]
async fn closing_any_member_ends_the_chain_for_everybody_it_ever_reached() {
    let city = city().await;
    let alert = city.issued().await;
    let mut narrower = alert.content.clone();
    narrower.area.regions = vec![code(VILLAGE)];
    let next = city.successor(&alert.id, narrower).await;
    city.issue(&next.id).await.expect("issued");
    let closed = city.close(&alert.id, Closure::Lifted).await.expect("lifted");
    assert_eq!(closed.id, next.id, "the live member ends");
    let orders = city.orders(&next.id).await;
    let ends = orders.iter().filter(|(_, is_ended)| !is_ended).collect::<Vec<_>>();
    let [(end, _)] = ends.as_slice() else { panic!("{ends:?}") };
    assert_eq!((end.purpose, end.stream.topic), (Purpose::Lifted, code(TOWN)));
    let named = end.references.iter().map(|named| named.key.identifier.as_str());
    assert_eq!(named.collect::<Vec<_>>(), [alert.id.as_str(), next.id.as_str()]);
}

#[tokio::test]
async fn a_successor_of_an_alert_that_was_closed_meanwhile_is_not_issued() {
    let city = city().await;
    let alert = city.issued().await;
    let next = city.successor(&alert.id, alert.content.clone()).await;
    city.close(&alert.id, Closure::Withdrawn).await.expect("withdrawn");
    let issue = city.issue(&next.id).await;
    assert!(matches!(issue, Err(AlertError::Lifecycle(_))), "{issue:?}");
    assert!(city.orders(&next.id).await.is_empty(), "nothing half-written remains");
}

#[tokio::test]
async fn an_alert_expires_without_a_word() {
    let city = city().await;
    let alert = city.issued().await;
    let sweep = || async {
        let mut tx = city.app.db.begin().await.expect("begun");
        let count = close::expire_due(&mut tx, &city.app).await.expect("swept");
        tx.commit().await.expect("committed");
        count
    };
    assert_eq!(sweep().await, 0);
    city.clock.advance(SignedDuration::from_hours(3));
    assert_eq!((sweep().await, sweep().await), (1, 0));
    assert_eq!(city.orders(&alert.id).await.len(), 1, "no order tells of it");
    let mut read = city.app.db.read().await.expect("a connection");
    let ended = store::alerts::find(&mut read, &alert.id).await.expect("read").expect("there");
    assert_eq!(ended.lifecycle.state(), "closed");
}
