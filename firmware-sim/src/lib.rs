//! Fleets of simulated terminals around the shipping engine: hardware, power, link and clock are simulated, decisions are not.
//!
//! Empty in this version: its place in the workspace is decided, its content is not yet.
