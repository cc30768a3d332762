//! One byte range of RFC 9110 §14. Several at once are answered with the whole.

use std::ops::Range;

/// What a `Range` header asks of a file of `length` bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Asked {
    /// All of it: no header, one that is not understood, or several ranges.
    Whole,
    /// These bytes.
    Part(Range<usize>),
    /// Nothing that exists.
    Unsatisfiable,
}

/// Reads the header.
pub(super) fn asked(header: Option<&str>, length: usize) -> Asked {
    let Some(range) = header.and_then(|text| text.trim().strip_prefix("bytes=")) else {
        return Asked::Whole;
    };
    let Some((first, last)) = range.trim().split_once('-').filter(|_| !range.contains(',')) else {
        return Asked::Whole;
    };
    let number = |text: &str| text.trim().parse::<usize>().ok();
    let part = match (first.trim().is_empty(), last.trim().is_empty()) {
        (true, true) => return Asked::Whole,
        (true, false) => number(last).map(|count| length.saturating_sub(count)..length),
        (false, true) => number(first).map(|first| first..length),
        (false, false) => match (number(first), number(last)) {
            (Some(first), Some(last)) if first <= last => {
                Some(first..last.saturating_add(1).min(length))
            }
            _ => None,
        },
    };
    match part {
        None => Asked::Whole,
        Some(part) if part.start >= part.end => Asked::Unsatisfiable,
        Some(part) => Asked::Part(part),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_the_rfc_says() {
        let cases = [
            (None, Asked::Whole),
            (Some("items=0-1"), Asked::Whole),
            (Some("bytes=0-1,3-4"), Asked::Whole),
            (Some("bytes=5-2"), Asked::Whole),
            (Some("bytes=x-2"), Asked::Whole),
            (Some("bytes=0-3"), Asked::Part(0..4)),
            (Some("bytes=4-"), Asked::Part(4..10)),
            (Some("bytes=-4"), Asked::Part(6..10)),
            (Some("bytes=-40"), Asked::Part(0..10)),
            (Some("bytes=8-99999999999999"), Asked::Part(8..10)),
            (Some("bytes=10-"), Asked::Unsatisfiable),
            (Some("bytes=-0"), Asked::Unsatisfiable),
        ];
        for (header, expected) in cases {
            assert_eq!(asked(header, 10), expected, "{header:?}");
        }
    }
}
