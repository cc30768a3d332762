//! What is said about a message: one finding a rule and place, and the verdict of all of them.

use std::fmt;

use super::rules::Rule;

/// How much a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Worth knowing; the message is sound.
    Note,
    /// Readable, but the schema is broken or the meaning is doubtful.
    Warn,
    /// Not usable.
    Refuse,
}

impl Level {
    /// As in the JSON of `cap check`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warn => "warn",
            Self::Refuse => "refuse",
        }
    }
}

/// What becomes of a message: the heaviest finding decides, a note leaves it accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// Sound.
    Accept,
    /// A person must look.
    Warn,
    /// Not usable.
    Refuse,
}

impl Verdict {
    /// As in the JSON of `cap check`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Warn => "warn",
            Self::Refuse => "refuse",
        }
    }
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Which rule.
    pub code: &'static str,
    /// How much it weighs.
    pub level: Level,
    /// Where: `/alert/info[1]/area[1]/geocode[2]`, `/` for the document.
    pub path: String,
    /// For the officer.
    pub message_zh: String,
    /// The same in English.
    pub message_en: String,
}

/// Findings kept of one message. More say nothing new and would let a hostile file fill memory;
/// the verdict still counts all of them.
pub const FINDINGS_MAX: usize = 200;

/// Characters of the message's own text that a finding repeats.
const DETAIL_CHARS_MAX: usize = 60;

/// The findings of one message, bounded.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    list: Vec<Finding>,
    n_left_out: usize,
    heaviest: Option<Level>,
}

impl Findings {
    /// Adds what `rule` says about `path`; `detail` is the offending text, shortened here.
    pub(crate) fn add(&mut self, rule: &Rule, path: impl fmt::Display, detail: &str) {
        self.heaviest = self.heaviest.max(Some(rule.level));
        if self.list.len() >= FINDINGS_MAX && rule.level < Level::Refuse
            || self.list.len() >= 2 * FINDINGS_MAX
        {
            self.n_left_out += 1;
            return;
        }
        self.list.push(rule.finding(path, detail));
    }

    /// Whether the message is not usable.
    pub(crate) fn is_refused(&self) -> bool {
        self.heaviest == Some(Level::Refuse)
    }

    /// The verdict and the list.
    pub(crate) fn finish(mut self) -> (Verdict, Vec<Finding>) {
        if self.n_left_out > 0 {
            let count = self.n_left_out.to_string();
            self.list.push(super::rules::FINDINGS_LEFT_OUT.finding("/", &count));
        }
        let verdict = match self.heaviest {
            None | Some(Level::Note) => Verdict::Accept,
            Some(Level::Warn) => Verdict::Warn,
            Some(Level::Refuse) => Verdict::Refuse,
        };
        (verdict, self.list)
    }
}

impl Rule {
    /// This rule's finding about `path`. An empty `detail` adds nothing to the sentence.
    pub fn finding(&self, path: impl fmt::Display, detail: &str) -> Finding {
        let detail = shorten(detail);
        let (message_zh, message_en) = if detail.is_empty() {
            (self.zh.to_owned(), self.en.to_owned())
        } else {
            (format!("{}：{detail}", self.zh), format!("{}: {detail}", self.en))
        };
        Finding {
            code: self.code,
            level: self.level,
            path: path.to_string(),
            message_zh,
            message_en,
        }
    }
}

fn shorten(detail: &str) -> String {
    let mut text = String::new();
    for (index, c) in detail.trim().chars().enumerate() {
        if index == DETAIL_CHARS_MAX {
            text.push('…');
            break;
        }
        text.push(if c.is_control() { ' ' } else { c });
    }
    text
}

/// A place in the message, written out only when something is found there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Path<'a> {
    parent: Option<&'a Path<'a>>,
    name: &'a str,
    /// From 1; `None` for what occurs once.
    number: Option<usize>,
}

impl<'a> Path<'a> {
    /// `/alert`.
    pub(crate) const ROOT: Self = Self { parent: None, name: "alert", number: None };

    /// An element that occurs once in this one.
    pub(crate) const fn one(&'a self, name: &'a str) -> Self {
        Self { parent: Some(self), name, number: None }
    }

    /// The element at `index` (from 0) among those of its name in this one.
    pub(crate) const fn nth(&'a self, name: &'a str, index: usize) -> Self {
        Self { parent: Some(self), name, number: Some(index + 1) }
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent {
            parent.fmt(f)?;
        }
        write!(f, "/{}", self.name)?;
        match self.number {
            None => Ok(()),
            Some(number) => write!(f, "[{number}]"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_counts_from_one() {
        let info = Path::ROOT.nth("info", 0);
        let area = info.nth("area", 0);
        assert_eq!(area.nth("geocode", 1).to_string(), "/alert/info[1]/area[1]/geocode[2]");
        assert_eq!(Path::ROOT.one("sent").to_string(), "/alert/sent");
    }

    #[test]
    fn findings_are_bounded_and_a_late_refusal_still_counts() {
        let mut findings = Findings::default();
        for _ in 0..10_000 {
            findings.add(&super::super::rules::EMPTY_ELEMENT, Path::ROOT, "");
        }
        findings.add(&super::super::rules::MISSING, Path::ROOT, "scope");
        let (verdict, list) = findings.finish();
        assert_eq!(verdict, Verdict::Refuse);
        assert!(list.len() <= FINDINGS_MAX + 2);
        assert!(list.iter().any(|finding| finding.code == "missing"));
    }
}
