//! The text of one element as the type that the schema gives it.

use std::str::FromStr;

use jiff::Timestamp;
use roxmltree::Node;

use super::children::{Children, is_blank};
use super::{Reader, Version};
use crate::cap::finding::Path;
use crate::cap::vocabulary::ParseWordError;
use crate::cap::{rules, time, uri};

const BLANKS: [char; 4] = [' ', '\t', '\n', '\r'];

impl Reader {
    /// The text of an element that holds nothing else.
    pub(super) fn text(&mut self, node: Node<'_, '_>, path: Path<'_>) -> String {
        self.attributes(node, path);
        let mut text = String::new();
        for child in node.children() {
            if child.is_element() {
                self.find(&rules::NOT_TEXT, path, child.tag_name().name());
                return text;
            }
            if child.is_text() {
                text.push_str(child.text().unwrap_or(""));
            }
        }
        text
    }

    /// The text of a mandatory element, which may be empty.
    pub(super) fn required(
        &mut self,
        children: &Children<'_, '_>,
        path: Path<'_>,
        name: &str,
    ) -> Option<String> {
        let Some(node) = children.one(name) else {
            self.find(&rules::MISSING, path, name);
            return None;
        };
        Some(self.text(node, path.one(name)))
    }

    /// The text of an optional element; an empty one is none.
    pub(super) fn optional(
        &mut self,
        children: &Children<'_, '_>,
        path: Path<'_>,
        name: &str,
    ) -> Option<String> {
        let node = children.one(name)?;
        self.filled(node, path.one(name))
    }

    /// The text of an element; an empty one is none.
    pub(super) fn filled(&mut self, node: Node<'_, '_>, path: Path<'_>) -> Option<String> {
        let text = self.text(node, path);
        if is_blank(&text) {
            self.find(&rules::EMPTY_ELEMENT, path, "");
            return None;
        }
        Some(text)
    }

    /// A mandatory word of a closed list.
    pub(super) fn word<T: FromStr<Err = ParseWordError>>(
        &mut self,
        children: &Children<'_, '_>,
        path: Path<'_>,
        name: &str,
    ) -> Option<T> {
        let text = self.required(children, path, name)?;
        self.parse_word(&text, path.one(name))
    }

    /// A word of a closed list.
    pub(super) fn parse_word<T: FromStr<Err = ParseWordError>>(
        &mut self,
        text: &str,
        path: Path<'_>,
    ) -> Option<T> {
        let word = text.parse().ok();
        if word.is_none() {
            self.find(&rules::ENUM_VALUE, path, text);
        }
        word
    }

    /// A mandatory time.
    pub(super) fn required_time(
        &mut self,
        children: &Children<'_, '_>,
        path: Path<'_>,
        name: &str,
    ) -> Option<Timestamp> {
        let text = self.required(children, path, name)?;
        self.parse_time(&text, path.one(name))
    }

    /// An optional time. An empty element is no time: the schema refuses it.
    pub(super) fn optional_time(
        &mut self,
        children: &Children<'_, '_>,
        path: Path<'_>,
        name: &str,
    ) -> Option<Timestamp> {
        let text = self.text(children.one(name)?, path.one(name));
        self.parse_time(&text, path.one(name))
    }

    fn parse_time(&mut self, text: &str, path: Path<'_>) -> Option<Timestamp> {
        let read = match time::parse(text) {
            Ok(read) => read,
            Err(rule) => {
                self.find(rule, path, text);
                return None;
            }
        };
        match self.version {
            Version::V1_1 => {
                if read.has_z || read.has_fraction {
                    self.find(&rules::TIME_GENERAL, path, text);
                }
            }
            Version::V1_2 => {
                if read.has_z {
                    self.find(&rules::TIME_Z, path, text);
                }
                if read.has_fraction {
                    self.find(&rules::TIME_FRACTION, path, text);
                }
            }
        }
        Some(read.at)
    }

    /// An optional URI.
    pub(super) fn uri(
        &mut self,
        children: &Children<'_, '_>,
        path: Path<'_>,
        name: &str,
    ) -> Option<String> {
        let text = uri::collapse(&self.optional(children, path, name)?);
        if !uri::is_uri(&text) {
            self.find(&rules::URI_MALFORMED, path.one(name), &text);
        }
        Some(text)
    }

    /// The language of an info. An empty element has the schema's default.
    pub(super) fn language(
        &mut self,
        children: &Children<'_, '_>,
        path: Path<'_>,
    ) -> Option<String> {
        let path = path.one("language");
        let text = self.text(children.one("language")?, path);
        if text.is_empty() {
            self.find(&rules::EMPTY_ELEMENT, path, "");
            return None;
        }
        let tag = text.trim_matches(BLANKS);
        if !uri::is_language(tag) {
            self.find(&rules::LANGUAGE_MALFORMED, path, &text);
        }
        Some(tag.to_owned())
    }

    /// An optional height: a decimal in CAP 1.2, any text in CAP 1.1.
    pub(super) fn height(
        &mut self,
        children: &Children<'_, '_>,
        path: Path<'_>,
        name: &str,
    ) -> Option<f64> {
        let text = self.text(children.one(name)?, path.one(name));
        let number = parse_decimal(text.trim_matches(BLANKS));
        match self.version {
            Version::V1_2 if number.is_none() => {
                self.find(&rules::DECIMAL_MALFORMED, path.one(name), &text);
            }
            Version::V1_1 if is_blank(&text) => {
                self.find(&rules::EMPTY_ELEMENT, path.one(name), "");
            }
            Version::V1_1 if number.is_none() => {
                self.find(&rules::HEIGHT_NOT_NUMBER, path.one(name), &text);
            }
            Version::V1_1 | Version::V1_2 => {}
        }
        number
    }

    /// An optional xs:integer that counts bytes.
    pub(super) fn size(&mut self, children: &Children<'_, '_>, path: Path<'_>) -> Option<u64> {
        let path = path.one("size");
        let text = self.text(children.one("size")?, path);
        let text = text.trim_matches(BLANKS);
        let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            self.find(&rules::INTEGER_MALFORMED, path, text);
            return None;
        }
        let value = digits.parse::<u64>().ok().filter(|n| *n == 0 || !text.starts_with('-'));
        if value.is_none() {
            self.find(&rules::SIZE_NEGATIVE, path, text);
        }
        value
    }
}

/// An xs:decimal: no exponent, no words.
fn parse_decimal(text: &str) -> Option<f64> {
    let is_decimal = text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.'))
        && text.bytes().any(|b| b.is_ascii_digit());
    let number = text.parse::<f64>().ok().filter(|_| is_decimal)?;
    number.is_finite().then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_have_no_exponent() {
        assert_eq!(parse_decimal("+1.50"), Some(1.5));
        assert_eq!(parse_decimal(".5"), Some(0.5));
        assert_eq!(parse_decimal("5."), Some(5.0));
        for text in ["", ".", "1e3", "NaN", "1-2", "--1", "1 2", "inf"] {
            assert_eq!(parse_decimal(text), None, "{text}");
        }
    }
}
