//! Digits, times, dates, telephone numbers and units in a Chinese text → Chinese words.
//!
//! `7月5日20:30前，8~10级，120km/h` → `七月五日二十点三十分前，八到十级，一百二十公里每小时`.
//! What is neither digit nor unit is copied; full-width letters and digits become narrow ones.

use super::number;

/// Written unit → spoken unit. Longer ones before their own beginnings.
const UNITS: [(&str, &str); 44] = [
    ("立方米/秒", "立方米每秒"),
    ("毫米/小时", "毫米每小时"),
    ("公里/小时", "公里每小时"),
    ("千米/小时", "千米每小时"),
    ("公里/时", "公里每小时"),
    ("米/秒", "米每秒"),
    ("km/h", "公里每小时"),
    ("m³/s", "立方米每秒"),
    ("m3/s", "立方米每秒"),
    ("mm/h", "毫米每小时"),
    ("km²", "平方公里"),
    ("km2", "平方公里"),
    ("hPa", "百帕"),
    ("m/s", "米每秒"),
    ("min", "分钟"),
    ("m²", "平方米"),
    ("m2", "平方米"),
    ("m³", "立方米"),
    ("m3", "立方米"),
    ("km", "公里"),
    ("mm", "毫米"),
    ("cm", "厘米"),
    ("kg", "公斤"),
    ("kW", "千瓦"),
    ("kV", "千伏"),
    ("dB", "分贝"),
    ("mL", "毫升"),
    ("ml", "毫升"),
    ("°C", "摄氏度"),
    ("℃", "摄氏度"),
    ("㎡", "平方米"),
    ("㎞", "公里"),
    ("㎜", "毫米"),
    ("㎝", "厘米"),
    ("㎏", "公斤"),
    ("°", "度"),
    ("m", "米"),
    ("h", "小时"),
    ("s", "秒"),
    ("t", "吨"),
    ("g", "克"),
    ("L", "升"),
    ("V", "伏"),
    ("W", "瓦"),
];

/// Words before which a lone 2 is 两. Not 日, 月, 号, 级, 楼, which number things.
const COUNTED: [&str; 48] = [
    "毫米", "厘米", "平方", "立方", "层", "起", "例", "项", "个", "人", "名", "位", "户", "次",
    "小时", "天", "年来", "周", "米", "公里", "公斤", "吨", "座", "条", "辆", "艘", "台", "处",
    "点", "时", "分钟", "倍", "岁", "种", "批", "支", "只", "所", "间", "栋", "棵", "里", "遍",
    "口", "顿", "万", "千", "亿",
];

/// Words shortly before a run of digits that make it a telephone number.
const TELEPHONE_BEFORE: [&str; 8] = ["电话", "拨", "热线", "致电", "号码", "报警", "急救", "求助"];
const TELEPHONE_AFTER: [&str; 5] = ["电话", "热线", "报警", "急救", "求助"];

/// Characters before the digits in which such a word is looked for.
const TELEPHONE_REACH: usize = 8;

/// Signs that are words of their own.
const SIGNS: [(char, &str); 6] = [
    ('≥', "大于等于"),
    ('≤', "小于等于"),
    ('>', "大于"),
    ('<', "小于"),
    ('±', "正负"),
    ('&', "和"),
];

/// Signs that join two figures.
const RANGE_MARKS: [char; 5] = ['~', '-', '–', '—', '−'];

/// Characters between a figure and the sign after it: `10公里-20公里`.
const UNIT_REACH: usize = 3;

/// Replaces every figure by words.
pub(super) fn in_words(text: &str) -> String {
    let chars: Vec<char> = text.chars().map(narrow).collect();
    let mut reader = Reader { chars: &chars, at: 0, spoken: String::new() };
    while reader.at < chars.len() {
        if reader.link() || reader.range() || reader.figure() || reader.roman() || reader.sign() {
            continue;
        }
        reader.spoken.push(chars[reader.at]);
        reader.at += 1;
    }
    reader.spoken
}

/// Full-width ASCII → ASCII, except the comma, which parts a list and never thousands.
fn narrow(c: char) -> char {
    match c {
        '，' => c,
        '！'..='～' => char::from_u32(u32::from(c) - 0xFEE0).unwrap_or(c),
        _ => c,
    }
}

struct Reader<'c> {
    chars: &'c [char],
    at: usize,
    spoken: String,
}

