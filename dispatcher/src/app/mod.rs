//! Use cases: load, decide, save, announce, in one transaction. One file a noun.
//!
//! A use case takes the open transaction (`&mut Tx`) and what it needs of [`crate::context::App`];
//! its caller commits and wakes. It never begins a transaction of its own while given one.

pub mod accounts;
pub mod alerts;
pub mod audit;
pub mod auto_issue_rules;
pub mod cap_in;
pub mod clips;
pub mod drills;
pub mod enrolments;
pub mod events;
pub mod idempotency;
pub mod limiter;
pub mod places;
pub mod receipts;
pub mod regions;
pub mod revocations;
pub mod sessions;
pub mod stops;
pub mod terminals;
pub mod tokens;
