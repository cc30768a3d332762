//! 解除、撤销、失效: the three ends of an alert and the words prepared for each of them at issue.
//!
//! Danger over and issued in error are never the same words: who hears a withdrawal must learn that
//! there never was a danger.

use protocols::alert::BroadcastKind;
use protocols::limits;
use protocols::order::Purpose;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::alert::content::{AlertContent, has_control, is_chinese};
use crate::domain::fault::Fault;

/// How an alert ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Closure {
    /// 解除: the danger is over.
    Lifted,
    /// 撤销: it was issued in error.
    Withdrawn,
    /// 失效: its time ran out; nothing is spoken.
    Expired,
}

impl Closure {
    /// As stored and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Lifted => "lifted",
            Self::Withdrawn => "withdrawn",
            Self::Expired => "expired",
        }
    }

    /// What its orders do; an expiry sends none.
    pub const fn purpose(self) -> Option<Purpose> {
        match self {
            Self::Lifted => Some(Purpose::Lifted),
            Self::Withdrawn => Some(Purpose::Withdrawn),
            Self::Expired => None,
        }
    }
}

/// Words in the two languages that always stand ready.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BilingualText {
    /// Mandarin.
    pub zh: String,
    /// English.
    pub en: String,
}

/// The words for each end, made from the alert when it is issued and kept with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClosureTexts {
    /// 解除
    pub lifted: BilingualText,
    /// 撤销
    pub withdrawn: BilingualText,
    /// 失效: shown and kept in the record, not spoken.
    pub expired: BilingualText,
}

impl ClosureTexts {
    /// The words for this alert.
    pub fn prepare(content: &AlertContent) -> Self {
        let headline = |wanted: fn(&str) -> bool| {
            content.texts.iter().find(|text| wanted(&text.language)).or(content.texts.first())
        };
        let cut = |text: &str| text.trim().trim_end_matches(['。', '.', '！', '!']).to_owned();
        let zh = headline(is_chinese).map(|text| cut(&text.headline)).unwrap_or_default();
        let en = headline(is_english).map(|text| cut(&text.headline)).unwrap_or_default();
        // A drill is never corrected in the words of a real danger.
        let is_drill = matches!(content.kind, BroadcastKind::Exercise | BroadcastKind::Test);
        let (over_zh, over_en) = if is_drill {
            (
                "演练内容到此结束，请恢复正常。",
                "That part of the drill is over. Please return to normal.",
            )
        } else {
            ("危险已经过去，请恢复正常生活。", "The danger is over. You may return to normal.")
        };
        Self {
            lifted: BilingualText {
                zh: format!("“{zh}”现在解除。{over_zh}"),
                en: format!("\"{en}\" is lifted. {over_en}"),
            },
            withdrawn: BilingualText {
                zh: format!(
                    "更正：刚才播发的“{zh}”是误发，现予撤销。没有危险，不需要采取任何行动。给您造成惊扰，我们深表歉意。"
                ),
                en: format!(
                    "Correction: the message \"{en}\" was sent by mistake and is withdrawn. There is no danger. You need not do anything. We are sorry for the alarm."
                ),
            },
            expired: BilingualText {
                zh: format!("“{zh}”已到失效时间，不再播出。"),
                en: format!("\"{en}\" has expired and is no longer broadcast."),
            },
        }
    }

    /// The words of one end.
    pub fn of(&self, how: Closure) -> &BilingualText {
        match how {
            Closure::Lifted => &self.lifted,
            Closure::Withdrawn => &self.withdrawn,
            Closure::Expired => &self.expired,
        }
    }
}

impl BilingualText {
    /// The words as an order speaks them: in the languages of the alert that are among the two,
    /// in the alert's order; Mandarin when it spoke neither.
    pub fn spoken(&self, languages: &[String]) -> Vec<(String, String)> {
        let mut spoken = Vec::new();
        let (mut has_zh, mut has_en) = (false, false);
        for language in languages {
            if is_chinese(language) && !has_zh {
                has_zh = true;
                spoken.push((language.clone(), self.zh.clone()));
            } else if is_english(language) && !has_en {
                has_en = true;
                spoken.push((language.clone(), self.en.clone()));
            }
        }
        if spoken.is_empty() {
            spoken.push(("zh-CN".to_owned(), self.zh.clone()));
        }
        spoken
    }

