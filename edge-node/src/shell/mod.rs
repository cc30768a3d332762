//! The effects of the village device: sound, disk, network, clock. The engine decides; this does.
//!
//! | file | does |
//! |---|---|
//! | `audio` | samples, the sound card, the account of what it played |
//! | `voice`, `clips` | where words come from: the local voice, the clip cache |
//! | `mqtt` | the broker; the only user of rumqttc |
//! | `journal`, `identity`, `config` | the files |
//! | `clock` | the only reading of clocks and of the system's randomness |

pub mod audio;
pub mod clips;
pub mod clock;
pub mod config;
pub mod identity;
pub mod journal;
pub mod mqtt;
pub mod voice;
