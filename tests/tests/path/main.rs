//! The alert path with real processes: dispatcher, three brokers, nodes, sound by content.

mod acl;
mod alone;
mod brokers;
mod commands;
mod faults;
mod heard;
mod rig;
mod trust;
mod updates;
