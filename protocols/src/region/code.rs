//! [`RegionCode`] and its algebra: level, ancestors, containment, range.

use std::fmt;
use std::str::FromStr;

/// The four levels that govern: city ⊃ district ⊃ town ⊃ village. `Ord` from narrow to wide, so
/// that `level >= other` reads "at least as high as".
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    minicbor::Encode,
    minicbor::Decode,
    serde::Serialize,
    serde::Deserialize,
)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum RegionLevel {
    /// 村/社区
    #[n(4)]
    Village,
    /// 镇/街
    #[n(3)]
    Town,
    /// 区
    #[n(2)]
    District,
    /// 市
    #[n(1)]
    City,
}

impl RegionLevel {
    /// All levels, widest first.
    pub const ALL: [Self; 4] = [Self::City, Self::District, Self::Town, Self::Village];

    /// Digits of the code that are significant at this level (province 2 + city 2 + district 2 +
    /// town 3 + village 3).
    pub const fn digits(self) -> u32 {
        match self {
            Self::City => 4,
            Self::District => 6,
            Self::Town => 9,
            Self::Village => 12,
        }
    }

    /// 10 to the number of digits below this level.
    const fn modulus(self) -> u64 {
        10_u64.pow(12 - self.digits())
    }

    /// The next wider level; a city has none.
    pub const fn wider(self) -> Option<Self> {
        match self {
            Self::City => None,
            Self::District => Some(Self::City),
            Self::Town => Some(Self::District),
            Self::Village => Some(Self::Town),
        }
    }
}

/// An NBS 12-digit region code of a city, district, town or village.
///
/// Text and JSON: exactly 12 digits. CBOR: an unsigned integer. `Ord` is the order of the list, in
/// which a region comes directly before its parts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RegionCode(u64);

/// Why a text or a number is not a region code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ParseRegionError {
    /// Not exactly 12 ASCII digits.
    #[error("a region code is 12 digits")]
    NotTwelveDigits,
    /// A part below an absent part, as in `350212000001`.
    #[error("a region code names a part of an unnamed region")]
    Gap,
    /// A nation or a province: Tongluo begins at the city.
    #[error("a region code must name a city, district, town or village")]
    AboveCity,
}

impl RegionCode {
    /// The region with this number (`350200000000` for Xiamen).
    pub const fn new(number: u64) -> Result<Self, ParseRegionError> {
        if number < 100_000_000_000 || number > 999_999_999_999 {
            return Err(ParseRegionError::NotTwelveDigits);
        }
        let city = number / 100_000_000 % 100;
        let district = number / 1_000_000 % 100;
        let town = number / 1_000 % 1_000;
        let village = number % 1_000;
        if (village != 0 && town == 0)
            || (town != 0 && district == 0)
            || (district != 0 && city == 0)
        {
            return Err(ParseRegionError::Gap);
        }
        if city == 0 {
            return Err(ParseRegionError::AboveCity);
        }
        Ok(Self(number))
    }

    /// The code as a number.
    pub const fn number(self) -> u64 {
        self.0
    }

    /// The level, read from the trailing zeros.
    pub const fn level(self) -> RegionLevel {
        if !self.0.is_multiple_of(1_000) {
            RegionLevel::Village
        } else if !self.0.is_multiple_of(1_000_000) {
            RegionLevel::Town
        } else if !self.0.is_multiple_of(100_000_000) {
            RegionLevel::District
        } else {
            RegionLevel::City
        }
    }

    /// The region of level `level` that holds this one (itself when it is of that level); `None`
    /// when this one is wider.
    pub fn at(self, level: RegionLevel) -> Option<Self> {
        (level >= self.level()).then(|| Self(self.0 - self.0 % level.modulus()))
    }

    /// The next wider region; a city has none.
    pub fn parent(self) -> Option<Self> {
        self.at(self.level().wider()?)
    }

    /// This region and all that hold it, narrow to wide: at most four.
    pub fn lineage(self) -> impl Iterator<Item = Self> {
        std::iter::successors(Some(self), |region| region.parent())
    }

    /// Whether `other` is this region or lies in it.
    pub fn contains(self, other: Self) -> bool {
        other.at(self.level()) == Some(self)
    }

    /// Whether one of the two contains the other.
    pub fn overlaps(self, other: Self) -> bool {
        self.contains(other) || other.contains(self)
    }

    /// The smallest single region that holds both; `None` across cities.
    pub fn common(self, other: Self) -> Option<Self> {
        self.lineage().find(|region| region.contains(other))
    }

    /// First code of the subtree and first code after it, as the 12-digit texts of an index range
    /// (`code >= first and code < end`). The end of a city `9999…` is one digit longer and still
    /// sorts after every member.
    pub fn range(self) -> (String, String) {
        (self.to_string(), format!("{:012}", self.0 + self.level().modulus()))
    }
}

impl fmt::Display for RegionCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:012}", self.0)
    }
}

impl fmt::Debug for RegionCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RegionCode({self})")
    }
}

impl FromStr for RegionCode {
    type Err = ParseRegionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() != 12 || !text.bytes().all(|b| b.is_ascii_digit()) {
            return Err(ParseRegionError::NotTwelveDigits);
        }
        let number = text.parse().map_err(|_| ParseRegionError::NotTwelveDigits)?;
        Self::new(number)
    }
}

impl serde::Serialize for RegionCode {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for RegionCode {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl<C> minicbor::Encode<C> for RegionCode {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.u64(self.0)?.ok()
    }
}

impl<'b, C> minicbor::Decode<'b, C> for RegionCode {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        Self::new(d.u64()?).map_err(minicbor::decode::Error::message)
    }
}
