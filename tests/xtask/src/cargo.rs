//! Cargo as a child process: streamed, counted, timed.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::Context as _;

/// Tests counted from a runner's closing lines.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) skipped: u64,
}

impl Count {
    pub(crate) fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

/// The workspace's root, where cargo started this program.
pub(crate) fn root() -> PathBuf {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).map_or_else(|| here.clone(), PathBuf::from)
}

/// The target folder: CARGO_TARGET_DIR, or `target` of the workspace.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// A cargo command in the workspace's root.
pub(crate) fn cargo(words: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(words).current_dir(root()).stdin(Stdio::null());
    command
}

/// Whether `cargo <name>` exists.
pub(crate) fn has(name: &str) -> bool {
    let status = cargo(&[name, "--version"]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

/// Runs a command; its output passes through, and lines of a test runner are counted.
pub(crate) fn counted(mut command: Command) -> anyhow::Result<(bool, Count)> {
    let mut child = command.stdout(Stdio::piped()).spawn().context("start cargo")?;
    let output = child.stdout.take().context("take the output")?;
    let mut count = Count::default();
    for line in BufReader::new(output).lines() {
        let line = line.context("read the output")?;
        eprintln!("{line}");
        count.add(count_line(&line));
    }
    Ok((child.wait().context("wait for cargo")?.success(), count))
}

/// Reads `test result: ok. 3 passed; 0 failed; 1 ignored; …`.
fn count_line(line: &str) -> Count {
    let Some(rest) = line.trim().strip_prefix("test result:") else { return Count::default() };
    let number = |word: &str| {
        let before = rest.split(';').find_map(|part| part.trim().strip_suffix(word)).unwrap_or("0");
        before.split_whitespace().last().and_then(|digits| digits.parse().ok()).unwrap_or(0)
    };
    Count { passed: number("passed"), failed: number("failed"), skipped: number("ignored") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_runners_closing_line_is_counted() {
        let line = "test result: FAILED. 12 passed; 2 failed; 1 ignored; 0 measured; 3 filtered out; finished in 0.01s";
        assert_eq!(count_line(line), Count { passed: 12, failed: 2, skipped: 1 });
        assert_eq!(count_line("running 3 tests"), Count::default());
    }
}
