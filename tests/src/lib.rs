//! The proving ground: real processes, real brokers, real databases, real sound.
//!
//! [`harness`] starts and ends everything a test needs, each on a free port of 127.0.0.1 in a
//! temporary folder, each ended by its own process id. [`demo`] tells the story that
//! `cargo xtask demo` shows. The suites stand in `tests/tests/`, one binary a kind.
//!
//! **Invariant:** nothing here is linked into a program that ships.

pub mod attack;
pub mod bench;
pub mod demo;
pub mod harness;
