//! A release has no points: not by its features, not by its profile, not in its bytes.

use std::path::{Path, PathBuf};
use std::process::Command;

use tests::harness::city::program;
use tests::harness::process::run;

use crate::points::{named, root};

const PROGRAMS: [&str; 2] = ["dispatcher", "edge-node"];

fn cargo(words: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(words).current_dir(root());
    command
}

/// The features of `kill-points` when these packages are built.
fn features(packages: &[&str]) -> String {
    let words = ["tree", "--locked", "--offline", "--edges", "normal", "--prefix", "none"];
    let mut tree = cargo(&words);
    let tree = run(tree.args(packages).args(["--format", "{p}: {f}"])).expect("cargo tree");
    let line = tree.lines().find(|line| line.starts_with("kill-points ")).expect("it is in there");
    let features = line.rsplit(':').next().unwrap_or_default();
    features.trim().trim_end_matches("(*)").trim().to_owned()
}

/// Which of these names stand in a program.
fn found_in(program: &Path, names: &[String]) -> Vec<String> {
    let mut grep = Command::new("grep");
    grep.args(["--text", "--only-matching", "--fixed-strings"]);
    for name in names {
        grep.arg("--regexp").arg(name);
    }
    let output = grep.arg(program).output().expect("grep is everywhere");
    // 1 is nothing found; more is an error.
    assert!(output.status.code().is_some_and(|code| code < 2), "{output:?}");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut found = text.lines().map(str::to_owned).collect::<Vec<_>>();
    found.sort();
    found.dedup();
    found
}

/// The folder in which cargo puts its profiles.
fn target() -> PathBuf {
    let debug = program(PROGRAMS[0]).expect("built");
    debug.ancestors().nth(2).expect("a profile lies in the target folder").to_owned()
}

#[test]
fn the_programs_alone_are_built_without_points_and_the_tests_ask_for_them() {
    for name in PROGRAMS {
        assert_eq!(features(&["--package", name]), "", "{name} alone");
    }
    assert_eq!(features(&["--workspace"]), "armed");
}

/// Built as a release is, in a second: the same macro, the same profile.
#[test]
fn a_release_build_leaves_the_name_of_a_point_out() {
    let words = ["build", "--release", "--locked", "--offline", "--package", "kill-points"];
    let mut build = cargo(&words);
    build.args(["--example", "release_witness", "--target-dir"]).arg(target());
    run(&mut build).expect("the witness is built");
    let witness = target().join("release/examples/release_witness");
    let words = ["witness.reached".to_owned(), "the witness ends by itself".to_owned()];
    assert_eq!(found_in(&witness, &words), words[1..], "only what it says is in it");
    run(&mut Command::new(&witness)).expect("it ends by itself");
}

#[test]
fn the_programs_of_the_tests_have_every_point_and_those_of_a_release_none() {
    let mut names = named();
    names.sort();
    let folders = ["debug", "release", "edge"];
    let mut tested = Vec::new();
    for folder in folders {
        let programs = PROGRAMS.map(|name| target().join(folder).join(name));
        for program in programs.iter().filter(|program| program.is_file()) {
            let found = found_in(program, &names);
            eprintln!("{:6}  points in {folder} {}", found.len(), program.display());
            if folder == "debug" {
                tested.extend(found);
            } else {
                assert!(found.is_empty(), "{}: {found:?}", program.display());
            }
        }
    }
    tested.sort();
    assert_eq!(tested, names, "the programs that are tested");
}
