//! The words that a terminal says by itself, in one place.

use crate::speech::Language;

/// What a terminal says without being told the words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Announcement {
    /// Before and after every sounding of an exercise.
    DrillFrame,
    /// Before every sounding of a technical test.
    TestFrame,
    /// When a real alert has cut an exercise or a test, before the alert's own words.
    DrillAborted,
    /// When somebody has silenced the running sounding at the device.
    StoppedLocally,
    /// When a signed stop fell while something sounded and has been lifted again.
    StopLifted,
    /// `edge-node say` and the audible self-test.
    SelfTest,
}

impl Announcement {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::DrillFrame,
        Self::TestFrame,
        Self::DrillAborted,
        Self::StoppedLocally,
        Self::StopLifted,
        Self::SelfTest,
    ];

    /// The words.
    pub const fn text(self, language: Language) -> &'static str {
        match (self, language) {
            (Self::DrillFrame, Language::Chinese) => "演练，演练。",
            (Self::DrillFrame, Language::English) => "This is a drill. This is a drill.",
            (Self::TestFrame, Language::Chinese) => "试播，试播。",
            (Self::TestFrame, Language::English) => "This is a test. This is a test.",
            (Self::DrillAborted, Language::Chinese) => "演练中止，以下是真实预警。",
            (Self::DrillAborted, Language::English) => {
                "The drill is aborted. What follows is a real warning."
            }
            (Self::StoppedLocally, Language::Chinese) => "本机广播已由现场人员暂停。",
            (Self::StoppedLocally, Language::English) => {
                "This loudspeaker has been paused by a person on site."
            }
            (Self::StopLifted, Language::Chinese) => "广播恢复。",
            (Self::StopLifted, Language::English) => "Announcements resume.",
            (Self::SelfTest, Language::Chinese) => "扬声器自检，声音正常。",
            (Self::SelfTest, Language::English) => "Loudspeaker self-test. The sound is good.",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_announcement_has_words_of_its_own_in_each_language() {
        let words: std::collections::BTreeSet<_> = Announcement::ALL
            .iter()
            .flat_map(|a| Language::ALL.map(|language| a.text(language)))
            .collect();
        assert_eq!(words.len(), Announcement::ALL.len() * Language::ALL.len());
    }
}