impl Reader<'_> {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    fn before(&self) -> Option<char> {
        self.at.checked_sub(1).map(|at| self.chars[at])
    }

    fn digits(&self, ahead: usize) -> String {
        let start = (self.at + ahead).min(self.chars.len());
        self.chars[start..].iter().take_while(|c| c.is_ascii_digit()).collect()
    }

    fn follows(&self, ahead: usize, word: &str) -> bool {
        word.chars().enumerate().all(|(i, c)| self.peek(ahead + i) == Some(c))
    }

    fn say(&mut self, words: &str, length: usize) -> bool {
        self.spoken.push_str(words);
        self.at += length;
        true
    }

    /// An address of the web is not spoken: nobody can write it down in the rain.
    fn link(&mut self) -> bool {
        let starts = ["http://", "https://", "www."].iter().any(|start| self.follows(0, start));
        if !starts || self.before().is_some_and(|c| c.is_ascii_alphanumeric()) {
            return false;
        }
        let is_part = |c: &&char| c.is_ascii_graphic() && !matches!(c, ',' | ')' | ';');
        let length = self.chars[self.at..].iter().take_while(is_part).count();
        self.say("网址", length)
    }

    /// `8~10`, `8-10`, `3米—5米`: 到. Between a figure (or its unit) and a figure only.
    fn range(&mut self) -> bool {
        let Some(mark) = self.peek(0).filter(|c| RANGE_MARKS.contains(c)) else { return false };
        let is_minus = |c: Option<char>| matches!(c, Some('-' | '−'));
        let is_signed = is_minus(self.peek(1)) && !self.digits(2).is_empty();
        if self.digits(1).is_empty() && !is_signed {
            return false;
        }
        // `15日-5℃` is a day and a frost, `3-5℃` and `3℃-5℃` are ranges.
        let is_frost = is_minus(Some(mark)) && !is_signed && self.is_temperature(1);
        let is_after = if is_frost {
            self.before().is_some_and(|c| c.is_ascii_digit() || "℃°C度".contains(c))
        } else {
            self.is_after_figure()
        };
        is_after && self.say("到", 1)
    }

    /// Whether a figure, with its unit or without, ends here.
    fn is_after_figure(&self) -> bool {
        let start = self.at.saturating_sub(UNIT_REACH + 1);
        let mut before = self.chars[start..self.at].iter().rev();
        let is_unit = |c: &&char| c.is_alphabetic() || "%‰℃°㎡㎞㎜㎝㎏²³".contains(**c);
        before.find(|c| !is_unit(c)).is_some_and(char::is_ascii_digit)
    }

    /// Whether the amount that begins `ahead`, or the range that begins with it, is one of degrees.
    fn is_temperature(&self, ahead: usize) -> bool {
        let is_here = |end: usize| ["℃", "°C", "度"].iter().any(|unit| self.follows(end, unit));
        let end = ahead + self.amount_length(ahead);
        if is_here(end) {
            return true;
        }
        let is_joined =
            self.peek(end).is_some_and(|c| RANGE_MARKS.contains(&c) || "至到".contains(c));
        let sign = usize::from(matches!(self.peek(end + 1), Some('-' | '−')));
        let second = end + 1 + sign;
        let length = self.amount_length(second);
        is_joined && length > 0 && is_here(second + length)
    }

    /// `II级`, `Ⅳ级`: a level in Roman numerals.
    fn roman(&mut self) -> bool {
        const ROMAN: [&str; 10] = ["I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X"];
        let letters = self.chars[self.at..].iter().take_while(|c| matches!(c, 'I' | 'V' | 'X'));
        let written: String = letters.collect();
        let length = written.chars().count();
        let is_level = matches!(self.peek(length), Some('级' | '类' | '型'))
            && !self.before().is_some_and(|c| c.is_ascii_alphanumeric());
        let value = ROMAN.iter().position(|roman| *roman == written);
        match value.filter(|_| is_level) {
            Some(index) => self.say(&number::integer(&(index + 1).to_string()), length),
            None => false,
        }
    }

    /// A sign that is a word, or a number in a circle.
    fn sign(&mut self) -> bool {
        let Some(c) = self.peek(0) else { return false };
        if let Some((_, word)) = SIGNS.iter().find(|(sign, _)| *sign == c) {
            return self.say(word, 1);
        }
        let of = |first: char, last: char| {
            (first..=last).contains(&c).then(|| u32::from(c) - u32::from(first) + 1)
        };
        if let Some(value) = of('Ⅰ', 'Ⅻ').or_else(|| of('ⅰ', 'ⅻ')) {
            return self.say(&number::integer(&value.to_string()), 1);
        }
        match of('①', '⑳') {
            Some(value) => self.say(&format!("{}、", number::integer(&value.to_string())), 1),
            None => false,
        }
    }

    fn figure(&mut self) -> bool {
        if matches!(self.peek(0), Some('-' | '−')) && !self.digits(1).is_empty() {
            let is_latin = self.before().is_some_and(|c| c.is_ascii_alphanumeric());
            let is_joined = self.before().is_some_and(char::is_alphanumeric);
            let has_unit = || self.unit(1 + self.amount_length(1)).is_some() || self.is_metres();
            let is_hyphen = is_latin || is_joined && self.peek(0) == Some('-') && !has_unit();
            let words = if self.is_temperature(1) && !is_latin {
                "零下"
            } else if is_hyphen && !self.spoken.ends_with('到') {
                "，"
            } else {
                "负"
            };
            return self.say(words, 1);
        }
        if self.digits(0).is_empty() {
            return false;
        }
        self.date() || self.time() || self.telephone() || self.percent() || self.number()
    }

    /// Whether the amount after a sign is one of metres: a water level, a height.
    fn is_metres(&self) -> bool {
        let end = 1 + self.amount_length(1);
        ["米", "厘米", "毫米"].iter().any(|unit| self.follows(end, unit))
    }

    /// `2026-11-23`, `2026/11/23`, `2026.11.23`, and `2026年`.
    fn date(&mut self) -> bool {
        let year = self.digits(0);
        if year.len() != 4 {
            return false;
        }
        if self.peek(4) == Some('年') && year.as_str() >= "1900" && year.as_str() < "2200" {
            return self.say(&number::digit_by_digit(&year), 4);
        }
        let is_range = self.peek(4).is_some_and(|c| RANGE_MARKS.contains(&c) || "至到".contains(c));
        if is_range && self.digits(5).len() == 4 && self.peek(9) == Some('年') {
            return self.say(&number::digit_by_digit(&year), 4);
        }
        let Some(mark @ ('-' | '/' | '.')) = self.peek(4) else { return false };
        let month = self.digits(5);
        let day = self.digits(6 + month.len());
        let length = 6 + month.len() + day.len();
        if self.peek(5 + month.len()) != Some(mark)
            || !is_between(&month, 1, 12)
            || !is_between(&day, 1, 31)
        {
            return false;
        }
        let words = format!(
            "{}年{}月{}日",
            number::digit_by_digit(&year),
            number::integer(&month),
            number::integer(&day)
        );
        // ISO 8601 puts a T before the time.
        let is_time_next = self.peek(length) == Some('T') && !self.digits(length + 1).is_empty();
        self.say(&words, length + usize::from(is_time_next))
    }

    /// `20:30`, `8:05:09`.
    fn time(&mut self) -> bool {
        let hour = self.digits(0);
        if !is_between(&hour, 0, 24) || self.peek(hour.len()) != Some(':') {
            return false;
        }
        let minute = self.digits(hour.len() + 1);
        if minute.len() != 2 || !is_between(&minute, 0, 59) {
            return false;
        }
        let mut length = hour.len() + 1 + minute.len();
        let mut words = match number::integer(&hour).as_str() {
            "二" => "两点".to_owned(),
            hour => format!("{hour}点"),
        };
        let second = self.digits(length + 1);
        let has_seconds =
            self.peek(length) == Some(':') && second.len() == 2 && is_between(&second, 0, 59);
        if minute != "00" || has_seconds {
            words.push_str(&two_digits(&minute));
            words.push('分');
        }
        if has_seconds {
            words.push_str(&two_digits(&second));
            words.push('秒');
            length += 3;
        }
        self.say(&words, length)
    }

    /// `0592-2345678`, mobile numbers, and short numbers near a word that makes them one.
    fn telephone(&mut self) -> bool {
        let first = self.digits(0);
        if self.before().is_some_and(|c| c == '.' || c.is_ascii_digit()) {
            return false;
        }
        let second = self.digits(first.len() + 1);
        let is_area_code = first.starts_with('0') && matches!(first.len(), 3 | 4);
        if is_area_code && self.peek(first.len()) == Some('-') && matches!(second.len(), 7 | 8) {
            let words = format!("{}，{}", number::telephone(&first), number::telephone(&second));
            return self.say(&words, first.len() + 1 + second.len());
        }
        if matches!(first.as_str(), "400" | "800") && self.peek(3) == Some('-') {
            let third = self.digits(5 + second.len());
            if self.peek(4 + second.len()) == Some('-') && second.len() + third.len() == 7 {
                let parts = [&first, &second, &third].map(|part| number::telephone(part));
                return self.say(&parts.join("，"), 5 + second.len() + third.len());
            }
        }
        // The number of a typhoon or a room.
        if first.len() == 4 && self.peek(4) == Some('号') {
            return self.say(&number::digit_by_digit(&first), 4);
        }
        let is_mobile = first.len() == 11 && first.starts_with('1');
        let is_near_word = first.len() >= 3 && self.is_near_telephone_word(first.len());
        if is_mobile || is_near_word {
            return self.say(&number::telephone(&first), first.len());
        }
        let has_idle_zero =
            first.len() > 1 && first.starts_with('0') && self.peek(first.len()) != Some('.');
        if has_idle_zero
            && !matches!(self.peek(first.len()), Some('月' | '日' | '时' | '分' | '秒' | '点'))
        {
            return self.say(&number::digit_by_digit(&first), first.len());
        }
        false
    }

    fn is_near_telephone_word(&self, length: usize) -> bool {
        // `拨打119、110、120`: the word stands before the whole list.
        let list = |c: &&char| c.is_ascii_digit() || "、/-和或及".contains(**c);
        let n_listed = self.chars[..self.at].iter().rev().take_while(list).count();
        let end = self.at - n_listed;
        let reach = end.saturating_sub(TELEPHONE_REACH);
        let before: String = self.chars[reach..end].iter().collect();
        let clause = before.rsplit(['，', '。', ',', ';']).next().unwrap_or_default();
        TELEPHONE_BEFORE.iter().any(|word| clause.contains(word))
            || TELEPHONE_AFTER.iter().any(|word| self.follows(length, word))
    }

    /// `30%`, `30-50%`, `30%~50%`.
    fn percent(&mut self) -> bool {
        let first = self.amount_length(0);
        let mark = self.peek(first);
        let has_range = matches!(mark, Some('~' | '-' | '–' | '—'));
        let second = if has_range { self.amount_length(first + 1) } else { 0 };
        let end = if second > 0 { first + 1 + second } else { first };
        let part = match self.peek(end) {
            Some('%') => "百分之",
            Some('‰') => "千分之",
            _ => return false,
        };
        let mut words = format!("{part}{}", self.amount(0, first));
        if second > 0 {
            words.push('到');
            words.push_str(&self.amount(first + 1, second));
        }
        self.say(&words, end + 1)
    }

    /// An integer or decimal, thousands parted by commas or not, and the unit after it.
    fn number(&mut self) -> bool {
        let length = self.amount_length(0);
        let mut words = self.amount(0, length);
        // 1/3 → 三分之一
        let denominator = self.digits(length + 1);
        if self.peek(length) == Some('/') && !denominator.is_empty() {
            let words = format!("{}分之{words}", number::integer(&denominator));
            return self.say(&words, length + 1 + denominator.len());
        }
        let unit = self.unit(length);
        let is_second = self.before() == Some('第');
        if words == "二" && !is_second {
            let is_counted = unit.is_some_and(|(_, spoken)| spoken != "摄氏度" && spoken != "度")
                || COUNTED.iter().any(|word| self.follows(length, word));
            if is_counted {
                "两".clone_into(&mut words);
            }
        }
        let Some((written, spoken)) = unit else { return self.say(&words, length) };
        words.push_str(spoken);
        self.say(&words, length + written)
    }

    /// Characters of the unit that begins `ahead`, a blank before it included, and how it is said.
    /// A lone letter after a blank may be anything.
    fn unit(&self, ahead: usize) -> Option<(usize, &'static str)> {
        let gap = usize::from(self.peek(ahead) == Some(' '));
        UNITS.into_iter().find_map(|(written, spoken)| {
            let length = written.chars().count();
            let end = ahead + gap + length;
            let is_here = self.follows(ahead + gap, written)
                && (gap == 0 || written.len() > 1)
                && !self.peek(end).is_some_and(|c| c.is_ascii_alphanumeric());
            is_here.then_some((gap + length, spoken))
        })
    }

    /// Characters of the amount that begins `ahead`: digits, commas before groups of three, one
    /// point with digits after it. 0 when none begins there.
    fn amount_length(&self, ahead: usize) -> usize {
        let mut length = self.digits(ahead).len();
        if (1..=3).contains(&length) {
            while self.peek(ahead + length) == Some(',')
                && self.digits(ahead + length + 1).len() == 3
            {
                length += 4;
            }
        }
        let fraction = self.digits(ahead + length + 1).len();
        let has_point = length > 0 && self.peek(ahead + length) == Some('.') && fraction > 0;
        if has_point { length + 1 + fraction } else { length }
    }

    fn amount(&self, ahead: usize, length: usize) -> String {
        let start = self.at + ahead;
        let written = &self.chars[start..start + length];
        let plain: String = written.iter().filter(|c| **c != ',').collect();
        match plain.split_once('.') {
            Some((whole, fraction)) => number::decimal(whole, fraction),
            None => number::integer(&plain),
        }
    }
}

fn two_digits(digits: &str) -> String {
    let words = number::integer(digits);
    if digits.starts_with('0') && words != "零" { format!("零{words}") } else { words }
}

fn is_between(digits: &str, low: u8, high: u8) -> bool {
    (1..=2).contains(&digits.len())
        && digits.parse::<u8>().is_ok_and(|value| (low..=high).contains(&value))
}

#[cfg(test)]
#[path = "figures_tests.rs"]
mod tests;
