//! The port through which use cases have words made into clips. Without the feature `speech`, or
//! without a voice for a language, there is none, and terminals use their own.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use protocols::order::ClipReference;

use crate::config::speech::SpeechConfig;

/// A finished clip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clip {
    /// The file.
    pub bytes: Vec<u8>,
    /// As an order names it.
    pub reference: ClipReference,
}

/// How soon a clip is needed. Who waits for one is always served before who does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Need {
    /// An officer waits for it.
    Now,
    /// Somebody may press for it next.
    Soon,
    /// It is held in advance.
    Idle,
}

/// Makes clips.
#[async_trait]
pub trait Voice: fmt::Debug + Send + Sync {
    /// Names engine, voice and pace for this language: clips are kept by it. `None` without voice.
    fn name(&self, language: &str) -> Option<String>;

    /// The clip of `text`; `None` when it could not be made (the cause is logged there).
    async fn clip(&self, language: &str, text: &str, need: Need) -> Option<Clip>;
}

/// No voice at all.
#[derive(Debug, Clone, Copy)]
pub struct Mute;

#[async_trait]
impl Voice for Mute {
    fn name(&self, _: &str) -> Option<String> {
        None
    }

    async fn clip(&self, _: &str, _: &str, _: Need) -> Option<Clip> {
        None
    }
}

/// The voice that the configuration asks for.
#[cfg(feature = "speech")]
pub fn from_config(config: &SpeechConfig) -> Arc<dyn Voice> {
    Arc::new(crate::audio::Studio::new(Arc::new(crate::audio::Espeak::new(&config.espeak))))
}

/// The voice that the configuration asks for: this build has none.
#[cfg(not(feature = "speech"))]
pub fn from_config(_: &SpeechConfig) -> Arc<dyn Voice> {
    Arc::new(Mute)
}
