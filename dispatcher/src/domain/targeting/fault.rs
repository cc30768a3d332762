//! Why an area is refused, and what a person should know about one that is not.

use protocols::region::RegionCode;
use protocols::terminal::TerminalId;

use super::ring::RingFault;
use crate::domain::fault::Fault;

/// A refusal: which field, which rule. Texts in both languages from [`TargetFault::zh`] and
/// [`TargetFault::en`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {}", self.en())]
pub struct TargetFault {
    /// The field of the [`super::RequestedArea`], such as `polygons[2]`.
    pub field: String,
    /// The rule that it breaks.
    pub rule: TargetRule,
}

/// The rules of an area.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetRule {
    /// Nothing is named.
    Empty,
    /// What is named holds no terminal that is not excluded.
    NobodyThere,
    /// Too many of a kind.
    TooMany(usize),
    /// Not in the list of regions.
    UnknownRegion(RegionCode),
    /// A pseudo-unit, or a pseudo-town that holds nothing else.
    PseudoUnit(RegionCode),
    /// A region outside the authority's.
    RegionOutside(RegionCode, RegionCode),
    /// A terminal outside the authority's region.
    TerminalOutside(TerminalId, RegionCode),
    /// Not an enrolled terminal.
    UnknownTerminal(TerminalId),
    /// A polygon that is none.
    Ring(RingFault),
    /// A polygon wider than half the globe.
    Wide,
    /// A point off the globe.
    OffTheGlobe,
    /// A circle without a radius, or wider than a hemisphere.
    Radius,
    /// Even one village does not fit beside the texts.
    NoRoom(usize),
}

impl TargetFault {
    pub(super) fn new(field: impl Into<String>, rule: TargetRule) -> Self {
        Self { field: field.into(), rule }
    }

    /// The same as a problem names it, with the JSON pointer of the field below `area`, the pointer
    /// of the whole area.
    pub fn to_fault(&self, area: &str) -> Fault {
        let inner = match self.field.as_str() {
            "area" => String::new(),
            field => format!("/{}", field.replace('[', "/").replace(']', "")),
        };
        Fault::new(format!("{area}{inner}"), self.slug(), self.zh(), self.en())
    }

    /// A name for the rule that never changes.
    pub const fn slug(&self) -> &'static str {
        match self.rule {
            TargetRule::Empty => "area-empty",
            TargetRule::NobodyThere => "area-without-terminal",
            TargetRule::TooMany(_) => "area-too-many",
            TargetRule::UnknownRegion(_) => "region-unknown",
            TargetRule::PseudoUnit(_) => "region-pseudo-unit",
            TargetRule::RegionOutside(..) | TargetRule::TerminalOutside(..) => {
                "area-outside-authority"
            }
            TargetRule::UnknownTerminal(_) => "terminal-unknown",
            TargetRule::Ring(_) => "polygon-malformed",
            TargetRule::Wide => "polygon-too-wide",
            TargetRule::OffTheGlobe => "position-off-the-globe",
            TargetRule::Radius => "circle-without-radius",
            TargetRule::NoRoom(_) => "area-too-large",
        }
    }

    /// The reason in Chinese.
    pub fn zh(&self) -> String {
        match self.rule {
            TargetRule::Empty => "未指定任何区域、终端、多边形或圆；空区域绝不视为全部".to_owned(),
            TargetRule::NobodyThere => "所选范围（去掉排除部分后）没有任何已登记的终端".to_owned(),
            TargetRule::TooMany(max) => format!("最多 {max} 项"),
            TargetRule::UnknownRegion(code) => format!("区划代码 {code} 不在区划表中"),
            TargetRule::PseudoUnit(code) => format!(
                "{code} 是统计上的虚拟单位，不能单独作为播发对象；其居民由周围的镇、街道覆盖，请选择周围的镇、街道"
            ),
            TargetRule::RegionOutside(code, authority) => {
                format!("{code} 不在本级辖区 {authority} 之内")
            }
            TargetRule::TerminalOutside(id, authority) => {
                format!("范围内的终端 {id} 不在本级辖区 {authority} 之内")
            }
            TargetRule::UnknownTerminal(id) => format!("终端 {id} 未登记或已停用"),
            TargetRule::Ring(fault) => fault.zh(),
            TargetRule::Wide => {
                "多边形跨越经度超过 180 度（跨越日期变更线，或经纬度有误）".to_owned()
            }
            TargetRule::OffTheGlobe => "坐标超出范围：纬度 ±90，经度 ±180".to_owned(),
            TargetRule::Radius => "圆的半径须为 1 米至 10000 公里".to_owned(),
            TargetRule::NoRoom(bytes) => {
                format!("文本之外只剩 {bytes} 字节，连一个村的终端名单也放不下，请缩短文本")
            }
        }
    }

    /// The reason in English.
    pub fn en(&self) -> String {
        match self.rule {
            TargetRule::Empty => {
                "no region, terminal, polygon or circle is named; an empty area never means everyone"
                    .to_owned()
            }
            TargetRule::NobodyThere => {
                "what is named, less what is excluded, holds no enrolled terminal".to_owned()
            }
            TargetRule::TooMany(max) => format!("at most {max}"),
            TargetRule::UnknownRegion(code) => format!("{code} is not in the list of regions"),
            TargetRule::PseudoUnit(code) => format!(
                "{code} is a pseudo-unit of the statistics and no target; its people are covered by the town around it: name that town"
            ),
            TargetRule::RegionOutside(code, authority) => {
                format!("{code} lies outside the authority's region {authority}")
            }
            TargetRule::TerminalOutside(id, authority) => {
                format!("it covers terminal {id}, outside the authority's region {authority}")
            }
            TargetRule::UnknownTerminal(id) => format!("terminal {id} is not enrolled, or retired"),
            TargetRule::Ring(fault) => fault.to_string(),
            TargetRule::Wide => {
                "the polygon is wider than half the globe: across the date line, or a slip"
                    .to_owned()
            }
            TargetRule::OffTheGlobe => {
                "a latitude is within ±90 and a longitude within ±180".to_owned()
            }
            TargetRule::Radius => "a circle has a radius of 1 m to 10,000 km".to_owned(),
            TargetRule::NoRoom(bytes) => format!(
                "the texts leave {bytes} bytes, too few for the terminals of one village: shorten them"
            ),
        }
    }
}

