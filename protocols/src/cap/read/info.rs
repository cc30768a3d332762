//! `info`: what is said in one language.

use roxmltree::Node;

use super::children::{Children, Slot, many, once};
use super::{Reader, Version};
use crate::cap::finding::Path;
use crate::cap::model::Info;
use crate::cap::rules;
use crate::cap::vocabulary::{Category, ResponseType};

const SCHEMA: &[Slot] = &[
    once("language"),
    many("category"),
    once("event"),
    many("responseType"),
    once("urgency"),
    once("severity"),
    once("certainty"),
    once("audience"),
    many("eventCode"),
    once("effective"),
    once("onset"),
    once("expires"),
    once("senderName"),
    once("headline"),
    once("description"),
    once("instruction"),
    once("web"),
    once("contact"),
    many("parameter"),
    many("resource"),
    many("area"),
];

impl Reader {
    /// One info; `None` if a part that every info has could not be read.
    pub(super) fn info(&mut self, node: Node<'_, '_>, path: Path<'_>) -> Option<Info> {
        let children = self.children(node, path, SCHEMA);
        let language = self.language(&children, path);
        let categories = self.categories(&children, path);
        let event = self.required(&children, path, "event");
        let response_types = self.response_types(&children, path);
        let urgency = self.word(&children, path, "urgency");
        let severity = self.word(&children, path, "severity");
        let certainty = self.word(&children, path, "certainty");
        let audience = self.optional(&children, path, "audience");
        let event_codes = self.named_values(&children, path, "eventCode");
        let effective = self.optional_time(&children, path, "effective");
        let onset = self.optional_time(&children, path, "onset");
        let expires = self.optional_time(&children, path, "expires");
        let sender_name = self.optional(&children, path, "senderName");
        let headline = self.optional(&children, path, "headline");
        let description = self.optional(&children, path, "description");
        let instruction = self.optional(&children, path, "instruction");
        let web = self.uri(&children, path, "web");
        let contact = self.optional(&children, path, "contact");
        let parameters = self.named_values(&children, path, "parameter");
        let mut resources = Vec::new();
        for (index, resource) in children.many("resource").iter().enumerate() {
            resources.extend(self.resource(*resource, path.nth("resource", index)));
        }
        let mut areas = Vec::new();
        for (index, area) in children.many("area").iter().enumerate() {
            areas.extend(self.area(*area, path.nth("area", index)));
        }
        Some(Info {
            language,
            categories,
            event: event?,
            response_types,
            urgency: urgency?,
            severity: severity?,
            certainty: certainty?,
            audience,
            event_codes,
            effective,
            onset,
            expires,
            sender_name,
            headline,
            description,
            instruction,
            web,
            contact,
            parameters,
            resources,
            areas,
        })
    }

    fn categories(&mut self, children: &Children<'_, '_>, path: Path<'_>) -> Vec<Category> {
        let nodes = children.many("category");
        if nodes.is_empty() {
            self.find(&rules::MISSING, path, "category");
        }
        let mut categories = Vec::new();
        for (index, node) in nodes.iter().enumerate() {
            let path = path.nth("category", index);
            let text = self.text(*node, path);
            categories.extend(self.parse_word::<Category>(&text, path));
        }
        categories
    }

    fn response_types(&mut self, children: &Children<'_, '_>, path: Path<'_>) -> Vec<ResponseType> {
        let mut types = Vec::new();
        for (index, node) in children.many("responseType").iter().enumerate() {
            let path = path.nth("responseType", index);
            let text = self.text(*node, path);
            let Some(word) = self.parse_word::<ResponseType>(&text, path) else { continue };
            if self.version == Version::V1_1 && !word.is_in_1_1() {
                self.find(&rules::ENUM_VALUE, path, &text);
            }
            types.push(word);
        }
        types
    }
}
