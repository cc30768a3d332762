//! CAP 1.2 and 1.1 (OASIS): model, reader, checks, strict writer, and what a message means to us.
//!
//! | module | speaks of |
//! |---|---|
//! | [`model`], [`vocabulary`] | every element and enumeration of CAP 1.2, as types |
//! | [`read`] | bytes to [`Reading`]: encoding, hostile files, schema, checks |
//! | [`finding`], [`rules`] | what may be said about a message, in Chinese and English |
//! | [`write`] | an [`Alert`] to bytes that pass the schema, or the reason why not |
//! | [`content_digest`] | the same content has the same digest, however it was written |
//! | [`profile`] | colour, hazard, places, words; what a person must be asked |
//!
//! The table of all findings stands in `docs/cap.md`. Signatures (XML-DSig) are accepted and not
//! verified: who may say what is decided by the token that brought the message.

mod check;
mod content;
mod encoding;
pub mod finding;
mod geometry;
pub mod model;
pub mod profile;
mod read;
pub mod rules;
mod scan;
mod time;
mod uri;
pub mod vocabulary;
mod write;

pub use content::content_digest;
pub use finding::{Finding, Level, Verdict};
pub use model::Alert;
pub use read::{Reading, Version, read};
pub use write::{WriteError, write};

/// The namespace of CAP 1.2.
pub const NAMESPACE_1_2: &str = "urn:oasis:names:tc:emergency:cap:1.2";

/// The namespace of CAP 1.1.
pub const NAMESPACE_1_1: &str = "urn:oasis:names:tc:emergency:cap:1.1";

/// The namespace of XML signatures, the only foreign one that the schema lets in.
pub const NAMESPACE_SIGNATURE: &str = "http://www.w3.org/2000/09/xmldsig#";
