//! Everything that speaks MQTT: the embedded broker, the one client, and the machines that decide
//! what is published and what is answered.

#[cfg(feature = "embedded-broker")]
pub mod broker;
pub mod credentials;
#[cfg(test)]
mod raw_client;
