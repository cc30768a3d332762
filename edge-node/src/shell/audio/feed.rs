//! From the parts of a score to the ring: what comes next, what is waited for, which of two words
//! is spoken, where a sentence ends.
//!
//! Knows the card only as a ring with room and a meter that is told where the sounding ends.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::{Duration, Instant};

use super::card::{Card, RING_SAMPLES};
use super::score::{Choice, ChosenWords, Ending, Made, Part, Score};
use super::{RATE_HZ, STEP, Source};

/// Longest wait for a part that is being made; then it counts as failed.
const LATER_MAX: Duration = Duration::from_secs(15);

/// Silence kept in the ring while a part is being made, 100 ms: more would delay it.
const WAITING_SAMPLES: usize = 4_800;

/// Samples of quiet that end a sentence, 150 ms.
const SENTENCE_GAP: usize = 7_200;

/// Level below which speech pauses (−40 dB of full scale).
const PAUSE_MAX: f32 = 0.01;

/// When a sounding that is cut falls silent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CutAt {
    /// Within the card's buffer.
    Once,
    /// At the end of the sentence, and no later than after this time.
    SentenceEnd(Duration),
}

/// Moves samples from the parts into the ring.
pub(super) struct Feed {
    parts: VecDeque<Part>,
    current: Option<Box<dyn Source>>,
    waiting_since: Option<Instant>,
    gain: f32,
    /// Samples still to be left out at the start.
    skip: usize,
    pushed: u64,
    /// Loudest quiet run at the end of what was pushed, in samples.
    quiet: usize,
    state: FeedState,
    ending: Ending,
    words: ChosenWords,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FeedState {
    Feeding,
    /// Ends at the next pause, or cuts at this instant.
    WindingDown(Instant),
    /// A cut is on its way to the callback.
    Cutting,
    Fed,
}

impl Feed {
    pub(super) fn new(score: Score) -> Self {
        Self {
            parts: score.parts.into(),
            current: None,
            waiting_since: None,
            gain: score.gain.clamp(0.0, 1.0),
            skip: score.skip_ms as usize * (RATE_HZ as usize / 1_000),
            pushed: 0,
            quiet: 0,
            state: FeedState::Feeding,
            ending: Ending::Drained,
            words: ChosenWords::default(),
        }
    }

    /// How it ends, as far as it has come.
    pub(super) const fn ending(&self) -> Ending {
        self.ending
    }

    /// Which words were chosen so far.
    pub(super) const fn words(&self) -> ChosenWords {
        self.words
    }

    pub(super) fn cut(&mut self, card: &Card, at: CutAt, now: Instant) {
        match (self.state, at) {
            (FeedState::Cutting, _)
            | (FeedState::Fed | FeedState::WindingDown(_), CutAt::SentenceEnd(_)) => return,
            (FeedState::Feeding, CutAt::SentenceEnd(within)) => {
                self.state = FeedState::WindingDown(now + within);
            }
            (FeedState::Feeding | FeedState::WindingDown(_) | FeedState::Fed, CutAt::Once) => {
                card.meter.cut();
                self.state = FeedState::Cutting;
            }
        }
        self.ending = Ending::Cut;
    }

    pub(super) fn fill(&mut self, card: &mut Card, now: Instant) {
        match self.state {
            FeedState::Fed => return,
            FeedState::Cutting => {
                if card.meter.is_cut() {
                    self.finish(card, card.meter.consumed());
                }
                return;
            }
            FeedState::WindingDown(until) if now >= until => {
                card.meter.cut();
                self.state = FeedState::Cutting;
                return;
            }
            FeedState::WindingDown(_) | FeedState::Feeding => {}
        }
        let mut step = [0.0; STEP];
        while card.ring.slots() >= STEP {
            let n = match self.next(&mut step, now) {
                Next::Samples(n) => n,
                Next::Wait if RING_SAMPLES - card.ring.slots() >= WAITING_SAMPLES => return,
                Next::Wait => {
                    step.fill(0.0);
                    STEP
                }
                Next::SentenceEnd | Next::End => return self.finish(card, self.pushed),
            };
            let skipped = if self.current.is_some() { self.skip.min(n) } else { 0 };
            self.skip -= skipped;
            for sample in &mut step[skipped..n] {
                *sample *= self.gain;
            }
            let (pushed, _) = card.ring.push_partial_slice(&step[skipped..n]);
            self.pushed += pushed.len() as u64;
        }
    }

    fn finish(&mut self, card: &Card, frames: u64) {
        card.meter.set_end(frames);
        self.state = FeedState::Fed;
    }

