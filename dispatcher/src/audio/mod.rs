//! Words become clips: speech → 48 kHz → −16 LUFS → Ogg Opus, named by their digest.
//!
//! | file | does |
//! |---|---|
//! | `espeak` | the floor: espeak-ng as a child process |
//! | `resample` | any rate → 48 kHz |
//! | `loudness` | −16 LUFS, with room below full scale for the codec |
//! | `opus_file` | Ogg Opus, written and read |
//! | `clips` | all of it in a row: text → clip |
//! | `studio` | the same off the runtime's threads, a few at a time, officers first |
//!
//! Knows nothing of alerts, the database or HTTP. Everything here blocks: callers use
//! `spawn_blocking`. The same text, language and voice give the same bytes on one build.

pub mod clips;
mod espeak;
mod loudness;
pub mod opus_file;
mod resample;
mod studio;

pub use espeak::Espeak;
pub use studio::Studio;

use crate::voice::Need;

/// Samples a second of every clip.
pub const CLIP_RATE: u32 = 48_000;

/// One channel of sound, full scale is 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Pcm {
    /// Samples a second.
    pub rate: u32,
    /// The samples.
    pub samples: Vec<f32>,
}

impl Pcm {
    /// Length in milliseconds.
    pub fn duration_ms(&self) -> u32 {
        (self.samples.len() as u64 * 1_000 / u64::from(self.rate.max(1))) as u32
    }
}

/// Why nothing was said.
#[derive(Debug, thiserror::Error)]
pub enum SpeechError {
    /// The engine has no voice for the language, or the text has nothing that can be said.
    #[error("no voice can say this text in {language}")]
    NoVoice {
        /// BCP 47 tag.
        language: String,
    },
    /// The engine could not be started.
    #[error("start {program}")]
    Start {
        /// The program.
        program: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The engine did not finish in time.
    #[error("speech took longer than {seconds} s")]
    TimedOut {
        /// The limit.
        seconds: u64,
    },
    /// The engine failed or gave something that is no sound.
    #[error("the speech engine gave no sound: {reason}")]
    NoSound {
        /// What was wrong.
        reason: &'static str,
    },
}

/// A speech engine. Blocking.
pub trait Speech: Send + Sync {
    /// Names engine, voice and pace for this language; clips are kept by it. `None` without voice.
    fn voice(&self, language: &str) -> Option<String>;

    /// Says `text`; with little of the machine when nobody waits for it.
    fn synthesize(&self, language: &str, text: &str, need: Need) -> Result<Pcm, SpeechError>;
}
