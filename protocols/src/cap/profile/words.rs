//! What is said, by language.

use std::collections::BTreeSet;

use super::Asked;
use crate::cap::model::Info;
use crate::limits::{LANGUAGES_MAX, TEXT_BYTES_MAX};

/// The words of one language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// RFC 3066 tag as it stood.
    pub language: String,
    /// Headline, or the event's name where there is none.
    pub headline: String,
    /// What happens; may be empty.
    pub description: String,
    /// What to do; may be empty.
    pub instruction: String,
}

impl Words {
    /// What is spoken: headline, description, instruction, each as a sentence. White space is
    /// folded, since line breaks are layout.
    pub fn spoken(&self) -> String {
        let is_chinese = self.language.to_ascii_lowercase().starts_with("zh");
        let (stop, gap) = if is_chinese { ('。', "") } else { ('.', " ") };
        let mut text = String::new();
        for part in [&self.headline, &self.description, &self.instruction] {
            if part.is_empty() {
                continue;
            }
            if !text.is_empty() {
                text.push_str(gap);
            }
            text.push_str(part);
            if !part.ends_with(['。', '！', '？', '.', '!', '?', '；', ';']) {
                text.push(stop);
            }
        }
        text
    }
}

/// The words of the first info of each language in document order, and the languages left out.
pub(super) fn words(infos: &[Info], asked: &mut Vec<Asked>) -> (Vec<Words>, Vec<String>) {
    let mut seen = BTreeSet::new();
    let mut words = Vec::new();
    let mut left_out = Vec::new();
    let mut is_repeated = false;
    for info in infos {
        let language = info.language().to_owned();
        if !seen.insert(language.to_ascii_lowercase()) {
            is_repeated = true;
        } else if words.len() == LANGUAGES_MAX {
            left_out.push(language);
        } else {
            words.push(words_of(info, language));
        }
    }
    if is_repeated {
        asked.push(Asked::new(
            "words",
            "同一语言有多个 info，只采用第一个的文字",
            "several infos have the same language; the words are those of the first",
        ));
    }
    if words.is_empty() {
        asked.push(Asked::new("words", "没有可播报的文字", "there are no words to speak"));
    }
    for one in &words {
        let n_bytes = one.spoken().len();
        if n_bytes > TEXT_BYTES_MAX {
            asked.push(Asked::new(
                "words",
                format!("{} 文字 {n_bytes} 字节，超过 {TEXT_BYTES_MAX}，请缩短", one.language),
                format!("{}: {n_bytes} bytes, over {TEXT_BYTES_MAX}; shorten it", one.language),
            ));
        }
        if is_misnamed(one) {
            asked.push(Asked::new(
                "words",
                format!("文字是中文，语言却写作 {}（未写即 en-US），请改正", one.language),
                format!(
                    "the words are Chinese and the language is {} (en-US if absent): correct it",
                    one.language
                ),
            ));
        }
        if one.instruction.is_empty() {
            asked.push(Asked::new(
                "words",
                format!("{} 没有说明该怎么做（instruction）", one.language),
                format!("{}: it does not say what to do (instruction)", one.language),
            ));
        }
    }
    (words, left_out)
}

/// Whether an English voice would be given Chinese words: a message without a language is in
/// English by the schema, whatever it says.
fn is_misnamed(words: &Words) -> bool {
    let is_english = words.language.to_ascii_lowercase().split('-').next() == Some("en");
    let letters = || words.headline.chars().filter(|c| c.is_alphabetic());
    let n_chinese = letters().filter(|c| ('\u{4e00}'..='\u{9fff}').contains(c)).count();
    is_english && 2 * n_chinese > letters().count()
}

fn words_of(info: &Info, language: String) -> Words {
    let fold = |text: Option<&str>| fold_blanks(text.unwrap_or(""), &language);
    let headline = fold(info.headline.as_deref().or(Some(&info.event)));
    let description = fold(info.description.as_deref());
    let instruction = fold(info.instruction.as_deref());
    Words { language, headline, description, instruction }
}

/// One blank for each run of white space; none in Chinese, where a line break stands inside
/// words.
fn fold_blanks(text: &str, language: &str) -> String {
    let gap = if language.to_ascii_lowercase().starts_with("zh") { "" } else { " " };
    let mut folded = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        let joins_latin = folded.ends_with(|c: char| c.is_ascii_alphanumeric())
            && word.starts_with(|c: char| c.is_ascii_alphanumeric());
        if !folded.is_empty() {
            folded.push_str(if joins_latin { " " } else { gap });
        }
        folded.push_str(word);
    }
    folded
}
