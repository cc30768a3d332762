//! From the engine's plan to a score: tones are generated, clips come from the cache, words from
//! the local voice while the tone already sounds.

use std::sync::Arc;

use jiff::Timestamp;
use protocols::alert::EventCode;
use protocols::hazard::{PhraseSet, hazard};
use protocols::speech::{Language, SpeechRequest};
use tokio::sync::Semaphore;
use tokio::task::AbortHandle;

use super::audio::Silence;
use super::audio::opus_file::OpusClip;
use super::audio::score::{Made, Part, later};
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
pub struct Making(Vec<AbortHandle>);

impl Drop for Making {
    fn drop(&mut self) {
        for task in &self.0 {
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
                Segment::Clip { reference, .. } => ready(clip(clips, &reference.digest, now)),
                Segment::LocalVoice { language, text } => self.say(language, text, &mut making),
                Segment::DrillFrame { language } => {
                    self.say(language, drill_frame_words(language), &mut making)
                }
                Segment::DrillAborted { language } => {
                    self.say(language, drill_aborted_words(language), &mut making)
                }
                Segment::Silence { duration_ms } => {
                    Part::Ready(Box::new(Silence::ms(*duration_ms)))
                }
            };
            parts.push(part);
        }
        (parts, making)
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
        making.0.push(task.abort_handle());
        part
    }
}

fn clip(clips: &mut ClipStore, digest: &protocols::digest::Digest, now: Timestamp) -> Made {
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
