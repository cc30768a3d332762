//! Light normalisation for the English voice: times, dates, units, telephone numbers; no markup.
//!
//! The voice reads numbers and most punctuation itself. Chinese names become plain pinyin.

use super::{SPOKEN_BYTES_MAX, mandarin};

const UNITS: [(&str, &str); 14] = [
    ("km/h", "kilometres per hour"),
    ("mm/h", "millimetres per hour"),
    ("m/s", "metres per second"),
    ("hPa", "hectopascal"),
    ("km", "kilometres"),
    ("mm", "millimetres"),
    ("cm", "centimetres"),
    ("kg", "kilograms"),
    ("min", "minutes"),
    ("°C", "degrees Celsius"),
    ("℃", "degrees Celsius"),
    ("m", "metres"),
    ("h", "hours"),
    ("%", "percent"),
];

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// Words before a run of digits that make it a telephone number.
const TELEPHONE_BEFORE: [&str; 5] = ["call", "dial", "phone", "hotline", "telephone"];

/// What the voice is given for `text`.
pub(super) fn spoken(text: &str) -> String {
    let mut spoken = String::with_capacity(text.len());
    let mut before = String::new();
    for word in text.split_whitespace() {
        let said = said(word, &before);
        if said.is_empty() {
            continue;
        }
        if spoken.len() + said.len() + 1 > SPOKEN_BYTES_MAX {
            break;
        }
        if !spoken.is_empty() {
            spoken.push(' ');
        }
        spoken.push_str(&said);
        before = word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
    }
    spoken
}

fn said(word: &str, before: &str) -> String {
    if ["http://", "https://", "www."].iter().any(|start| word.contains(start)) {
        return "our web page".to_owned();
    }
    let is_mark = |c: char| matches!(c, ',' | '.' | ';' | ':' | '!' | '?' | '(' | ')' | '"');
    let core = word.trim_matches(is_mark);
    let tail: String = word.chars().rev().take_while(|c| is_mark(*c)).collect();
    let pause = match tail.chars().find(|c| !matches!(c, '"' | '(' | ')')) {
        Some('.' | '!' | '?') => ".",
        Some(_) => ",",
        None => "",
    };
    // A true minus sign is read as the hyphen is.
    let core = core.replace('−', "-");
    let core = core.as_str();
    let is_number = core.len() >= 3 && core.bytes().all(|b| b.is_ascii_digit() || b == b'-');
    let said = if is_number && TELEPHONE_BEFORE.contains(&before) {
        core.chars().map(|c| if c == '-' { ','.to_string() } else { format!(" {c}") }).collect()
    } else {
        let is_after_figure = before.ends_with(|c: char| c.is_ascii_digit());
        date(core)
            .or_else(|| time(core))
            .or_else(|| amount(core))
            .or_else(|| unit(core).filter(|_| is_after_figure).map(str::to_owned))
            .unwrap_or_else(|| plain(core))
    };
    let said = said.trim();
    if said.is_empty() { String::new() } else { format!("{said}{pause}") }
}

/// `2026-11-23` → `November 23 2026`.
fn date(word: &str) -> Option<String> {
    let mut parts = word.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    let is_date = year.len() == 4 && parts.next().is_none();
    let (year, month, day) =
        (year.parse::<u16>().ok()?, month.parse::<usize>().ok()?, day.parse::<u8>().ok()?);
    let month = MONTHS.get(month.checked_sub(1)?)?;
    (is_date && (1..=31).contains(&day)).then(|| format!("{month} {day} {year}"))
}

/// `20:30` → `20 30`, `08:05` → `8 oh 5`, `20:00` → `20 hours`.
fn time(word: &str) -> Option<String> {
    let (hour, minute) = word.split_once(':')?;
    let is_time = (1..=2).contains(&hour.len()) && minute.len() == 2;
    let (hour, minute) = (hour.parse::<u8>().ok()?, minute.parse::<u8>().ok()?);
    if !is_time || hour > 24 || minute > 59 {
        return None;
    }
    Some(match minute {
        0 => format!("{hour} hours"),
        1..=9 => format!("{hour} oh {minute}"),
        _ => format!("{hour} {minute}"),
    })
}

