//! `[trust]`: key, certificate and roots of this dispatcher.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// The three files. A root's private half is never among them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrustConfig {
    /// The private key: 64 hex digits.
    pub key_file: PathBuf,
    /// The sealed certificate.
    pub certificate_file: PathBuf,
    /// The public keys of the roots: 64 hex digits a line, one or two lines.
    pub roots_file: PathBuf,
}

impl Default for TrustConfig {
    fn default() -> Self {
        Self {
            key_file: "data/dispatcher.key".into(),
            certificate_file: "data/dispatcher.cert".into(),
            roots_file: "data/roots.pub".into(),
        }
    }
}
