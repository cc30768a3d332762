//! `alert`: identity, purpose, references.

use roxmltree::Node;

use super::Reader;
use super::children::{Children, Slot, is_blank, many, once};
use crate::cap::finding::Path;
use crate::cap::model::{Alert, Reference};
use crate::cap::{rules, time};

const SCHEMA: &[Slot] = &[
    once("identifier"),
    once("sender"),
    once("sent"),
    once("status"),
    once("msgType"),
    once("source"),
    once("scope"),
    once("restriction"),
    once("addresses"),
    many("code"),
    once("note"),
    once("references"),
    once("incidents"),
    many("info"),
];

impl Reader {
    /// The message; `None` if a part that every message has could not be read.
    pub(super) fn alert(&mut self, node: Node<'_, '_>) -> Option<Alert> {
        let path = Path::ROOT;
        let children = self.children(node, path, SCHEMA);
        // Each part is read before the first `?`, so that all that is wrong is said at once.
        let identifier = self.key_part(&children, path, "identifier");
        let sender = self.key_part(&children, path, "sender");
        let sent = self.required_time(&children, path, "sent");
        let status = self.word(&children, path, "status");
        let msg_type = self.word(&children, path, "msgType");
        let source = self.optional(&children, path, "source");
        let scope = self.word(&children, path, "scope");
        let restriction = self.optional(&children, path, "restriction");
        let addresses = self.optional(&children, path, "addresses");
        let mut codes = Vec::new();
        for (index, code) in children.many("code").iter().enumerate() {
            codes.extend(self.filled(*code, path.nth("code", index)));
        }
        let note = self.optional(&children, path, "note");
        let references = self.optional(&children, path, "references");
        let references = references.map_or_else(Vec::new, |text| self.references(&text));
        let incidents = self.optional(&children, path, "incidents");
        let mut infos = Vec::new();
        for (index, info) in children.many("info").iter().enumerate() {
            infos.extend(self.info(*info, path.nth("info", index)));
        }
        Some(Alert {
            identifier: identifier?,
            sender: sender?,
            sent: sent?,
            status: status?,
            msg_type: msg_type?,
            source,
            scope: scope?,
            restriction,
            addresses,
            codes,
            note,
            references,
            incidents,
            infos,
        })
    }

    fn key_part(
        &mut self,
        children: &Children<'_, '_>,
        path: Path<'_>,
        name: &str,
    ) -> Option<String> {
        let text = self.required(children, path, name)?;
        if is_blank(&text) {
            self.find(&rules::KEY_EMPTY, path.one(name), "");
            return None;
        }
        let trimmed = text.trim();
        if trimmed.len() != text.len() {
            self.find(&rules::WHITE_SPACE, path.one(name), trimmed);
        }
        Some(trimmed.to_owned())
    }

    fn references(&mut self, text: &str) -> Vec<Reference> {
        let path = Path::ROOT.one("references");
        let mut references = Vec::new();
        for entry in split_references(text) {
            let Some((sender, identifier, sent)) = entry else {
                self.find(&rules::REFERENCE_MALFORMED, path, text);
                continue;
            };
            let Ok(read) = time::parse(sent) else {
                self.find(&rules::REFERENCE_MALFORMED, path, sent);
                continue;
            };
            if read.has_z || read.has_fraction {
                self.find(&rules::REFERENCE_TIME, path, sent);
            }
            references.push(Reference {
                sender: sender.to_owned(),
                identifier: identifier.to_owned(),
                sent: read.at,
            });
        }
        references
    }
}

/// Sender, identifier and time of each entry; `None` for what is none. Senders with blanks are
/// read: only the time is sure to end at a blank.
fn split_references(text: &str) -> Vec<Option<(&str, &str, &str)>> {
    let mut entries = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let mut parts = rest.splitn(3, ',');
        let (Some(sender), Some(identifier), Some(tail)) =
            (parts.next(), parts.next(), parts.next())
        else {
            entries.push(None);
            break;
        };
        let tail = tail.trim_start();
        let end = tail.find(char::is_whitespace).unwrap_or(tail.len());
        let (sent, after) = tail.split_at(end);
        let (sender, identifier) = (sender.trim(), identifier.trim());
        let is_whole = !sender.is_empty() && !identifier.is_empty() && !sent.is_empty();
        entries.push(is_whole.then_some((sender, identifier, sent)));
        rest = after.trim_start();
    }
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_split_at_blanks_after_the_time() {
        let text = " a@b,1,2020-01-01T00:00:00+08:00\n NCMC China,2,2020-01-02T00:00:00+08:00 ";
        assert_eq!(
            split_references(text),
            [
                Some(("a@b", "1", "2020-01-01T00:00:00+08:00")),
                Some(("NCMC China", "2", "2020-01-02T00:00:00+08:00")),
            ]
        );
        assert_eq!(split_references("a b c"), [None]);
        assert_eq!(split_references("a,,t"), [None]);
    }
}
