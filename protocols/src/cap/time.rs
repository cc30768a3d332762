//! xs:dateTime as CAP restricts it, and how we write it.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;

use super::rules::{self, Rule};

/// A time that was read, and how far it is from the form of CAP 1.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Read {
    /// The instant.
    pub(super) at: Timestamp,
    /// The offset was the letter Z.
    pub(super) has_z: bool,
    /// There was a fraction of a second.
    pub(super) has_fraction: bool,
}

/// Reads any xs:dateTime with an offset. White space around it collapses, as the schema says.
pub(super) fn parse(text: &str) -> Result<Read, &'static Rule> {
    let malformed = &rules::TIME_MALFORMED;
    let text = text.trim_matches([' ', '\t', '\n', '\r']);
    let (Some(head), Some(tail)) = (text.get(..19), text.get(19..)) else {
        return Err(malformed);
    };
    let shape = head.bytes().zip(*b"0000-00-00T00:00:00");
    if !shape.clone().all(
        |(byte, want)| {
            if want == b'0' { byte.is_ascii_digit() } else { byte == want }
        },
    ) {
        return Err(malformed);
    }
    let number = |from: usize, to: usize| head[from..to].parse::<i16>().unwrap_or(i16::MAX);
    let two = |from: usize| i8::try_from(number(from, from + 2)).unwrap_or(i8::MAX);
    let (nanoseconds, zone) = fraction(tail).ok_or(malformed)?;
    let date = Date::new(number(0, 4), two(5), two(8)).map_err(|_| malformed)?;
    let (hour, minute, second) = (two(11), two(14), two(17));
    // Midnight at the end of the day is legal in xs:dateTime; the year 0 is not.
    let is_end_of_day = hour == 24 && minute == 0 && second == 0 && nanoseconds == 0;
    if date.year() < 1 || (hour > 23 && !is_end_of_day) || minute > 59 || second > 59 {
        return Err(malformed);
    }
    let offset = match zone {
        "" => return Err(&rules::TIME_NO_OFFSET),
        "Z" => Offset::UTC,
        _ => offset(zone).ok_or(malformed)?,
    };
    // Only the last two days of the year 9999 have no instant: "for ever", as some write it.
    let start = if is_end_of_day { date.tomorrow().ok() } else { Some(date) };
    let civil = start.map(|date| date.at(hour % 24, minute, second, nanoseconds));
    let at = civil.and_then(|civil| offset.to_timestamp(civil).ok()).unwrap_or_else(latest);
    Ok(Read { at, has_z: zone == "Z", has_fraction: tail.starts_with('.') })
}

/// The last whole second that there is.
fn latest() -> Timestamp {
    Timestamp::from_second(Timestamp::MAX.as_second()).unwrap_or(Timestamp::MAX)
}

/// Nanoseconds (finer digits are cut), and what follows.
fn fraction(tail: &str) -> Option<(i32, &str)> {
    let Some(digits) = tail.strip_prefix('.') else { return Some((0, tail)) };
    let n_digits = digits.bytes().take_while(u8::is_ascii_digit).count();
    if n_digits == 0 {
        return None;
    }
    let nanoseconds = format!("{:0<9.9}", &digits[..n_digits]).parse().ok()?;
    Some((nanoseconds, &digits[n_digits..]))
}

fn offset(zone: &str) -> Option<Offset> {
    let (sign, rest) = match zone.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = rest.split_once(':')?;
    let two_digits = |part: &str| {
        (part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit()))
            .then(|| part.parse::<i32>().ok())
            .flatten()
    };
    let (hours, minutes) = (two_digits(hours)?, two_digits(minutes)?);
    if minutes > 59 || hours * 60 + minutes > 14 * 60 {
        return None;
    }
    Offset::from_seconds(sign * (hours * 60 + minutes) * 60).ok()
}

/// The time as CAP 1.2 wants it, at the offset of China. `None` for what the form can't carry: a
/// fraction of a second, a year before 1 or after 9999.
pub(super) fn format(at: Timestamp) -> Option<String> {
    let civil = Offset::from_hours(8).ok()?.to_datetime(at);
    if at.subsec_nanosecond() != 0 || civil.year() < 1 {
        return None;
    }
    Some(format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}+08:00",
        civil.year(),
        civil.month(),
        civil.day(),
        civil.hour(),
        civil.minute(),
        civil.second()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instant(text: &str) -> String {
        parse(text).expect("a time").at.to_string()
    }

    fn code(text: &str) -> &'static str {
        parse(text).expect_err("no time").code
    }

    #[test]
    fn minus_zero_is_utc_and_white_space_collapses() {
        assert_eq!(instant("2012-05-02T23:21:04-00:00"), "2012-05-02T23:21:04Z");
        assert_eq!(instant("\n 2026-11-23T08:00:00+08:00 "), "2026-11-23T00:00:00Z");
    }

    #[test]
    fn the_end_of_the_day_is_the_next_midnight() {
        assert_eq!(instant("2023-12-31T24:00:00+00:00"), "2024-01-01T00:00:00Z");
        assert_eq!(code("2023-12-31T24:00:01+00:00"), "time_malformed");
    }

    #[test]
    fn the_end_of_the_year_9999_means_for_ever() {
        for text in [
            "9999-12-31T23:59:59+00:00",
            "9999-12-31T23:59:59+08:00",
            "9999-12-31T23:59:59-14:00",
            "9999-12-31T24:00:00+00:00",
        ] {
            let at = parse(text).expect("a time").at;
            assert_eq!(parse(&format(at).expect("is written")).expect("a time").at, at, "{text}");
            assert!(at.to_string().starts_with("9999-12-3"), "{text}");
        }
    }

    #[test]
    fn z_and_fractions_are_told_apart_from_the_strict_form() {
        let read = parse("2026-11-23T08:00:00.25Z").expect("reads");
        assert!(read.has_z && read.has_fraction);
        assert_eq!(read.at.to_string(), "2026-11-23T08:00:00.25Z");
    }

    #[test]
    fn what_does_not_exist_is_refused() {
        assert_eq!(code("2026-11-23T08:00:00"), "time_no_offset");
        for text in [
            "",
            "2026-02-30T08:00:00+08:00",
            "2026-11-23T25:00:00+08:00",
            "2026-11-23T08:60:00+08:00",
            "2026-11-23T08:00:60+08:00",
            "2026-11-23T08:00:00+14:01",
            "2026-11-23T08:00:00,08:00",
            "2026-11-23T08:00:00+8:00",
            "2026-11-23T08:00:00+0800",
            "2026-11-23 08:00:00+08:00",
            "2026-11-23T08:00:00.+08:00",
            "2026-11-23T08:00:00z",
            "0000-01-01T00:00:00+00:00",
            "二〇二六-11-23T08:00:00+08:00",
        ] {
            assert_eq!(code(text), "time_malformed", "{text}");
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        let text = format(instant("2026-11-23T00:00:00Z").parse().expect("jiff")).expect("fits");
        assert_eq!(text, "2026-11-23T08:00:00+08:00");
        assert_eq!(format("2026-11-23T00:00:00.5Z".parse().expect("jiff")), None);
    }
}
