//! The run loop: one thread that feeds the engine and carries out what it wants, in its order.
//!
//! Journal writes are done in place: the engine waits for them anyway, and an fsync is the beat of
//! this device. A clip that is in the cache is confirmed before the next journal write is (rule 2
//! of [`crate::engine::io`]). Everything else waits outside: sound on its thread, HTTP on the
//! pool, the voice in its process.
//!
//! | file | carries out |
//! |---|---|
//! | `sound` | soundings, and what the sound card is found to be |
//! | `media` | clips and phrases: what is wanted, what has come |
//! | `quench` | which refusals are logged one by one |
//! | `landmark` | names for tests the journal writes around which they kill the process |

mod landmark;
mod media;
mod quench;
mod sound;

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use kill_points::kill_point;
use protocols::stick::Stick;
use protocols::terminal::TerminalId;
use protocols::trust::Roots;
use protocols::vitals::AudioState;
use tokio::sync::mpsc;
use tokio::sync::oneshot;

use super::audio::card::CardError;
use super::audio::feed::CutAt;
use super::audio::player::Player;
use super::audio::score::PlayerEvent;
use super::clips::ClipStore;
use super::clock;
use super::fetch::{Fetched, Fetcher};
use super::journal::{Contents, Journal};
use super::mqtt::{Client, LinkEvent, Receipt};
use super::words::{Making, Words};
use crate::engine::Engine;
use crate::engine::io::{AckToken, CutHow, Input, JournalError, Now, Output, SoundingId};

/// Messages whose acknowledgement the engine still owes on one connection. Those beyond it are
/// never acknowledged, so the broker delivers them again.
const RECEIPTS_MAX: usize = 1_024;

/// Pause between two measurements of the machine.
const MEASURE_EVERY: Duration = Duration::from_secs(30);

/// Pause between two tries to open a sound card that is missing or stalled.
const PROBE_EVERY: Duration = Duration::from_secs(10);

/// Longest sleep: a clock that jumps is noticed at the latest then.
const SLEEP_MAX: Duration = Duration::from_mins(1);

/// Where inputs come from.
pub struct Sources {
    /// The broker.
    pub link: mpsc::Receiver<LinkEvent>,
    /// The player.
    pub player: mpsc::Receiver<PlayerEvent>,
    /// HTTP.
    pub fetched: mpsc::Receiver<Fetched>,
    /// Presses of the local stop key.
    pub local_stop: mpsc::Receiver<()>,
    /// What stood on a USB stick.
    pub stick: mpsc::Receiver<Stick>,
}

/// What the loop works with.
pub struct Shell {
    /// Who this is.
    pub terminal: TerminalId,
    /// Decides.
    pub engine: Engine,
    /// The journal file.
    pub journal: Journal,
    /// The clip cache.
    pub clips: ClipStore,
    /// Speaks.
    pub words: Words,
    /// Sounds.
    pub player: Player,
    /// Gets clips.
    pub fetcher: Fetcher,
    /// Whom phrase sets are believed of.
    pub roots: Roots,
    /// When the program began.
    pub began: Instant,
    /// What goes on.
    pub now_on: Ongoing,
}

/// State of the loop that is not the engine's.
#[derive(Default)]
pub struct Ongoing {
    client: Option<Client>,
    receipts: BTreeMap<AckToken, Receipt>,
    owed: VecDeque<Receipt>,
    last_ack: u64,
    making: Option<(SoundingId, Making)>,
    audio: Option<AudioState>,
    probe: Option<oneshot::Receiver<Result<String, CardError>>>,
    ready: VecDeque<Input>,
    quench: quench::Quench,
}

