//! Digits, times, dates, telephone numbers and units in a Chinese text → Chinese words.
//!
//! `7月5日20:30前，8~10级，120km/h` → `七月五日二十点三十分前，八到十级，一百二十公里每小时`.
//! What is neither digit nor unit is copied; full-width letters and digits become narrow ones.

use super::number;

/// Written unit → spoken unit. Longer ones before their own beginnings.
const UNITS: [(&str, &str); 38] = [
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
const COUNTED: [&str; 40] = [
    "个", "人", "名", "位", "户", "次", "小时", "天", "年来", "周", "米", "公里", "公斤", "吨",
    "座", "条", "辆", "艘", "台", "处", "点", "时", "分钟", "倍", "岁", "种", "批", "支", "只",
    "所", "间", "栋", "棵", "里", "遍", "口", "顿", "万", "千", "亿",
];

/// Words shortly before a run of digits that make it a telephone number.
const TELEPHONE_BEFORE: [&str; 8] = ["电话", "拨", "热线", "致电", "号码", "报警", "急救", "求助"];
const TELEPHONE_AFTER: [&str; 5] = ["电话", "热线", "报警", "急救", "求助"];

/// Characters before the digits in which such a word is looked for.
const TELEPHONE_REACH: usize = 8;

/// Replaces every figure by words.
pub(super) fn in_words(text: &str) -> String {
    let chars: Vec<char> = text.chars().map(narrow).collect();
    let mut reader = Reader { chars: &chars, at: 0, spoken: String::new() };
    while reader.at < chars.len() {
        if reader.link() || reader.range() || reader.figure() {
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

    /// `8~10`, `8-10`, `8—10`: 到. Between a figure (or its unit) and a figure only.
    fn range(&mut self) -> bool {
        let is_mark = matches!(self.peek(0), Some('~' | '-' | '–' | '—' | '−'));
        let is_after = self.before().is_some_and(|c| {
            c.is_ascii_alphanumeric()
                || matches!(c, '%' | '‰' | '℃' | '°' | '日' | '月' | '时' | '年' | '级')
        });
        let next = self.peek(1);
        let is_before = next.is_some_and(|c| c.is_ascii_digit())
            || (next == Some('-') && self.peek(2).is_some_and(|c| c.is_ascii_digit()));
        is_mark && is_after && is_before && self.say("到", 1)
    }

    fn figure(&mut self) -> bool {
        if matches!(self.peek(0), Some('-' | '−')) && !self.digits(1).is_empty() {
            let is_joined = self.before().is_some_and(char::is_alphanumeric);
            if is_joined && !self.spoken.ends_with('到') {
                return self.say("，", 1);
            }
            let amount = self.amount_length(1);
            let is_temperature = ["℃", "°C", "度"].iter().any(|u| self.follows(1 + amount, u));
            return self.say(if is_temperature { "零下" } else { "负" }, 1);
        }
        if self.digits(0).is_empty() {
            return false;
        }
        self.date() || self.time() || self.telephone() || self.percent() || self.number()
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
        let reach = self.at.saturating_sub(TELEPHONE_REACH);
        let before: String = self.chars[reach..self.at].iter().collect();
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
        self.say(&words, length + written.chars().count())
    }

    fn unit(&self, ahead: usize) -> Option<(&'static str, &'static str)> {
        let gap = usize::from(self.peek(ahead) == Some(' '));
        UNITS.into_iter().find(|(written, _)| {
            let end = ahead + gap + written.chars().count();
            gap == 0
                && self.follows(ahead, written)
                && !self.peek(end).is_some_and(|c| c.is_ascii_alphanumeric())
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
mod tests {
    use super::in_words;

    #[test]
    fn figures_are_read_as_an_announcer_reads_them() {
        let cases = [
            // Times and dates.
            ("今晚20:30前", "今晚二十点三十分前"),
            ("8时到14:05", "八时到十四点零五分"),
            ("2:00", "两点"),
            ("３点", "三点"),
            ("2026年11月23日", "二零二六年十一月二十三日"),
            ("7月5日", "七月五日"),
            ("2026-11-23", "二零二六年十一月二十三日"),
            ("2026-11-23T08:00:00", "二零二六年十一月二十三日八点零分零秒"),
            ("2026/7/05 8时30分", "二零二六年七月五日 八时三十分"),
            ("08月05日", "八月五日"),
            ("20:30-22:00", "二十点三十分到二十二点"),
            ("24小时", "二十四小时"),
            // Numbers.
            ("1,234人", "一千二百三十四人"),
            ("1，2，3号楼", "一，二，三号楼"),
            ("3.5米", "三点五米"),
            ("12级", "十二级"),
            ("8到10级", "八到十级"),
            ("8~10级", "八到十级"),
            ("8—10级", "八到十级"),
            ("注意——10级大风", "注意——十级大风"),
            ("第2号台风", "第二号台风"),
            ("2个村2人", "两个村两人"),
            ("2级2号2月2日", "二级二号二月二日"),
            ("20000人", "两万人"),
            ("2万人", "两万人"),
            ("1/3", "三分之一"),
            // Units.
            ("120km/h", "一百二十公里每小时"),
            ("50mm", "五十毫米"),
            ("25~30m/s", "二十五到三十米每秒"),
            ("-5℃", "零下五摄氏度"),
            ("38℃以上", "三十八摄氏度以上"),
            ("30%", "百分之三十"),
            ("30-50%", "百分之三十到五十"),
            ("99.5％", "百分之九十九点五"),
            ("980hPa", "九百八十百帕"),
            ("2km", "两公里"),
            // Telephone numbers.
            ("请拨打119", "请拨打幺幺九"),
            ("联系电话：12345", "联系电话:幺二三四五"),
            ("110报警", "幺幺零报警"),
            ("降雨119毫米", "降雨一百一十九毫米"),
            ("0592-2345678", "零五九二，二三四五六七八"),
            ("13800138000", "幺三八零零幺三八零零零"),
            ("007号", "零零七号"),
            // What is not said.
            ("详见https://example.org/a?b=1。", "详见网址。"),
            ("G15高速", "G十五高速"),
        ];
        for (written, spoken) in cases {
            assert_eq!(in_words(written), spoken, "{written}");
        }
    }
}
