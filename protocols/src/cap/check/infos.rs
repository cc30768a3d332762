//! The infos of a message, each alone and against the first.

use std::collections::BTreeSet;

use crate::cap::finding::{Findings, Path};
use crate::cap::model::Info;
use crate::cap::rules;
use crate::cap::vocabulary::{Certainty, Severity, Urgency};

pub(super) fn check(info: &Info, path: Path<'_>, findings: &mut Findings) {
    if info.event.trim().is_empty() {
        findings.add(&rules::TEXT_EMPTY, path.one("event"), "");
    }
    for (is_unknown, name) in [
        (info.urgency == Urgency::Unknown, "urgency"),
        (info.severity == Severity::Unknown, "severity"),
        (info.certainty == Certainty::Unknown, "certainty"),
    ] {
        if is_unknown {
            findings.add(&rules::UNKNOWN_DEGREE, path.one(name), "");
        }
    }
    let [headline, description, instruction] =
        [&info.headline, &info.description, &info.instruction]
            .map(|text| text.as_deref().map(str::trim));
    let is_same = |a: Option<&str>, b: Option<&str>| a.is_some() && a == b;
    if is_same(headline, description)
        || is_same(headline, instruction)
        || is_same(description, instruction)
    {
        findings.add(&rules::TEXTS_EQUAL, path, "");
    }
    if instruction.is_none() {
        findings.add(&rules::NO_INSTRUCTION, path, "");
    }
    if info.areas.is_empty() {
        findings.add(&rules::NO_AREA, path, "");
    }
}

/// What only shows when several infos are laid side by side.
pub(super) fn check_together(infos: &[Info], findings: &mut Findings) {
    let Some(first) = infos.first() else { return };
    let mut languages = BTreeSet::from([first.language().to_ascii_lowercase()]);
    for (index, info) in infos.iter().enumerate().skip(1) {
        let path = Path::ROOT.nth("info", index);
        let is_new = languages.insert(info.language().to_ascii_lowercase());
        if !is_new {
            findings.add(&rules::LANGUAGE_REPEATED, path.one("language"), info.language());
        } else if info.description.is_some() && info.description == first.description {
            findings.add(&rules::LANGUAGE_SAME_TEXT, path.one("description"), info.language());
        }
        let is_different = info.categories != first.categories
            || info.event_codes != first.event_codes
            || info.severity != first.severity;
        if is_different {
            findings.add(&rules::INFOS_DIFFER, path, "");
        }
    }
}
