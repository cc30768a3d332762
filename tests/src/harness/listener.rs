//! A reader of the event stream, as a console is one.

use std::pin::Pin;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use futures::{Stream, StreamExt as _};
use serde_json::Value;

use super::api::Api;
use super::clock;

/// One event.
#[derive(Debug, Clone)]
pub struct Told {
    /// Its place.
    pub id: i64,
    /// Its topic, or `resync`.
    pub topic: String,
    /// What it says.
    pub data: Value,
}

impl Told {
    /// `type` of its data.
    pub fn kind(&self) -> &str {
        self.data["type"].as_str().unwrap_or_default()
    }
}

type Bytes = Pin<Box<dyn Stream<Item = anyhow::Result<Vec<u8>>> + Send>>;

/// An open stream, with everything that it told so far.
pub struct Listener {
    bytes: Bytes,
    waiting: Vec<u8>,
    /// What was told, in order.
    pub told: Vec<Told>,
}

impl Listener {
    /// Opens the stream after event `last`, from now on when there is none.
    pub async fn open(api: &Api, last: Option<i64>) -> anyhow::Result<Self> {
        // Without the deadline of an ordinary request: a stream has no end.
        let client = reqwest::Client::builder().no_proxy().build().context("make a client")?;
        let mut request = client.get(format!("{}/api/v1/events", api.base()));
        request = request.bearer_auth(api.bearer().context("a reader is logged in")?);
        if let Some(last) = last {
            request = request.header("last-event-id", last.to_string());
        }
        let response = request.send().await.context("open the event stream")?;
        ensure!(response.status().is_success(), "the event stream: {}", response.status());
        let bytes = response.bytes_stream().map(|part| Ok(part?.to_vec()));
        Ok(Self { bytes: Box::pin(bytes), waiting: Vec::new(), told: Vec::new() })
    }

    /// Listens until an event is as wanted and gives it; what came before stays in `told`.
    pub async fn until(
        &mut self,
        what: &str,
        deadline: Duration,
        is_wanted: impl Fn(&Told) -> bool,
    ) -> anyhow::Result<Told> {
        let begun = clock::instant();
        loop {
            while let Some(told) = self.take()? {
                self.told.push(told.clone());
                if is_wanted(&told) {
                    return Ok(told);
                }
            }
            let left = deadline.saturating_sub(begun.elapsed());
            match tokio::time::timeout(left, self.bytes.next()).await {
                Ok(Some(part)) => self.waiting.extend(part?),
                Ok(None) => bail!("the event stream ended before: {what}"),
                Err(_) => bail!("no event told: {what}; told was {:?}", self.told),
            }
        }
    }

    /// The next whole event that has come; comments that keep the line open are left out.
    fn take(&mut self) -> anyhow::Result<Option<Told>> {
        while let Some(end) = self.waiting.windows(2).position(|pair| pair == b"\n\n") {
            let frame = self.waiting.drain(..end + 2).collect::<Vec<_>>();
            let frame = String::from_utf8(frame).context("an event is UTF-8")?;
            let field = |name: &str| {
                let mut lines = frame.lines().filter_map(|line| line.strip_prefix(name));
                lines.next().map(|text| text.trim().to_owned())
            };
            let (id, topic, data) = (field("id:"), field("event:"), field("data:"));
            if let (Some(id), Some(topic), Some(data)) = (id, topic, data) {
                let id = id.parse().with_context(|| format!("event id {id}"))?;
                let data = serde_json::from_str(&data).context("an event is JSON")?;
                return Ok(Some(Told { id, topic, data }));
            }
        }
        Ok(None)
    }
}
