//! Two at once: exactly one of them wins, and nothing of the other remains.

use super::*;
use crate::app::alerts::close;
use crate::domain::alert::closure::Closure;

/// Pairs that are tried; each begins both tasks together.
const ROUNDS: usize = 6;

fn winners<T>(results: [&Result<T, AlertError>; 2]) -> usize {
    results.iter().filter(|result| result.is_ok()).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_alert_is_issued_once_however_often_it_is_pressed() {
    let city = city().await;
    for _ in 0..ROUNDS {
        let alert = city.draft(TOWN, content(Some(AlertColor::Yellow), &[TOWN])).await;
        city.submit(&alert.id).await.expect("submitted");
        let (one, two) = tokio::join!(city.issue(&alert.id), city.issue(&alert.id));
        assert_eq!(winners([&one, &two]), 1, "{one:?} {two:?}");
        assert_eq!(city.orders(&alert.id).await.len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_approval_and_an_edit_never_both_count() {
    let city = city().await;
    for _ in 0..ROUNDS {
        let alert = city.draft(TOWN, content(Some(AlertColor::Red), &[TOWN])).await;
        let submitted = city.submit(&alert.id).await.expect("submitted");
        let shown = submitted.content_digest();
        let edit = async {
            let mut tx = city.app.db.begin().await?;
            let mut body = alert.content.clone();
            body.texts[0].headline = "另一条".to_owned();
            let version = submitted.version;
            let by = author();
            let edited =
                draft::edit(&mut tx, &city.app, &by, &alert.id, version, body, &[]).await?;
            tx.commit().await?;
            Ok::<_, AlertError>(edited)
        };
        let approve = async {
            let mut tx = city.app.db.begin().await?;
            let by = approver(2);
            let approved =
                approval::approve(&mut tx, &city.app, &by, &alert.id, shown, "ok").await?;
            tx.commit().await?;
            Ok::<_, AlertError>(approved)
        };
        let (edited, approved) = tokio::join!(edit, approve);
        assert_eq!(winners([&edited, &approved]), 1, "{edited:?} {approved:?}");
        let issued = city.issue(&alert.id).await;
        assert_eq!(issued.is_ok(), approved.is_ok(), "{issued:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_chain_is_closed_once() {
    let city = city().await;
    for _ in 0..ROUNDS {
        let alert = city.issued().await;
        let (one, two) = tokio::join!(
            city.close(&alert.id, Closure::Lifted),
            city.close(&alert.id, Closure::Withdrawn)
        );
        assert_eq!(winners([&one, &two]), 1, "{one:?} {two:?}");
        assert_eq!(city.orders(&alert.id).await.len(), 2);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_update_and_a_withdrawal_leave_nothing_in_force() {
    let city = city().await;
    for _ in 0..ROUNDS {
        let alert = city.issued().await;
        let next = city.successor(&alert.id, alert.content.clone()).await;
        let (issued, closed) =
            tokio::join!(city.issue(&next.id), city.close(&alert.id, Closure::Withdrawn));
        // Withdrawn first, the update is refused; updated first, the withdrawal ends the update.
        assert!(closed.is_ok(), "{closed:?}");
        let mut read = city.app.db.read().await.expect("a connection");
        let mut members = store::alerts::chain(&mut read, &alert.chain).await.expect("read");
        members.retain(|member| member.lifecycle.state() == "issued");
        assert!(members.is_empty(), "{members:?} after {issued:?}");
        drop(read);
        let live = close::live_member(&mut city.app.db.read().await.expect("read"), &alert).await;
        assert!(live.is_err());
    }
}
