//! xs:anyURI and xs:language, as libxml2 reads them: a URI reference of RFC 3986 in which
//! characters beyond ASCII, blanks and the unwise ones stand for their escapes.

/// Removes white space at the ends and folds it to one blank inside, as the schema does before
/// it looks at tokens.
pub(super) fn collapse(text: &str) -> String {
    let parts = text.split([' ', '\t', '\n', '\r']).filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join(" ")
}

/// Whether `text` (collapsed) is an xs:language: letters, then parts of letters and digits.
pub(super) fn is_language(text: &str) -> bool {
    let is_part = |part: &str, is_ok: fn(&u8) -> bool| {
        (1..=8).contains(&part.len()) && part.bytes().all(|byte| is_ok(&byte))
    };
    let mut parts = text.split('-');
    parts.next().is_some_and(|part| is_part(part, u8::is_ascii_alphabetic))
        && parts.all(|part| is_part(part, u8::is_ascii_alphanumeric))
}

/// Whether `text` (collapsed) is an xs:anyURI. The empty one is.
pub(super) fn is_uri(text: &str) -> bool {
    let text = text
        .chars()
        .map(|c| if !('!'..='~').contains(&c) || r#"<>"{}|\^`"#.contains(c) { '_' } else { c })
        .collect::<String>();
    is_reference(&text)
}

/// Whether the text is an absolute URI rather than a name relative to something.
pub(super) fn is_absolute(text: &str) -> bool {
    scheme(text).is_some()
}

fn scheme(text: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = text.split_once(':')?;
    let is_scheme = scheme.bytes().next()?.is_ascii_alphabetic()
        && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'));
    is_scheme.then_some((scheme, rest))
}

fn is_reference(text: &str) -> bool {
    let (text, fragment) = text.split_once('#').unwrap_or((text, ""));
    let (text, query) = text.split_once('?').unwrap_or((text, ""));
    if !is_made_of(fragment, "/?[]:@") || !is_made_of(query, "/?:@") {
        return false;
    }
    let (has_scheme, hierarchy) = match scheme(text) {
        Some((_, rest)) => (true, rest),
        None => (false, text),
    };
    let Some(rest) = hierarchy.strip_prefix("//") else {
        let first = hierarchy.split('/').next().unwrap_or("");
        return is_made_of(hierarchy, "/:@") && (has_scheme || !first.contains(':'));
    };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    is_authority(authority) && is_made_of(path, "/:@")
}

fn is_authority(text: &str) -> bool {
    let host = match text.split_once('@') {
        Some((user, host)) if is_made_of(user, ":") => host,
        Some(_) => return false,
        None => text,
    };
    let (host, port) = match host.strip_prefix('[').map(|inner| inner.split_once(']')) {
        Some(Some((_, after))) => ("", after),
        Some(None) => return false,
        None => host.split_at(host.find(':').unwrap_or(host.len())),
    };
    // A port above nine digits overflows in the readers that matter.
    let is_port = port.is_empty()
        || port.strip_prefix(':').is_some_and(|digits| {
            (1..=9).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit())
        });
    is_made_of(host, "") && is_port
}

/// Whether the text is unreserved characters, escapes, sub-delimiters and those in `more`.
fn is_made_of(text: &str, more: &str) -> bool {
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let is_ok = match byte {
            b'%' => {
                let mut digit = || bytes.next().is_some_and(|b| b.is_ascii_hexdigit());
                digit() && digit()
            }
            _ => {
                byte.is_ascii_alphanumeric()
                    || b"-._~!$&'()*+,;=".contains(&byte)
                    || more.as_bytes().contains(&byte)
            }
        };
        if !is_ok {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uris_are_lax_but_not_boundless() {
        for text in [
            "",
            "http://www.weather.gov/a?b=c#d",
            "file.mp3",
            "mailto:a@b.cn",
            "urn:oid:2.49",
            "http://厦门.cn/台风",
            "www.xm.gov.cn:80/x",
            "http://[::1]:8080/",
            "a|b",
            "http://a b",
        ] {
            assert!(is_uri(text), "{text}");
        }
        for text in ["http://[", "%zz", "http://a:b/", "a#b#c", "1a:b", "http://[::1/", "a[b]"] {
            assert!(!is_uri(text), "{text}");
        }
    }

    #[test]
    fn languages_are_tags_of_letters_and_digits() {
        for text in ["zh-CN", "en", "sp-US", "zh-mo", "x-klingon", "de-LS"] {
            assert!(is_language(text), "{text}");
        }
        for text in ["", "zh_CN", "中文", "chinesisch", "zh-", "1a", "zh CN"] {
            assert!(!is_language(text), "{text}");
        }
    }
}
