//! What somebody hostile does to real parts, and what it must not cost: crowds that say nothing,
//! and floods of forgeries. Used by the suite `hostile` and by the benchmarks.

pub mod crowd;
pub mod flood;
pub mod memory;
pub mod stage;