impl Shell {
    /// Gives the engine its journal and begins.
    pub fn boot(
        &mut self,
        contents: Contents,
        clock_is_trusted: bool,
    ) -> Result<(), clock::NoRandomness> {
        let fresh_journal_id = u64::from_le_bytes(clock::random_bytes()?);
        tracing::info!(
            journal.records = contents.records.len(),
            journal.bytes = self.journal.len(),
            "journal: {} records in {}",
            contents.records.len(),
            self.journal.path().display()
        );
        if contents.torn_bytes > 0 {
            tracing::warn!(
                journal.torn_bytes = contents.torn_bytes,
                "the journal's last {} bytes were never complete and are cut off",
                contents.torn_bytes
            );
        }
        if contents.is_broken {
            tracing::error!(
                "the journal was damaged and is put aside; the dispatcher is asked for what is valid"
            );
        }
        for record in contents.records {
            self.feed(Input::Replay(record));
        }
        self.load_phrases();
        self.feed(Input::Booted { fresh_journal_id, clock_is_trusted });
        self.fetcher.watch_phrases();
        self.probe();
        Ok(())
    }

    /// Runs until `stop` is done.
    pub async fn run(&mut self, mut from: Sources, stop: impl Future<Output = ()>) {
        tokio::pin!(stop);
        let mut measure_at = clock::monotonic();
        let mut probe_at = clock::monotonic() + PROBE_EVERY;
        loop {
            let now = clock::monotonic();
            if now >= measure_at {
                measure_at = now + MEASURE_EVERY;
                self.measure();
            }
            if now >= probe_at {
                probe_at = now + PROBE_EVERY;
                self.probe();
            }
            let due = self.engine.next_wakeup().map_or(now + SLEEP_MAX, |at| self.began + at);
            let until = due.min(measure_at).min(probe_at);
            tokio::select! {
                () = &mut stop => break,
                Some(event) = from.link.recv() => self.on_link(event),
                Some(event) = from.player.recv() => self.on_player(event),
                Some(fetched) = from.fetched.recv() => self.on_fetched(fetched),
                Some(()) = from.local_stop.recv() => {
                    tracing::warn!("the local key was pressed");
                    self.feed(Input::LocalStop);
                }
                Some(stick) = from.stick.recv() => self.on_stick(stick),
                answer = probed(&mut self.now_on.probe) => self.on_probe(&answer),
                () = clock::sleep(until.saturating_duration_since(now)) => {
                    if clock::monotonic() >= due {
                        self.feed(Input::Wakeup);
                    }
                }
            }
            self.pay_owed();
        }
    }

    fn now(&self) -> Now {
        Now { clock: clock::now(), uptime: clock::monotonic().duration_since(self.began) }
    }

    /// One input, and everything that follows from it without waiting.
    fn feed(&mut self, input: Input) {
        self.now_on.ready.push_back(input);
        while let Some(input) = self.now_on.ready.pop_front() {
            let now = self.now();
            self.engine.handle(now, input);
            while let Some(output) = self.engine.poll() {
                self.carry_out(output);
            }
        }
    }

