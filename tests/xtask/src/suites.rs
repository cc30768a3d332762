//! The jobs: which commands, in which order, and what is said at the end.

use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use crate::cargo::{self, Count};

/// One suite of `cargo xtask test`.
struct Suite {
    name: &'static str,
    /// A cargo command that must exist for it; without it the suite is reported as skipped.
    needs: Option<&'static str>,
    /// What several suites begin with.
    before: &'static [&'static str],
    words: &'static [&'static str],
}

/// Every command names the whole workspace: one set of features, so that no dependency is built
/// twice.
const SUITES: &[Suite] = &[
    Suite { name: "format", needs: Some("fmt"), before: &[], words: &["fmt", "--all", "--check"] },
    Suite {
        name: "licences",
        needs: Some("deny"),
        before: &[],
        words: &["deny", "check", "bans", "licenses", "sources"],
    },
    Suite {
        name: "lints",
        needs: Some("clippy"),
        before: &[],
        words: &["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"],
    },
    Suite {
        name: "programs",
        needs: None,
        before: &[],
        words: &["build", "--workspace", "--bins"],
    },
    tests("units", &["--lib", "--bins"]),
    tests("language", &["--test", "wire", "--test", "cap"]),
    Suite { name: "fuzz", needs: None, before: &[], words: &["xtask", "fuzz"] },
    tests("mutation", &["--test", "mutation"]),
    tests("hostile", &["--test", "hostile", "--", "--test-threads=1"]),
    tests("tidy", &["--test", "tidy"]),
    tests("store", &["--test", "store"]),
    tests("api", &["--test", "suite", "--", "--test-threads=2"]),
    tests("path", &["--test", "path", "--", "--test-threads=1"]),
    tests("edge", &["--test", "edge", "--", "--test-threads=1"]),
    tests("conformance", &["--test", "conformance", "--", "--test-threads=1"]),
    // Shows the points with their hits.
    tests("kill", &["--test", "kill", "--", "--test-threads=2", "--nocapture"]),
];

/// A suite of tests of the whole workspace, every one run whatever becomes of the others.
const fn tests(name: &'static str, words: &'static [&'static str]) -> Suite {
    Suite { name, needs: None, before: &["test", "--workspace", "--no-fail-fast"], words }
}

struct Outcome {
    name: &'static str,
    took: Duration,
    verdict: Verdict,
}

enum Verdict {
    Passed,
    Failed,
    Skipped(&'static str),
}

/// Runs the suites; the last line printed is `N passed, N failed, N skipped`.
pub(crate) fn test(only: &[String]) -> anyhow::Result<ExitCode> {
    if let Some(unknown) = only.iter().find(|name| SUITES.iter().all(|s| s.name != **name)) {
        bail!("no suite is called {unknown}");
    }
    let mut count = Count::default();
    let mut outcomes = Vec::new();
    for suite in SUITES.iter().filter(|s| only.is_empty() || only.iter().any(|o| o == s.name)) {
        outcomes.push(run_suite(suite, &mut count)?);
    }
    eprintln!("\nminutes  suite");
    for outcome in &outcomes {
        let verdict = match outcome.verdict {
            Verdict::Passed => "passed",
            Verdict::Failed => "FAILED",
            Verdict::Skipped(why) => why,
        };
        eprintln!("{:7.1}  {}: {verdict}", outcome.took.as_secs_f64() / 60.0, outcome.name);
    }
    let lost = outcomes.iter().filter(|o| matches!(o.verdict, Verdict::Failed)).count() as u64;
    let skipped =
        outcomes.iter().filter(|o| matches!(o.verdict, Verdict::Skipped(_))).count() as u64;
    // A suite that failed without a failing test (a lint, say) still counts as one.
    let failed = count.failed.max(lost);
    eprintln!("{} passed, {failed} failed, {} skipped", count.passed, count.skipped + skipped);
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

#[expect(clippy::disallowed_methods, reason = "minutes per suite are wall time")]
fn run_suite(suite: &Suite, count: &mut Count) -> anyhow::Result<Outcome> {
    eprintln!("\n=== {} ===", suite.name);
    if suite.needs.is_some_and(|name| !cargo::has(name)) {
        let verdict = Verdict::Skipped("skipped: its tool is not installed here");
        return Ok(Outcome { name: suite.name, took: Duration::ZERO, verdict });
    }
    let begun = Instant::now();
    let (is_ok, counted) = cargo::counted(cargo::cargo(&[suite.before, suite.words].concat()))?;
    count.add(counted);
    let verdict = if is_ok { Verdict::Passed } else { Verdict::Failed };
    Ok(Outcome { name: suite.name, took: begun.elapsed(), verdict })
}

/// Builds the programs and plays the story.
pub(crate) fn demo(once: bool) -> anyhow::Result<ExitCode> {
    build(&["build", "--workspace", "--bins"])?;
    let mut demo = Command::new(cargo::target().join("debug/demo"));
    demo.current_dir(cargo::root());
    if once {
        demo.arg("--once");
    }
    finish(demo)
}

/// Builds what ships for villages, the rest with optimisation, and measures these groups of figures
/// (all when none is named).
pub(crate) fn bench(groups: &[String]) -> anyhow::Result<ExitCode> {
    build(&["build", "--profile", "edge", "--package", "edge-node"])?;
    let features = ["--features", "tests/figures"];
    let words = ["build", "--profile", "measure", "--package", "dispatcher", "--package", "tests"];
    build(&[&words[..], &["--bin", "dispatcher", "--bin", "bench"], &features].concat())?;
    let mut bench = Command::new(cargo::target().join("measure/bench"));
    bench.current_dir(cargo::root()).args(groups);
    finish(bench)
}

fn build(words: &[&str]) -> anyhow::Result<()> {
    let status = cargo::cargo(words).status().context("start cargo")?;
    if !status.success() {
        bail!("the build failed");
    }
    Ok(())
}

fn finish(mut command: Command) -> anyhow::Result<ExitCode> {
    let status = command.status().with_context(|| format!("start {command:?}"))?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
