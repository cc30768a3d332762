//! References: there when needed, and to earlier messages.

use std::collections::BTreeSet;

use crate::cap::finding::{Findings, Path};
use crate::cap::model::Alert;
use crate::cap::rules;
use crate::cap::vocabulary::{MsgType, Status};

pub(super) fn check(alert: &Alert, findings: &mut Findings) {
    let path = Path::ROOT.one("references");
    let needs_reference = match alert.msg_type {
        MsgType::Alert => false,
        MsgType::Update | MsgType::Cancel | MsgType::Ack | MsgType::Error => true,
    };
    if needs_reference && alert.references.is_empty() {
        findings.add(&rules::REFERENCES_MISSING, path, alert.msg_type.as_str());
    }
    let mut seen = BTreeSet::new();
    for reference in &alert.references {
        let is_same_name =
            reference.sender == alert.sender && reference.identifier == alert.identifier;
        if !seen.insert(reference) {
            findings.add(&rules::REFERENCE_REPEATED, path, &reference.identifier);
        } else if is_same_name && alert.status == Status::Test {
            findings.add(&rules::REFERENCE_SELF_TEST, path, &reference.identifier);
        } else if is_same_name {
            findings.add(&rules::REFERENCE_SELF, path, &reference.identifier);
        } else if reference.sent > alert.sent {
            findings.add(&rules::REFERENCE_LATER, path, &reference.identifier);
        } else if reference.sent == alert.sent {
            findings.add(&rules::REFERENCE_SAME_TIME, path, &reference.identifier);
        }
    }
}
