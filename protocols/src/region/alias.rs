//! Codes of the Ministry of Civil Affairs (MCA) as aliases of NBS regions, with validity dates.
//!
//! Both lists write places with the same digits and mostly agree. Where they do not, a code says
//! nothing without the name of its list: [`AliasTable::resolve`] then answers
//! [`CodeMeaning::Ambiguous`], and a person is asked.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;

use super::{ParseRegionError, RegionCode, RegionLevel};

/// Which list a code is taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CodeScheme {
    /// National Bureau of Statistics: 12 digits, down to the village.
    Nbs,
    /// Ministry of Civil Affairs: 6 digits to the district, 9 to the town.
    Mca,
    /// The sender does not say.
    Unstated,
}

/// A code of the MCA, padded to 12 digits. Its digits look like a [`RegionCode`] and mean another
/// place now and then, so it has a type of its own and no algebra.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct McaCode(RegionCode);

impl McaCode {
    /// The nine digits that the ministry writes for a town, the six for a city or district.
    pub fn digits(self) -> String {
        let mut text = self.0.to_string();
        text.truncate(self.0.level().digits().max(6) as usize);
        text
    }
}

impl fmt::Display for McaCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for McaCode {
    type Err = ParseRegionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        pad(text).map(Self)
    }
}

/// One line of the ministry's list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Alias {
    /// The ministry's code.
    pub code: McaCode,
    /// The same place in the bureau's list.
    pub region: RegionCode,
    /// First instant at which the code is good.
    pub valid_from: Timestamp,
    /// First instant at which it no longer is.
    pub valid_until: Option<Timestamp>,
}

impl Alias {
    /// Whether the code is good at `on`.
    pub fn is_valid(&self, on: Timestamp) -> bool {
        self.valid_from <= on && self.valid_until.is_none_or(|until| on < until)
    }

    fn overlaps(&self, other: &Self) -> bool {
        self.valid_until.is_none_or(|until| other.valid_from < until)
            && other.valid_until.is_none_or(|until| self.valid_from < until)
    }
}

/// Why a list of aliases is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AliasFault {
    /// The region is not in the list of regions.
    #[error("region {0} is not in the list of regions")]
    UnknownRegion(RegionCode),
    /// A place of one level stands for a place of another.
    #[error("code {0} and region {1} are of different levels")]
    OtherLevel(McaCode, RegionCode),
    /// The ministry has no villages.
    #[error("code {0} names a village, and the ministry lists none")]
    Village(McaCode),
    /// One code names two places at the same time.
    #[error("code {0} names two regions at the same time")]
    TwoRegions(McaCode),
    /// One place has two codes at the same time.
    #[error("region {0} has two codes at the same time")]
    TwoCodes(RegionCode),
    /// It ends before it begins.
    #[error("code {0} ends before it begins")]
    EndsBeforeItBegins(McaCode),
}

/// What a code means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodeMeaning {
    /// This region and no other.
    Resolved(RegionCode),
    /// Different regions in the two lists, and the sender does not say which list. Never issued
    /// without a person. A village that only one reading knows stands as its town in the other.
    Ambiguous {
        /// As a code of the bureau.
        nbs: RegionCode,
        /// As a code of the ministry.
        mca: RegionCode,
    },
    /// No region of ours.
    Unknown,
}

/// Both lists side by side.
#[derive(Debug, Clone, Default)]
pub struct AliasTable {
    regions: BTreeSet<RegionCode>,
    by_code: BTreeMap<McaCode, Vec<Alias>>,
    by_region: BTreeMap<RegionCode, Vec<Alias>>,
}

impl AliasTable {
    /// The table of these regions, without aliases: every code of the ministry is unknown.
    pub fn new(regions: impl IntoIterator<Item = RegionCode>) -> Self {
        Self { regions: regions.into_iter().collect(), ..Self::default() }
    }

