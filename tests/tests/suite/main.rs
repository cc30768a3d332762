//! The HTTP API through the front door: a real `dispatcher serve`, on SQLite and on PostgreSQL.

mod alerts;
mod authority;
mod cap;
mod cases;
mod clips;
mod database;
mod doctor;
mod emergency;
mod events;
mod liveness;
mod races;
mod requests;
mod rules;
mod service;
mod stops;
mod swap;
mod targets;
