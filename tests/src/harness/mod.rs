//! Everything a test or the demo starts: each part a value that ends its process when dropped.

pub mod api;
pub mod broker;
pub mod bulletin;
pub mod city;
pub mod clock;
pub mod content;
pub mod listener;
pub mod monitor;
pub mod mqtt;
pub mod ports;
pub mod postgres;
pub mod process;
pub mod progress;
pub mod sound;
pub mod terminal;
pub mod tls;
pub mod village;
pub mod wav;
