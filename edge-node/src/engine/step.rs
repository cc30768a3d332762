//! One decision: the facts to write down, and what may happen once they are.

use protocols::digest::Digest;
use protocols::receipt::Reason;

use super::io::Output;
use super::journal::{Entry, TestKind};

/// What follows when a step's entries are on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Effect {
    Out(Output),
    Count(Reason, Option<Digest>),
    /// Build the plan and hand it to the shell.
    Play(Digest),
    /// The same, for a self-test.
    SelfTest(TestKind),
}

/// A decision.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Step {
    pub entries: Vec<Entry>,
    pub effects: Vec<Effect>,
    /// What to write down later instead, when these entries can't be written and nothing of the
    /// step may happen. Without it, the step errs on the side of silence (a stop, the end of a
    /// sounding): it happens all the same, and its entries are written later.
    pub only_on_disk: Option<Vec<Entry>>,
}

impl Step {
    pub(crate) fn entry(mut self, entry: Entry) -> Self {
        self.entries.push(entry);
        self
    }

    pub(crate) fn effect(mut self, effect: Effect) -> Self {
        self.effects.push(effect);
        self
    }

    pub(crate) fn out(self, output: Output) -> Self {
        self.effect(Effect::Out(output))
    }
}
