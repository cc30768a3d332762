//! Pure decisions: no await, no log, no clock, no store. Time, ids and what was read are arguments.

pub mod account;
pub mod actor;
pub mod alert;
pub mod authority;
pub mod auto_issue;
pub mod cap_in;
pub mod delivery;
pub mod drill;
pub mod fault;
pub mod keys;
pub mod liveness;
pub mod regions;
pub mod targeting;
pub mod terminal;
pub mod terminal_fault;