/// `120km/h`, `8-10`, `38℃`, `30%`.
fn amount(word: &str) -> Option<String> {
    let is_figure = |c: char| c.is_ascii_digit() || matches!(c, '.' | ',' | '-' | '~' | '–');
    let end = word.find(|c| !is_figure(c)).unwrap_or(word.len());
    let (figure, unit) = word.split_at(end);
    if !figure.starts_with(|c: char| c.is_ascii_digit() || c == '-')
        || !figure.ends_with(|c: char| c.is_ascii_digit())
    {
        return None;
    }
    let said = if unit.is_empty() { "" } else { self::unit(unit)? };
    let figure = signed(figure)?;
    Some(format!("{figure} {said}"))
}

/// A figure or a range of two with its signs: `-5`, `8-10`, `-5~-8`.
fn signed(figure: &str) -> Option<String> {
    let one = |part: &str| match part.strip_prefix('-') {
        Some(rest) => format!("minus {rest}"),
        None => part.to_owned(),
    };
    let start = usize::from(figure.starts_with('-'));
    let Some(mark) = figure[start..].find(['-', '~', '–']) else { return Some(one(figure)) };
    let (low, rest) = figure.split_at(start + mark);
    let high = rest.strip_prefix(['-', '~', '–'])?;
    Some(format!("{} to {}", one(low), one(high)))
}

fn unit(written: &str) -> Option<&'static str> {
    UNITS.iter().find(|(own, _)| *own == written).map(|(_, said)| *said)
}

/// A word with nothing in it that the voice could take for markup; Chinese as plain pinyin.
fn plain(word: &str) -> String {
    if let Some((_, said)) = UNITS[..4].iter().find(|(written, _)| *written == word) {
        return (*said).to_owned();
    }
    let mut said = String::with_capacity(word.len());
    let mut chinese = String::new();
    for c in word.chars().chain([' ']) {
        if ('\u{4e00}'..='\u{9fff}').contains(&c) {
            chinese.push(c);
            continue;
        }
        said.extend(mandarin::pinyin(&chinese).chars().filter(char::is_ascii_lowercase));
        chinese.clear();
        match c {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '\'' | '.' | '-' => said.push(c),
            '’' => said.push('\''),
            ',' | ';' | ':' | '，' | '、' | '；' | '：' | '—' | '–' => said.push_str(", "),
            '。' | '！' | '？' | '!' | '?' => said.push_str(". "),
            '&' => said.push_str(" and "),
            '/' | '_' | '(' | ')' | '（' | '）' => said.push(' '),
            _ if c.is_alphabetic() && c.len_utf8() == 2 => said.push(c),
            _ => {}
        }
    }
    said
}

#[cfg(test)]
mod tests {
    use super::spoken;

    #[test]
    fn figures_are_read_as_an_announcer_reads_them() {
        let cases = [
            ("Typhoon at 20:30 on 2026-11-23.", "Typhoon at 20 30 on November 23 2026."),
            ("Before 08:05, move!", "Before 8 oh 5, move."),
            ("Winds of 8-10, gusts 120km/h.", "Winds of 8 to 10, gusts 120 kilometres per hour."),
            ("Rain 1,234.5mm (30%)", "Rain 1,234.5 millimetres 30 percent"),
            ("Dial 119 or call 0592-2345678.", "Dial 1 1 9 or call 0 5 9 2, 2 3 4 5 6 7 8."),
            ("See https://example.org/x.", "See our web page"),
            ("in 厦门 [[now]] <b>", "in xiamen now b"),
            ("-5℃", "minus 5 degrees Celsius"),
            ("down to −5°C", "down to minus 5 degrees Celsius"),
            ("-5~-8℃", "minus 5 to minus 8 degrees Celsius"),
            ("38 °C, 100 mm, 12 m", "38 degrees Celsius, 100 millimetres, 12 metres"),
            ("I'm at 5-10 km/h", "I'm at 5 to 10 kilometres per hour"),
        ];
        for (written, said) in cases {
            assert_eq!(spoken(written), said, "{written}");
        }
    }
}
