//! The story that `cargo xtask demo` tells: a typhoon warning comes in, is approved by three
//! persons, is heard in two towns and not in the third; a polygon crosses a town border; a warning
//! is withdrawn in the middle of its speech and the correction is heard.
//!
//! [`stage`] builds the city and its villages, [`story`] acts, `steps` reads how far each terminal
//! is, `verdict` says what should have been true, [`listen`] measures what was heard, [`report`] is
//! the file that is left.

pub mod listen;
pub mod report;
pub mod stage;
mod steps;
pub mod story;
mod verdict;