    fn next(&mut self, step: &mut [f32], now: Instant) -> Next {
        let is_ending = matches!(self.state, FeedState::WindingDown(_));
        loop {
            if let Some(source) = &mut self.current {
                let n = source.read(step);
                if n > 0 {
                    self.count_quiet(&step[..n]);
                    if is_ending && self.quiet >= SENTENCE_GAP {
                        return Next::SentenceEnd;
                    }
                    return Next::Samples(n);
                }
                self.current = None;
                if is_ending {
                    return Next::SentenceEnd;
                }
            }
            match self.parts.pop_front() {
                None => return Next::End,
                Some(Part::Ready(source)) => self.begin(source),
                Some(Part::Later(receiver)) => match self.come(&receiver, now) {
                    Coming::Here(source) => self.begin(source),
                    Coming::Never(why) => self.miss(&why),
                    Coming::NotYet if is_ending => return Next::SentenceEnd,
                    Coming::NotYet => {
                        self.parts.push_front(Part::Later(receiver));
                        return Next::Wait;
                    }
                },
                Some(Part::Either(choice)) => match self.choose(choice, now) {
                    None => {}
                    Some(_) if is_ending => return Next::SentenceEnd,
                    Some(open) => {
                        self.parts.push_front(Part::Either(open));
                        return Next::Wait;
                    }
                },
            }
        }
    }

    fn begin(&mut self, source: Box<dyn Source>) {
        self.waiting_since = None;
        self.current = Some(source);
    }

    fn come(&mut self, receiver: &Receiver<Made>, now: Instant) -> Coming {
        let since = *self.waiting_since.get_or_insert(now);
        match receiver.try_recv() {
            Ok(Ok(source)) => Coming::Here(source),
            Ok(Err(why)) => Coming::Never(why),
            Err(TryRecvError::Disconnected) => Coming::Never("its maker ended".to_owned()),
            Err(TryRecvError::Empty) if now.duration_since(since) > LATER_MAX => {
                Coming::Never("it took too long".to_owned())
            }
            Err(TryRecvError::Empty) => Coming::NotYet,
        }
    }

    /// What is preferred, if it is there; else the others, as soon as the first of them is; gives
    /// the choice back while it is open.
    fn choose(&mut self, choice: Choice, now: Instant) -> Option<Choice> {
        let Choice { preferred, mut otherwise } = choice;
        let is_open = match self.come(&preferred, now) {
            Coming::Here(source) => {
                self.words.n_preferred += 1;
                self.begin(source);
                return None;
            }
            Coming::NotYet => true,
            Coming::Never(why) => {
                tracing::info!("the words that were preferred are not there: {why}");
                false
            }
        };
        match otherwise.pop_front() {
            Some(Part::Later(receiver)) if is_open => match self.come(&receiver, now) {
                Coming::Here(source) => otherwise.push_front(Part::Ready(source)),
                Coming::NotYet => {
                    otherwise.push_front(Part::Later(receiver));
                    return Some(Choice { preferred, otherwise });
                }
                // What is preferred may still come, and is worth waiting for now.
                Coming::Never(why) => {
                    tracing::warn!("a part of the sounding is missing: {why}");
                    return Some(Choice { preferred, otherwise });
                }
            },
            // Nothing else is left: what is preferred is waited for.
            None if is_open => return Some(Choice { preferred, otherwise }),
            None => self.miss("neither the clip nor the local voice is there"),
            Some(part) => otherwise.push_front(part),
        }
        self.words.n_otherwise += 1;
        for part in otherwise.into_iter().rev() {
            self.parts.push_front(part);
        }
        None
    }

    fn miss(&mut self, why: &str) {
        self.waiting_since = None;
        tracing::warn!("a part of the sounding is missing: {why}");
        if self.ending == Ending::Drained {
            self.ending = Ending::NoSpeech;
        }
    }

    fn count_quiet(&mut self, samples: &[f32]) {
        for sample in samples {
            self.quiet = if sample.abs() < PAUSE_MAX { self.quiet + 1 } else { 0 };
        }
    }
}

enum Next {
    Samples(usize),
    /// A part is not ready.
    Wait,
    SentenceEnd,
    End,
}

/// A part that is being made.
enum Coming {
    Here(Box<dyn Source>),
    NotYet,
    Never(String),
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::SyncSender;

    use super::*;
    use crate::shell::audio::score::{either, later};
    use crate::shell::clock;

    /// A level for a while: a part that can be told from the others.
    struct Level(f32, usize);

    impl Source for Level {
        fn read(&mut self, out: &mut [f32]) -> usize {
            let n = self.1.min(out.len());
            out[..n].fill(self.0);
            self.1 -= n;
            n
        }
    }

    const TONE: f32 = 0.1;
    const CLIP: f32 = 0.2;
    const PHRASE: f32 = 0.3;
    const VOICE: f32 = 0.4;

