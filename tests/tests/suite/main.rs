//! The HTTP API through the front door: a real `dispatcher serve`, on SQLite and on PostgreSQL.

mod alerts;
mod authority;
mod cap;
mod cases;
mod service;
