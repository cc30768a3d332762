//! A first pass over the text that knows markup only: it refuses what would cost the XML reader
//! memory, time or stack, and what that reader is too kind to: a second mark, a declaration that is
//! none. What it can't make sense of it leaves to that reader to refuse.

use crate::limits::{
    CAP_ATTRIBUTES_MAX, CAP_ATTRIBUTES_PER_ELEMENT_MAX, CAP_DEPTH_MAX, CAP_TAGS_MAX,
};

use super::encoding::Refusal;
use super::rules;

/// Refuses a DOCTYPE, depth, number and text after the root.
pub(super) fn scan(text: &str) -> Result<(), Refusal> {
    let mut scan = Scan::default();
    let mut rest = text;
    if text.starts_with('\u{FEFF}') {
        return Err((&rules::NOT_WELL_FORMED, "U+FEFF".to_owned()));
    }
    while let Some(at) = rest.find('<') {
        scan.text(&rest[..at])?;
        let is_start = at == 0 && rest.len() == text.len();
        let Some(length) = scan.markup(&rest[at..], is_start)? else { return Ok(()) };
        rest = &rest[at + length..];
    }
    scan.text(rest)
}

#[derive(Debug, Default)]
struct Scan {
    depth: usize,
    n_tags: usize,
    n_attributes: usize,
    is_past_root: bool,
}

impl Scan {
    fn text(&self, text: &str) -> Result<(), Refusal> {
        if self.is_past_root && !text.trim().is_empty() {
            return Err((&rules::TEXT_AFTER_ROOT, text.to_owned()));
        }
        Ok(())
    }

    /// Bytes of the markup at the beginning of `rest`; `None` if it does not end.
    fn markup(&mut self, rest: &str, is_start: bool) -> Result<Option<usize>, Refusal> {
        let until = |end: &str, skip: usize| {
            rest.get(skip..).and_then(|tail| tail.find(end)).map(|at| skip + at + end.len())
        };
        self.n_tags += 1;
        if self.n_tags > CAP_TAGS_MAX {
            return Err((&rules::TOO_COMPLEX, format!("> {CAP_TAGS_MAX} tags")));
        }
        if rest.starts_with("<!--") {
            return Ok(until("-->", 4));
        }
        if rest.starts_with("<![CDATA[") {
            return Ok(until("]]>", 9));
        }
        if rest.starts_with("<!DOCTYPE") {
            return Err((&rules::DOCTYPE, String::new()));
        }
        if rest.starts_with("<?") {
            let length = until("?>", 2);
            let inside = length.and_then(|length| rest.get(2..length - 2));
            inside.map_or(Ok(()), |inside| instruction(inside, is_start))?;
            return Ok(length);
        }
        if rest.starts_with("</") {
            self.close();
            return Ok(until(">", 2));
        }
        self.open(rest)
    }

    fn open(&mut self, rest: &str) -> Result<Option<usize>, Refusal> {
        if self.is_past_root {
            return Err((&rules::TEXT_AFTER_ROOT, rest.chars().take(20).collect()));
        }
        self.depth += 1;
        if self.depth > CAP_DEPTH_MAX {
            return Err((&rules::TOO_DEEP, format!("> {CAP_DEPTH_MAX}")));
        }
        let mut quote = None;
        let mut n_attributes = 0;
        for (at, byte) in rest.bytes().enumerate().skip(1) {
            match (quote, byte) {
                (Some(open), _) if open == byte => quote = None,
                (None, b'"' | b'\'') => quote = Some(byte),
                (None, b'=') => n_attributes += 1,
                (None, b'>') => {
                    self.n_attributes += n_attributes;
                    if rest.as_bytes()[at - 1] == b'/' {
                        self.close();
                    }
                    return Ok(Some(at + 1));
                }
                (Some(_) | None, _) => {}
            }
            if n_attributes > CAP_ATTRIBUTES_PER_ELEMENT_MAX
                || self.n_attributes > CAP_ATTRIBUTES_MAX
            {
                return Err((&rules::TOO_COMPLEX, "attributes".to_owned()));
            }
        }
        Ok(None)
    }

    fn close(&mut self) {
        self.depth = self.depth.saturating_sub(1);
        self.is_past_root = self.depth == 0;
    }
}

const BLANKS: [char; 4] = [' ', '\t', '\n', '\r'];

