//! [`RegionTree`]: regions by code, and the map of those that are not divided further.

use std::collections::BTreeMap;

use protocols::area::Position;
use protocols::region::{RegionCode, RegionLevel};

/// One region of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Region {
    /// Its code; level and parent follow from it.
    pub code: RegionCode,
    /// 名称.
    pub name: String,
    /// English name, where there is one.
    pub name_en: Option<String>,
    /// What the list calls it: 市, 区, 镇, 街道, 村委会, 居委会, 虚拟.
    pub kind: String,
    /// Whether it may be addressed. A pseudo-unit may not: see [`Region::is_target`]'s use in
    /// `targeting`.
    pub is_target: bool,
    /// The point that stands for it.
    pub place: Option<Position>,
    /// Its outline, closed by itself. Schematic unless the authority brought its own.
    pub ring: Option<Vec<Position>>,
}

/// All regions known to this dispatcher.
#[derive(Debug, Clone, Default)]
pub struct RegionTree {
    by_code: BTreeMap<RegionCode, Region>,
}

impl RegionTree {
    /// The tree of these regions; a later one replaces an earlier one of the same code.
    pub fn new(regions: impl IntoIterator<Item = Region>) -> Self {
        Self { by_code: regions.into_iter().map(|region| (region.code, region)).collect() }
    }

    /// The region with this code.
    pub fn get(&self, code: RegionCode) -> Option<&Region> {
        self.by_code.get(&code)
    }

    /// `code` and everything below it, in the order of the codes.
    pub fn within(&self, code: RegionCode) -> impl Iterator<Item = &Region> {
        self.by_code.range(code..).take_while(move |(c, _)| code.contains(**c)).map(|(_, r)| r)
    }

    /// The regions directly below `code`.
    pub fn children(&self, code: RegionCode) -> impl Iterator<Item = &Region> {
        self.within(code).filter(move |region| region.code.parent() == Some(code))
    }

    /// `regions` without what lies in `excluded`, in as few regions as that takes: a region that is
    /// excluded in part is named by its other parts.
    pub fn without(&self, regions: &[RegionCode], excluded: &[RegionCode]) -> Vec<RegionCode> {
        let mut left = Vec::new();
        for region in regions {
            if excluded.iter().any(|outer| outer.contains(*region)) {
                continue;
            }
            if !excluded.iter().any(|inner| region.contains(*inner)) {
                left.push(*region);
                continue;
            }
            let parts = self.children(*region).filter(|part| part.is_target);
            left.extend(self.without(&parts.map(|part| part.code).collect::<Vec<_>>(), excluded));
        }
        left
    }

    /// All regions, in the order of the codes.
    pub fn iter(&self) -> impl Iterator<Item = &Region> {
        self.by_code.values()
    }

    /// Regions with an outline and without an outlined part: what a shape is laid upon to find
    /// the topic it belongs to.
    pub fn leaves(&self) -> impl Iterator<Item = (RegionCode, &[Position])> {
        self.iter().filter_map(|region| {
            let ring = region.ring.as_deref()?;
            let is_divided = region.code.level() != RegionLevel::Village
                && self.within(region.code).skip(1).any(|part| part.ring.is_some());
            (!is_divided).then_some((region.code, ring))
        })
    }

    /// How many regions there are.
    pub fn len(&self) -> usize {
        self.by_code.len()
    }

    /// Whether no list was imported yet.
    pub fn is_empty(&self) -> bool {
        self.by_code.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::regions::xiamen;

    #[test]
    fn what_is_excluded_in_part_is_named_by_its_other_parts() {
        let tree = RegionTree::new(xiamen());
        let code = |text: &str| text.parse::<RegionCode>().expect("a code");
        let (town, village) = (code("350211102000"), code("350211102201"));
        assert_eq!(tree.without(&[town], &[code("350212000000")]), [town]);
        assert_eq!(tree.without(&[town, village], &[town]), []);
        let left = tree.without(&[code("350211000000")], &[village]);
        assert!(left.contains(&code("350211103000")) && left.contains(&code("350211102202")));
        assert!(!left.iter().any(|region| region.overlaps(village)));
        let whole = tree.iter().filter(|region| region.is_target).map(|region| region.code);
        for other in whole.filter(|c| c.level() == RegionLevel::Village && *c != village) {
            let is_named = left.iter().any(|region| region.contains(other));
            assert_eq!(is_named, code("350211000000").contains(other), "{other}");
        }
    }
}
