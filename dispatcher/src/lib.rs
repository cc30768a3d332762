//! The dispatch platform (调度平台) of one level: alerts, approval, targeting, orders, receipts.
//!
//! | module | holds | refuses to know |
//! |---|---|---|
//! | [`domain`] | pure decisions over the types of the field | database, HTTP, clock, randomness |
//! | [`app`] | use cases: load, decide, save, announce, in one transaction | HTTP, MQTT, tasks |
//! | [`store`] | the only SQL: rows in, domain types out | why they are asked for |
//! | [`http`] | extractors, problems, operations of `/api/v1` | SQL |
//! | [`mqtt`] | the embedded broker and the client: translates, decides nothing | SQL, HTTP |
//! | [`jobs`] | reconcilers: idempotent, without input, woken by a signal or a timer | HTTP |
//! | [`daily_record`] | signed heads of the record, in a file a day | everything else |
//! | [`backup`] | copies of the database in one checked file, and back | use cases |
//! | [`audio`] | text to clips | everything else |
//! | [`voice`] | the port through which use cases have clips made | how they are made |
//! | [`config`] | one file a section | everything else |
//! | [`ports`] | clock, identifiers, entropy | everything else |
//! | [`signer`] | key, certificate, roots; renewal while serving | who asks it to sign |
//! | [`context`] | what every use case is given: [`context::App`] | |
//! | [`commands`] | the command line, one file a command | |
//!
//! **Invariants.** The database is the truth and the broker is a pipe. Whatever must happen
//! together is written in one transaction: the change, its audit entry, its event, its orders.
//! Wake-ups carry no data: whoever is woken reads the database again. Time, identifiers and
//! randomness come through [`ports`].

pub mod app;
#[cfg(feature = "speech")]
pub mod audio;
pub mod backup;
#[cfg(feature = "http")]
pub mod commands;
pub mod config;
pub mod context;
pub mod daily_record;
pub mod domain;
pub mod door;
#[cfg(feature = "http")]
pub mod http;
pub mod jobs;
pub mod metrics;
pub mod mqtt;
pub mod password;
pub mod ports;
pub mod signer;
pub mod store;
pub mod trace;
pub mod voice;
