//! xmllint as a judge of many files at once.

use std::path::Path;
use std::process::Command;

/// Whether each file passes the schema; `None`, said aloud, where there is no xmllint.
pub(crate) fn passing(schema: &Path, files: &[std::path::PathBuf]) -> Option<Vec<bool>> {
    let output = Command::new("xmllint")
        .args(["--noout", "--nonet", "--schema"])
        .arg(schema)
        .args(files)
        .output();
    let output = match output {
        Ok(output) => output,
        Err(error) => {
            eprintln!("SKIPPED: xmllint can't be run: {error}");
            return None;
        }
    };
    // It says `FILE validates` or else why not.
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let is_passing = |file: &std::path::PathBuf| {
        said.lines().any(|line| line == format!("{} validates", file.display()))
    };
    Some(files.iter().map(is_passing).collect())
}

/// The schema of this crate.
pub(crate) fn own_schema() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("schema/cap-1.2.xsd")
}
