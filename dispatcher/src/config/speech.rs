//! `[speech]`: the voice that reads alerts.

use serde::{Deserialize, Serialize};

/// The voice.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SpeechConfig {
    /// The program of the floor voice.
    pub espeak: String,
}

impl Default for SpeechConfig {
    fn default() -> Self {
        Self { espeak: "espeak-ng".to_owned() }
    }
}
