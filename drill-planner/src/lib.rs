//! The drill year as data and mathematics: which town drills what, when, and why. No store, no network.
//!
//! Empty in this version: its place in the workspace is decided, its content is not yet.