/// What a person should know before issuing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TargetNote {
    /// A named region has no enrolled terminal.
    RegionWithoutTerminal(RegionCode),
    /// A named region is wholly excluded.
    RegionExcluded(RegionCode),
    /// An excluded region is a pseudo-unit: excluding it changes nothing.
    PseudoUnitExcluded(RegionCode),
    /// A shape covers no terminal that is not excluded.
    ShapeWithoutTerminal(String),
    /// A polygon was simplified outward by so many metres.
    ShapeGrown(String, u32),
    /// A shape is too intricate to travel: its terminals are listed one by one, and one enrolled
    /// after the issue is not included.
    ShapeByList(String),
    /// By the map a shape reaches beyond the authority's region, where it covers no terminal.
    ShapeBeyondAuthority(String),
    /// Terminals whose village has no known place and which have no position: shapes miss them.
    Unplaced(usize),
}

impl TargetNote {
    /// In Chinese.
    pub fn zh(&self) -> String {
        match self {
            Self::RegionWithoutTerminal(code) => format!("{code} 没有已登记的终端"),
            Self::RegionExcluded(code) => format!("{code} 已被整体排除"),
            Self::PseudoUnitExcluded(code) => format!("{code} 是虚拟单位，排除它没有效果"),
            Self::ShapeWithoutTerminal(field) => format!("{field} 未覆盖任何终端"),
            Self::ShapeGrown(field, m) => {
                format!("{field} 向外简化，最多外扩 {m} 米；外扩部分已登记的终端不播发")
            }
            Self::ShapeByList(field) => {
                format!("{field} 过于复杂，按终端名单下发；发布后新登记的终端不包括在内")
            }
            Self::ShapeBeyondAuthority(field) => {
                format!("{field} 按示意图超出本级辖区；超出部分没有终端")
            }
            Self::Unplaced(count) => {
                format!("{count} 个终端没有位置，所在村也没有代表点，不会被图形选中")
            }
        }
    }

    /// In English.
    pub fn en(&self) -> String {
        match self {
            Self::RegionWithoutTerminal(code) => format!("{code} has no enrolled terminal"),
            Self::RegionExcluded(code) => format!("{code} is wholly excluded"),
            Self::PseudoUnitExcluded(code) => {
                format!("{code} is a pseudo-unit: excluding it changes nothing")
            }
            Self::ShapeWithoutTerminal(field) => format!("{field} covers no terminal"),
            Self::ShapeGrown(field, m) => {
                format!(
                    "{field} was simplified outward by at most {m} m; terminals enrolled in that strip stay silent"
                )
            }
            Self::ShapeByList(field) => format!(
                "{field} is too intricate to travel; its terminals are listed, and one enrolled after the issue is not included"
            ),
            Self::ShapeBeyondAuthority(field) => format!(
                "by the map {field} reaches beyond the authority's region; it covers no terminal there"
            ),
            Self::Unplaced(count) => format!(
                "{count} terminals have no position and their villages no place: shapes miss them"
            ),
        }
    }
}
