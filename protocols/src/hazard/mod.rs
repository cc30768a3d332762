//! Hazards of GB/T 35561, their names, and the prepared words that stand ready on every terminal.
//!
//! | file | holds |
//! |---|---|
//! | `table` | the hazards: code, names, and what to do, in Chinese and English |
//! | `announcement` | words that a terminal says by itself: drill frame, drill aborted … |

mod announcement;
mod table;

pub use announcement::Announcement;
pub use table::{HAZARDS, Hazard, MOVING_OUT_CODE, OTHER_CODE};

use crate::alert::{AlertColor, EventCode};
use crate::order::{ClipReference, Purpose};
use crate::speech::Language;

/// One prepared clip of a hazard.
#[derive(Debug, Clone, PartialEq, Eq, Hash, minicbor::Encode, minicbor::Decode)]
pub struct PhraseClip {
    /// Hazard; a terminal that lacks one goes through [`fallbacks`], which end with `19000` (other).
    #[n(0)]
    pub event: EventCode,
    /// BCP 47 tag.
    #[n(1)]
    pub language: String,
    /// Phrase (without colour) and action of the hazard, in one clip.
    #[n(2)]
    pub clip: ClipReference,
}

/// Which phrase clips a terminal should hold. Signed by the dispatcher, fetched over HTTP.
#[derive(Debug, Clone, PartialEq, Eq, Hash, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub struct PhraseSet {
    /// ≤ [`crate::limits::PHRASES_MAX`].
    #[n(0)]
    pub phrases: Vec<PhraseClip>,
}

impl PhraseSet {
    /// The prepared clip of this hazard in this language, or that of its nearest fallback. The
    /// language must be equal or share its first part (`zh-CN` for `zh`).
    pub fn clip_for(&self, event: EventCode, language: &str) -> Option<&ClipReference> {
        let primary = |tag: &str| tag.split('-').next().unwrap_or_default().to_ascii_lowercase();
        let wanted = primary(language);
        fallbacks(event).find_map(|code| {
            let fits = |phrase: &&PhraseClip| {
                phrase.event.as_str() == code && primary(&phrase.language) == wanted
            };
            self.phrases.iter().find(fits).map(|phrase| &phrase.clip)
        })
    }
}

/// The codes under which words for `event` may be found, nearest first: itself, its sub-class
/// (`11B00`), its class (`11000`), other (`19000`).
pub fn fallbacks(event: EventCode) -> impl Iterator<Item = String> {
    let code = event.as_str().to_owned();
    let sub_class = format!("{}00", &code[..3]);
    let class = format!("{}000", &code[..2]);
    let mut codes = vec![code, sub_class, class, OTHER_CODE.to_owned()];
    codes.dedup();
    codes.into_iter()
}

/// The hazard with this code, or the nearest one that has words; never nothing.
pub fn hazard(event: EventCode) -> &'static Hazard {
    fallbacks(event)
        .find_map(|code| HAZARDS.iter().find(|hazard| hazard.code == code))
        .unwrap_or(&HAZARDS[HAZARDS.len() - 1])
}

/// Whether GB/T 35561, as far as it is known to us, or our own list has exactly this code.
pub fn is_known(event: EventCode) -> bool {
    HAZARDS.iter().any(|hazard| hazard.code == event.as_str())
}

/// The colour as an adjective: 红色, "red".
pub const fn color_name(color: AlertColor, language: Language) -> &'static str {
    match (color, language) {
        (AlertColor::Red, Language::Chinese) => "红色",
        (AlertColor::Orange, Language::Chinese) => "橙色",
        (AlertColor::Yellow, Language::Chinese) => "黄色",
        (AlertColor::Blue, Language::Chinese) => "蓝色",
        (AlertColor::Red, Language::English) => "red",
        (AlertColor::Orange, Language::English) => "orange",
        (AlertColor::Yellow, Language::English) => "yellow",
        (AlertColor::Blue, Language::English) => "blue",
    }
}

impl Hazard {
    /// The code.
    pub fn event(&self) -> EventCode {
        self.code.parse().expect("a test proves each code of the table")
    }

