//! Bytes to text: by byte order mark, else as the XML declaration says, else UTF-8.

use std::borrow::Cow;

use encoding_rs::{Encoding, GB18030, GBK, UTF_16BE, UTF_16LE};

use super::rules::{self, Rule};

/// A document as text, without its byte order mark.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Decoded<'a> {
    /// The text.
    pub(super) text: Cow<'a, str>,
    /// The declared encoding, where it differs from the mark.
    pub(super) conflict: Option<String>,
}

/// Why there is no text: the rule, and what was declared.
pub(super) type Refusal = (&'static Rule, String);

/// Bytes in which an XML declaration ends, if there is one. The longest legal one with sensible
/// blanks has some 70.
const DECLARATION_BYTES_MAX: usize = 256;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Charset {
    Utf8,
    Ascii,
    Latin1,
    Other(&'static Encoding),
}

/// Reads `bytes` as text.
pub(super) fn decode(bytes: &[u8]) -> Result<Decoded<'_>, Refusal> {
    if bytes.starts_with(&[0xFF, 0xFE, 0, 0]) || bytes.starts_with(&[0, 0, 0xFE, 0xFF]) {
        return Err((&rules::ENCODING_UNSUPPORTED, "UTF-32".to_owned()));
    }
    if let Some(rest) = bytes.strip_prefix(&[0xEF, 0xBB, 0xBF]) {
        let text = text_of(rest, Charset::Utf8, "UTF-8")?;
        return Ok(with_mark(text, &["utf-8", "utf8", "us-ascii"]));
    }
    if let Some(rest) = bytes.strip_prefix(&[0x84, 0x31, 0x95, 0x33]) {
        let text = text_of(rest, Charset::Other(GB18030), "GB18030")?;
        return Ok(with_mark(text, &["gb18030", "gbk", "gb2312"]));
    }
    // Without a mark, the zero bytes around the first `<` tell.
    let utf_16 = match bytes {
        [0xFF, 0xFE, rest @ ..] => Some((UTF_16LE, rest)),
        [0xFE, 0xFF, rest @ ..] => Some((UTF_16BE, rest)),
        [b'<', 0, ..] => Some((UTF_16LE, bytes)),
        [0, b'<', ..] => Some((UTF_16BE, bytes)),
        _ => None,
    };
    if let Some((encoding, rest)) = utf_16 {
        let text = text_of(rest, Charset::Other(encoding), "UTF-16")?;
        return Ok(with_mark(text, &["utf-16", "utf-16le", "utf-16be"]));
    }
    let head = &bytes[..bytes.len().min(DECLARATION_BYTES_MAX)];
    let head: Cow<'_, str> = encoding_rs::mem::decode_latin1(head);
    let Some(name) = declared(&head) else {
        let text = text_of(bytes, Charset::Utf8, "UTF-8")?;
        return Ok(Decoded { text, conflict: None });
    };
    let charset = match name.to_ascii_lowercase().as_str() {
        "utf-8" | "utf8" => Charset::Utf8,
        "us-ascii" | "ascii" => Charset::Ascii,
        "iso-8859-1" | "iso8859-1" | "iso_8859-1" | "latin1" => Charset::Latin1,
        "gb18030" => Charset::Other(GB18030),
        "gbk" | "gb2312" => Charset::Other(GBK),
        "utf-16" | "utf-16le" | "utf-16be" => {
            return Err((&rules::ENCODING_MALFORMED, name.to_owned()));
        }
        _ => return Err((&rules::ENCODING_UNSUPPORTED, name.to_owned())),
    };
    Ok(Decoded { text: text_of(bytes, charset, name)?, conflict: None })
}

fn with_mark<'a>(text: Cow<'a, str>, fitting: &[&str]) -> Decoded<'a> {
    let conflict = declared(&text)
        .filter(|name| !fitting.contains(&name.to_ascii_lowercase().as_str()))
        .map(str::to_owned);
    Decoded { text, conflict }
}

