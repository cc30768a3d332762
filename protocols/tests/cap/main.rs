//! CAP through its front door: rules by example, round trips by property, our schema by xmllint.

mod arbitrary;
mod document;
mod fixtures;
mod hostile;
mod meaning;
mod round_trip;
mod rules;
mod samples;
mod schema;
mod xmllint;
