//! Lists of regions and of the ministry's codes, read from CSV. Every bad line is named with its
//! number, field and reason; one bad line refuses the whole list.

use std::collections::BTreeMap;
use std::str::FromStr;

use jiff::civil::Date;
use protocols::area::Position;
use protocols::region::{Alias, AliasTable, McaCode, RegionCode, RegionLevel};

use super::tree::Region;

/// Faults reported of one list; a wrong file breaks a rule in every line.
const FAULTS_MAX: usize = 100;
/// Vertices of one outline.
const RING_VERTICES_MAX: usize = 5_000;
/// Bytes (UTF-8) of a name.
const NAME_BYTES_MAX: usize = 200;

/// Which of the two lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListKind {
    /// Regions.
    Regions,
    /// Aliases.
    Aliases,
}

/// One line that is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, {field}: {reason_zh} / {reason_en}")]
pub struct ListFault {
    /// The line, from 1 (the header); 0 for the list as a whole.
    pub line: u64,
    /// The column.
    pub field: String,
    /// Why, in Chinese.
    pub reason_zh: String,
    /// Why, in English.
    pub reason_en: String,
}

/// One alias with the name that the ministry gives the place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AliasRow {
    /// The alias.
    pub alias: Alias,
    /// The ministry's name.
    pub name: String,
}

/// Reads a list of regions. The result is in the order of the codes, every region's parent in it.
pub fn parse_regions(text: &[u8]) -> Result<Vec<Region>, Vec<ListFault>> {
    let mut sheet = Sheet::open(text, &["code", "name", "level", "kind", "is_target"])?;
    let mut regions: BTreeMap<RegionCode, (u64, Region)> = BTreeMap::new();
    for row in sheet.rows() {
        let Some(region) = sheet.region(&row) else { continue };
        if regions.contains_key(&region.code) {
            sheet.refuse(row.line, "code", "代码重复", "the code stands in the list twice");
            continue;
        }
        regions.insert(region.code, (row.line, region));
    }
    for (code, (line, region)) in &regions {
        let Some(parent) = code.parent() else { continue };
        match regions.get(&parent) {
            None => {
                let zh = format!("上级 {parent} 不在表中");
                sheet.refuse(
                    *line,
                    "code",
                    &zh,
                    &format!("its parent {parent} is not in the list"),
                );
            }
            Some((_, parent)) if region.is_target && !parent.is_target => {
                let zh = "上级是虚拟单位，下级不能作为播发对象";
                sheet.refuse(*line, "is_target", zh, "a part of a pseudo-unit is no target");
            }
            Some(_) => {}
        }
    }
    if regions.is_empty() && sheet.faults.is_empty() {
        sheet.refuse(0, "code", "表中没有任何区划", "the list names no region");
    }
    sheet.close(regions.into_values().map(|(_, region)| region).collect())
}

/// Reads the ministry's codes for these regions.
pub fn parse_aliases(
    text: &[u8],
    regions: impl IntoIterator<Item = RegionCode>,
) -> Result<Vec<AliasRow>, Vec<ListFault>> {
    let mut sheet = Sheet::open(text, &["code", "region", "name", "valid_from", "valid_until"])?;
    let mut table = AliasTable::new(regions);
    let mut rows = Vec::new();
    for row in sheet.rows() {
        let Some(alias) = sheet.alias(&row) else { continue };
        match table.add(alias.alias) {
            Ok(()) => rows.push(alias),
            Err(fault) => {
                let en = fault.to_string();
                sheet.refuse(row.line, "code", &format!("与区划表或其他行矛盾（{en}）"), &en);
            }
        }
    }
    sheet.close(rows)
}

struct Row {
    line: u64,
    record: csv::StringRecord,
}

struct Sheet {
    columns: BTreeMap<String, usize>,
    records: Vec<Row>,
    faults: Vec<ListFault>,
}

