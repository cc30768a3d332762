//! 示意图: a map drawn from a layout of rectangles, for places whose borders we do not have.
//!
//! Each district is a rectangle of the layout, cut into rows of towns by their number of villages
//! and each town into cells of villages. All lines are whole units of 10⁻⁶ degree, so neighbours
//! share them exactly. Nothing here is a real border.

use protocols::area::Position;
use protocols::region::{RegionCode, RegionLevel};

use super::tree::Region;

/// Why a layout is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("layout line {line}: {reason}")]
pub struct LayoutFault {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong.
    pub reason: &'static str,
}

/// West, south, east, north in units of 10⁻⁶ degree.
#[derive(Debug, Clone, Copy)]
struct Block {
    west: i64,
    south: i64,
    east: i64,
    north: i64,
}

impl Block {
    /// The part from `from` to `to` of `whole` from north to south.
    fn row(self, from: usize, to: usize, whole: usize) -> Self {
        let at = |part| self.north - share(self.north - self.south, part, whole);
        Self { north: at(from), south: at(to), ..self }
    }

    /// The part from `from` to `to` of `whole` from west to east.
    fn column(self, from: usize, to: usize, whole: usize) -> Self {
        let at = |part| self.west + share(self.east - self.west, part, whole);
        Self { west: at(from), east: at(to), ..self }
    }

    fn ring(self) -> Vec<Position> {
        let corner = |lon, lat| Position { lat_e6: lat as i32, lon_e6: lon as i32 };
        vec![
            corner(self.west, self.south),
            corner(self.east, self.south),
            corner(self.east, self.north),
            corner(self.west, self.north),
        ]
    }

    fn middle(self) -> Position {
        Position {
            lat_e6: i64::midpoint(self.south, self.north) as i32,
            lon_e6: i64::midpoint(self.west, self.east) as i32,
        }
    }
}

/// `part` of `whole` of a length; villages are counted in hundreds and lengths in 10⁸ units.
fn share(length: i64, part: usize, whole: usize) -> i64 {
    let count = |n| i64::try_from(n).unwrap_or(i64::MAX);
    length * count(part) / count(whole)
}

/// Gives every addressable region under the layout an outline and a place. Pseudo-units get none:
/// nobody may address them, and the towns around them cover their ground.
pub fn lay_out(regions: &mut [Region], layout: &str) -> Result<(), LayoutFault> {
    regions.sort_unstable_by_key(|region| region.code);
    for (at, text) in layout.lines().enumerate().skip(1) {
        let fault = |reason| LayoutFault { line: at + 1, reason };
        let fields: Vec<&str> = text.split(',').collect();
        let [code, west, south, east, north, rows] = fields[..] else {
            return Err(fault("six fields: district, west, south, east, north, rows"));
        };
        let district: RegionCode =
            code.parse().map_err(|_| fault("the district is a region code"))?;
        let unit = |text: &str| {
            let degrees: f64 = text.parse().map_err(|_| fault("a border is a number"))?;
            Ok((degrees * 1e6).round() as i64)
        };
        let block = Block {
            west: unit(west)?,
            south: unit(south)?,
            east: unit(east)?,
            north: unit(north)?,
        };
        let rows = rows
            .split('|')
            .map(|row| towns(district, row).ok_or_else(|| fault("a town is three digits")));
        let rows = rows.collect::<Result<Vec<_>, _>>()?;
        draw_district(regions, district, block, &rows);
    }
    draw_city(regions);
    Ok(())
}

fn towns(district: RegionCode, row: &str) -> Option<Vec<RegionCode>> {
    let town = |digits: &str| {
        let number: u64 = digits.parse().ok().filter(|_| digits.len() == 3)?;
        RegionCode::new(district.number() + number * 1_000).ok()
    };
    row.split(' ').map(town).collect()
}

fn draw_district(
    regions: &mut [Region],
    district: RegionCode,
    block: Block,
    rows: &[Vec<RegionCode>],
) {
    let count = |town: &RegionCode| villages(regions, *town).len();
    let counts: Vec<Vec<usize>> = rows.iter().map(|row| row.iter().map(count).collect()).collect();
    let whole: usize = counts.iter().flatten().sum();
    set(regions, district, block);
    let mut above = 0;
    for (row, counts) in rows.iter().zip(&counts) {
        let in_row: usize = counts.iter().sum();
        let strip = block.row(above, above + in_row, whole.max(1));
        above += in_row;
        let mut before = 0;
        for (town, count) in row.iter().zip(counts) {
            let cell = strip.column(before, before + count, in_row.max(1));
            before += count;
            draw_town(regions, *town, cell);
        }
    }
}

