//! Sizes: a file that outgrew its name, a file without a first sentence.

use crate::sources::rust;

/// Lines of one source file, in-file tests included.
const LINES_MAX: usize = 700;

const FOLDERS: [&str; 6] =
    ["protocols", "dispatcher", "edge-node", "drill-planner", "firmware-sim", "tests"];

#[test]
fn no_file_outgrows_its_name() {
    let long = FOLDERS.iter().flat_map(|folder| rust(folder)).filter_map(|source| {
        let lines = source.text.lines().count();
        (lines > LINES_MAX).then(|| format!("{}: {lines} lines", source.path))
    });
    let long = long.collect::<Vec<_>>();
    assert!(long.is_empty(), "over {LINES_MAX} lines:\n{}", long.join("\n"));
}

#[test]
fn every_file_begins_by_saying_what_it_is() {
    let silent = FOLDERS
        .iter()
        .flat_map(|folder| rust(folder))
        .filter(|source| !source.text.starts_with("//!"));
    let silent = silent.map(|source| source.path).collect::<Vec<_>>();
    assert!(silent.is_empty(), "no `//!` in the first line:\n{}", silent.join("\n"));
}
