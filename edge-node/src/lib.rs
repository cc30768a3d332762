//! The village device (村级网关): verifies what it is told, decides what may sound, speaks it, and
//! reports what was heard.
//!
//! [`engine`] decides and knows nothing of sockets, disks, sound cards or clocks; the shell
//! (feature `shell`) has them and decides nothing.

pub mod engine;
#[cfg(feature = "shell")]
pub mod shell;
