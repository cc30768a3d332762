//! From the engine's plan to a score: tones are generated, clips come from the cache, words from
//! the local voice while the tone already sounds. Everything is begun at once, in the order in
//! which it is needed: what follows is made while what precedes it sounds.

use std::sync::Arc;
use std::sync::mpsc::SyncSender;

use jiff::Timestamp;
use protocols::alert::EventCode;
use protocols::digest::Digest;
use protocols::hazard::{PhraseSet, hazard};
use protocols::order::ClipReference;
use protocols::receipt::SoundSource;
use protocols::speech::{Language, SpeechRequest};
use tokio::sync::Semaphore;
use tokio::task::AbortHandle;

use super::audio::Silence;
use super::audio::opus_file::OpusClip;
use super::audio::score::{ChosenWords, Made, Part, either, later};
use super::audio::tone::{Announcement, Tone};
use super::clips::ClipStore;
use super::voice::{self, Request, VoiceError};
use crate::engine::io::Segment;
use crate::engine::plan::{drill_aborted_words, drill_frame_words};

/// Makes parts of segments. Must live in a tokio runtime.
pub struct Words {
    program: String,
    /// One voice at a time, in the order in which it is needed.
    gate: Arc<Semaphore>,
    /// The verified set of prepared phrases.
    pub phrases: PhraseSet,
}

/// Work that goes on for a sounding; dropped, it stops.
#[derive(Default)]
pub struct Making {
    tasks: Vec<AbortHandle>,
    /// Clips that will be spoken if they come before their turn.
    wanted: Vec<(Digest, SyncSender<Made>)>,
    has_clip: bool,
    has_voice: bool,
}

/// What an order says in one language.
#[derive(Clone, Copy)]
struct OwnWords<'p> {
    reference: &'p ClipReference,
    event: EventCode,
    language: &'p str,
    text: &'p str,
}

impl Making {
    /// A clip has come into the cache.
    pub fn offer(&mut self, digest: &Digest, clips: &mut ClipStore, now: Timestamp) {
        for (_, hand_over) in self.wanted.extract_if(.., |(wanted, _)| wanted == digest) {
            // A sounding that has begun with other words takes no more.
            let _ = hand_over.try_send(clip(clips, digest, now));
        }
    }

    /// What spoke the words, after its choices went like this; `None` if it did not come so far.
    pub const fn source(&self, chosen: ChosenWords) -> Option<SoundSource> {
        if self.has_voice || chosen.n_otherwise > 0 {
            Some(SoundSource::LocalVoice)
        } else if self.has_clip || chosen.n_preferred > 0 {
            Some(SoundSource::Clip)
        } else {
            None
        }
    }
}

impl Drop for Making {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl Words {
    /// Speaks with `program`.
    pub fn new(program: String) -> Self {
        let phrases = PhraseSet { phrases: Vec::new() };
        Self { program, gate: Arc::new(Semaphore::new(1)), phrases }
    }

    /// The parts of a plan.
    pub fn parts(
        &self,
        plan: &[Segment],
        clips: &mut ClipStore,
        now: Timestamp,
    ) -> (Vec<Part>, Making) {
        let mut making = Making::default();
        let mut parts = Vec::with_capacity(plan.len());
        for segment in plan {
            let part = match segment {
                Segment::Tone { event, color, kind, purpose } => {
                    let (event, color, kind, purpose) = (*event, *color, *kind, *purpose);
                    Part::Ready(Box::new(Tone::of(Announcement { purpose, kind, color, event })))
                }
                Segment::Phrase { event, language } => {
                    match self.phrase(*event, language, clips, now, &mut making) {
                        Some(part) => part,
                        None => continue,
                    }
                }
                Segment::Clip { reference, .. } => {
                    making.has_clip = true;
                    ready(clip(clips, &reference.digest, now))
                }
                Segment::ClipOrVoice { reference, event, language, text } => {
                    let words = OwnWords { reference, event: *event, language, text };
                    self.clip_or_voice(words, clips, now, &mut making)
                }
                Segment::LocalVoice { language, text } => {
                    making.has_voice = true;
                    self.say(language, text, &mut making)
                }
                Segment::DrillFrame { language } => {
                    self.say(language, drill_frame_words(language), &mut making)
                }
                Segment::DrillAborted { language } => {
                    self.say(language, drill_aborted_words(language), &mut making)
                }
                Segment::NearSilence { duration_ms } => {
                    Part::Ready(Box::new(Tone::near_silent(*duration_ms)))
                }
                Segment::Silence { duration_ms } => {
                    Part::Ready(Box::new(Silence::ms(*duration_ms)))
                }
            };
            parts.push(part);
        }
        (parts, making)
    }

    /// The clip if it has come by now; else a choice, open until its turn.
    fn clip_or_voice(
        &self,
        words: OwnWords<'_>,
        clips: &mut ClipStore,
        now: Timestamp,
        making: &mut Making,
    ) -> Part {
        let OwnWords { reference, event, language, text } = words;
        if clips.contains(&reference.digest)
            && let Ok(source) = clip(clips, &reference.digest, now)
        {
            making.has_clip = true;
            return Part::Ready(source);
        }
        let phrase = self.phrase(event, language, clips, now, making);
        let text = self.say(language, text, making);
        let (hand_over, part) = either(phrase.into_iter().chain([text]));
        making.wanted.push((reference.digest, hand_over));
        part
    }

    /// The prepared clip of the hazard; else its words by the local voice; else nothing.
    fn phrase(
        &self,
        event: EventCode,
        language: &str,
        clips: &mut ClipStore,
        now: Timestamp,
        making: &mut Making,
    ) -> Option<Part> {
        if let Some(reference) = self.phrases.clip_for(event, language)
            && let Ok(source) = clip(clips, &reference.digest, now)
        {
            return Some(Part::Ready(source));
        }
        let text = hazard(event).phrase_clip_text(Language::from_tag(language)?);
        Some(self.say(language, &text, making))
    }

    /// Words by the local voice, ready when they are ready.
    pub fn say(&self, language: &str, text: &str, making: &mut Making) -> Part {
        let (hand_over, part) = later();
        let request = SpeechRequest::for_text(language, text);
        let (program, gate) = (self.program.clone(), Arc::clone(&self.gate));
        let language = language.to_owned();
        let task = tokio::spawn(async move {
            let made = async {
                let request = request.ok_or(VoiceError::NoVoice(language))?;
                let _turn = gate.acquire().await;
                voice::speak(&program, Request { args: request.args(), input: request.input }).await
            };
            let made: Made = match made.await {
                Ok(source) => Ok(Box::new(source)),
                Err(error) => Err(error.to_string()),
            };
            // A sounding that was cut waits for nothing.
            let _ = hand_over.try_send(made);
        });
        making.tasks.push(task.abort_handle());
        part
    }
}

fn clip(clips: &mut ClipStore, digest: &Digest, now: Timestamp) -> Made {
    let bytes = clips.load(digest, now).map_err(|error| format!("clip {digest}: {error}"))?;
    match OpusClip::open(bytes) {
        Ok(source) => Ok(Box::new(source)),
        Err(error) => Err(format!("clip {digest}: {error}")),
    }
}

/// A part that is there or will never be.
fn ready(made: Made) -> Part {
    match made {
        Ok(source) => Part::Ready(source),
        Err(why) => {
            let (hand_over, part) = later();
            let _ = hand_over.try_send(Err(why));
            part
        }
    }
}
