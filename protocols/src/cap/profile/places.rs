//! The places of all infos, each once.

use super::Asked;
use super::names::{AreaCode, AreaScheme, read_geocode};
use crate::cap::model::{Circle, Info, Polygon};

/// One area. Its codes and shapes add up.
#[derive(Debug, Clone, PartialEq)]
pub struct AreaMeaning {
    /// In the words of the first info.
    pub description: String,
    /// Codes, those of foreign schemes included.
    pub codes: Vec<AreaCode>,
    /// Shapes.
    pub polygons: Vec<Polygon>,
    /// Circles, points (radius 0) included.
    pub circles: Vec<Circle>,
}

impl AreaMeaning {
    fn is_same_place(&self, other: &Self) -> bool {
        (&self.codes, &self.polygons, &self.circles)
            == (&other.codes, &other.polygons, &other.circles)
            && (self.is_somewhere() || self.description == other.description)
    }

    fn is_somewhere(&self) -> bool {
        !self.polygons.is_empty()
            || self.circles.iter().any(|circle| circle.radius_km > 0.0)
            || self.codes.iter().any(|code| code.region.is_some())
    }
}

/// Whether the code names ground to be taken away, as one weather service writes the holes of its
/// polygons. It is not understood here, and must not be dropped.
fn takes_away(code: &AreaCode) -> bool {
    scheme_name(code).to_ascii_lowercase().contains("exclude")
}

fn scheme_name(code: &AreaCode) -> &str {
    match &code.scheme {
        AreaScheme::Foreign(name) => name,
        AreaScheme::Nbs | AreaScheme::Mca | AreaScheme::Unstated => "",
    }
}

/// Places kept of one message; the largest real one has a few hundred. Comparing each with each
/// stays cheap.
const AREAS_MAX: usize = 512;

/// The areas of all infos, those that several infos repeat once.
pub(super) fn areas(infos: &[Info], asked: &mut Vec<Asked>) -> Vec<AreaMeaning> {
    let mut areas: Vec<AreaMeaning> = Vec::new();
    let mut n_left_out = 0;
    for area in infos.iter().flat_map(|info| &info.areas) {
        let area = AreaMeaning {
            description: area.description.trim().to_owned(),
            codes: area.geocodes.iter().map(read_geocode).collect(),
            polygons: area.polygons.clone(),
            circles: area.circles.clone(),
        };
        if areas.iter().any(|known| known.is_same_place(&area)) {
            continue;
        }
        if areas.len() == AREAS_MAX {
            n_left_out += 1;
        } else {
            areas.push(area);
        }
    }
    let mut ask = |why_zh: String, why_en: String| asked.push(Asked::new("areas", why_zh, why_en));
    if areas.is_empty() {
        ask("没有 area，不知道发给谁".to_owned(), "there is no area: who is meant?".to_owned());
    }
    if n_left_out > 0 {
        ask(format!("地点过多，{n_left_out} 处未读取"), format!("{n_left_out} areas too many"));
    }
    for area in &areas {
        let name = &area.description;
        for code in area.codes.iter().filter(|code| takes_away(code)) {
            ask(
                format!("“{name}”的 geocode 写明要排除的范围，请在覆盖区域中排除"),
                format!("“{name}”: geocode {} takes away a part; exclude it", scheme_name(code)),
            );
        }
        if !area.is_somewhere() {
            ask(
                format!("“{name}”没有认识的代码或范围"),
                format!("“{name}” has no code that we know and no shape"),
            );
        }
        for code in &area.codes {
            let value = &code.value;
            match (&code.scheme, code.region) {
                (AreaScheme::Foreign(scheme), _) if !area.is_somewhere() => ask(
                    format!("“{name}”的代码 {value} 属于不认识的体系 {scheme}"),
                    format!("“{name}”: code {value} is of the foreign scheme {scheme}"),
                ),
                (AreaScheme::Nbs | AreaScheme::Mca | AreaScheme::Unstated, None) => ask(
                    format!("“{name}”的代码 {value} 不是区划代码"),
                    format!("“{name}”: {value} is not a region code"),
                ),
                (AreaScheme::Foreign(_), _)
                | (AreaScheme::Nbs | AreaScheme::Mca | AreaScheme::Unstated, Some(_)) => {}
            }
        }
    }
    areas
}
