//! One thing, one name: public names of the language, the decisions and the engine avoid the
//! words that `glossary.tsv` lists beside the right one.

use crate::sources::rust;

const GLOSSARY: &str = include_str!("glossary.tsv");

const FOLDERS: [&str; 3] = ["protocols/src", "dispatcher/src/domain", "edge-node/src/engine"];

/// Names that CAP gives and we keep.
const EXEMPT: [&str; 1] = ["protocols/src/cap/"];

#[test]
fn public_names_keep_to_the_glossary() {
    let mut found = Vec::new();
    for source in FOLDERS.iter().flat_map(|folder| rust(folder)) {
        if EXEMPT.iter().any(|prefix| source.path.starts_with(prefix)) {
            continue;
        }
        for name in source.code().lines().filter_map(public_name) {
            let words = snake(&name);
            for (term, not) in pairs() {
                if format!("_{words}_").contains(&format!("_{not}_")) {
                    found.push(format!("{}: `{name}` says {not}; the word is {term}", source.path));
                }
            }
        }
    }
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

fn pairs() -> impl Iterator<Item = (&'static str, &'static str)> {
    GLOSSARY.lines().skip(1).filter_map(|line| line.split_once('\t'))
}

/// The name that a line makes public: a type, module, constant, function or field.
fn public_name(line: &str) -> Option<String> {
    let rest = line.trim_start().strip_prefix("pub ")?;
    let mut words =
        rest.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|w| !w.is_empty());
    let first = words.next()?;
    let keywords =
        ["struct", "enum", "mod", "trait", "fn", "const", "type", "static", "use", "async"];
    if first == "use" {
        return None;
    }
    let name =
        if keywords.contains(&first) { words.find(|w| !keywords.contains(w))? } else { first };
    Some(name.to_owned())
}

/// `OrderBody` → `order_body`.
fn snake(name: &str) -> String {
    let mut out = String::new();
    for (index, c) in name.char_indices() {
        if c.is_uppercase() && index > 0 && !out.ends_with('_') {
            out.push('_');
        }
        out.extend(c.to_lowercase());
    }
    out
}

#[test]
fn a_wrong_word_is_found() {
    assert_eq!(public_name("    pub alarm_count: u8,").as_deref(), Some("alarm_count"));
    assert_eq!(public_name("pub const fn zone_of() {").as_deref(), Some("zone_of"));
    assert_eq!(snake("AlarmZone"), "alarm_zone");
}
