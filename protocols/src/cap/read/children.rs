//! The children of one element, sorted by name as its schema lists them.

use roxmltree::Node;

use super::Reader;
use crate::cap::finding::Path;
use crate::cap::{NAMESPACE_SIGNATURE, rules};

/// One entry of a schema sequence.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slot {
    name: &'static str,
    may_repeat: bool,
}

/// An element that occurs at most once.
pub(super) const fn once(name: &'static str) -> Slot {
    Slot { name, may_repeat: false }
}

/// An element that may occur many times.
pub(super) const fn many(name: &'static str) -> Slot {
    Slot { name, may_repeat: true }
}

/// What was found under one element.
pub(super) struct Children<'a, 'i> {
    schema: &'static [Slot],
    nodes: Vec<Vec<Node<'a, 'i>>>,
}

impl<'a, 'i> Children<'a, 'i> {
    /// All elements of this name in document order.
    pub(super) fn many(&self, name: &str) -> &[Node<'a, 'i>] {
        let index = self.schema.iter().position(|slot| slot.name == name);
        index.and_then(|index| self.nodes.get(index)).map_or(&[], Vec::as_slice)
    }

    /// The first element of this name.
    pub(super) fn one(&self, name: &str) -> Option<Node<'a, 'i>> {
        self.many(name).first().copied()
    }
}

const NAMESPACE_INSTANCE: &str = "http://www.w3.org/2001/XMLSchema-instance";

impl Reader {
    /// Sorts the children of `node` by `schema` and says what does not belong there.
    pub(super) fn children<'a, 'i>(
        &mut self,
        node: Node<'a, 'i>,
        path: Path<'_>,
        schema: &'static [Slot],
    ) -> Children<'a, 'i> {
        self.attributes(node, path);
        let mut nodes = vec![Vec::new(); schema.len()];
        let mut furthest = 0;
        let mut is_in_order = true;
        for child in node.children() {
            if child.is_text() && !child.text().is_none_or(is_blank) {
                self.find(&rules::STRAY_TEXT, path, child.text().unwrap_or(""));
            }
            if !child.is_element() {
                continue;
            }
            let Some(index) = self.slot(child, path, schema) else {
                // A signature ends the message; anything of CAP after it is out of order.
                if child.tag_name().namespace() == Some(NAMESPACE_SIGNATURE) {
                    furthest = schema.len();
                }
                continue;
            };
            is_in_order &= index >= furthest;
            furthest = furthest.max(index);
            let Slot { name, may_repeat } = schema[index];
            if !may_repeat && !nodes[index].is_empty() {
                self.find(&rules::REPEATED, path.one(name), "");
            }
            nodes[index].push(child);
        }
        if !is_in_order {
            self.find(&rules::ORDER, path, "");
        }
        Children { schema, nodes }
    }

    /// Where the schema has this child; `None`, and a finding, where it has not.
    fn slot(&mut self, child: Node<'_, '_>, path: Path<'_>, schema: &[Slot]) -> Option<usize> {
        let name = child.tag_name().name();
        let namespace = child.tag_name().namespace();
        if namespace == Some(self.namespace()) {
            let index = schema.iter().position(|slot| slot.name == name);
            if index.is_none() {
                self.find(&rules::UNKNOWN_ELEMENT, path.one(name), "");
            }
            return index;
        }
        let is_top = child.parent_element().is_some_and(|p| p.parent_element().is_none());
        if namespace == Some(NAMESPACE_SIGNATURE) && is_top {
            self.find(&rules::SIGNATURE, path.one(name), "");
        } else {
            self.find(&rules::FOREIGN_ELEMENT, path.one(name), namespace.unwrap_or(""));
        }
        None
    }

    /// CAP elements carry nothing but hints where the schema is.
    pub(super) fn attributes(&mut self, node: Node<'_, '_>, path: Path<'_>) {
        for attribute in node.attributes() {
            let is_hint = attribute.namespace() == Some(NAMESPACE_INSTANCE)
                && matches!(attribute.name(), "schemaLocation" | "noNamespaceSchemaLocation");
            if !is_hint {
                self.find(&rules::ATTRIBUTE, path, attribute.name());
            }
        }
    }
}

/// Whether there is nothing but XML white space.
pub(super) fn is_blank(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r'))
}
