//! Everything a test or the demo starts: each part a value that ends its process when dropped.

pub mod broker;
pub mod clock;
pub mod ports;
pub mod process;
pub mod sound;
pub mod wav;
