//! 预警: what an officer writes ([`content`]), how many persons it takes ([`persons`]), how it lives
//! ([`lifecycle`]) and with which words it ends ([`closure`]).
//!
//! Knows nothing of the store, of terminals or of who holds which grant: the caller has asked the
//! authority table before it asks here.

pub mod closure;
pub mod content;
pub mod evidence;
pub mod lifecycle;
pub mod persons;
pub mod record;
pub mod validation;

use std::fmt;

/// The account of a natural person. Machines act under tokens and are never one: no count of
/// persons includes them.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(transparent)]
pub struct PersonId(pub String);

impl fmt::Display for PersonId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
