//! The effects of the village device: sound, disk, network, clock. The engine decides; this does.
//!
//! | file | does |
//! |---|---|
//! | `run` | the loop: feeds the engine, carries out what it wants, in its order |
//! | `audio` | samples, the sound card, the account of what it played |
//! | `words`, `voice`, `clips` | where words come from: the plan, the local voice, the cache |
//! | `mqtt` | the broker; the only user of rumqttc |
//! | `http`, `fetch` | the dispatcher's clips and phrases; the only user of ureq |
//! | `journal`, `identity`, `config` | the files |
//! | `stick` | what comes by hand where no link is left |
//! | `machine` | what the machine says about itself |
//! | `clock` | the only reading of clocks and of the system's randomness |

pub mod audio;
pub mod clips;
pub mod clock;
pub mod config;
pub mod fetch;
pub mod http;
pub mod identity;
pub mod journal;
pub mod machine;
pub mod mqtt;
pub mod run;
pub mod stick;
pub mod voice;
pub mod words;
