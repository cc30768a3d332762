//! The source files of the workspace.

use std::path::{Path, PathBuf};

/// One source file.
pub(crate) struct Source {
    /// Path from the workspace's root, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl Source {
    /// The code without its in-file tests, without comments.
    pub(crate) fn code(&self) -> String {
        let shipped = self.text.split("#[cfg(test)]").next().unwrap_or_default();
        shipped
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"))
            .collect::<Vec<_>>()
            .join("\n")
    }
}

/// The workspace's root.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests lies in the workspace").to_owned()
}

/// All `.rs` files below `folder` (from the root), sorted.
pub(crate) fn rust(folder: &str) -> Vec<Source> {
    let mut found = Vec::new();
    walk(&root().join(folder), &mut |path| {
        if path.extension().is_some_and(|e| e == "rs") {
            found.push(path.to_owned());
        }
    });
    found.sort();
    found.into_iter().map(|path| read(&path)).collect()
}

/// All text files that the project tracks: sources, documents, scripts, settings.
pub(crate) fn texts() -> Vec<Source> {
    let mut found = Vec::new();
    walk(&root(), &mut |path| {
        let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
        let kinds = ["rs", "md", "toml", "sql", "xsd", "json", "csv", "tsv", "xml"];
        let is_text = path.extension().and_then(|e| e.to_str()).is_some_and(|e| kinds.contains(&e));
        if (is_text || path.ends_with(".ci/run")) && name != "Cargo.lock" {
            found.push(path.to_owned());
        }
    });
    found.sort();
    found
        .into_iter()
        .filter(|path| std::fs::read_to_string(path).is_ok())
        .map(|p| read(&p))
        .collect()
}

fn read(path: &Path) -> Source {
    let text = std::fs::read_to_string(path).expect("a source file is UTF-8");
    let relative = path.strip_prefix(root()).expect("found below the root");
    Source { path: relative.to_string_lossy().replace('\\', "/"), text }
}

fn walk(folder: &Path, visit: &mut dyn FnMut(&Path)) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        let name = entry.file_name();
        if path.is_dir() {
            if name != "target" && name != ".git" && name != "node_modules" {
                walk(&path, visit);
            }
        } else {
            visit(&path);
        }
    }
}
