//! How text is read aloud: numbers, times and dates as spoken words, Chinese as pinyin.
//!
//! Pure text in, pure text out: what is given to the local voice (espeak-ng as a child process).
//! Both programs start that process on their own; what it is told is decided here, once.
//!
//! | file | does |
//! |---|---|
//! | `figures` | digits, times, dates, units → Chinese words |
//! | `number` | one number → Chinese words |
//! | `lexicon` | words whose characters have several readings, places of Xiamen |
//! | `mandarin` | Chinese words → pinyin with tone digits and pauses |
//! | `english` | light normalisation for the English voice |

mod english;
mod figures;
mod lexicon;
mod mandarin;
mod number;

/// Bytes of spoken input that are made at most. Text within
/// [`crate::limits::TEXT_BYTES_MAX`] gives about a third of it; what lies beyond is cut at a word.
pub const SPOKEN_BYTES_MAX: usize = 16 * 1024;

/// espeak-ng's voice for pinyin. Its voices `cmn` and `zh` read tone digits in English.
const VOICE_MANDARIN: &str = "cmn-latn-pinyin";
const VOICE_ENGLISH: &str = "en";

/// Words a minute. Slow enough for a horn with echo: about three syllables a second in Chinese.
const PACE_MANDARIN: u16 = 140;
const PACE_ENGLISH: u16 = 135;

/// The languages with prepared words and a local voice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Language {
    /// 普通话
    Chinese,
    /// English
    English,
}

impl Language {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Chinese, Self::English];

    /// The language of a BCP 47 tag by its first part: `zh…` and `cmn…`, `en…`. Other languages of
    /// China (`nan`, `yue`, `ug` …) have no local voice and are not read as if they were Mandarin.
    pub fn from_tag(tag: &str) -> Option<Self> {
        let mut parts = tag.split(['-', '_']).map(str::to_ascii_lowercase);
        let primary = parts.next()?;
        match primary.as_str() {
            "zh" => {
                let is_other = |part: &str| matches!(part, "min" | "nan" | "yue" | "hak" | "wuu");
                (!parts.any(|part| is_other(&part))).then_some(Self::Chinese)
            }
            "cmn" => Some(Self::Chinese),
            "en" => Some(Self::English),
            _ => None,
        }
    }

    /// The tag that this project writes.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Chinese => "zh-CN",
            Self::English => "en",
        }
    }
}

/// What the local voice is asked to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpeechRequest {
    /// espeak-ng voice.
    pub voice: &'static str,
    /// Pace.
    pub words_per_minute: u16,
    /// For standard input, UTF-8. Chinese: pinyin with tone digits, only `a`–`z`, `1`–`5`, space,
    /// comma and full stop. At most [`SPOKEN_BYTES_MAX`].
    pub input: String,
}

impl SpeechRequest {
    /// The request for `text` in the language of the tag; `None` when there is no voice for it or
    /// nothing in it can be said.
    pub fn for_text(language_tag: &str, text: &str) -> Option<Self> {
        let request = match Language::from_tag(language_tag)? {
            Language::Chinese => Self {
                voice: VOICE_MANDARIN,
                words_per_minute: PACE_MANDARIN,
                input: mandarin::pinyin(text),
            },
            Language::English => Self {
                voice: VOICE_ENGLISH,
                words_per_minute: PACE_ENGLISH,
                input: english::spoken(text),
            },
        };
        request.input.chars().any(char::is_alphanumeric).then_some(request)
    }

    /// Arguments for `espeak-ng`: it reads [`SpeechRequest::input`] from standard input and writes
    /// one WAV file (22,050 Hz, mono, 16 bit; lengths in its header are not to be trusted) to
    /// standard output. The text is never an argument, so that it can't be taken for an option.
    pub fn args(&self) -> Vec<String> {
        let pace = self.words_per_minute.to_string();
        ["-v", self.voice, "-s", &pace, "-b", "1", "--stdin", "--stdout"]
            .map(str::to_owned)
            .to_vec()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_tag_chooses_the_voice_and_a_language_without_voice_gives_none() {
        let voice = |tag| SpeechRequest::for_text(tag, "台风 typhoon").map(|r| r.voice);
        assert_eq!(voice("zh-CN"), Some("cmn-latn-pinyin"));
        assert_eq!(voice("zh"), Some("cmn-latn-pinyin"));
        assert_eq!(voice("cmn-Hans-CN"), Some("cmn-latn-pinyin"));
        assert_eq!(voice("en-US"), Some("en"));
        assert_eq!(voice("nan-Hant"), None);
        assert_eq!(voice("zh-min-nan"), None);
        assert_eq!(voice(""), None);
    }

    #[test]
    fn text_without_a_word_gives_no_request() {
        assert_eq!(SpeechRequest::for_text("zh-CN", "，。——"), None);
        assert_eq!(SpeechRequest::for_text("en", " ... "), None);
    }

    #[test]
    fn every_prepared_word_can_be_said() {
        for hazard in &crate::hazard::HAZARDS {
            for language in Language::ALL {
                let text = hazard.phrase_clip_text(language);
                let request = SpeechRequest::for_text(language.tag(), &text);
                assert!(request.is_some(), "{}", hazard.code);
            }
        }
    }

    fn is_pinyin(text: &str) -> bool {
        text.split([' ', ',', '.']).filter(|word| !word.is_empty()).all(|word| {
            let (letters, tone) = word.split_at(word.len() - 1);
            (1..=6).contains(&letters.len())
                && letters.bytes().all(|b| b.is_ascii_lowercase())
                && matches!(tone, "1" | "2" | "3" | "4" | "5")
        })
    }

    proptest! {
        #[test]
        fn any_text_gives_bounded_pinyin_of_the_allowed_alphabet(text in ".{0,300}") {
            if let Some(request) = SpeechRequest::for_text("zh-CN", &text) {
                prop_assert!(request.input.len() <= SPOKEN_BYTES_MAX);
                prop_assert!(is_pinyin(&request.input), "{}", request.input);
            }
        }

        #[test]
        fn chinese_with_figures_gives_pinyin_of_the_allowed_alphabet(
            text in "[一不了着重长0-9０-９.,，、:：/~\\-—–%％℃°年月日时分级到第mkhs／台风\u{4e00}-\u{9fa5} ]{0,200}"
        ) {
            if let Some(request) = SpeechRequest::for_text("zh-CN", &text) {
                prop_assert!(request.input.len() <= SPOKEN_BYTES_MAX);
                prop_assert!(is_pinyin(&request.input), "{}", request.input);
            }
        }

        #[test]
        fn any_text_gives_bounded_english_without_markup(text in ".{0,300}") {
            if let Some(request) = SpeechRequest::for_text("en", &text) {
                prop_assert!(request.input.len() <= SPOKEN_BYTES_MAX);
                prop_assert!(!request.input.contains(['[', ']', '<', '>']));
            }
        }
    }

    #[test]
    fn a_very_long_text_is_cut_at_a_word() {
        for (tag, text) in [("zh", "台风9999999999".repeat(5_000)), ("en", "wind ".repeat(20_000))]
        {
            let request = SpeechRequest::for_text(tag, &text).expect("a voice");
            assert!(request.input.len() <= SPOKEN_BYTES_MAX);
            assert!(request.input.len() > SPOKEN_BYTES_MAX / 2);
        }
    }
}
