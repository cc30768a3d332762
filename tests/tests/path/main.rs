//! The alert path with real processes: dispatcher, three brokers, nodes, sound by content.

mod faults;
mod heard;
mod rig;
