//! What the machine says of itself and of a process: load, memory.

use anyhow::Context as _;

/// The load average of the last minute; NaN where the system tells none.
pub(super) fn load() -> f64 {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().and_then(|first| first.parse().ok()).unwrap_or(f64::NAN)
}

/// A field of `/proc/<process>/status` in MiB, such as `VmRSS` or `RssAnon`.
pub(super) fn memory_mib(process: &str, field: &str) -> anyhow::Result<f64> {
    let file = format!("/proc/{process}/status");
    let text = std::fs::read_to_string(&file).with_context(|| format!("read {file}"))?;
    let line = text.lines().find(|line| line.starts_with(&format!("{field}:")));
    let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<f64>().ok());
    Ok(kib.with_context(|| format!("no {field} in {file}"))? / 1_024.0)
}

/// Forgets the highest memory that this process has had so far.
pub(super) fn forget_peak() -> anyhow::Result<()> {
    std::fs::write("/proc/self/clear_refs", "5").context("reset the peak of memory")
}
