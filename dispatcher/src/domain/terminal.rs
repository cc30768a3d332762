//! 终端: a terminal as the dispatcher knows it: planned, enrolled, retired.

use jiff::Timestamp;
use protocols::area::Position;
use protocols::limits::TERMINALS_PER_VILLAGE_MAX;
use protocols::region::{RegionCode, RegionLevel};
use protocols::terminal::TerminalId;

use crate::domain::fault::Fault;
use crate::domain::regions::RegionTree;

/// Bytes (UTF-8) of a terminal's name: a place as people say it.
pub const TERMINAL_NAME_BYTES_MAX: usize = 120;

/// One terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terminal {
    /// Which.
    pub id: TerminalId,
    /// The place as people call it.
    pub name: String,
    /// Where it stands, if known.
    pub position: Option<Position>,
    /// Its public key, once enrolled.
    pub public_key: Option<Vec<u8>>,
    /// When it joined; `None` while planned.
    pub enrolled_at: Option<Timestamp>,
    /// When it was taken away for good.
    pub retired_at: Option<Timestamp>,
    /// Whether it has a loudspeaker.
    pub is_speaking: bool,
    /// Rises with each change.
    pub version: i64,
}

/// What a person says about a terminal.
#[derive(Debug, Clone, PartialEq)]
pub struct TerminalDetails {
    /// The place as people call it.
    pub name: String,
    /// Latitude and longitude in degrees, both or neither.
    pub place: Option<(f64, f64)>,
    /// Whether it has a loudspeaker.
    pub is_speaking: bool,
}

impl TerminalDetails {
    /// Every rule that they break.
    pub fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        let name = self.name.trim();
        if name.is_empty() || name.len() > TERMINAL_NAME_BYTES_MAX {
            faults.push(Fault::new(
                "/name",
                "name-length",
                "名称须为 1 至 120 字节",
                "a name has 1 to 120 bytes",
            ));
        }
        if self.place.is_some_and(|(lat, lon)| Position::from_degrees(lat, lon).is_none()) {
            faults.push(Fault::new(
                "/position",
                "position-off-the-globe",
                "坐标超出范围：纬度 ±90，经度 ±180",
                "a latitude is within ±90 and a longitude within ±180",
            ));
        }
        faults
    }

    /// The position in the units of the protocol.
    pub fn position(&self) -> Option<Position> {
        self.place.and_then(|(lat, lon)| Position::from_degrees(lat, lon))
    }
}

/// Plans terminal `number` of `village`; every broken rule at once.
pub fn plan(
    village: RegionCode,
    number: i64,
    details: &TerminalDetails,
    tree: &RegionTree,
) -> Result<Terminal, Vec<Fault>> {
    let mut faults = details.faults();
    let fault = |rule, zh: &str, en: &str| Fault::new("/village", rule, zh, en);
    match tree.get(village) {
        _ if village.level() != RegionLevel::Village => {
            faults.push(fault(
                "not-a-village",
                "终端须登记在村、社区",
                "a terminal stands in a village",
            ));
        }
        None => faults.push(fault(
            "region-unknown",
            "该村、社区不在区划表中",
            "the village is not in the list of regions",
        )),
        Some(region) if !region.is_target => faults.push(fault(
            "region-pseudo-unit",
            "虚拟单位不能登记终端，请登记在实际所在的村、社区",
            "a pseudo-unit has no terminals: name the village in which it really stands",
        )),
        Some(_) => {}
    }
    let number = u16::try_from(number).ok().filter(|n| *n <= TERMINALS_PER_VILLAGE_MAX);
    let id = number.and_then(|number| TerminalId::new(village, number).ok());
    if faults.is_empty() && id.is_none() {
        faults.push(fault(
            "village-full",
            "该村的终端编号已用完（1 至 1024，不重复使用）",
            "the village has used up its numbers (1 to 1,024, never used again)",
        ));
    }
    match id {
        Some(id) if faults.is_empty() => Ok(Terminal {
            id,
            name: details.name.trim().to_owned(),
            position: details.position(),
            public_key: None,
            enrolled_at: None,
            retired_at: None,
            is_speaking: details.is_speaking,
            version: 1,
        }),
        Some(_) | None => Err(faults),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::regions::xiamen;

    fn rules(village: &str, number: i64, details: &TerminalDetails) -> Vec<String> {
        let tree = RegionTree::new(xiamen());
        let village = village.parse().expect("a code");
        let faults = plan(village, number, details, &tree).expect_err("refused");
        faults.into_iter().map(|fault| fault.rule).collect()
    }

    #[test]
    fn a_terminal_is_refused_with_every_rule_that_it_breaks() {
        let good = TerminalDetails { name: "村委会".to_owned(), place: None, is_speaking: true };
        let bad =
            TerminalDetails { name: " ".to_owned(), place: Some((91.0, 0.0)), ..good.clone() };
        assert_eq!(
            rules("350211102000", 1, &bad),
            ["name-length", "position-off-the-globe", "not-a-village"]
        );
        assert_eq!(rules("350211403598", 1, &good), ["region-pseudo-unit"]);
        assert_eq!(rules("350211102999", 1, &good), ["region-unknown"]);
        assert_eq!(rules("350211102201", 1_025, &good), ["village-full"]);
        let tree = RegionTree::new(xiamen());
        let village = "350211102201".parse().expect("a code");
        assert!(plan(village, 1_024, &good, &tree).is_ok());
    }
}
