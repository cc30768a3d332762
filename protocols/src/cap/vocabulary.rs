//! The closed lists of CAP. Words are exact: case and white space count.

/// A word is not in the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a value of this list")]
pub struct ParseWordError;

macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$word_meta:meta])* $word:ident),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash,
            serde::Serialize, serde::Deserialize,
        )]
        pub enum $name {
            $($(#[$word_meta])* $word,)+
        }

        impl $name {
            /// All values in the order of the schema.
            pub const ALL: &'static [Self] = &[$(Self::$word,)+];

            /// The word as CAP writes it.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$word => stringify!($word),)+
                }
            }
        }

        impl std::str::FromStr for $name {
            type Err = ParseWordError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::ALL.iter().copied().find(|word| word.as_str() == text).ok_or(ParseWordError)
            }
        }
    };
}

words! {
    /// What a message is for.
    Status {
        /// To be acted on.
        Actual,
        /// For designated participants of a drill.
        Exercise,
        /// For the network's own functions. Never sounds.
        System,
        /// Technical testing only.
        Test,
        /// Not actionable. Never sounds.
        Draft,
    }
}

words! {
    /// What a message does to earlier ones.
    MsgType {
        /// First information.
        Alert,
        /// Takes the place of the referenced ones.
        Update,
        /// Ends the referenced ones.
        Cancel,
        /// Acknowledges the referenced ones.
        Ack,
        /// Rejects the referenced ones.
        Error,
    }
}

words! {
    /// Who may read it.
    Scope {
        /// Everybody.
        Public,
        /// Those named by `restriction`.
        Restricted,
        /// Those named by `addresses`.
        Private,
    }
}

words! {
    /// What kind of event.
    Category {
        /// Geophysical.
        Geo,
        /// Meteorological, floods included.
        Met,
        /// General emergency.
        Safety,
        /// Police, military.
        Security,
        /// Rescue and recovery.
        Rescue,
        /// Fire.
        Fire,
        /// Medical and public health.
        Health,
        /// Environment.
        Env,
        /// Transport.
        Transport,
        /// Utilities and telecommunication.
        Infra,
        /// Chemical, biological, radiological, nuclear, explosive.
        CBRNE,
        /// Other.
        Other,
    }
}

words! {
    /// What people should do.
    ResponseType {
        /// Take shelter.
        Shelter,
        /// Move away.
        Evacuate,
        /// Prepare.
        Prepare,
        /// Do what a plan says.
        Execute,
        /// Avoid the place. Not in CAP 1.1.
        Avoid,
        /// Follow the news.
        Monitor,
        /// Judge for oneself.
        Assess,
        /// The danger is over. Not in CAP 1.1.
        AllClear,
        /// Nothing.
        None,
    }
}

impl ResponseType {
    /// Whether CAP 1.1 has this value.
    pub const fn is_in_1_1(self) -> bool {
        !matches!(self, Self::Avoid | Self::AllClear)
    }
}

words! {
    /// When to respond.
    Urgency {
        /// At once.
        Immediate,
        /// Within the next hour.
        Expected,
        /// Soon.
        Future,
        /// No longer.
        Past,
        /// Unknown.
        Unknown,
    }
}

words! {
    /// How bad.
    Severity {
        /// Extraordinary threat.
        Extreme,
        /// Significant threat.
        Severe,
        /// Possible threat.
        Moderate,
        /// Minimal threat.
        Minor,
        /// Unknown.
        Unknown,
    }
}

words! {
    /// How sure.
    Certainty {
        /// Happened or ongoing.
        Observed,
        /// More than one in two.
        Likely,
        /// Up to one in two.
        Possible,
        /// Hardly.
        Unlikely,
        /// Unknown.
        Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_and_white_space_count() {
        assert_eq!("Met".parse(), Ok(Category::Met));
        assert_eq!("met".parse::<Category>(), Err(ParseWordError));
        assert_eq!(" Met".parse::<Category>(), Err(ParseWordError));
        assert_eq!("CBRNE".parse(), Ok(Category::CBRNE));
    }
}
