//! The parts of an info: named values, resources, areas.

use base64::Engine as _;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use base64::engine::{DecodePaddingMode, general_purpose};
use roxmltree::Node;

use super::children::{Children, Slot, is_blank, many, once};
use super::{Reader, Version};
use crate::cap::finding::Path;
use crate::cap::geometry::{parse_circle, parse_polygon};
use crate::cap::model::{Area, NamedValue, Resource};
use crate::cap::rules;

const NAMED_VALUE: &[Slot] = &[once("valueName"), once("value")];

const RESOURCE: &[Slot] = &[
    once("resourceDesc"),
    once("mimeType"),
    once("size"),
    once("uri"),
    once("derefUri"),
    once("digest"),
];

const AREA: &[Slot] = &[
    once("areaDesc"),
    many("polygon"),
    many("circle"),
    many("geocode"),
    once("altitude"),
    once("ceiling"),
];

/// Real messages break lines and leave the padding away.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

impl Reader {
    /// All `eventCode`, `parameter` or `geocode` of one element.
    pub(super) fn named_values(
        &mut self,
        children: &Children<'_, '_>,
        path: Path<'_>,
        name: &str,
    ) -> Vec<NamedValue> {
        let mut values = Vec::new();
        for (index, node) in children.many(name).iter().enumerate() {
            let path = path.nth(name, index);
            let parts = self.children(*node, path, NAMED_VALUE);
            let value_name = self.required(&parts, path, "valueName");
            let value = self.required(&parts, path, "value");
            let (Some(name), Some(value)) = (value_name, value) else { continue };
            for (text, part) in [(&name, "valueName"), (&value, "value")] {
                if is_blank(text) {
                    self.find(&rules::EMPTY_VALUE, path.one(part), "");
                }
            }
            values.push(NamedValue { name, value });
        }
        values
    }

    /// One resource.
    pub(super) fn resource(&mut self, node: Node<'_, '_>, path: Path<'_>) -> Option<Resource> {
        let children = self.children(node, path, RESOURCE);
        let description = self.required(&children, path, "resourceDesc");
        let mime_type = match self.version {
            Version::V1_1 => self.optional(&children, path, "mimeType").or(Some(String::new())),
            Version::V1_2 => self.required(&children, path, "mimeType"),
        };
        let size = self.size(&children, path);
        let uri = self.uri(&children, path, "uri");
        let content = self.optional(&children, path, "derefUri");
        let content = content.and_then(|text| self.base64(&text, path.one("derefUri")));
        let digest = self.optional(&children, path, "digest");
        let digest = digest.map(|text| text.trim().to_owned());
        Some(Resource {
            description: description?,
            mime_type: mime_type?,
            size,
            uri,
            content,
            digest,
        })
    }

    fn base64(&mut self, text: &str, path: Path<'_>) -> Option<Vec<u8>> {
        let digits = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect::<Vec<_>>();
        let content = BASE64
            .decode(&digits)
            .or_else(|_| general_purpose::URL_SAFE_NO_PAD.decode(&digits))
            .ok();
        if content.is_none() {
            self.find(&rules::BASE64_MALFORMED, path, "");
        }
        content
    }

    /// One area.
    pub(super) fn area(&mut self, node: Node<'_, '_>, path: Path<'_>) -> Option<Area> {
        let children = self.children(node, path, AREA);
        let description = self.required(&children, path, "areaDesc");
        let mut polygons = Vec::new();
        for (index, polygon) in children.many("polygon").iter().enumerate() {
            let path = path.nth("polygon", index);
            let Some(text) = self.filled(*polygon, path) else { continue };
            match parse_polygon(&text) {
                Ok((polygon, is_closed)) => {
                    if polygon.vertices.len() < 3 {
                        self.find(&rules::POLYGON_FEW, path, &text);
                    }
                    if !is_closed {
                        self.find(&rules::POLYGON_OPEN, path, "");
                    }
                    polygons.push(polygon);
                }
                Err((rule, detail)) => self.find(rule, path, &detail),
            }
        }
        let mut circles = Vec::new();
        for (index, circle) in children.many("circle").iter().enumerate() {
            let path = path.nth("circle", index);
            let Some(text) = self.filled(*circle, path) else { continue };
            match parse_circle(&text) {
                Ok(circle) => circles.push(circle),
                Err((rule, detail)) => self.find(rule, path, &detail),
            }
        }
        let geocodes = self.named_values(&children, path, "geocode");
        let altitude = self.height(&children, path, "altitude");
        let ceiling = self.height(&children, path, "ceiling");
        Some(Area { description: description?, polygons, circles, geocodes, altitude, ceiling })
    }
}
