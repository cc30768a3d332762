//! The player: a thread of its own that opens the card, has the ring filled from a score, watches
//! the card and gives account.
//!
//! One sounding at a time. The card is open only while something sounds, unless it is to be kept
//! open (a capture begins anew with each opening). A card that is missing, vanishes or stalls ends
//! the sounding with that reason; the next sounding tries to open it again.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use super::card::{Card, CardError};
use super::feed::{CutAt, Feed};
use super::score::{Account, Ending, PlayerEvent, Score, ScoreId};
use crate::shell::clock;

/// Commands that may wait for the player. It answers within a [`TICK`], so a few are many.
const COMMANDS_MAX: usize = 16;

/// Pause between two looks at ring, commands and card.
const TICK: Duration = Duration::from_millis(10);

/// Pause between two looks for the first callback of a card that was just opened.
const FIRST_LOOK: Duration = Duration::from_millis(2);

/// Openings of a card that fails before its first frame.
const OPENINGS_MAX: usize = 3;

/// A card that asks for no frames for this long is stalled.
const STALL_AFTER: Duration = Duration::from_secs(2);

enum Command {
    Play(Score),
    Cut(ScoreId, CutAt),
    Probe(tokio::sync::oneshot::Sender<Result<String, CardError>>),
    Quit,
}

/// The handle on the player's thread. Dropping it silences and ends it.
pub struct Player {
    commands: SyncSender<Command>,
    thread: Option<std::thread::JoinHandle<()>>,
}

/// The player does not answer: its thread has ended or its queue is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the player does not take commands")]
pub struct PlayerGone;

impl Player {
    /// Starts the thread. `card` is an ALSA name or "" for the default; events go to `events`.
    pub fn start(
        card: String,
        keep_open: bool,
        events: mpsc::Sender<PlayerEvent>,
    ) -> std::io::Result<Self> {
        let (sender, commands) = sync_channel(COMMANDS_MAX);
        let mut work = Work { name: card, keep_open, commands, events, card: None };
        let thread =
            std::thread::Builder::new().name("speaker".into()).spawn(move || work.run())?;
        Ok(Self { commands: sender, thread: Some(thread) })
    }

    /// Plays `score` after what is sounding has ended; cut that first if it must not wait.
    pub fn play(&self, score: Score) -> Result<(), PlayerGone> {
        self.send(Command::Play(score))
    }

    /// Cuts the sounding of this id; any other is left alone.
    pub fn cut(&self, id: ScoreId, at: CutAt) -> Result<(), PlayerGone> {
        self.send(Command::Cut(id, at))
    }

    /// Opens the card once (unless it is open) and answers with its format.
    pub fn probe(
        &self,
    ) -> Result<tokio::sync::oneshot::Receiver<Result<String, CardError>>, PlayerGone> {
        let (answer, receiver) = tokio::sync::oneshot::channel();
        self.send(Command::Probe(answer))?;
        Ok(receiver)
    }

    fn send(&self, command: Command) -> Result<(), PlayerGone> {
        self.commands.try_send(command).map_err(|_| PlayerGone)
    }
}