    /// 台风, "typhoon".
    pub const fn name(&self, language: Language) -> &'static str {
        match language {
            Language::Chinese => self.name_zh,
            Language::English => self.name_en,
        }
    }

    /// What to do, in whole sentences.
    pub const fn action(&self, language: Language) -> &'static str {
        match language {
            Language::Chinese => self.action_zh,
            Language::English => self.action_en,
        }
    }

    /// 台风红色预警, "red typhoon warning"; without colour, a hazard that is a notice by nature is
    /// called one.
    pub fn title(&self, color: Option<AlertColor>, language: Language) -> String {
        let name = self.name(language);
        match (color.map(|color| color_name(color, language)), language) {
            (None, Language::Chinese) if self.is_notice => format!("{name}通知"),
            (None, Language::English) if self.is_notice => format!("{name} notice"),
            (color, Language::Chinese) => format!("{name}{}预警", color.unwrap_or_default()),
            (None, Language::English) => format!("{name} warning"),
            (Some(color), Language::English) => format!("{color} {name} warning"),
        }
    }

    /// The short phrase that opens a sounding: 注意，台风红色预警。
    pub fn phrase(&self, color: Option<AlertColor>, language: Language) -> String {
        match language {
            Language::Chinese => format!("注意，{}。", self.title(color, language)),
            Language::English => {
                format!("Attention. {}.", capitalised(&self.title(color, language)))
            }
        }
    }

    /// The text of the prepared phrase clip: phrase without colour, then the action.
    pub fn phrase_clip_text(&self, language: Language) -> String {
        let gap = match language {
            Language::Chinese => "",
            Language::English => " ",
        };
        format!("{}{gap}{}", self.phrase(None, language), self.action(language))
    }

    /// The words that end an alert by themselves; `None` for purposes that do not end one.
    /// Danger over and issued in error are never the same words.
    pub fn closing(
        &self,
        purpose: Purpose,
        color: Option<AlertColor>,
        language: Language,
    ) -> Option<String> {
        let title = self.title(color, language);
        let text = match (purpose, language) {
            (Purpose::Lifted, Language::Chinese) => {
                format!("注意，{title}现已解除。请继续留意后续通知，返回前先确认安全。")
            }
            (Purpose::Lifted, Language::English) => format!(
                "Attention. The {title} has been lifted. Stay tuned, and check that it is safe \
                 before you return."
            ),
            (Purpose::Withdrawn, Language::Chinese) => {
                format!("更正：刚才播发的{title}系误发，现予撤销。请大家不要惊慌，以本次广播为准。")
            }
            (Purpose::Withdrawn, Language::English) => format!(
                "Correction. The {title} you have just heard was issued in error and is \
                 withdrawn. Please stay calm and follow this announcement."
            ),
            (Purpose::Alert | Purpose::Update | Purpose::MinorUpdate, _) => return None,
        };
        Some(text)
    }
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits;

    fn code(text: &str) -> EventCode {
        text.parse().expect("a code")
    }

    #[test]
    fn every_hazard_has_names_phrase_and_action_in_both_languages() {
        for hazard in &HAZARDS {
            assert_eq!(hazard.event().as_str(), hazard.code);
            for language in Language::ALL {
                let all = [hazard.name(language), hazard.action(language)];
                assert!(all.iter().all(|text| !text.trim().is_empty()), "{}", hazard.code);
                let clip = hazard.phrase_clip_text(language);
                assert!(clip.contains(hazard.name(language)) || language == Language::English);
                assert!(clip.len() <= limits::TEXT_BYTES_MAX, "{}", hazard.code);
                let ends = match language {
                    Language::Chinese => '。',
                    Language::English => '.',
                };
                assert!(clip.ends_with(ends), "{clip}");
            }
        }
        assert!(HAZARDS.len() * Language::ALL.len() <= limits::PHRASES_MAX);
    }

    #[test]
    fn every_code_stands_once() {
        let codes: std::collections::BTreeSet<_> = HAZARDS.iter().map(|h| h.code).collect();
        assert_eq!(codes.len(), HAZARDS.len());
    }

    #[test]
    fn an_unknown_code_falls_back_to_its_sub_class_then_class_then_other() {
        assert_eq!(hazard(code("11B01")).name_zh, "台风");
        assert_eq!(hazard(code("11B99")).code, "11B00");
        assert_eq!(hazard(code("11Z01")).code, "11000");
        assert_eq!(hazard(code("12C07")).code, "12000");
        assert_eq!(hazard(code("18X01")).code, OTHER_CODE);
        assert!(!is_known(code("11B99")));
        assert!(is_known(code(MOVING_OUT_CODE)));
    }

    #[test]
    fn the_phrase_names_the_colour_where_there_is_one() {
        let typhoon = hazard(code("11B01"));
        assert_eq!(
            typhoon.phrase(Some(AlertColor::Red), Language::Chinese),
            "注意，台风红色预警。"
        );
        assert_eq!(
            typhoon.phrase(Some(AlertColor::Red), Language::English),
            "Attention. Red typhoon warning."
        );
        assert_eq!(typhoon.phrase(None, Language::Chinese), "注意，台风预警。");
        assert_eq!(
            hazard(code(MOVING_OUT_CODE)).phrase(None, Language::Chinese),
            "注意，避险转移通知。"
        );
    }

    #[test]
    fn danger_over_and_issued_in_error_share_no_sentence() {
        let typhoon = hazard(code("11B01"));
        for language in Language::ALL {
            let lifted = typhoon.closing(Purpose::Lifted, Some(AlertColor::Red), language);
            let withdrawn = typhoon.closing(Purpose::Withdrawn, Some(AlertColor::Red), language);
            let (lifted, withdrawn) = (lifted.expect("ends"), withdrawn.expect("ends"));
            let stops = ['。', '.'];
            assert!(
                lifted
                    .split(stops)
                    .all(|s| s.is_empty() || !withdrawn.contains(s.trim()) || s == "Attention")
            );
        }
        assert_eq!(typhoon.closing(Purpose::Update, None, Language::Chinese), None);
    }

    #[test]
    fn a_phrase_is_found_through_the_fallbacks_and_by_the_first_part_of_the_language() {
        let clip =
            |n| ClipReference { digest: crate::digest::Digest([n; 32]), bytes: 1, duration_ms: 1 };
        let phrase = |event, language: &str, n| PhraseClip {
            event: code(event),
            language: language.into(),
            clip: clip(n),
        };
        let set =
            PhraseSet { phrases: vec![phrase("19000", "zh-CN", 1), phrase("11B01", "zh-CN", 2)] };
        assert_eq!(set.clip_for(code("11B01"), "zh"), Some(&clip(2)));
        assert_eq!(set.clip_for(code("11B03"), "zh-CN"), Some(&clip(1)));
        assert_eq!(set.clip_for(code("11B01"), "en"), None);
    }
}