    /// Adds one alias. An exact repetition is accepted and changes nothing.
    pub fn add(&mut self, alias: Alias) -> Result<(), AliasFault> {
        if alias.code.0.level() == RegionLevel::Village {
            return Err(AliasFault::Village(alias.code));
        }
        if !self.regions.contains(&alias.region) {
            return Err(AliasFault::UnknownRegion(alias.region));
        }
        if alias.code.0.level() != alias.region.level() {
            return Err(AliasFault::OtherLevel(alias.code, alias.region));
        }
        if alias.valid_until.is_some_and(|until| until <= alias.valid_from) {
            return Err(AliasFault::EndsBeforeItBegins(alias.code));
        }
        let same_code = self.by_code.entry(alias.code).or_default();
        if same_code.contains(&alias) {
            return Ok(());
        }
        if same_code.iter().any(|other| other.overlaps(&alias)) {
            return Err(AliasFault::TwoRegions(alias.code));
        }
        let same_region = self.by_region.entry(alias.region).or_default();
        if same_region.iter().any(|other| other.overlaps(&alias)) {
            return Err(AliasFault::TwoCodes(alias.region));
        }
        same_code.push(alias);
        same_region.push(alias);
        Ok(())
    }

    /// What `text` (6, 9 or 12 digits) means at `on`, the instant at which the sender wrote it.
    ///
    /// Without a scheme, a code resolves only when it means the same in both lists or is known to
    /// one of them alone. A pseudo-unit resolves like any other region: whether it may be a target
    /// is decided where targets are.
    pub fn resolve(&self, scheme: CodeScheme, text: &str, on: Timestamp) -> CodeMeaning {
        let Ok(code) = pad(text) else { return CodeMeaning::Unknown };
        let nbs = self.regions.contains(&code).then_some(code);
        let mca = self.mca_reading(code, on);
        match scheme {
            CodeScheme::Nbs => nbs.map_or(CodeMeaning::Unknown, CodeMeaning::Resolved),
            CodeScheme::Mca => mca
                .filter(|region| region.level() == code.level())
                .map_or(CodeMeaning::Unknown, CodeMeaning::Resolved),
            CodeScheme::Unstated => self.unstated(code, nbs, mca),
        }
    }

    /// The ministry's code of a city, district or town at `on`; `None` for a village, which the
    /// ministry does not list, and for a place without an alias.
    pub fn mca_code(&self, region: RegionCode, on: Timestamp) -> Option<McaCode> {
        let aliases = self.by_region.get(&region)?;
        aliases.iter().find(|alias| alias.is_valid(on)).map(|alias| alias.code)
    }

    fn unstated(
        &self,
        code: RegionCode,
        nbs: Option<RegionCode>,
        mca: Option<RegionCode>,
    ) -> CodeMeaning {
        let nbs = nbs.or_else(|| {
            // A village unknown to the bureau's list still names its town there.
            let town = code.at(RegionLevel::Town)?;
            (code != town && self.regions.contains(&town)).then_some(town)
        });
        match (nbs, mca) {
            (Some(nbs), Some(mca)) if nbs == mca && nbs.level() != code.level() => {
                CodeMeaning::Unknown
            }
            (Some(nbs), Some(mca)) if nbs == mca => CodeMeaning::Resolved(nbs),
            (Some(nbs), Some(mca)) if nbs.contains(mca) => CodeMeaning::Resolved(mca),
            (Some(nbs), Some(mca)) if mca.contains(nbs) => CodeMeaning::Resolved(nbs),
            (Some(nbs), Some(mca))
                if nbs.level() != code.level() && mca.level() != code.level() =>
            {
                CodeMeaning::Unknown
            }
            (Some(nbs), Some(mca)) => CodeMeaning::Ambiguous { nbs, mca },
            (Some(one), None) | (None, Some(one)) if one.level() == code.level() => {
                CodeMeaning::Resolved(one)
            }
            (Some(_) | None, None) | (None, Some(_)) => CodeMeaning::Unknown,
        }
    }

