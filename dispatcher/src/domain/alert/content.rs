//! What an alert says, to whom, for how long: everything an approver approves.

use jiff::Timestamp;
use protocols::alert::{AlertColor, BroadcastKind, EventCode};
use protocols::digest::Digest;
use protocols::hazard::MOVING_OUT_CODE;
use protocols::order::Repeats;
use protocols::region::RegionCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::targeting::RequestedArea;

/// The words in one language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AlertText {
    /// BCP 47 tag, such as `zh-CN`.
    pub language: String,
    /// One line: what it is.
    pub headline: String,
    /// What happens, where and when.
    #[serde(default)]
    pub description: String,
    /// What people shall do. An alert without it is refused at submit.
    #[serde(default)]
    pub instruction: String,
}

impl AlertText {
    /// The words as they are spoken: headline, description, action, each ended as a sentence.
    /// A headline that merely repeats the beginning of the description is spoken once.
    pub fn spoken(&self) -> String {
        let is_chinese = is_chinese(&self.language);
        let headline = self.headline.trim();
        let description = self.description.trim();
        let is_repeated = !headline.is_empty() && description.starts_with(headline);
        let parts = [if is_repeated { "" } else { headline }, description, self.instruction.trim()];
        let mut spoken = String::new();
        for part in parts.into_iter().filter(|part| !part.is_empty()) {
            if !spoken.is_empty() && !is_chinese {
                spoken.push(' ');
            }
            spoken.push_str(part);
            let is_ended = part.ends_with(['。', '！', '？', '.', '!', '?', '；', ';']);
            if !is_ended {
                spoken.push(if is_chinese { '。' } else { '.' });
            }
        }
        spoken
    }
}

/// Whether a text has a character that no CAP document may carry; line breaks and tabs may stay.
pub fn has_control(text: &str) -> bool {
    let is_barred = |c: char| {
        (c.is_control() && c != '\n' && c != '\t') || matches!(c, '\u{fffe}' | '\u{ffff}')
    };
    text.chars().any(is_barred)
}

/// Whether a tag names Chinese in any of its forms, so that sentences end with a Chinese stop.
pub fn is_chinese(language: &str) -> bool {
    let primary = language.split('-').next().unwrap_or_default();
    ["zh", "cmn", "nan", "hak", "yue"].iter().any(|tag| primary.eq_ignore_ascii_case(tag))
}

/// How often it sounds when nobody said otherwise: three times, two minutes apart.
pub const REPEATS_DEFAULT: Repeats = Repeats { times: 3, interval_s: 120 };

const fn repeats_default() -> Repeats {
    REPEATS_DEFAULT
}

/// The content of an alert. A draft may lack what submit demands; see [`super::validation`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AlertContent {
    /// What it is for.
    #[schema(value_type = String, example = "actual")]
    pub kind: BroadcastKind,
    /// Colour; absent for a notice of one's own.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "orange")]
    pub color: Option<AlertColor>,
    /// Hazard of GB/T 35561; needed at submit.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "11B01")]
    pub event: Option<EventCode>,
    /// 避险转移: people are told to leave. Counts as orange.
    #[serde(default)]
    pub is_move_out: bool,
    /// The words, in the order they are spoken.
    #[serde(default)]
    pub texts: Vec<AlertText>,
    /// Who is meant.
    #[serde(default)]
    pub area: RequestedArea,
    /// No sounding starts at or after this. Absent: six hours after issue.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Timestamp>,
    /// How often it sounds.
    #[serde(default = "repeats_default")]
    #[schema(value_type = Object)]
    pub repeats: Repeats,
    /// All loudspeakers start together at this instant.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub play_at: Option<Timestamp>,
    /// Whether terminals that are not meant answer with a receipt.
    #[serde(default)]
    pub wants_out_of_area: bool,
    /// The drill; named by an exercise and by nothing else.
    #[serde(default)]
    pub drill: Option<String>,
    /// For an update: of no consequence for the listener, so not voiced where its predecessor was
    /// heard to the end.
    #[serde(default)]
    pub is_minor: bool,
}

impl AlertContent {
    /// 避险转移: whether people are told to leave, by the mark or by the hazard's own code. The
    /// words that a node has prepared for that code say so whatever the mark.
    pub fn does_move_out(&self) -> bool {
        self.is_move_out || self.event.is_some_and(|event| event.as_str() == MOVING_OUT_CODE)
    }

    /// What an approver signs for: the content, on whose behalf, and what it takes the place of.
    pub fn digest(&self, region: RegionCode, predecessor: Option<&str>) -> Digest {
        let approved = serde_json::json!({
            "region": region,
            "predecessor": predecessor,
            "content": self,
        });
        Digest::of(approved.to_string().as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(language: &str, headline: &str, description: &str, instruction: &str) -> AlertText {
        AlertText {
            language: language.to_owned(),
            headline: headline.to_owned(),
            description: description.to_owned(),
            instruction: instruction.to_owned(),
        }
    }

    #[test]
    fn chinese_sentences_end_with_a_chinese_stop_and_english_ones_with_a_point() {
        let chinese = text("zh-CN", "台风红色预警", "台风今晚登陆。", "请留在室内");
        assert_eq!(chinese.spoken(), "台风红色预警。台风今晚登陆。请留在室内。");
        let english = text("en", "Red typhoon warning", "It lands tonight.", "Stay indoors");
        assert_eq!(english.spoken(), "Red typhoon warning. It lands tonight. Stay indoors.");
    }

    #[test]
    fn a_headline_that_begins_the_description_is_spoken_once() {
        let text = text("zh-CN", "台风红色预警", "台风红色预警：今晚登陆。", "请留在室内。");
        assert_eq!(text.spoken(), "台风红色预警：今晚登陆。请留在室内。");
    }
}