impl Drop for Player {
    fn drop(&mut self) {
        // A full queue is emptied within a tick, and a thread that is gone needs no word.
        let _ = self.commands.send(Command::Quit);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Work {
    name: String,
    keep_open: bool,
    commands: Receiver<Command>,
    events: mpsc::Sender<PlayerEvent>,
    card: Option<Card>,
}

impl Work {
    fn run(&mut self) {
        if self.keep_open
            && let Err(error) = self.open()
        {
            tracing::warn!("{error}");
        }
        let mut waiting = VecDeque::new();
        loop {
            let command = match waiting.pop_front() {
                Some(command) => command,
                None => match self.commands.recv() {
                    Ok(command) => command,
                    Err(_) => return,
                },
            };
            match command {
                Command::Play(score) => self.perform(score, &mut waiting),
                Command::Probe(answer) => {
                    let _ = answer.send(self.open().map(|card| card.format.clone()));
                    self.close_if_idle();
                }
                // What it meant has ended by itself.
                Command::Cut(..) => {}
                Command::Quit => return,
            }
        }
    }

    fn open(&mut self) -> Result<&mut Card, CardError> {
        if self.card.as_ref().is_some_and(|card| card.meter.is_lost()) {
            self.card = None;
        }
        if self.card.is_none() {
            let card = Card::open(&self.name)?;
            tracing::info!(audio.format = %card.format, "sound card open: {}", card.format);
            self.card = Some(card);
        }
        self.card.as_mut().ok_or(CardError::NoFormat)
    }

    /// Opens the card and waits for its first callback: a driver that fails at the start is
    /// opened again, before anything of the sounding is spent on it.
    fn open_playing(&mut self) -> Result<(), CardError> {
        for _ in 0..OPENINGS_MAX {
            let meter = std::sync::Arc::clone(&self.open()?.meter);
            let since = clock::monotonic();
            while meter.callbacks() == 0 && !meter.is_lost() {
                if clock::monotonic().duration_since(since) > STALL_AFTER {
                    // The watchdog of the sounding says so, with its account.
                    return Ok(());
                }
                std::thread::park_timeout(FIRST_LOOK);
            }
            if !meter.is_lost() {
                return Ok(());
            }
        }
        Err(CardError::Other("it fails before its first frame".to_owned()))
    }

    fn close_if_idle(&mut self) {
        if !self.keep_open {
            self.card = None;
        }
    }

    fn perform(&mut self, score: Score, waiting: &mut VecDeque<Command>) {
        let id = score.id;
        let (ending, account) = match self.open_playing() {
            Ok(()) => self.sound(score, waiting),
            Err(error) => {
                tracing::warn!("{error}");
                (Ending::NoDevice, Account::default())
            }
        };
        match ending {
            Ending::NoDevice | Ending::Stalled => self.card = None,
            Ending::Drained | Ending::Cut | Ending::NoSpeech => self.close_if_idle(),
        }
        // The run loop drains this channel at every step; if it is gone, so are we.
        let _ = self.events.blocking_send(PlayerEvent::Ended { id, ending, account });
    }

    /// Plays to the end, the cut or the failure. Commands for later go to `waiting`.
    fn sound(&mut self, score: Score, waiting: &mut VecDeque<Command>) -> (Ending, Account) {
        let Self { commands, events, card, .. } = self;
        let Some(card) = card else { return (Ending::NoDevice, Account::default()) };
        let (id, start_at) = (score.id, score.start_at);
        card.meter.prepare();
        let mut feed = Feed::new(score);
        feed.fill(card, clock::monotonic());
        card.meter.begin(start_at);
        let mut watchdog =
            Watchdog { callbacks: card.meter.callbacks(), since: clock::monotonic() };
        let mut is_told = false;
        let ending = loop {
            match commands.recv_timeout(TICK) {
                Ok(Command::Cut(which, at)) if which == id => {
                    feed.cut(card, at, clock::monotonic());
                }
                Ok(Command::Quit) | Err(RecvTimeoutError::Disconnected) => {
                    feed.cut(card, CutAt::Once, clock::monotonic());
                    waiting.push_front(Command::Quit);
                }
                Ok(other) => waiting.push_back(other),
                Err(RecvTimeoutError::Timeout) => {}
            }
            let now = clock::monotonic();
            feed.fill(card, now);
            if !is_told && let Some((at, frame)) = card.meter.first_sound() {
                is_told = true;
                log_first_sound(card, at, frame);
                let _ = events.blocking_send(PlayerEvent::FirstSound { id, at });
            }
            if card.meter.is_drained() {
                break feed.ending();
            }
            if card.meter.is_lost() {
                break Ending::NoDevice;
            }
            if watchdog.is_stalled(card.meter.callbacks(), now) {
                break Ending::Stalled;
            }
        };
        card.meter.finish();
        let first = card.meter.first_sound();
        let account = Account {
            first_sound_at: first.map(|(at, _)| at),
            first_sound_frame: first.map(|(_, frame)| frame),
            frames: card.meter.consumed(),
            underruns: card.meter.underruns(),
            words: feed.words(),
        };
        (ending, account)
    }
}

/// One line by which a capture can be compared with a receipt: the place of the first loud frame
/// in the capture, when it left the device, and when frame 0 did.
fn log_first_sound(card: &Card, at: jiff::Timestamp, frame: u64) {
    let origin = card.meter.origin().map(|at| at.to_string()).unwrap_or_default();
    tracing::info!(
        audio.first_sound_at = %at,
        audio.first_sound_frame = frame,
        audio.frame_zero_at = %origin,
        "first sound at {at}, frame {frame} since the card was opened"
    );
}

struct Watchdog {
    callbacks: u64,
    since: Instant,
}

impl Watchdog {
    fn is_stalled(&mut self, callbacks: u64, now: Instant) -> bool {
        if callbacks != self.callbacks {
            *self = Self { callbacks, since: now };
        }
        now.duration_since(self.since) > STALL_AFTER
    }
}
