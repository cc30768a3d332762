//! The reader against a folder of real messages, where one is named, and our schema against the
//! one of OASIS on the same messages.

use std::path::{Path, PathBuf};

use protocols::cap;

use crate::xmllint;

fn folder() -> Option<PathBuf> {
    let folder = std::env::var_os("TONGLUO_CAP_SAMPLES").map(PathBuf::from);
    if folder.is_none() {
        eprintln!("SKIPPED: TONGLUO_CAP_SAMPLES names no folder of CAP samples");
    }
    folder
}

/// File and verdict of each line of `index.tsv`.
fn index(folder: &Path) -> Vec<(PathBuf, String)> {
    let text = std::fs::read_to_string(folder.join("index.tsv")).expect("index.tsv is there");
    let lines = text.lines().skip(1).filter(|line| !line.is_empty());
    lines
        .map(|line| {
            let columns = line.split('\t').collect::<Vec<_>>();
            let (file, verdict) = (columns[0], columns[columns.len() - 1]);
            (folder.join(file), verdict.to_owned())
        })
        .collect()
}

#[test]
fn the_reader_agrees_with_every_verdict_of_the_samples() {
    let Some(folder) = folder() else { return };
    let mut differing = Vec::new();
    for (file, wanted) in index(&folder) {
        let reading = cap::read(&std::fs::read(&file).expect("a sample"));
        if !wanted.split('|').any(|verdict| verdict == reading.verdict.as_str()) {
            differing.push(format!("{}: {wanted}, but {:#?}", file.display(), reading.findings));
        }
    }
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}

#[test]
fn what_is_read_without_breach_of_the_schema_is_written_and_read_back() {
    let Some(folder) = folder() else { return };
    for (file, _) in index(&folder) {
        let Some(alert) = cap::read(&std::fs::read(&file).expect("a sample")).alert else {
            continue;
        };
        match cap::write(&alert) {
            Ok(bytes) => {
                let again = cap::read(&bytes).alert.expect("own message is read");
                assert_eq!(cap::content_digest(&again), cap::content_digest(&alert), "{file:?}");
            }
            Err(error) => eprintln!("{}: not written: {error}", file.display()),
        }
    }
}

#[test]
fn our_schema_and_the_one_of_oasis_agree_on_every_sample() {
    let Some(folder) = folder() else { return };
    let files = index(&folder).into_iter().map(|(file, _)| file).collect::<Vec<_>>();
    let theirs = xmllint::passing(&folder.join("CAP-v1.2.xsd"), &files);
    let (Some(by_ours), Some(by_theirs)) =
        (xmllint::passing(&xmllint::own_schema(), &files), theirs)
    else {
        return;
    };
    for ((file, by_ours), by_theirs) in files.iter().zip(by_ours).zip(by_theirs) {
        assert_eq!(by_ours, by_theirs, "{}", file.display());
    }
}
