//! The wire contract from outside: codecs, algebra, golden vectors, the document's tables.

mod arbitrary;
mod codecs;
mod document;
mod keys;
mod regions;
mod samples;
mod vectors;
