//! Bytes to an [`Alert`] and what is to be said about them. Never panics, whatever the bytes;
//! memory and time are bounded by the named limits.

mod alert;
mod children;
mod info;
mod part;
mod value;

use roxmltree::{Document, ParsingOptions};

use super::finding::{Finding, Findings, Path, Verdict};
use super::model::Alert;
use super::rules::{self, Rule};
use super::{NAMESPACE_1_1, NAMESPACE_1_2, check, encoding, scan};
use crate::limits::{CAP_BYTES_MAX, CAP_TAGS_MAX};

/// Which CAP a document is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// CAP 1.1
    V1_1,
    /// CAP 1.2
    V1_2,
}

/// What came of reading.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// The heaviest finding decides.
    pub verdict: Verdict,
    /// In the order in which they were found.
    pub findings: Vec<Finding>,
    /// Which CAP, if it is one.
    pub version: Option<Version>,
    /// The message, unless refused.
    pub alert: Option<Alert>,
}

impl Reading {
    /// The reading of a document that could not even be looked at, such as an unreadable file.
    pub fn refused(rule: &Rule, detail: &str) -> Self {
        let mut findings = Findings::default();
        findings.add(rule, "/", detail);
        Self::new(findings, None, None)
    }

    fn new(findings: Findings, version: Option<Version>, alert: Option<Alert>) -> Self {
        let alert = alert.filter(|_| !findings.is_refused());
        let (verdict, findings) = findings.finish();
        Self { verdict, findings, version, alert }
    }
}

/// The reader's state: which schema holds, and what was found.
struct Reader {
    version: Version,
    findings: Findings,
}

impl Reader {
    fn find(&mut self, rule: &Rule, path: Path<'_>, detail: &str) {
        self.findings.add(rule, path, detail);
    }

    const fn namespace(&self) -> &'static str {
        match self.version {
            Version::V1_1 => NAMESPACE_1_1,
            Version::V1_2 => NAMESPACE_1_2,
        }
    }
}

/// Reads and checks a CAP document.
pub fn read(bytes: &[u8]) -> Reading {
    if bytes.len() > CAP_BYTES_MAX {
        return Reading::refused(&rules::TOO_LARGE, &format!("> {CAP_BYTES_MAX} bytes"));
    }
    let decoded = match encoding::decode(bytes) {
        Ok(decoded) => decoded,
        Err((rule, detail)) => return Reading::refused(rule, &detail),
    };
    if let Err((rule, detail)) = scan::scan(&decoded.text) {
        return Reading::refused(rule, &detail);
    }
    // Each tag gives at most one element or comment and one text before it.
    let nodes_limit = u32::try_from(2 * CAP_TAGS_MAX + 2).unwrap_or(u32::MAX);
    let options = ParsingOptions { nodes_limit, ..ParsingOptions::default() };
    let document = match Document::parse_with_options(&decoded.text, options) {
        Ok(document) => document,
        Err(roxmltree::Error::DtdDetected) => return Reading::refused(&rules::DOCTYPE, ""),
        Err(error) => return Reading::refused(&rules::NOT_WELL_FORMED, &error.to_string()),
    };
    let mut findings = Findings::default();
    if let Some(declared) = &decoded.conflict {
        findings.add(&rules::ENCODING_CONFLICT, "/", declared);
    }
    read_document(&document, findings)
}

fn read_document(document: &Document<'_>, mut findings: Findings) -> Reading {
    let root = document.root_element();
    if root.tag_name().name() != "alert" {
        findings.add(&rules::WRONG_ROOT, "/", root.tag_name().name());
        return Reading::new(findings, None, None);
    }
    let version = match root.tag_name().namespace() {
        Some(NAMESPACE_1_2) => Version::V1_2,
        Some(NAMESPACE_1_1) => Version::V1_1,
        other => {
            findings.add(&rules::WRONG_NAMESPACE, Path::ROOT, other.unwrap_or(""));
            return Reading::new(findings, None, None);
        }
    };
    let mut reader = Reader { version, findings };
    let alert = reader.alert(root);
    let mut findings = reader.findings;
    if let Some(alert) = &alert {
        check::check(alert, &mut findings);
    }
    Reading::new(findings, Some(version), alert)
}
