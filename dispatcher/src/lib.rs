//! The dispatch platform of one level.

pub mod mqtt;