/// `xml` in any case names the declaration alone, which stands at the very start.
fn instruction(inside: &str, is_start: bool) -> Result<(), Refusal> {
    let (target, rest) = inside.split_at(inside.find(BLANKS).unwrap_or(inside.len()));
    let is_named = target.eq_ignore_ascii_case("xml");
    if is_named && !(is_start && target == "xml" && is_declaration(rest)) {
        return Err((&rules::NOT_WELL_FORMED, format!("<?{inside}?>")));
    }
    Ok(())
}

/// Whether what follows `<?xml` is version, encoding and standalone, in this order and no more.
fn is_declaration(text: &str) -> bool {
    let Some((version, rest)) = attribute(text, "version") else { return false };
    let optional = |rest, name| match attribute(rest, name) {
        Some((value, rest)) => (Some(value), rest),
        None => (None, rest),
    };
    let (encoding, rest) = optional(rest, "encoding");
    let (standalone, rest) = optional(rest, "standalone");
    let is_version = version
        .strip_prefix("1.")
        .is_some_and(|minor| !minor.is_empty() && minor.bytes().all(|byte| byte.is_ascii_digit()));
    let is_encoding = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
    };
    is_version
        && encoding.is_none_or(is_encoding)
        && standalone.is_none_or(|word| matches!(word, "yes" | "no"))
        && rest.trim_matches(BLANKS).is_empty()
}

/// The value of ` name="value"`, and what follows it.
fn attribute<'t>(text: &'t str, name: &str) -> Option<(&'t str, &'t str)> {
    let rest = text.trim_start_matches(BLANKS);
    if rest.len() == text.len() {
        return None;
    }
    let rest = rest.strip_prefix(name)?.trim_start_matches(BLANKS).strip_prefix('=')?;
    let rest = rest.trim_start_matches(BLANKS);
    let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    rest[1..].split_once(quote)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> Option<&'static str> {
        scan(text).err().map(|(rule, _)| rule.code)
    }

    #[test]
    fn sixteen_levels_pass_and_seventeen_do_not() {
        assert_eq!(code(&format!("{}{}", "<a>".repeat(16), "</a>".repeat(16))), None);
        assert_eq!(code(&"<a>".repeat(17)), Some("too_deep"));
    }

    #[test]
    fn markup_inside_comments_sections_and_quotes_does_not_count() {
        let text = "<a b='>'><!-- <!DOCTYPE x> --><![CDATA[</a><a><a>]]><?p <a> ?></a><!-- x --> ";
        assert_eq!(code(text), None);
    }

    #[test]
    fn a_doctype_and_what_follows_the_root_are_refused() {
        assert_eq!(code("<!DOCTYPE a><a/>"), Some("doctype"));
        assert_eq!(code("<a/>x"), Some("text_after_root"));
        assert_eq!(code("<a></a><a/>"), Some("text_after_root"));
    }

    #[test]
    fn the_declaration_stands_once_at_the_start_and_says_nothing_else() {
        for good in [
            "<?xml version='1.0'?><a/>",
            "<?xml version = \"1.1\"\n encoding='utf-8' standalone='yes' ?><a/>",
            "<?xml-stylesheet href='x'?><a><?p?></a>",
        ] {
            assert_eq!(code(good), None, "{good}");
        }
        for bad in [
            "\n<?xml version='1.0'?><a/>",
            "<?xml version='1.0'?><?xml version='1.0'?><a/>",
            "<a><?XML x?></a>",
            "<?xml?><a/>",
            "<?xml version='2.0'?><a/>",
            "<?xml encoding='utf-8' version='1.0'?><a/>",
            "<?xml version='1.0'encoding='utf-8'?><a/>",
            "<?xml version='1.0' encoding=''?><a/>",
            "<?xml version='1.0' standalone='maybe'?><a/>",
            "<?xml version='1.0' foo='bar'?><a/>",
            "\u{FEFF}<a/>",
        ] {
            assert_eq!(code(bad), Some("not_well_formed"), "{bad}");
        }
    }

    #[test]
    fn numbers_are_bounded() {
        let attributes = " a=''".repeat(100);
        assert_eq!(code(&format!("<a{attributes}/>")), Some("too_complex"));
        assert_eq!(code(&format!("<a>{}", "<b/>".repeat(200_000))), Some("too_complex"));
    }
}
