//! How much memory a process holds, as the kernel counts it.

use anyhow::Context as _;

/// Bytes that a process holds in memory (`VmRSS`).
pub fn resident_bytes(process: u32) -> anyhow::Result<u64> {
    let file = format!("/proc/{process}/status");
    let status = std::fs::read_to_string(&file).with_context(|| format!("read {file}"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok());
    Ok(kib.with_context(|| format!("no VmRSS in {file}"))? * 1_024)
}
