//! Everything that speaks MQTT: the embedded broker, the one client, and the machines that decide
//! what is published and what is answered.

pub mod backoff;
#[cfg(feature = "embedded-broker")]
pub mod broker;
pub mod client;
pub mod collector;
pub mod credentials;
pub mod hello;
pub mod inbox;
pub mod publisher;

#[cfg(test)]
mod raw_client;
