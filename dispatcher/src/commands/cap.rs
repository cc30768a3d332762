//! `dispatcher cap check`: what the reader says about files, one line each. Needs no
//! configuration and no database.

use std::fs::File;
use std::io::{Read as _, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use protocols::cap::finding::{Finding, Verdict};
use protocols::cap::{self, Reading, rules};
use protocols::limits::CAP_BYTES_MAX;
use serde_json::json;

/// CAP messages.
#[derive(Debug, clap::Args)]
pub struct CapArgs {
    #[command(subcommand)]
    command: CapCommand,
}

#[derive(Debug, clap::Subcommand)]
enum CapCommand {
    /// Say of each file whether it is a sound CAP message, and why not. Exit code 1 if any is
    /// refused.
    Check(CheckArgs),
}

#[derive(Debug, clap::Args)]
struct CheckArgs {
    /// One JSON object a line.
    #[arg(long)]
    json: bool,
    /// CAP files; `-` is standard input. A folder is not opened.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// Runs the command; lines go to `out`.
pub fn run(args: &CapArgs, out: &mut impl Write) -> anyhow::Result<ExitCode> {
    match &args.command {
        CapCommand::Check(args) => {
            let is_any_refused = check(args, out)?;
            Ok(if is_any_refused { ExitCode::FAILURE } else { ExitCode::SUCCESS })
        }
    }
}

fn check(args: &CheckArgs, out: &mut impl Write) -> anyhow::Result<bool> {
    let mut is_any_refused = false;
    for file in &args.files {
        let reading = match bytes_of(file) {
            Ok(bytes) => cap::read(&bytes),
            Err(error) => Reading::refused(&rules::UNREADABLE, &error.to_string()),
        };
        is_any_refused |= reading.verdict == Verdict::Refuse;
        let name = file.to_string_lossy();
        let line = if args.json { json_line(&name, &reading) } else { text_line(&name, &reading) };
        writeln!(out, "{line}")?;
    }
    out.flush()?;
    Ok(is_any_refused)
}

/// The file, or a little more of it than the reader takes: a huge one is refused, not loaded.
fn bytes_of(file: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let most = CAP_BYTES_MAX as u64 + 1;
    if file == Path::new("-") {
        std::io::stdin().lock().take(most).read_to_end(&mut bytes)?;
    } else {
        File::open(file)?.take(most).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

fn json_line(file: &str, reading: &Reading) -> String {
    let finding = |finding: &Finding| {
        json!({
            "code": finding.code,
            "level": finding.level.as_str(),
            "path": finding.path,
            "message_zh": finding.message_zh,
            "message_en": finding.message_en,
        })
    };
    json!({
        "file": file,
        "verdict": reading.verdict.as_str(),
        "findings": reading.findings.iter().map(finding).collect::<Vec<_>>(),
    })
    .to_string()
}

fn text_line(file: &str, reading: &Reading) -> String {
    let said = |finding: &Finding| {
        let Finding { code, level, path, message_zh, message_en } = finding;
        format!("; {} {code} {path} {message_zh} ({message_en})", level.as_str())
    };
    let findings = reading.findings.iter().map(said).collect::<Vec<_>>().concat();
    // A name may hold a line break, and a file has one line.
    let file = file.replace(char::is_control, "?");
    format!("{file}: {}{findings}", reading.verdict.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(json: bool, files: Vec<PathBuf>) -> (bool, Vec<String>) {
        let mut out = Vec::new();
        let is_refused = check(&CheckArgs { json, files }, &mut out).expect("writes into memory");
        let text = String::from_utf8(out).expect("lines are text");
        (is_refused, text.lines().map(str::to_owned).collect())
    }

    fn fixture(name: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../protocols/fixtures/cap").join(name)
    }

    #[test]
    fn each_file_has_one_json_line_with_verdict_and_findings() {
        let (is_refused, lines) = checked(true, vec![fixture("typhoon-red.xml")]);
        assert!(!is_refused);
        let line: serde_json::Value = serde_json::from_str(&lines[0]).expect("is JSON");
        assert_eq!(line["verdict"], "accept");
        assert_eq!(line["findings"], json!([]));
        assert_eq!(lines.len(), 1);
    }

    #[test]
    fn a_file_that_is_not_there_is_refused_on_its_own_line_and_the_next_is_still_read() {
        let files = vec![PathBuf::from("/nowhere/at all.xml"), fixture("typhoon-red.xml")];
        let (is_refused, lines) = checked(true, files.clone());
        assert!(is_refused);
        let line: serde_json::Value = serde_json::from_str(&lines[0]).expect("is JSON");
        assert_eq!(line["findings"][0]["code"], "unreadable");
        let (_, lines) = checked(false, files);
        assert!(lines[0].contains("refuse") && lines[1].ends_with(": accept"), "{lines:?}");
    }

    #[test]
    fn a_folder_and_a_name_of_two_lines_have_one_line_each() {
        let files = vec![PathBuf::from("/"), PathBuf::from("/no\nwhere")];
        for json in [false, true] {
            let (is_refused, lines) = checked(json, files.clone());
            assert!(is_refused);
            assert_eq!(lines.len(), 2, "{lines:?}");
        }
    }
}