impl Sheet {
    fn open(text: &[u8], required: &[&str]) -> Result<Self, Vec<ListFault>> {
        let text = text.strip_prefix("\u{feff}".as_bytes()).unwrap_or(text);
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text);
        let mut sheet = Self { columns: BTreeMap::new(), records: Vec::new(), faults: Vec::new() };
        match reader.headers() {
            Ok(headers) => {
                let named = headers.iter().enumerate();
                sheet.columns = named.map(|(at, name)| (name.trim().to_owned(), at)).collect();
            }
            Err(_) => sheet.refuse(1, "header", "不是 UTF-8 文本", "not UTF-8 text"),
        }
        for column in required {
            if !sheet.columns.contains_key(*column) {
                sheet.refuse(1, column, "缺少该列", "the column is missing");
            }
        }
        let known = ["name_en", "lat", "lon", "ring"];
        let columns: Vec<String> = sheet.columns.keys().cloned().collect();
        for column in columns {
            if !required.contains(&column.as_str()) && !known.contains(&column.as_str()) {
                sheet.refuse(1, &column, "未知的列", "the column is unknown");
            }
        }
        if !sheet.faults.is_empty() {
            return Err(sheet.faults);
        }
        for record in reader.records() {
            match record {
                Ok(record) => {
                    let line = record.position().map_or(0, csv::Position::line);
                    if record.len() == sheet.columns.len() {
                        sheet.records.push(Row { line, record });
                    } else {
                        sheet.refuse(
                            line,
                            "line",
                            "列数与表头不符",
                            "not as many fields as columns",
                        );
                    }
                }
                Err(error) => {
                    let line = error.position().map_or(0, csv::Position::line);
                    sheet.refuse(line, "line", "不是 UTF-8 CSV", "not UTF-8 CSV");
                }
            }
        }
        Ok(sheet)
    }

    fn rows(&mut self) -> Vec<Row> {
        std::mem::take(&mut self.records)
    }

    fn refuse(&mut self, line: u64, field: &str, zh: &str, en: &str) {
        if self.faults.len() < FAULTS_MAX {
            self.faults.push(ListFault {
                line,
                field: field.to_owned(),
                reason_zh: zh.to_owned(),
                reason_en: en.to_owned(),
            });
        }
    }

    fn close<T>(self, rows: Vec<T>) -> Result<Vec<T>, Vec<ListFault>> {
        if self.faults.is_empty() { Ok(rows) } else { Err(self.faults) }
    }

    fn text<'r>(&self, row: &'r Row, column: &str) -> &'r str {
        self.columns.get(column).and_then(|at| row.record.get(*at)).unwrap_or("").trim()
    }

    fn code<T: FromStr>(&mut self, row: &Row, column: &str) -> Option<T>
    where
        T::Err: std::fmt::Display,
    {
        match self.text(row, column).parse() {
            Ok(code) => Some(code),
            Err(error) => {
                let zh = "不是市、区、镇街或村级的 12 位区划代码";
                self.refuse(row.line, column, zh, &error.to_string());
                None
            }
        }
    }

    fn name(&mut self, row: &Row, column: &str) -> Option<String> {
        let name = self.text(row, column);
        if name.is_empty() || name.len() > NAME_BYTES_MAX {
            let (zh, en) = ("名称须为 1 至 200 字节", "a name has 1 to 200 bytes");
            self.refuse(row.line, column, zh, en);
            return None;
        }
        Some(name.to_owned())
    }

    fn region(&mut self, row: &Row) -> Option<Region> {
        let code: RegionCode = self.code(row, "code")?;
        let level = match code.level() {
            RegionLevel::City => "city",
            RegionLevel::District => "district",
            RegionLevel::Town => "town",
            RegionLevel::Village => "village",
        };
        if self.text(row, "level") != level {
            let zh = format!("该代码的级别是 {level}");
            self.refuse(row.line, "level", &zh, &format!("a code of this form is a {level}"));
            return None;
        }
        let is_target = match self.text(row, "is_target") {
            "1" => true,
            "0" => false,
            _ => {
                self.refuse(row.line, "is_target", "须为 0 或 1", "is 0 or 1");
                return None;
            }
        };
        let name = self.name(row, "name")?;
        let kind = self.name(row, "kind")?;
        let name_en = Some(self.text(row, "name_en").to_owned()).filter(|name| !name.is_empty());
        let place = self.place(row).ok()?;
        let ring = self.ring(row).ok()?;
        Some(Region { code, name, name_en, kind, is_target, place, ring })
    }

    fn place(&mut self, row: &Row) -> Result<Option<Position>, ()> {
        let (lat, lon) = (self.text(row, "lat"), self.text(row, "lon"));
        if lat.is_empty() && lon.is_empty() {
            return Ok(None);
        }
        let numbers = lat.parse().ok().zip(lon.parse().ok());
        let place = numbers.and_then(|(lat, lon)| Position::from_degrees(lat, lon));
        if place.is_none() {
            let zh = "经纬度须成对，且为 WGS 84 度数";
            self.refuse(row.line, "lat", zh, "lat and lon are degrees, and come together");
            return Err(());
        }
        Ok(place)
    }

    fn ring(&mut self, row: &Row) -> Result<Option<Vec<Position>>, ()> {
        let text = self.text(row, "ring");
        if text.is_empty() {
            return Ok(None);
        }
        let points: Option<Vec<[f64; 2]>> = serde_json::from_str(text).ok();
        let ring: Option<Vec<Position>> = points.and_then(|points| {
            points.iter().map(|[lon, lat]| Position::from_degrees(*lat, *lon)).collect()
        });
        match ring {
            Some(ring) if (3..=RING_VERTICES_MAX).contains(&ring.len()) => Ok(Some(ring)),
            Some(_) | None => {
                let zh = "轮廓须为 [[经度,纬度],…]，3 至 5000 个顶点";
                let en = "an outline is [[lon,lat],…] with 3 to 5,000 vertices";
                self.refuse(row.line, "ring", zh, en);
                Err(())
            }
        }
    }

    fn alias(&mut self, row: &Row) -> Option<AliasRow> {
        let code: McaCode = self.code(row, "code")?;
        let region: RegionCode = self.code(row, "region")?;
        let name = self.name(row, "name")?;
        let valid_from = self.day(row, "valid_from").ok()?.unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        let valid_until = self.day(row, "valid_until").ok()?;
        Some(AliasRow { alias: Alias { code, region, valid_from, valid_until }, name })
    }

    /// The first instant of a civil day in China, where the lists are made.
    fn day(&mut self, row: &Row, column: &str) -> Result<Option<jiff::Timestamp>, ()> {
        let text = self.text(row, column);
        if text.is_empty() {
            return Ok(None);
        }
        let china = jiff::tz::TimeZone::fixed(jiff::tz::offset(8));
        let day = text.parse::<Date>().ok().and_then(|day| day.to_zoned(china).ok());
        if day.is_none() {
            let (zh, en) = ("须为 YYYY-MM-DD 或留空", "a day is YYYY-MM-DD, or empty");
            self.refuse(row.line, column, zh, en);
            return Err(());
        }
        Ok(day.map(|day| day.timestamp()))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{XIAMEN_ALIASES, XIAMEN_REGIONS};
    use super::*;

    #[test]
    fn the_shipped_lists_hold_xiamen() {
        let regions = parse_regions(XIAMEN_REGIONS.as_bytes()).expect("good");
        let count = |level, is_target| {
            let is_counted = |r: &&Region| r.code.level() == level && r.is_target == is_target;
            regions.iter().filter(is_counted).count()
        };
        assert_eq!(count(RegionLevel::City, true), 1);
        assert_eq!(count(RegionLevel::District, true), 6);
        assert_eq!((count(RegionLevel::Town, true), count(RegionLevel::Town, false)), (45, 9));
        assert_eq!(
            (count(RegionLevel::Village, true), count(RegionLevel::Village, false)),
            (546, 9)
        );
        let aliases = parse_aliases(XIAMEN_ALIASES.as_bytes(), regions.iter().map(|r| r.code));
        let aliases = aliases.expect("good");
        assert_eq!(aliases.len(), 52);
        for row in aliases {
            let region = regions.iter().find(|r| r.code == row.alias.region).expect("known");
            assert_eq!(region.name, row.name, "both lists name the same place");
        }
    }

    #[test]
    fn each_bad_line_is_named_with_its_number_field_and_reason() {
        let list = "code,name,name_en,level,kind,is_target\n\
            350200000000,厦门市,,city,市,1\n\
            3502,短,,city,市,1\n\
            350211000000,集美区,,town,区,1\n\
            350212000000,,,district,区,1\n\
            350213000000,翔安区,,district,区,yes\n\
            350200000000,厦门市,,city,市,1\n\
            350299001000,孤镇,,town,镇,1\n\
            350205000000,少一列,,district\n";
        let faults = parse_regions(list.as_bytes()).expect_err("refused");
        let named: Vec<(u64, &str)> =
            faults.iter().map(|fault| (fault.line, fault.field.as_str())).collect();
        assert_eq!(
            named,
            [
                (9, "line"),
                (3, "code"),
                (4, "level"),
                (5, "name"),
                (6, "is_target"),
                (7, "code"),
                (8, "code")
            ]
        );
        assert!(faults.iter().all(|f| !f.reason_zh.is_empty() && !f.reason_en.is_empty()));
    }

    #[test]
    fn a_header_without_a_column_or_with_a_strange_one_is_refused() {
        let faults = parse_regions(b"code,name,level,kind,colour\n").expect_err("refused");
        let fields: Vec<&str> = faults.iter().map(|fault| fault.field.as_str()).collect();
        assert_eq!(fields, ["is_target", "colour"]);
        assert!(parse_regions(b"").is_err());
        assert!(parse_regions(b"code,name,level,kind,is_target\n").is_err());
    }

    #[test]
    fn an_alias_of_an_unknown_region_or_a_wrong_day_is_refused() {
        let regions = parse_regions(XIAMEN_REGIONS.as_bytes()).expect("good");
        let list = "code,region,name,valid_from,valid_until\n\
            350213003000,350213005000,民安街道,2021-02-30,\n\
            350299000000,350299000000,无,,\n\
            350213005000,350213003000,新店街道,2021-01-01,2022-01-01\n\
            350213005000,350213005000,民安街道,2021-06-01,\n";
        let faults = parse_aliases(list.as_bytes(), regions.iter().map(|r| r.code));
        let faults = faults.expect_err("refused");
        let named: Vec<(u64, &str)> =
            faults.iter().map(|fault| (fault.line, fault.field.as_str())).collect();
        assert_eq!(named, [(2, "valid_from"), (3, "code"), (5, "code")]);
    }
}
