//! The run loop: one thread that feeds the engine and carries out what it wants, in its order.
//!
//! Journal writes are done in place: the engine waits for them anyway, and an fsync is the beat of
//! this device. A clip that is in the cache is confirmed before the next journal write is (rule 2
//! of [`crate::engine::io`]). Everything else waits outside: sound on its thread, HTTP on the
//! pool, the voice in its process.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use protocols::order::ClipReference;
use protocols::receipt::Evidence;
use protocols::trust::{self, Roots};
use protocols::vitals::AudioState;
use protocols::wire::MessageType;
use tokio::sync::mpsc;
use tokio::sync::oneshot;

use super::audio::card::CardError;
use super::audio::player::{CutAt, Player};
use super::audio::score::{Ending, PlayerEvent, Score};
use super::clips::ClipStore;
use super::clock;
use super::fetch::{Fetched, Fetcher, PHRASES_BYTES_MAX, PHRASES_EVERY};
use super::journal::{Contents, Journal};
use super::machine;
use super::mqtt::{Client, LinkEvent, Receipt};
use super::words::{Making, Words};
use crate::engine::Engine;
use crate::engine::io::{
    AckToken, CutHow, Input, JournalError, Measurements, Now, Output, Segment, SoundFailure,
    SoundOutcome, SoundingId,
};

/// Messages whose acknowledgement the engine still owes on one connection. Those beyond it are
/// never acknowledged, so the broker delivers them again.
const RECEIPTS_MAX: usize = 1_024;

/// Pause between two measurements of the machine.
const MEASURE_EVERY: Duration = Duration::from_secs(30);

/// Pause between two tries to open a sound card that is missing or stalled.
const PROBE_EVERY: Duration = Duration::from_secs(10);

/// Longest sleep: a clock that jumps is noticed at the latest then.
const SLEEP_MAX: Duration = Duration::from_mins(1);

/// Name of the sealed phrase set in the state folder.
pub const PHRASES_FILE: &str = "phrases.cose";

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
}

