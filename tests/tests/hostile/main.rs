//! Hostile input at the real entrances: crowds that say nothing, requests that never end, claims
//! of gigabytes, floods of forgeries. Each meets a named limit, costs a bounded amount of memory,
//! and no red alert waits for it.

mod claims;
mod crowds;
mod flood;
mod slow;
