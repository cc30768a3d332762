//! `[region]`: what this dispatcher is called.

use serde::{Deserialize, Serialize};

/// The name of the dispatcher. *Which* region it speaks for stands in its certificate alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RegionConfig {
    /// CAP `sender` of alerts made here; empty: `tongluo-` and the region code.
    pub sender: String,
    /// CAP `senderName` of alerts made here, as people read it.
    pub sender_name: String,
}

impl Default for RegionConfig {
    fn default() -> Self {
        Self { sender: String::new(), sender_name: "应急广播平台".to_owned() }
    }
}