    fn carry_out(&mut self, output: Output) {
        match output {
            Output::Journal { token, record } => {
                landmark::before(&record);
                let result = self.journal.append(&record).map_err(|error| {
                    tracing::error!("the journal can't be written: {error}");
                    JournalError
                });
                landmark::after(&record);
                self.now_on.ready.push_back(Input::Journalled { token, result });
            }
            Output::CompactJournal { token, records } => {
                let result = self.journal.replace(&records).map_err(|error| {
                    tracing::error!("the journal can't be compacted: {error}");
                    JournalError
                });
                tracing::info!(journal.bytes = self.journal.len(), "journal compacted");
                self.now_on.ready.push_back(Input::Compacted { token, result });
            }
            Output::Ack(token) => {
                kill_point!("acknowledgement.sending");
                if let Some(receipt) = self.now_on.receipts.remove(&token)
                    && let Err(receipt) = receipt.acknowledge()
                {
                    self.now_on.owed.push_back(receipt);
                }
            }
            Output::Publish { topic, payload, retain } => {
                let bytes = payload.len();
                let sent = self.now_on.client.as_ref();
                let sent = sent.is_some_and(|client| client.publish(topic, payload, retain));
                tracing::debug!(mqtt.topic = %topic, mqtt.bytes = bytes, mqtt.sent = sent, "publish");
            }
            Output::FetchClip { reference, deadline, keep_until } => {
                self.want(&reference, deadline, keep_until);
            }
            Output::Play { sounding, order, repeat, plan, volume_percent, start_at, skip_ms } => {
                tracing::info!(
                    sounding = sounding.0,
                    order = %order,
                    repeat,
                    volume.percent = volume_percent,
                    "order {order}: sounding {repeat} begins"
                );
                self.play(sounding, &plan, volume_percent, start_at, skip_ms);
            }
            Output::SelfTest { sounding, plan, volume_percent } => {
                tracing::info!(sounding = sounding.0, volume.percent = volume_percent, "self-test");
                self.play(sounding, &plan, volume_percent, None, 0);
            }
            Output::CutSound { sounding, how } => {
                let at = match how {
                    CutHow::Now => CutAt::Once,
                    CutHow::AtSentenceEnd { within_ms } => {
                        CutAt::SentenceEnd(Duration::from_millis(within_ms.into()))
                    }
                };
                tracing::info!(sounding = sounding.0, "cut {how:?}");
                if self.player.cut(sounding.0, at).is_err() {
                    tracing::error!("the player does not answer");
                }
            }
            Output::Count { reason, about } => {
                let uptime = self.now().uptime;
                if let Some(unsaid) = self.now_on.quench.refused(reason, uptime) {
                    let about = about.map(|about| about.to_string()).unwrap_or_default();
                    tracing::warn!(reason = ?reason, about, unsaid, "{reason:?} {about}");
                }
            }
        }
    }

    /// Messages that came by hand. Nobody waits for their acknowledgements.
    fn on_stick(&mut self, stick: Stick) {
        tracing::warn!(messages = stick.len(), "a USB stick with {} messages", stick.len());
        for (topic, payload) in stick.into_messages(self.terminal) {
            self.now_on.last_ack += 1;
            let ack = AckToken(self.now_on.last_ack);
            self.feed(Input::Message { topic: topic.to_string(), payload, ack });
        }
    }

    fn on_link(&mut self, event: LinkEvent) {
        match event {
            LinkEvent::Up { client, session_present } => {
                let nonce = match clock::random_bytes() {
                    Ok(nonce) => nonce,
                    Err(error) => {
                        tracing::error!("{error}");
                        return;
                    }
                };
                tracing::info!(mqtt.session_present = session_present, "connected to the broker");
                self.now_on.client = Some(client);
                self.feed(Input::Connected { session_present, nonce });
            }
            LinkEvent::Down => {
                self.now_on.client = None;
                self.now_on.receipts.clear();
                self.now_on.owed.clear();
                self.feed(Input::Disconnected);
            }
            LinkEvent::Message { topic, payload, receipt } => {
                self.now_on.last_ack += 1;
                let ack = AckToken(self.now_on.last_ack);
                if self.now_on.receipts.len() < RECEIPTS_MAX {
                    self.now_on.receipts.insert(ack, receipt);
                }
                // Not for the ordinary log: whoever may publish would fill the disk with it.
                tracing::debug!(mqtt.topic = %topic, mqtt.bytes = payload.len(), "message on {topic}");
                self.feed(Input::Message { topic, payload, ack });
            }
        }
    }

    /// Acknowledgements for which there was no room before.
    fn pay_owed(&mut self) {
        while let Some(receipt) = self.now_on.owed.pop_front() {
            if let Err(receipt) = receipt.acknowledge() {
                self.now_on.owed.push_front(receipt);
                return;
            }
        }
    }
}

/// The answer of a probe; never, when none is under way.
async fn probed(
    probe: &mut Option<oneshot::Receiver<Result<String, CardError>>>,
) -> Result<String, CardError> {
    match probe {
        Some(answer) => answer.await.unwrap_or(Err(CardError::Absent(String::new()))),
        None => std::future::pending().await,
    }
}
