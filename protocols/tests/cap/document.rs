//! The document `docs/cap.md` and the rules say the same.

use protocols::cap::profile::{
    EVENT_CODE_NAME, GEOCODE_NBS, PARAMETER_CLOSURE, PARAMETER_COLOR, PARAMETER_MINOR_CHANGE,
};
use protocols::cap::rules;

const DOCUMENT: &str = include_str!("../../docs/cap.md");

#[test]
fn every_rule_stands_in_the_document_with_its_level_and_words() {
    let rows = DOCUMENT.lines().filter(|line| line.starts_with("| `")).collect::<Vec<_>>();
    for rule in rules::ALL {
        let start =
            format!("| `{}` | {} | {} | {} |", rule.code, rule.level.as_str(), rule.zh, rule.en);
        assert!(rows.iter().any(|row| row.starts_with(&start)), "no row begins with {start}");
    }
    let n_rules = rows.iter().filter(|row| row.split(" | ").count() == 5).count();
    assert_eq!(n_rules, rules::ALL.len(), "a row stands for no rule");
}

#[test]
fn the_names_that_cap_out_writes_stand_in_the_document() {
    for name in
        [EVENT_CODE_NAME, GEOCODE_NBS, PARAMETER_CLOSURE, PARAMETER_COLOR, PARAMETER_MINOR_CHANGE]
    {
        assert!(DOCUMENT.contains(&format!("`{name}`")), "{name}");
    }
}
