//! `[audit]`: where the signed heads of the record go besides the database.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// The daily record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AuditConfig {
    /// Folder of the daily record: one file a day, one signed head a line. Best on another disk.
    pub folder: PathBuf,
}

impl Default for AuditConfig {
    fn default() -> Self {
        Self { folder: "data/audit".into() }
    }
}
