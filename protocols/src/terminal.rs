//! The identifier of one end device (终端): its village and its number there.

use std::fmt;
use std::str::FromStr;

use crate::limits::TERMINALS_PER_VILLAGE_MAX;
use crate::region::{RegionCode, RegionLevel};

/// A terminal: `350212110201-0007` is number 7 of village 350212110201. Also its MQTT client id
/// and user name. Numbers are never used again for another device.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, minicbor::Encode, minicbor::Decode,
)]
pub struct TerminalId {
    #[n(0)]
    village: RegionCode,
    #[n(1)]
    number: u16,
}

/// Why a text is not a terminal identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ParseTerminalError {
    /// Not of the form `<12 digits>-<4 digits>`.
    #[error("a terminal is written as 12 digits, a hyphen, 4 digits")]
    Form,
    /// The region is not a village.
    #[error("a terminal belongs to a village")]
    NotAVillage,
    /// The number is 0 or above the bound.
    #[error("a terminal number is 1 to {TERMINALS_PER_VILLAGE_MAX}")]
    Number,
}

impl TerminalId {
    /// Terminal `number` of `village`.
    pub fn new(village: RegionCode, number: u16) -> Result<Self, ParseTerminalError> {
        if village.level() != RegionLevel::Village {
            return Err(ParseTerminalError::NotAVillage);
        }
        if number == 0 || number > TERMINALS_PER_VILLAGE_MAX {
            return Err(ParseTerminalError::Number);
        }
        Ok(Self { village, number })
    }

    /// The village it stands in.
    pub const fn village(self) -> RegionCode {
        self.village
    }

    /// Its number in the village, from 1.
    pub const fn number(self) -> u16 {
        self.number
    }
}

impl fmt::Display for TerminalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{:04}", self.village, self.number)
    }
}

impl FromStr for TerminalId {
    type Err = ParseTerminalError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (village, number) = text.split_once('-').ok_or(ParseTerminalError::Form)?;
        if number.len() != 4 || !number.bytes().all(|b| b.is_ascii_digit()) {
            return Err(ParseTerminalError::Form);
        }
        let village = village.parse().map_err(|_| ParseTerminalError::Form)?;
        let number = number.parse().map_err(|_| ParseTerminalError::Form)?;
        Self::new(village, number)
    }
}

impl serde::Serialize for TerminalId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for TerminalId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}
