//! The language of Tongluo: what the city, the districts, the towns and the loudspeakers say to
//! each other, and nothing else.
//!
//! | module | speaks of |
//! |---|---|
//! | [`region`] | the 12-digit region code and its containment |
//! | [`terminal`] | the identifier of one end device |
//! | [`alert`] | key, colour, kind and hazard of an alert |
//! | [`priority`] | the one playout order used by every decision |
//! | [`area`] | regions, terminal numbers and shapes as they travel |
//! | [`order`], [`command`] | what a dispatcher says to terminals |
//! | [`receipt`], [`hello`], [`vitals`] | what a terminal says, and the answers |
//! | [`certificate`], [`trust`] | who may say it |
//! | [`enrolment`] | how a terminal joins |
//! | [`stick`] | what goes by USB stick where no link is left |
//! | [`audit`] | what a dispatcher says of its record |
//! | [`wire`] | envelope (COSE) and topics (MQTT) |
//! | [`cap`] | CAP 1.2 and 1.1, read and written |
//! | [`hazard`], [`speech`] | GB/T 35561 codes; how text is read aloud |
//! | [`micros`] | instants as they travel |
//! | [`limits`] | every bound, with its unit and its reason |
//!
//! **Invariant:** no runtime, no clock, no randomness, no I/O. Time and nonces are arguments.
//! Nothing here decides; it says what is well-formed and what is authentic.

pub mod alert;
pub mod area;
pub mod audit;
pub mod cap;
pub mod certificate;
pub mod command;
pub mod digest;
pub mod enrolment;
pub mod hazard;
pub mod hello;
pub mod limits;
pub mod micros;
pub mod order;
pub mod priority;
pub mod receipt;
pub mod region;
pub mod speech;
pub mod stick;
pub mod terminal;
pub mod trust;
pub mod vitals;
pub mod wire;

pub use jiff::Timestamp;
