//! Chinese words → pinyin with tone digits, in the alphabet that the voice understands.
//!
//! The voice does the sandhi of third tones itself; of 一 and 不 it knows nothing, so that is done
//! here.

use pinyin::ToPinyin as _;

use super::{SPOKEN_BYTES_MAX, figures, lexicon};

/// Letters of a Latin word that are spelled at most; a longer one is left out.
const LATIN_SPELLED_MAX: usize = 8;

/// Chinese names of the letters A to Z.
const LETTERS: [&str; 26] = [
    "ei1",
    "bi4",
    "xi1",
    "di4",
    "yi4",
    "ai2 fu5",
    "ji4",
    "ai1 qi4",
    "ai4",
    "zhei4",
    "kei4",
    "ai2 le5",
    "ai2 mu5",
    "en1",
    "ou1",
    "pi4",
    "kiu4",
    "a4",
    "ai2 si5",
    "ti4",
    "you1",
    "wei4",
    "da2 bu5 liu4",
    "ai2 ke5 si5",
    "wai4",
    "zei4",
];

/// Pinyin of `text`: syllables parted by blanks, `,` for a short and `.` for a long pause.
pub(super) fn pinyin(text: &str) -> String {
    let words = figures::in_words(text);
    let chars: Vec<char> = words.chars().collect();
    write(&resolve(&tokens(&chars)))
}

/// What stands at one place of the spoken text.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Syllable(String),
    /// 一 or 不 whose tone depends on the next syllable.
    Yi,
    Bu,
    Comma,
    Stop,
}

fn tokens(chars: &[char]) -> Vec<Token> {
    let mut tokens = Vec::with_capacity(chars.len());
    let mut at = 0;
    while at < chars.len() {
        if let Some((word, syllables)) = lexicon::longest_at(&chars[at..]) {
            tokens.extend(syllables.split(' ').map(|s| Token::Syllable(s.to_owned())));
            at += word;
            continue;
        }
        let c = chars[at];
        if c.is_ascii_alphabetic() {
            let length = chars[at..].iter().take_while(|c| c.is_ascii_alphabetic()).count();
            if length <= LATIN_SPELLED_MAX {
                tokens.extend(chars[at..at + length].iter().flat_map(|c| spelled(*c)));
            }
            at += length;
            continue;
        }
        let before = at.checked_sub(1).map(|i| chars[i]);
        tokens.extend(token(c, before, chars.get(at + 1).copied()));
        at += 1;
    }
    tokens
}

fn spelled(letter: char) -> impl Iterator<Item = Token> {
    let index = u32::from(letter.to_ascii_uppercase()).wrapping_sub(u32::from('A'));
    let name = LETTERS.get(index as usize).copied().unwrap_or_default();
    name.split(' ').filter(|s| !s.is_empty()).map(|s| Token::Syllable(s.to_owned()))
}

fn token(c: char, before: Option<char>, after: Option<char>) -> Option<Token> {
    match c {
        '。' | '！' | '？' | '!' | '?' | '.' | '\n' | '…' => Some(Token::Stop),
        '，' | '、' | '；' | '：' | ',' | ';' | ':' | '（' | '）' | '(' | ')' | '—' | '/' => {
            Some(Token::Comma)
        }
        '一' if is_counting(before, after) => Some(Token::Syllable("yi1".to_owned())),
        '一' => Some(Token::Yi),
        '不' => Some(Token::Bu),
        _ => syllable(c).map(Token::Syllable),
    }
}

/// Whether 一 is a digit or names a place in a row, where it keeps its first tone.
fn is_counting(before: Option<char>, after: Option<char>) -> bool {
    const DIGITS: &str = "零〇一二三四五六七八九幺";
    let is_after = |c: char| DIGITS.contains(c) || "第十初周期点".contains(c);
    let is_before = |c: char| DIGITS.contains(c) || "月日号级季楼时".contains(c);
    before.is_some_and(is_after) || after.is_none_or(is_before)
}

/// The reading of one character by itself.
fn syllable(c: char) -> Option<String> {
    if let Some(own) = lexicon::character(c) {
        return Some(own.to_owned());
    }
    let raw = c.to_pinyin()?.with_tone_num_end();
    let mut letters = String::with_capacity(raw.len());
    let mut tone = '5';
    for c in raw.chars() {
        match c {
            'a'..='z' => letters.push(c),
            'ü' => letters.push('v'),
            'ê' => letters.push('e'),
            '1'..='4' => tone = c,
            _ => {}
        }
    }
    if !(1..=6).contains(&letters.len()) {
        return None;
    }
    letters.push(tone);
    Some(letters)
}