    fn level(level: f32) -> Box<dyn Source> {
        Box::new(Level(level, STEP))
    }

    struct Bench {
        feed: Feed,
        clip: SyncSender<Made>,
        voice: SyncSender<Made>,
    }

    /// A tone, then a clip or a phrase and words by voice.
    fn bench(has_phrase: bool) -> Bench {
        let (voice, spoken) = later();
        let phrase = has_phrase.then(|| Part::Ready(level(PHRASE)));
        let (clip, words) = either(phrase.into_iter().chain([spoken]));
        let parts = vec![Part::Ready(level(TONE)), words];
        let score = Score { id: 1, parts, gain: 1.0, start_at: None, skip_ms: 0 };
        Bench { feed: Feed::new(score), clip, voice }
    }

    /// What is heard until it ends or waits.
    fn heard(feed: &mut Feed, now: Instant) -> (Vec<f32>, bool) {
        let mut heard = Vec::new();
        let mut step = [0.0; STEP];
        loop {
            match feed.next(&mut step, now) {
                Next::Samples(_) => heard.push(step[0]),
                Next::Wait => return (heard, false),
                Next::SentenceEnd | Next::End => return (heard, true),
            }
        }
    }

    #[test]
    fn a_clip_that_comes_while_the_tone_sounds_is_the_words() {
        let mut bench = bench(true);
        let now = clock::monotonic();
        let mut step = [0.0; STEP];
        assert!(matches!(bench.feed.next(&mut step, now), Next::Samples(_)));
        bench.voice.send(Ok(level(VOICE))).expect("it waits");
        bench.clip.send(Ok(level(CLIP))).expect("it waits");
        assert_eq!(heard(&mut bench.feed, now), (vec![CLIP], true));
        assert_eq!(bench.feed.words(), ChosenWords { n_preferred: 1, n_otherwise: 0 });
    }

    #[test]
    fn without_its_clip_the_phrase_begins_as_the_tone_ends_and_is_not_taken_back() {
        let mut bench = bench(true);
        let now = clock::monotonic();
        assert_eq!(heard(&mut bench.feed, now), (vec![TONE, PHRASE], false));
        bench.clip.try_send(Ok(level(CLIP))).expect_err("the choice is made");
        bench.voice.send(Ok(level(VOICE))).expect("it waits");
        assert_eq!(heard(&mut bench.feed, now), (vec![VOICE], true));
        assert_eq!(bench.feed.words(), ChosenWords { n_preferred: 0, n_otherwise: 1 });
        assert_eq!(bench.feed.ending(), Ending::Drained);
    }

    #[test]
    fn while_neither_is_there_the_first_to_come_speaks() {
        for is_clip in [true, false] {
            let mut bench = bench(false);
            let now = clock::monotonic();
            assert_eq!(heard(&mut bench.feed, now), (vec![TONE], false));
            let (first, expected) =
                if is_clip { (&bench.clip, CLIP) } else { (&bench.voice, VOICE) };
            first.send(Ok(level(expected))).expect("it waits");
            assert_eq!(heard(&mut bench.feed, now), (vec![expected], true));
        }
    }

    #[test]
    fn a_clip_that_failed_gives_way_and_a_voice_that_failed_waits_for_the_clip() {
        let mut bench = bench_without_phrase_after(|bench| {
            bench.clip.send(Err("rubbish".to_owned())).expect("it waits");
            bench.voice.send(Ok(level(VOICE))).expect("it waits");
        });
        let now = clock::monotonic();
        assert_eq!(heard(&mut bench.feed, now), (vec![TONE, VOICE], true));
        let mut bench = bench_without_phrase_after(|bench| {
            bench.voice.send(Err("not installed".to_owned())).expect("it waits");
        });
        assert_eq!(heard(&mut bench.feed, now), (vec![TONE], false));
        bench.clip.send(Ok(level(CLIP))).expect("it waits");
        assert_eq!(heard(&mut bench.feed, now), (vec![CLIP], true));
        assert_eq!(bench.feed.ending(), Ending::Drained);
    }

    #[test]
    fn words_that_never_come_are_a_failure_and_not_a_long_silence() {
        let mut bench = bench(false);
        let now = clock::monotonic();
        assert_eq!(heard(&mut bench.feed, now), (vec![TONE], false));
        let late = now + LATER_MAX + Duration::from_secs(1);
        assert_eq!(heard(&mut bench.feed, late), (Vec::new(), true));
        assert_eq!(bench.feed.ending(), Ending::NoSpeech);
    }

    fn bench_without_phrase_after(happening: impl Fn(&Bench)) -> Bench {
        let bench = bench(false);
        happening(&bench);
        bench
    }
}