/// Villages in rows of nearly equal length, in the order of their codes.
fn draw_town(regions: &mut [Region], town: RegionCode, block: Block) {
    let villages = villages(regions, town);
    set(regions, town, block);
    let count = villages.len();
    let in_row = (1..=count).find(|side| side * side >= count).unwrap_or(1);
    let rows = count.div_ceil(in_row);
    for row in 0..rows {
        let (first, last) = (count * row / rows, count * (row + 1) / rows);
        let strip = block.row(row, row + 1, rows);
        for (at, village) in villages[first..last].iter().enumerate() {
            set(regions, *village, strip.column(at, at + 1, last - first));
        }
    }
}

/// A city gets the middle of its districts for a place, and no outline.
fn draw_city(regions: &mut [Region]) {
    let places: Vec<(RegionCode, Position)> = regions
        .iter()
        .filter(|region| region.code.level() == RegionLevel::District)
        .filter_map(|region| Some((region.code, region.place?)))
        .collect();
    for city in regions.iter_mut().filter(|region| region.code.level() == RegionLevel::City) {
        let own = || places.iter().filter(|(code, _)| city.code.contains(*code));
        let count = own().map(|_| 1_i64).sum::<i64>();
        let mean = |axis: fn(&Position) -> i32| {
            own().map(|(_, place)| i64::from(axis(place))).sum::<i64>() / count
        };
        if count > 0 {
            let (lat_e6, lon_e6) = (mean(|p| p.lat_e6) as i32, mean(|p| p.lon_e6) as i32);
            city.place = Some(Position { lat_e6, lon_e6 });
        }
    }
}

fn villages(regions: &[Region], town: RegionCode) -> Vec<RegionCode> {
    let is_drawn = |region: &&Region| {
        region.is_target
            && region.code.level() == RegionLevel::Village
            && town.contains(region.code)
    };
    regions.iter().filter(is_drawn).map(|region| region.code).collect()
}

fn set(regions: &mut [Region], code: RegionCode, block: Block) {
    if let Ok(at) = regions.binary_search_by_key(&code, |region| region.code) {
        regions[at].place = Some(block.middle());
        regions[at].ring = Some(block.ring());
    }
}

#[cfg(test)]
mod tests {
    use super::super::{RegionTree, xiamen};
    use super::*;

    #[test]
    fn every_addressable_village_has_a_cell_inside_its_town_and_pseudo_units_have_none() {
        let tree = RegionTree::new(xiamen());
        let villages = tree.iter().filter(|region| region.code.level() == RegionLevel::Village);
        let (mut drawn, mut pseudo) = (0, 0);
        for village in villages {
            let town = village.code.parent().and_then(|town| tree.get(town)).expect("its town");
            let Some(ring) = &village.ring else {
                assert!(!village.is_target && !town.is_target && town.ring.is_none());
                pseudo += 1;
                continue;
            };
            let outer = town.ring.as_deref().expect("a town with villages is drawn");
            assert!(ring.iter().all(|at| is_inside(*at, outer)), "{}", village.code);
            assert!(is_inside(village.place.expect("a place"), ring));
            drawn += 1;
        }
        assert_eq!((drawn, pseudo), (546, 9));
    }

    fn is_inside(at: Position, ring: &[Position]) -> bool {
        let (sw, ne) = (ring[0], ring[2]);
        (sw.lat_e6..=ne.lat_e6).contains(&at.lat_e6) && (sw.lon_e6..=ne.lon_e6).contains(&at.lon_e6)
    }

    #[test]
    fn the_three_towns_of_the_demonstration_meet_each_other() {
        let tree = RegionTree::new(xiamen());
        let ring = |code: &str| {
            let code = code.parse().expect("a code");
            let ring = tree.get(code).and_then(|region| region.ring.clone()).expect("drawn");
            (ring[0], ring[2])
        };
        let do_meet = |(a, b): (Position, Position), (c, d): (Position, Position)| {
            a.lat_e6 <= d.lat_e6
                && c.lat_e6 <= b.lat_e6
                && a.lon_e6 <= d.lon_e6
                && c.lon_e6 <= b.lon_e6
        };
        let (guankou, houxi, lianhua) =
            (ring("350211102000"), ring("350211103000"), ring("350212105000"));
        assert!(do_meet(guankou, houxi) && do_meet(guankou, lianhua) && do_meet(houxi, lianhua));
    }

    #[test]
    fn a_bad_layout_is_refused_with_its_line() {
        let refuse = |text: &str| lay_out(&mut xiamen(), text).expect_err("refused");
        assert_eq!(refuse("head\n1,2,3").line, 2);
        assert_eq!(refuse("head\n350203000000,a,24,118,25,001").reason, "a border is a number");
        assert_eq!(refuse("head\n350203000000,118,24,118,25,1").reason, "a town is three digits");
    }
}
