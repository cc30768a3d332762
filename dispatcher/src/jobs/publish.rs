//! Gives orders and commands to the broker: whatever is in the database and was never published.
//!
//! Each publication waits for its own acknowledgement and for nothing else: while one is slow, the
//! next look at the database hands over what came meanwhile.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use kill_points::kill_point;
use protocols::wire::Topic;
use tokio_util::sync::CancellationToken;

use crate::context::{App, Wake};
use crate::jobs::{note, pause};
use crate::metrics::Job;
use crate::mqtt::outgoing::{NotPublished, Pipe};
use crate::store::{StoreError, outbox};

/// How often the database is looked at without a wake-up.
const AT_LEAST_EVERY: Duration = Duration::from_secs(5);

/// Publications at once. More than the orders of the largest alert.
const AT_ONCE_MAX: usize = 256;

/// What is published: commands before orders, so that silence is never behind sound.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Item {
    Command(String),
    Order(String),
}

type Publication = BoxFuture<'static, (Item, Result<(), NotPublished>)>;

/// Publishes until `stop`.
pub async fn serve(app: Arc<App>, pipe: Pipe, stop: CancellationToken) {
    let mut running = FuturesUnordered::<Publication>::new();
    let mut handed_over = BTreeSet::new();
    loop {
        let room = AT_ONCE_MAX.saturating_sub(running.len());
        let result = hand_over(&app, &pipe, &mut handed_over, room).await;
        let result = result.map(|publications| running.extend(publications));
        note(&app, Job::Publisher, &result);
        app.metrics.outbox_depth.set(depth(&running));
        let is_awake = loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => break false,
                Some((item, published)) = running.next() => {
                    // Forgotten only after the note, so that it is not handed over again between.
                    if published.is_ok() && let Err(error) = mark(&app, &item).await {
                        tracing::error!(%error, "a publication was not noted; it is repeated");
                    }
                    handed_over.remove(&item);
                    app.metrics.outbox_depth.set(depth(&running));
                }
                () = app.notifier.woken(Wake::Orders) => break true,
                () = pause(AT_LEAST_EVERY) => break true,
            }
        };
        if !is_awake {
            return;
        }
    }
}

async fn hand_over(
    app: &App,
    pipe: &Pipe,
    handed_over: &mut BTreeSet<Item>,
    room: usize,
) -> Result<Vec<Publication>, StoreError> {
    let now = app.now();
    let limit = i64::try_from(AT_ONCE_MAX).unwrap_or(i64::MAX);
    let mut connection = app.db.read().await?;
    let commands = outbox::unpublished_commands(&mut connection, now, limit).await?;
    let orders = outbox::unpublished_orders(&mut connection, now, limit).await?;
    drop(connection);
    let commands = commands
        .into_iter()
        .map(|one| (Item::Command(one.id), Topic::RegionCommand(one.topic), one.sealed));
    let orders = orders
        .into_iter()
        .map(|one| (Item::Order(one.id), Topic::RegionOrder(one.topic), one.sealed));
    let mut publications = Vec::new();
    for (item, topic, sealed) in commands.chain(orders) {
        if publications.len() >= room {
            break;
        }
        if !handed_over.insert(item.clone()) {
            continue;
        }
        let pipe = pipe.clone();
        let publication: Publication = Box::pin(async move {
            kill_point!("publication.sending");
            (item, pipe.publish(topic.to_string(), sealed, topic.is_retained()).await)
        });
        publications.push(publication);
    }
    Ok(publications)
}

async fn mark(app: &App, item: &Item) -> Result<(), StoreError> {
    let mut tx = app.db.begin().await?;
    match item {
        Item::Command(id) => outbox::command_published(&mut tx, id, app.now()).await?,
        Item::Order(id) => outbox::order_published(&mut tx, id, app.now()).await?,
    }
    kill_point!("publication.noting");
    tx.commit().await?;
    kill_point!("publication.noted");
    Ok(())
}

fn depth(running: &FuturesUnordered<Publication>) -> i64 {
    i64::try_from(running.len()).unwrap_or(i64::MAX)
}
