//! The times of an info against each other and against `sent`.

use jiff::{SignedDuration, Timestamp};

use crate::cap::finding::{Findings, Path};
use crate::cap::model::Info;
use crate::cap::rules;
use crate::limits::EXPIRY_MAX_H;

pub(super) fn check(sent: Timestamp, info: &Info, path: Path<'_>, findings: &mut Findings) {
    let Some(expires) = info.expires else {
        findings.add(&rules::NO_EXPIRY, path, "");
        return;
    };
    let expires_path = path.one("expires");
    if expires < sent {
        findings.add(&rules::EXPIRES_BEFORE_SENT, expires_path, "");
    } else if expires == sent {
        findings.add(&rules::EXPIRES_AT_SENT, expires_path, "");
    } else if expires.duration_since(sent) > SignedDuration::from_hours(EXPIRY_MAX_H) {
        findings.add(&rules::EXPIRY_FAR, expires_path, "");
    }
    if info.effective.is_some_and(|effective| effective > expires) {
        findings.add(&rules::EFFECTIVE_AFTER_EXPIRES, path.one("effective"), "");
    }
    if info.onset.is_some_and(|onset| onset > expires) {
        findings.add(&rules::ONSET_AFTER_EXPIRES, path.one("onset"), "");
    }
}
