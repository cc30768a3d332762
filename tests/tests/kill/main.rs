//! Programs that die without a word at every point where they have just written, or are about to:
//! after their return every alert still valid has been heard, each repeat once, and none after its
//! expiry.

mod account;
mod brokers;
mod dispatcher;
mod enrolment;
mod mortal;
mod nodes;
mod officer;
mod points;
mod release;