/// Gives 一 and 不 the tone that the next syllable asks for: 一 is yi2 before a fourth tone and yi4
/// before another, yi1 before a pause; 不 is bu2 before a fourth tone and bu4 otherwise.
fn resolve(tokens: &[Token]) -> Vec<Token> {
    let next_tone = |at: usize| match tokens.get(at + 1)? {
        Token::Syllable(s) => s.chars().last(),
        Token::Yi => Some('1'),
        Token::Bu => Some('4'),
        Token::Comma | Token::Stop => None,
    };
    let spoken = |(at, token): (usize, &Token)| match (token, next_tone(at)) {
        (Token::Yi, Some('4')) => Token::Syllable("yi2".to_owned()),
        (Token::Yi, Some(_)) => Token::Syllable("yi4".to_owned()),
        (Token::Yi, None) => Token::Syllable("yi1".to_owned()),
        (Token::Bu, Some('4')) => Token::Syllable("bu2".to_owned()),
        (Token::Bu, _) => Token::Syllable("bu4".to_owned()),
        (Token::Syllable(_) | Token::Comma | Token::Stop, _) => token.clone(),
    };
    tokens.iter().enumerate().map(spoken).collect()
}

fn write(tokens: &[Token]) -> String {
    let mut text = String::new();
    let mut pause: Option<char> = None;
    for token in tokens {
        let syllable = match token {
            Token::Syllable(syllable) => syllable,
            Token::Comma => {
                pause = pause.or(Some(','));
                continue;
            }
            Token::Stop => {
                pause = Some('.');
                continue;
            }
            Token::Yi | Token::Bu => continue,
        };
        if text.len() + syllable.len() + 3 > SPOKEN_BYTES_MAX {
            break;
        }
        if let Some(mark) = pause.take().filter(|_| !text.is_empty()) {
            text.push(mark);
        }
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(syllable);
    }
    if !text.is_empty() {
        text.push('.');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::pinyin;

    #[test]
    fn sentences_of_the_field_are_read_right() {
        let cases = [
            (
                "注意，台风红色预警，请立即转移到安全地点。",
                "zhu4 yi4, tai2 feng1 hong2 se4 yu4 jing3, qing3 li4 ji2 zhuan3 yi2 dao4 an1 quan2 \
                 di4 dian3.",
            ),
            ("厦门市同安区汀溪镇", "xia4 men2 shi4 tong2 an1 qu1 ting1 xi1 zhen4."),
            ("筼筜、大嶝、新圩、内厝", "yun2 dang1, da4 deng4, xin1 xu1, nei4 cuo4."),
            ("避难场所、灾难、困难", "bi4 nan4 chang3 suo3, zai1 nan4, kun4 nan2."),
            ("重新响应，长时间降雨", "chong2 xin1 xiang3 ying4, chang2 shi2 jian1 jiang4 yu3."),
            ("镇长调度，调整级别", "zhen4 zhang3 diao4 du4, tiao2 zheng3 ji2 bie2."),
            ("请不要惊慌", "qing3 bu2 yao4 jing1 huang1."),
            ("一律不得外出", "yi2 lv4 bu4 de2 wai4 chu1."),
            ("一个人，第一，一月一日", "yi2 ge4 ren2, di4 yi1, yi1 yue4 yi1 ri4."),
            ("拨打119", "bo1 da3 yao1 yao1 jiu3."),
            ("11级，100毫米", "shi2 yi1 ji2, yi4 bai3 hao2 mi3."),
            (
                "2026年11月23日20:30",
                "er4 ling2 er4 liu4 nian2 shi2 yi1 yue4 er4 shi2 san1 ri4 er4 shi2 dian3 san1 shi2 fen1.",
            ),
            ("水位涨落", "shui3 wei4 zhang3 luo4."),
            ("着火了", "zhao2 huo3 le5."),
            ("绿色", "lv4 se4."),
            ("G15", "ji4 shi2 wu3."),
            ("大厦", "da4 sha4."),
            ("房屋倒塌、河水倒灌", "fang2 wu1 dao3 ta1, he2 shui3 dao4 guan4."),
        ];
        for (text, spoken) in cases {
            assert_eq!(pinyin(text), spoken, "{text}");
        }
    }

    #[test]
    fn pauses_are_single_and_never_lead() {
        assert_eq!(pinyin("，。台——风，。雨……！"), "tai2, feng1. yu3.");
        assert_eq!(pinyin(""), "");
    }
}
