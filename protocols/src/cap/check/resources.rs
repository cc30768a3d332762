//! Attached files: whether they are there, and whether they are what they say.

use sha1::{Digest as _, Sha1};

use crate::cap::finding::{Findings, Path};
use crate::cap::model::Resource;
use crate::cap::{rules, uri};

pub(super) fn check(resource: &Resource, path: Path<'_>, findings: &mut Findings) {
    match (&resource.uri, &resource.content) {
        (None, None) => findings.add(&rules::RESOURCE_EMPTY, path, &resource.description),
        (Some(uri), None) if !uri::is_absolute(uri) => {
            findings.add(&rules::URI_RELATIVE, path.one("uri"), uri);
        }
        (Some(_), None) | (_, Some(_)) => {}
    }
    if let Some(digest) = &resource.digest {
        let is_sha_1 = digest.len() == 40 && digest.bytes().all(|b| b.is_ascii_hexdigit());
        if !is_sha_1 {
            findings.add(&rules::DIGEST_MALFORMED, path.one("digest"), digest);
        } else if let Some(content) = &resource.content
            && !hex::encode(Sha1::digest(content)).eq_ignore_ascii_case(digest)
        {
            findings.add(&rules::DIGEST_MISMATCH, path.one("digest"), digest);
        }
    }
    if let (Some(size), Some(content)) = (resource.size, &resource.content)
        && size != content.len() as u64
    {
        findings.add(&rules::SIZE_DIFFERS, path.one("size"), &size.to_string());
    }
}
