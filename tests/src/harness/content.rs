//! What an alert of the tests says.

use serde_json::{Value, json};

/// A warning of this colour for these regions, in a few words, sounded once.
pub fn warning(color: &str, regions: &[&str]) -> Value {
    json!({
        "kind": "actual",
        "color": color,
        "event": "11B03",
        "texts": [{
            "language": "zh-CN",
            "headline": "暴雨预警",
            "description": "今晚有暴雨",
            "instruction": "请远离河道，到高处去",
        }],
        "area": { "regions": regions },
        "repeats": { "times": 1, "interval_s": 0 },
    })
}