    /// What is wrong with words that an officer edited before pressing.
    pub fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        for (pointer, text) in [("/text/zh", &self.zh), ("/text/en", &self.en)] {
            if text.trim().is_empty() {
                faults.push(Fault::new(
                    pointer,
                    "closure-text-missing",
                    "结束用语不能为空",
                    "the closing words are missing",
                ));
            }
            if has_control(text) {
                faults.push(Fault::new(
                    pointer,
                    "control-character",
                    "文字中有控制字符",
                    "the text contains a control character",
                ));
            }
            if text.len() > limits::TEXT_BYTES_MAX {
                faults.push(Fault::new(
                    pointer,
                    "spoken-too-long",
                    "播发文字每种语言最多 1200 字节",
                    "spoken text has at most 1,200 bytes a language",
                ));
            }
        }
        faults
    }
}

fn is_english(language: &str) -> bool {
    language.split('-').next().is_some_and(|primary| primary.eq_ignore_ascii_case("en"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::alert::content::{AlertText, REPEATS_DEFAULT};
    use crate::domain::targeting::RequestedArea;

    fn content(kind: BroadcastKind) -> AlertContent {
        let text = |language: &str, headline: &str| AlertText {
            language: language.to_owned(),
            headline: headline.to_owned(),
            description: String::new(),
            instruction: "x".to_owned(),
        };
        AlertContent {
            kind,
            color: None,
            event: None,
            is_move_out: false,
            texts: vec![text("zh-CN", "台风红色预警。"), text("en", "Red typhoon warning")],
            area: RequestedArea::default(),
            expires_at: None,
            repeats: REPEATS_DEFAULT,
            play_at: None,
            wants_out_of_area: false,
            drill: None,
            is_minor: false,
        }
    }

    #[test]
    fn a_withdrawal_says_mistake_sorry_and_no_danger_and_a_lifting_says_none_of_it() {
        let texts = ClosureTexts::prepare(&content(BroadcastKind::Actual));
        for word in ["误发", "没有危险", "歉意", "“台风红色预警”"] {
            assert!(texts.withdrawn.zh.contains(word), "{word}");
        }
        for word in ["by mistake", "no danger", "sorry", "\"Red typhoon warning\""] {
            assert!(texts.withdrawn.en.contains(word), "{word}");
        }
        assert!(texts.lifted.zh.contains("危险已经过去") && !texts.lifted.zh.contains("误发"));
        assert!(texts.lifted.en.contains("danger is over") && !texts.lifted.en.contains("mistake"));
    }

    #[test]
    fn the_longest_headlines_still_leave_closing_words_within_bounds() {
        let mut content = content(BroadcastKind::Actual);
        content.texts[0].headline = "雨".repeat(160);
        assert!(ClosureTexts::prepare(&content).withdrawn.faults().is_empty());
    }

    #[test]
    fn words_given_by_an_officer_are_there_short_enough_and_writable() {
        let rules = |zh: &str, en: &str| {
            let text = BilingualText { zh: zh.to_owned(), en: en.to_owned() };
            text.faults().into_iter().map(|fault| fault.rule).collect::<Vec<_>>()
        };
        assert!(rules("雨停了。\n请放心。", "It is over.").is_empty());
        assert_eq!(rules(" ", "It is over."), ["closure-text-missing"]);
        assert_eq!(rules("雨停了\u{1}", "It\u{ffff}"), ["control-character"; 2]);
        assert_eq!(rules(&"雨".repeat(401), "It is over."), ["spoken-too-long"]);
    }

    #[test]
    fn closing_words_follow_the_languages_of_the_alert_and_fall_back_to_mandarin() {
        let text = BilingualText { zh: "中".to_owned(), en: "e".to_owned() };
        let languages =
            |tags: &[&str]| tags.iter().map(|tag| (*tag).to_owned()).collect::<Vec<_>>();
        let spoken = |tags: &[&str]| {
            text.spoken(&languages(tags)).into_iter().map(|(tag, _)| tag).collect::<Vec<_>>()
        };
        assert_eq!(spoken(&["en-US", "zh-CN", "nan"]), ["en-US", "zh-CN"]);
        assert_eq!(spoken(&["ug"]), ["zh-CN"]);
    }
}