    /// The place that the ministry's list gives to `code`. The ministry has no villages: a village
    /// code under one of its towns is the bureau's village of the same last three digits in that
    /// town, or, if there is none, the town.
    fn mca_reading(&self, code: RegionCode, on: Timestamp) -> Option<RegionCode> {
        let town = code.at(RegionLevel::Town).unwrap_or(code);
        let aliases = self.by_code.get(&McaCode(town))?;
        let region = aliases.iter().find(|alias| alias.is_valid(on))?.region;
        if town == code {
            return Some(region);
        }
        let village = RegionCode::new(region.number() + (code.number() - town.number())).ok();
        Some(village.filter(|village| self.regions.contains(village)).unwrap_or(region))
    }
}

/// A code of 6, 9 or 12 digits as 12.
fn pad(text: &str) -> Result<RegionCode, ParseRegionError> {
    if !matches!(text.len(), 6 | 9 | 12) {
        return Err(ParseRegionError::NotTwelveDigits);
    }
    format!("{text:0<12}").parse()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::constant(1_780_000_000, 0);
    /// Name, code of the bureau, code of the ministry.
    const SWAPPED: [(&str, &str, &str); 4] = [
        ("新店", "350213003", "350213005"),
        ("民安", "350213005", "350213003"),
        ("香山", "350213006", "350213007"),
        ("金海", "350213007", "350213006"),
    ];

    fn region(text: &str) -> RegionCode {
        pad(text).expect("a code")
    }

    fn table() -> AliasTable {
        let villages = ["350213003201", "350213005201", "350213003001", "350213006003"];
        let plain = ["350213", "350213001", "350213001001"];
        let regions = SWAPPED.iter().map(|(_, nbs, _)| *nbs).chain(villages).chain(plain);
        let mut table = AliasTable::new(regions.map(region));
        let pairs = SWAPPED.iter().map(|(_, nbs, mca)| (*nbs, *mca));
        for (nbs, mca) in pairs.chain([("350213001", "350213001"), ("350213", "350213")]) {
            table.add(alias(nbs, mca)).expect("a good alias");
        }
        table
    }

    fn alias(nbs: &str, mca: &str) -> Alias {
        Alias {
            code: mca.parse().expect("a code"),
            region: region(nbs),
            valid_from: Timestamp::UNIX_EPOCH,
            valid_until: None,
        }
    }

    #[test]
    fn each_of_the_four_swapped_towns_resolves_both_ways_when_the_list_is_named() {
        let table = table();
        for (name, nbs, mca) in SWAPPED {
            let meant = CodeMeaning::Resolved(region(nbs));
            assert_eq!(table.resolve(CodeScheme::Nbs, nbs, NOW), meant, "{name} by the bureau");
            assert_eq!(table.resolve(CodeScheme::Mca, mca, NOW), meant, "{name} by the ministry");
            let padded = format!("{mca}000");
            assert_eq!(table.resolve(CodeScheme::Mca, &padded, NOW), meant, "{name}, 12 digits");
            let back = table.mca_code(region(nbs), NOW).map(McaCode::digits);
            assert_eq!(back.as_deref(), Some(mca), "{name} for a message going out");
        }
    }

    #[test]
    fn each_of_the_four_swapped_towns_is_ambiguous_without_the_name_of_its_list() {
        let table = table();
        for (name, nbs, _) in SWAPPED {
            let (_, other, _) =
                SWAPPED.iter().find(|(_, _, mca)| *mca == nbs).expect("a swap is closed");
            assert_eq!(
                table.resolve(CodeScheme::Unstated, nbs, NOW),
                CodeMeaning::Ambiguous { nbs: region(nbs), mca: region(other) },
                "{name}"
            );
        }
    }

    #[test]
    fn a_village_below_a_swapped_town_is_ambiguous_too() {
        let table = table();
        assert_eq!(
            table.resolve(CodeScheme::Unstated, "350213003201", NOW),
            CodeMeaning::Ambiguous { nbs: region("350213003201"), mca: region("350213005201") }
        );
        assert_eq!(
            table.resolve(CodeScheme::Unstated, "350213003001", NOW),
            CodeMeaning::Ambiguous { nbs: region("350213003001"), mca: region("350213005") },
            "民安 has no village 001, and a newer list may"
        );
        assert_eq!(
            table.resolve(CodeScheme::Unstated, "350213007003", NOW),
            CodeMeaning::Ambiguous { nbs: region("350213007"), mca: region("350213006003") },
            "金海 has no village 003 in this table"
        );
        assert_eq!(
            table.resolve(CodeScheme::Unstated, "350213003999", NOW),
            CodeMeaning::Unknown,
            "in neither town"
        );
    }

    #[test]
    fn a_village_resolves_when_the_list_is_named() {
        let table = table();
        let meant = CodeMeaning::Resolved(region("350213005201"));
        assert_eq!(table.resolve(CodeScheme::Nbs, "350213005201", NOW), meant);
        assert_eq!(table.resolve(CodeScheme::Mca, "350213003201", NOW), meant);
        assert_eq!(table.resolve(CodeScheme::Mca, "350213003001", NOW), CodeMeaning::Unknown);
    }

    #[test]
    fn a_code_on_which_both_lists_agree_needs_no_name() {
        let table = table();
        for code in ["350213", "350213000000", "350213001", "350213001000", "350213001001"] {
            assert_eq!(
                table.resolve(CodeScheme::Unstated, code, NOW),
                CodeMeaning::Resolved(region(code)),
                "{code}"
            );
        }
        for code in ["350213001999", "350214", "350000", "35", "", "35021300a", "3502130010000"] {
            assert_eq!(
                table.resolve(CodeScheme::Unstated, code, NOW),
                CodeMeaning::Unknown,
                "{code}"
            );
        }
    }

    #[test]
    fn an_alias_counts_between_its_days_only() {
        let mut table = AliasTable::new([region("350213003"), region("350213005")]);
        let change = Timestamp::constant(1_700_000_000, 0);
        let before = Alias { valid_until: Some(change), ..alias("350213003", "350213003") };
        let after = Alias { valid_from: change, ..alias("350213003", "350213005") };
        table.add(before).expect("good");
        table.add(after).expect("the first has ended");
        let old = change - jiff::SignedDuration::from_secs(1);
        let meant = CodeMeaning::Resolved(region("350213003"));
        assert_eq!(table.resolve(CodeScheme::Mca, "350213003", old), meant);
        assert_eq!(table.resolve(CodeScheme::Mca, "350213003", change), CodeMeaning::Unknown);
        assert_eq!(table.resolve(CodeScheme::Mca, "350213005", change), meant);
        assert_eq!(
            table.mca_code(region("350213003"), old).map(McaCode::digits).as_deref(),
            Some("350213003")
        );
    }

    #[test]
    fn a_bad_alias_is_refused_with_its_reason() {
        let mut table = table();
        let code: McaCode = "350213005".parse().expect("a code");
        let other = alias("350213001", "350213005");
        assert_eq!(table.add(other), Err(AliasFault::TwoRegions(code)));
        assert!(matches!(table.add(alias("350213001", "350213099")), Err(AliasFault::TwoCodes(_))));
        assert!(matches!(
            table.add(alias("350213088", "350213088")),
            Err(AliasFault::UnknownRegion(_))
        ));
        assert!(matches!(table.add(alias("350213", "350213088")), Err(AliasFault::OtherLevel(..))));
        assert!(matches!(
            table.add(alias("350213001001", "350213001001")),
            Err(AliasFault::Village(_))
        ));
        assert_eq!(table.add(alias("350213003", "350213005")), Ok(()), "a repetition is harmless");
    }
}
