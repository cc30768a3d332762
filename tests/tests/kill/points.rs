//! The list of points: each that stands in the sources has its death in a scenario.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::{dispatcher, enrolment, nodes};

/// The programs.
const SOURCES: [&str; 2] = ["dispatcher/src", "edge-node/src"];

/// How a point begins in a source.
const MARK: &str = "kill_point!(\"";

/// The workspace's root.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests lies in the workspace").to_owned()
}

/// Every point of the sources, as often as it stands there.
pub(crate) fn named() -> Vec<String> {
    let mut names = Vec::new();
    for folder in SOURCES {
        read(&root().join(folder), &mut names);
    }
    names
}

fn read(folder: &Path, names: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            read(&path, names);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let text = std::fs::read_to_string(&path).expect("a source is UTF-8");
            let points = text.split(MARK).skip(1).filter_map(|rest| rest.split('"').next());
            names.extend(points.map(str::to_owned));
        }
    }
}

#[test]
fn every_point_has_one_place_and_its_death() {
    let named = named();
    let sources = named.iter().map(String::as_str).collect::<BTreeSet<_>>();
    assert_eq!(sources.len(), named.len(), "a name stands in two places: {named:?}");
    let deaths = [nodes::DEATHS, dispatcher::DEATHS, enrolment::DEATHS].concat().concat();
    let deaths = deaths.into_iter().collect::<BTreeSet<_>>();
    let without = sources.difference(&deaths).collect::<Vec<_>>();
    assert!(without.is_empty(), "nobody dies there: {without:?}");
    let nowhere = deaths.difference(&sources).collect::<Vec<_>>();
    assert!(nowhere.is_empty(), "no such point: {nowhere:?}");
}
