//! Coverage-guided fuzzing: builds `tests/fuzz` with counters at every branch, runs its decoders
//! side by side, and says what was tried and what was found.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context as _, bail};

use crate::cargo;

/// Seconds for each decoder in a test run.
pub(crate) const SECONDS: u64 = 10;

/// One input that takes longer hangs: the slowest honest one takes some milliseconds.
const HANG_S: u64 = 5;

/// MiB of the whole process, libFuzzer's own tables and corpus included. What a decoder may take
/// is bounded apart, by the allocator of `tests/fuzz`.
const PROCESS_MIB_MAX: u64 = 768;

/// Counters at every edge and operands of every comparison, as libFuzzer reads them. These are
/// passes of LLVM that every toolchain has; none of them needs a nightly one.
const FLAGS: [&str; 7] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "--cfg=fuzzing",
    "-Ccodegen-units=1",
];

/// A decoder as the fuzz target lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Decoder {
    name: String,
    bytes_max: String,
}

/// What came of one.
struct Outcome {
    name: String,
    executions: u64,
    finding: Option<String>,
}

/// Builds and runs; fails when anything was found. The last line is one that is counted like that
/// of any other test runner.
pub(crate) fn run(only: &[String], seconds: u64, jobs: Option<usize>) -> anyhow::Result<ExitCode> {
    let folder = cargo::target().join("fuzz");
    let program = build(&folder)?;
    let decoders = list(&program)?;
    if let Some(unknown) = only.iter().find(|name| decoders.iter().all(|d| d.name != **name)) {
        bail!("no decoder is called {unknown}");
    }
    let wanted = |decoder: &Decoder| only.is_empty() || only.contains(&decoder.name);
    let waiting = decoders.into_iter().filter(wanted).collect::<VecDeque<_>>();
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let jobs = jobs.unwrap_or(processors).clamp(1, waiting.len().max(1));
    eprintln!("fuzz: {} decoders, {seconds} s each, {jobs} at a time", waiting.len());
    let waiting = Mutex::new(waiting);
    let next = || waiting.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
    let work = || {
        let mut outcomes = Vec::new();
        while let Some(decoder) = next() {
            let outcome = fuzz(&program, &folder, &decoder, seconds)?;
            say(&outcome, seconds);
            outcomes.push(outcome);
        }
        anyhow::Ok(outcomes)
    };
    let outcomes = std::thread::scope(|scope| {
        let threads = (0..jobs).map(|_| scope.spawn(work)).collect::<Vec<_>>();
        let joined = threads.into_iter().map(|thread| match thread.join() {
            Ok(outcomes) => outcomes,
            Err(_) => bail!("a thread of the fuzzing ended early"),
        });
        joined.collect::<anyhow::Result<Vec<_>>>()
    })?;
    let outcomes = outcomes.into_iter().flatten().collect::<Vec<_>>();
    let failed = outcomes.iter().filter(|outcome| outcome.finding.is_some()).count();
    let verdict = if failed == 0 { "ok" } else { "FAILED" };
    let passed = outcomes.len() - failed;
    let counted = format!("test result: {verdict}. {passed} passed; {failed} failed; 0 ignored");
    writeln!(std::io::stdout(), "{counted}").context("say the result")?;
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn say(outcome: &Outcome, seconds: u64) {
    let Outcome { name, executions, finding } = outcome;
    match finding {
        None => eprintln!("fuzz: {name}: {executions} executions in {seconds} s"),
        Some(finding) => eprintln!("fuzz: {name}: FOUND after {executions} executions: {finding}"),
    }
}

/// Builds the target; the result lies apart, since all its crates carry counters.
fn build(folder: &Path) -> anyhow::Result<PathBuf> {
    let host = host()?;
    let target = folder.join("build");
    let status = cargo::cargo(&["build", "--release", "--locked"])
        .args(["--manifest-path", "tests/fuzz/Cargo.toml", "--target", &host, "--target-dir"])
        .arg(&target)
        .env("CARGO_ENCODED_RUSTFLAGS", FLAGS.join("\u{1f}"))
        .status()
        .context("start cargo")?;
    if !status.success() {
        bail!("the fuzz target was not built");
    }
    Ok(target.join(host).join("release/fuzz"))
}

/// The machine's own target: named, so that build scripts are left without counters.
fn host() -> anyhow::Result<String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let said = Command::new(rustc).arg("-vV").output().context("start rustc")?;
    let said = String::from_utf8(said.stdout).context("read what rustc says")?;
    let host = said.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc names no host")?.to_owned())
}

