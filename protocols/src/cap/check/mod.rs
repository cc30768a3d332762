//! What the schema can't say: whether the parts of a message fit together.

mod areas;
mod infos;
mod references;
mod resources;
mod times;

use super::finding::{Findings, Path};
use super::model::Alert;
use super::rules;
use super::vocabulary::{MsgType, Scope, Status};
use crate::limits::{ALERT_KEY_PART_BYTES_MAX, CAP_EDGE_COMPARISONS_MAX};

/// Adds all that is to be said about a message that was read.
pub(super) fn check(alert: &Alert, findings: &mut Findings) {
    let path = Path::ROOT;
    key(alert, findings);
    references::check(alert, findings);
    match alert.scope {
        Scope::Restricted if alert.restriction.is_none() => {
            findings.add(&rules::RESTRICTION_MISSING, path, "");
        }
        Scope::Private if alert.addresses.is_none() => {
            findings.add(&rules::ADDRESSES_MISSING, path, "");
        }
        Scope::Public | Scope::Restricted | Scope::Private => {}
    }
    if let (Some(restriction), Scope::Public | Scope::Private) = (&alert.restriction, alert.scope) {
        findings.add(&rules::RESTRICTION_UNUSED, path.one("restriction"), restriction);
    }
    if alert.msg_type == MsgType::Error && alert.note.is_none() {
        findings.add(&rules::NOTE_MISSING, path, "");
    }
    if matches!(alert.status, Status::System | Status::Draft) {
        findings.add(&rules::SILENT_STATUS, path.one("status"), alert.status.as_str());
    }
    if alert.infos.is_empty() {
        findings.add(&rules::NO_INFO, path, "");
    }
    infos::check_together(&alert.infos, findings);
    let mut comparisons_left = CAP_EDGE_COMPARISONS_MAX;
    for (index, info) in alert.infos.iter().enumerate() {
        let path = path.nth("info", index);
        infos::check(info, path, findings);
        times::check(alert.sent, info, path, findings);
        for (index, resource) in info.resources.iter().enumerate() {
            resources::check(resource, path.nth("resource", index), findings);
        }
        for (index, area) in info.areas.iter().enumerate() {
            areas::check(area, path.nth("area", index), &mut comparisons_left, findings);
        }
    }
}

fn key(alert: &Alert, findings: &mut Findings) {
    let path = Path::ROOT;
    for (name, text) in [("identifier", &alert.identifier), ("sender", &alert.sender)] {
        let has_blank = text.contains(char::is_whitespace);
        if text.contains([',', '<', '&']) || (has_blank && name == "identifier") {
            findings.add(&rules::KEY_CHARACTERS, path.one(name), text);
        } else if has_blank {
            findings.add(&rules::SENDER_BLANK, path.one(name), text);
        }
        if text.len() > ALERT_KEY_PART_BYTES_MAX {
            findings.add(&rules::KEY_LONG, path.one(name), "");
        }
    }
}
