//! The dispatch platform of one level.

pub mod domain;
pub mod mqtt;