fn text_of<'a>(bytes: &'a [u8], charset: Charset, name: &str) -> Result<Cow<'a, str>, Refusal> {
    let text = match charset {
        Charset::Ascii if !bytes.is_ascii() => None,
        Charset::Utf8 | Charset::Ascii => std::str::from_utf8(bytes).ok().map(Cow::Borrowed),
        Charset::Latin1 => Some(encoding_rs::mem::decode_latin1(bytes)),
        Charset::Other(encoding) => {
            encoding.decode_without_bom_handling_and_without_replacement(bytes)
        }
    };
    text.ok_or_else(|| (&rules::ENCODING_MALFORMED, name.to_owned()))
}

/// The name in `encoding="…"` of the XML declaration, if the text begins with one.
fn declared(text: &str) -> Option<&str> {
    // `<?xml-stylesheet` is another instruction.
    let rest =
        text.strip_prefix("<?xml").filter(|rest| rest.starts_with([' ', '\t', '\r', '\n']))?;
    let declaration = &rest[..rest.find("?>")?];
    let after = &declaration[declaration.find("encoding")? + "encoding".len()..];
    let after = after.trim_start().strip_prefix('=')?.trim_start();
    let quote = after.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let name = &after[1..];
    Some(&name[..name.find(quote)?])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: &[u8]) -> String {
        decode(bytes).expect("decodes").text.into_owned()
    }

    #[test]
    fn gb18030_and_gbk_are_read_as_declared() {
        let document = "<?xml version='1.0' encoding='GB18030'?><a>厦门㐀</a>";
        let (bytes, _, _) = GB18030.encode(document);
        assert_eq!(text(&bytes), document);
        let document = "<?xml version=\"1.0\" encoding=\"gbk\"?><a>台风</a>";
        let (bytes, _, _) = GBK.encode(document);
        assert_eq!(text(&bytes), document);
    }

    #[test]
    fn iso_8859_1_is_itself_and_not_windows_1252() {
        let bytes = b"<?xml version='1.0' encoding='ISO-8859-1'?><a>\xE9\x85</a>";
        assert!(text(bytes).ends_with("<a>\u{E9}\u{85}</a>"));
    }

    #[test]
    fn utf_16_is_known_by_its_mark_or_by_its_first_character() {
        let document = "<?xml version='1.0' encoding='UTF-16'?><a>厦门</a>";
        let little = document.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
        let big = document.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<_>>();
        assert_eq!(text(&little), document);
        assert_eq!(text(&[&[0xFE, 0xFF], &big[..]].concat()), document);
        assert_eq!(decode(&[&[0xFF, 0xFE], &little[..]].concat()).expect("reads").conflict, None);
    }

    #[test]
    fn other_encodings_are_refused_by_name() {
        let bytes = b"<?xml version='1.0' encoding='Shift_JIS'?><a/>";
        assert_eq!(decode(bytes), Err((&rules::ENCODING_UNSUPPORTED, "Shift_JIS".to_owned())));
    }

    #[test]
    fn a_mark_wins_over_the_declaration_and_says_so() {
        let document = "\u{FEFF}<?xml version='1.0' encoding='GBK'?><a>厦</a>";
        let decoded = decode(document.as_bytes()).expect("reads");
        assert_eq!(decoded.conflict.as_deref(), Some("GBK"));
    }

    #[test]
    fn the_mark_of_gb18030_is_known_and_a_stylesheet_is_no_declaration() {
        let (bytes, _, _) =
            GB18030.encode("\u{FEFF}<?xml version='1.0' encoding='GB18030'?><a>厦</a>");
        assert!(text(&bytes).ends_with("<a>厦</a>"));
        assert_eq!(decode(&bytes).expect("reads").conflict, None);
        let sheet = "<?xml-stylesheet href='a' encoding='gb2312'?><a>厦</a>";
        assert_eq!(text(sheet.as_bytes()), sheet);
    }

    #[test]
    fn bytes_that_do_not_fit_are_refused() {
        assert_eq!(
            decode(b"<a>\xFF</a>").map_err(|(rule, _)| rule.code),
            Err("encoding_malformed")
        );
        let bytes = b"<?xml version='1.0' encoding='us-ascii'?><a>\xC3\xA9</a>";
        assert_eq!(decode(bytes).map_err(|(rule, _)| rule.code), Err("encoding_malformed"));
    }
}