fn list(program: &Path) -> anyhow::Result<Vec<Decoder>> {
    let said = Command::new(program).env("TONGLUO_DECODER", "list").output();
    let said = said.with_context(|| format!("start {}", program.display()))?;
    let decoders = read_list(&String::from_utf8_lossy(&said.stdout));
    if decoders.is_empty() {
        bail!("{} lists no decoder", program.display());
    }
    Ok(decoders)
}

fn read_list(text: &str) -> Vec<Decoder> {
    let lines = text.lines().filter_map(|line| line.split_once('\t'));
    let decoder = |(name, bytes_max): (&str, &str)| Decoder {
        name: name.to_owned(),
        bytes_max: bytes_max.to_owned(),
    };
    lines.map(decoder).collect()
}

fn fuzz(program: &Path, folder: &Path, decoder: &Decoder, seconds: u64) -> anyhow::Result<Outcome> {
    let name = &decoder.name;
    let corpus = folder.join("corpus").join(name);
    let log = folder.join(format!("{name}.log"));
    let said = File::create(&log).with_context(|| format!("write {}", log.display()))?;
    let words = corpus.with_extension("words");
    let status = Command::new(program)
        .env("TONGLUO_DECODER", name)
        .env("TONGLUO_SEEDS", &corpus)
        .arg(&corpus)
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-max_len={}", decoder.bytes_max))
        .arg(format!("-timeout={HANG_S}"))
        .arg(format!("-rss_limit_mb={PROCESS_MIB_MAX}"))
        .arg(format!("-dict={}", words.display()))
        .arg(format!("-artifact_prefix={}/{name}-", folder.display()))
        .arg("-print_final_stats=1")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(said)
        .status()
        .with_context(|| format!("start {}", program.display()))?;
    let said = fs::read(&log).with_context(|| format!("read {}", log.display()))?;
    let said = String::from_utf8_lossy(&said);
    let (executions, kept) = read_log(&said);
    let finding = (!status.success()).then(|| {
        let kept = kept.unwrap_or("nothing was kept");
        format!("{kept} (see {})", log.display())
    });
    if finding.is_none() && executions == 0 {
        bail!("{name} was never tried; see {}", log.display());
    }
    Ok(Outcome { name: name.clone(), executions, finding })
}

/// How many inputs were tried, and where the one that failed was kept.
fn read_log(said: &str) -> (u64, Option<&str>) {
    let after = |word: &str| said.lines().rev().find_map(|line| Some(line.split_once(word)?.1));
    let executions = after("stat::number_of_executed_units:");
    let executions = executions.and_then(|number| number.trim().parse().ok()).unwrap_or(0);
    (executions, after("Test unit written to ").map(str::trim))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn executions_and_the_kept_input_are_read_from_the_log() {
        let said = "#2\tINITED\nartifact_prefix='/t/'; Test unit written to /t/cap-crash-1\n\
                    stat::number_of_executed_units: 1234\n";
        assert_eq!(read_log(said), (1_234, Some("/t/cap-crash-1")));
        assert_eq!(read_log("nothing"), (0, None));
    }

    #[test]
    fn a_decoder_is_read_with_its_length() {
        let decoder = Decoder { name: "cap".to_owned(), bytes_max: "12".to_owned() };
        assert_eq!(read_list("cap\t12\nnonsense\n"), [decoder]);
    }
}
