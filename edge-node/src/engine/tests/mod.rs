//! The engine through its front door: signed bytes in, sound and receipts out, on a virtual clock.

mod believe;
mod chains;
mod durable;
mod flood;
mod properties;
mod report;
mod rig;
mod self_tests;
mod sounding;