/// What the loop works with.
pub struct Shell {
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
                let result = self.journal.append(&record).map_err(|error| {
                    tracing::error!("the journal can't be written: {error}");
                    JournalError
                });
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
                let about = about.map(|about| about.to_string()).unwrap_or_default();
                tracing::warn!(reason = ?reason, about, "{reason:?} {about}");
            }
        }
    }

    fn want(&mut self, clip: &ClipReference, deadline: Timestamp, keep_until: Timestamp) {
        if self.clips.contains(&clip.digest) {
            self.clips.keep(&clip.digest, keep_until);
            self.now_on.ready.push_front(Input::ClipReady { digest: clip.digest });
        } else {
            self.fetcher.clip(clip, deadline, keep_until);
        }
    }

    fn play(
        &mut self,
        id: SoundingId,
        plan: &[Segment],
        volume_percent: u8,
        start_at: Option<Timestamp>,
        skip_ms: u32,
    ) {
        let (parts, making) = self.words.parts(plan, &mut self.clips, clock::now());
        self.now_on.making = Some((id, making));
        let gain = f32::from(volume_percent) / 100.0;
        let score = Score { id: id.0, parts, gain, start_at, skip_ms };
        if self.player.play(score).is_err() {
            self.now_on.ready.push_back(Input::SoundEnded {
                sounding: id,
                outcome: SoundOutcome::Failed(SoundFailure::DeviceStalled),
                evidence: Evidence::default(),
            });
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
                tracing::info!(mqtt.topic = %topic, mqtt.bytes = payload.len(), "message on {topic}");
                self.feed(Input::Message { topic, payload, ack });
            }
        }
    }

    fn on_player(&mut self, event: PlayerEvent) {
        match event {
            PlayerEvent::FirstSound { id, at } => {
                self.feed(Input::SoundStarted { sounding: SoundingId(id), at });
            }
            PlayerEvent::Ended { id, ending, account } => {
                let sounding = SoundingId(id);
                if self.now_on.making.as_ref().is_some_and(|(whose, _)| *whose == sounding) {
                    self.now_on.making = None;
                }
                tracing::info!(
                    sounding = id,
                    audio.frames = account.frames,
                    audio.underruns = account.underruns,
                    "sounding {id} ended: {ending:?}"
                );
                let (outcome, audio) = outcome_of(ending);
                let evidence = Evidence {
                    first_sound_at: account.first_sound_at,
                    frames: account.frames,
                    underruns: account.underruns,
                    ..Evidence::default()
                };
                self.set_audio(audio);
                self.feed(Input::SoundEnded { sounding, outcome, evidence });
            }
        }
    }

    fn on_fetched(&mut self, fetched: Fetched) {
        let now = clock::now();
        match fetched {
            Fetched::Clip { digest, bytes, keep_until } => {
                self.fetcher.done(&digest);
                match self.clips.insert(digest, &bytes, now, keep_until) {
                    Ok(()) => self.feed(Input::ClipReady { digest }),
                    Err(error) => {
                        tracing::warn!("clip {digest}: {error}");
                        self.feed(Input::ClipFailed { digest });
                    }
                }
            }
            Fetched::Late(digest) => self.feed(Input::ClipFailed { digest }),
            Fetched::GivenUp(digest) => {
                self.fetcher.done(&digest);
                self.feed(Input::ClipFailed { digest });
            }
            Fetched::Phrases(sealed) => self.take_phrases(&sealed, Some(now)),
        }
    }

    fn on_probe(&mut self, answer: &Result<String, CardError>) {
        self.now_on.probe = None;
        let audio = match answer {
            Ok(_) => AudioState::Present,
            Err(error) => {
                if self.now_on.audio != Some(AudioState::Absent) {
                    tracing::warn!("{error}");
                }
                AudioState::Absent
            }
        };
        self.set_audio(audio);
    }

    /// Tries the card again while it is not known to be present and nothing sounds.
    fn probe(&mut self) {
        let is_idle = self.now_on.making.is_none() && self.now_on.probe.is_none();
        if is_idle && self.now_on.audio != Some(AudioState::Present) {
            self.now_on.probe = self.player.probe().ok();
        }
    }

    fn set_audio(&mut self, audio: AudioState) {
        if self.now_on.audio != Some(audio) {
            self.now_on.audio = Some(audio);
            tracing::info!(audio.state = ?audio, "sound card: {audio:?}");
            self.measure();
        }
    }

    fn measure(&mut self) {
        let folder = self.journal.path().parent().unwrap_or(Path::new("."));
        let (battery_percent, is_on_mains) = machine::power(Path::new("/sys/class/power_supply"));
        let Some(audio) = self.now_on.audio else { return };
        let measurements = Measurements {
            audio,
            journal_bytes: self.journal.len(),
            disk_free_bytes: machine::disk_free_bytes(folder),
            battery_percent,
            is_on_mains,
        };
        self.feed(Input::Measured(measurements));
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

    fn load_phrases(&mut self) {
        let path = self.phrases_path();
        match std::fs::read(&path) {
            // Its signer's validity was checked when it came.
            Ok(sealed) => self.take_phrases(&sealed, None),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => tracing::warn!("{}: {error}", path.display()),
        }
    }

    fn phrases_path(&self) -> std::path::PathBuf {
        self.journal.path().with_file_name(PHRASES_FILE)
    }

    /// Believes a phrase set if a pinned root vouches for it, keeps it, and gets its clips.
    fn take_phrases(&mut self, sealed: &[u8], now: Option<Timestamp>) {
        let opened =
            trust::open(sealed, PHRASES_BYTES_MAX, MessageType::PhraseSet, &self.roots, &[], now);
        let set: protocols::hazard::PhraseSet = match opened {
            Ok(authentic) => authentic.message,
            Err(error) => {
                tracing::warn!("phrase set: {error}");
                return;
            }
        };
        if set.phrases.len() > protocols::limits::PHRASES_MAX {
            tracing::warn!("phrase set: more than {} phrases", protocols::limits::PHRASES_MAX);
            return;
        }
        if now.is_some() && set != self.words.phrases {
            tracing::info!(phrases = set.phrases.len(), "phrase set: {} clips", set.phrases.len());
            let path = self.phrases_path();
            if let Err(error) = write_atomically(&path, sealed) {
                tracing::warn!("{}: {error}", path.display());
            }
        }
        self.clips.pin(set.phrases.iter().map(|phrase| phrase.clip.digest));
        // Until the next look at the set. Pinned clips go last, but they must be able to go: an
        // order's own words are worth more than a phrase.
        let until = clock::now().saturating_add(PHRASES_EVERY).unwrap_or(Timestamp::MAX);
        for phrase in &set.phrases {
            if !self.clips.contains(&phrase.clip.digest) {
                self.fetcher.clip(&phrase.clip, until, until);
            }
        }
        self.words.phrases = set;
    }
}

fn write_atomically(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::io::Write as _;
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    super::journal::sync_folder(path)
}

const fn outcome_of(ending: Ending) -> (SoundOutcome, AudioState) {
    match ending {
        Ending::Drained => (SoundOutcome::Finished, AudioState::Present),
        Ending::Cut => (SoundOutcome::Cut, AudioState::Present),
        Ending::NoDevice => (SoundOutcome::Failed(SoundFailure::NoAudioDevice), AudioState::Absent),
        Ending::Stalled => (SoundOutcome::Failed(SoundFailure::DeviceStalled), AudioState::Stalled),
        Ending::NoSpeech => (SoundOutcome::Failed(SoundFailure::NoSpeech), AudioState::Present),
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
