//! The decisions of the village device, pure and without I/O.
//!
//! Knows no socket, disk, sound card, clock or source of randomness: all of them are inputs and
//! outputs ([`io`]). The same engine runs in the device, in the fleet simulator and in the
//! deterministic simulation.

pub mod config;
pub mod io;
pub mod plan;
pub mod quiet;

use std::collections::VecDeque;
use std::time::Duration;

pub use config::Config;
pub use io::{Input, Now, Output};

/// The engine of one terminal.
#[derive(Debug)]
pub struct Engine {
    config: Config,
    outputs: VecDeque<Output>,
    wakeup_at: Option<Duration>,
}

impl Engine {
    /// A terminal that has not booted: give it its journal, then [`Input::Booted`].
    pub const fn new(config: Config) -> Self {
        Self { config, outputs: VecDeque::new(), wakeup_at: None }
    }

    /// Something happened.
    pub fn handle(&mut self, now: Now, input: Input) {
        let _ = (&self.config, now, input);
    }

    /// What is to be done next; `None` when all is said.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// The uptime at which [`Input::Wakeup`] is due.
    pub const fn next_wakeup(&self) -> Option<Duration> {
        self.wakeup_at
    }
}
