//! The agreed names: which `valueName` means which list, and the words for colours. The same table
//! stands in `docs/cap.md`.

use crate::alert::{AlertColor, EventCode};
use crate::cap::model::NamedValue;
use crate::cap::vocabulary::Severity;
use crate::region::RegionCode;

/// The geocode name that CAP out writes: the 12-digit code of the National Bureau of Statistics.
pub const GEOCODE_NBS: &str = "NBS";

/// The event code name that CAP out writes.
pub const EVENT_CODE_NAME: &str = "GB/T 35561-2017";

/// The parameter for the colour that CAP out writes: `red`, `orange`, `yellow`, `blue`, `none`.
pub const PARAMETER_COLOR: &str = "tongluo:color";

/// The parameter for the way a Cancel ends an alert: `lifted` or `withdrawn`.
pub const PARAMETER_CLOSURE: &str = "tongluo:closure";

/// The parameter of an Update of no consequence for the listener: `true`.
pub const PARAMETER_MINOR_CHANGE: &str = "tongluo:minor_change";

/// Which list a region code is from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum AreaScheme {
    /// National Bureau of Statistics, 12 digits.
    Nbs,
    /// Ministry of Civil Affairs (GB/T 2260 with GB/T 10114), filled up to 12 digits.
    Mca,
    /// A region code whose list is not said: good only where both lists name the same place.
    Unstated,
    /// Another country's, or another purpose's.
    Foreign(String),
}

/// A geocode as we read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AreaCode {
    /// Which list.
    pub scheme: AreaScheme,
    /// The code as it stood, without white space around it.
    pub value: String,
    /// The same with 12 digits, in a scheme of ours and of a region's form. It may be in no list.
    pub region: Option<RegionCode>,
}

/// Reads a geocode. 6 and 9 digits are filled up with zeros; nothing else is guessed.
pub fn read_geocode(geocode: &NamedValue) -> AreaCode {
    let scheme = area_scheme(&geocode.name);
    let value = geocode.value.trim().to_owned();
    let region = match scheme {
        AreaScheme::Foreign(_) => None,
        AreaScheme::Nbs | AreaScheme::Mca | AreaScheme::Unstated => match value.len() {
            6 | 9 => format!("{value:0<12}").parse().ok(),
            _ => value.parse().ok(),
        },
    };
    AreaCode { scheme, value, region }
}

fn area_scheme(name: &str) -> AreaScheme {
    let folded = fold(name);
    let is_of = |stem: &str| {
        // A year may follow: `NBS-2023`.
        folded.strip_prefix(stem).is_some_and(|rest| {
            rest.is_empty() || rest.len() == 4 && rest.bytes().all(|b| b.is_ascii_digit())
        })
    };
    let nbs = ["nbs", "tongluo:nbs", "统计用区划代码", "国家统计局", "stats.gov.cn"];
    let mca = [
        "mca",
        "tongluo:mca",
        "民政部",
        "gb/t2260",
        "gb/t10114",
        "gbt2260",
        "gbt10114",
        "mca.gov.cn",
    ];
    let unstated = [
        "",
        "code",
        "geocode",
        "areacode",
        "regioncode",
        "adcode",
        "行政区划代码",
        "区划代码",
        "行政区划",
        "cpeasgeographiccode",
        "cpeas",
        "12379",
    ];
    if nbs.into_iter().any(is_of) {
        AreaScheme::Nbs
    } else if mca.into_iter().any(is_of) {
        AreaScheme::Mca
    } else if unstated.contains(&folded.as_str()) {
        AreaScheme::Unstated
    } else {
        AreaScheme::Foreign(name.trim().to_owned())
    }
}

/// Lower case without blanks, hyphens and underscores: names are compared so.
fn fold(name: &str) -> String {
    name.chars()
        .filter(|c| !c.is_whitespace() && !matches!(c, '-' | '_'))
        .flat_map(char::to_lowercase)
        .collect()
}

/// The event of GB/T 35561 in an event code, if it is one.
pub(super) fn read_event_code(code: &NamedValue) -> Option<EventCode> {
    let name = fold(&code.name);
    let rest =
        ["gb/t35561", "gbt35561", "gb35561"].iter().find_map(|stem| name.strip_prefix(stem))?;
    let is_year = rest.is_empty() || rest.len() == 4 && rest.bytes().all(|b| b.is_ascii_digit());
    is_year.then(|| code.value.trim().parse().ok()).flatten()
}

/// Whether the event code says that this is a test, whatever the status says.
pub(super) fn is_test_code(code: &NamedValue) -> bool {
    let name = fold(&code.name);
    let value = code.value.trim();
    let is_same = name == "same" || name.starts_with("same:");
    let is_canadian = name.starts_with("profile:capcp:event");
    is_same && ["RMT", "RWT", "NPT", "DMO", "NMN"].contains(&value.to_ascii_uppercase().as_str())
        || is_canadian && ["testmessage", "test"].contains(&value.to_ascii_lowercase().as_str())
}

/// Whether the parameter states a colour.
pub(super) fn is_color_name(name: &str) -> bool {
    ["tongluo:color", "color", "alertcolor", "colorcode", "预警颜色", "预警信号颜色"]
        .contains(&fold(name).as_str())
}

/// A value is not the word of a colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NotAColor;

/// The colour a parameter states; `None` is a notice without colour.
pub(super) fn read_color(value: &str) -> Result<Option<AlertColor>, NotAColor> {
    let folded = fold(value);
    let stem = folded.trim_end_matches(['色', '預', '预', '警']);
    match stem {
        "red" | "红" | "紅" => Ok(Some(AlertColor::Red)),
        "orange" | "橙" => Ok(Some(AlertColor::Orange)),
        "yellow" | "黄" | "黃" => Ok(Some(AlertColor::Yellow)),
        "blue" | "蓝" | "藍" => Ok(Some(AlertColor::Blue)),
        "none" | "无" => Ok(None),
        _ => Err(NotAColor),
    }
}

/// The word of a colour in CAP out.
pub(super) const fn color_word(color: Option<AlertColor>) -> &'static str {
    match color {
        Some(AlertColor::Red) => "red",
        Some(AlertColor::Orange) => "orange",
        Some(AlertColor::Yellow) => "yellow",
        Some(AlertColor::Blue) => "blue",
        None => "none",
    }
}

/// The colour that stands for a severity; an unknown one is asked.
pub(super) const fn color_of(severity: Severity) -> Option<AlertColor> {
    match severity {
        Severity::Extreme => Some(AlertColor::Red),
        Severity::Severe => Some(AlertColor::Orange),
        Severity::Moderate => Some(AlertColor::Yellow),
        Severity::Minor => Some(AlertColor::Blue),
        Severity::Unknown => None,
    }
}

/// The severity that stands for a colour.
pub(super) const fn severity_of(color: Option<AlertColor>) -> Severity {
    match color {
        Some(AlertColor::Red) => Severity::Extreme,
        Some(AlertColor::Orange) => Severity::Severe,
        Some(AlertColor::Yellow) => Severity::Moderate,
        Some(AlertColor::Blue) => Severity::Minor,
        None => Severity::Unknown,
    }
}

/// Whether a parameter says that an update changes nothing for the listener. The Canadian name is
/// followed by the kind of the change.
pub(super) fn is_minor_change(parameter: &NamedValue) -> bool {
    let name = fold(&parameter.name);
    let value = fold(&parameter.value);
    let is_ours = name == fold(PARAMETER_MINOR_CHANGE) && matches!(value.as_str(), "true" | "yes");
    let is_canadian = name.starts_with("profile:capcp:") && name.ends_with(":minorchange");
    is_ours || is_canadian && !matches!(value.as_str(), "" | "none" | "no" | "false")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(name: &str, value: &str) -> AreaCode {
        read_geocode(&NamedValue { name: name.to_owned(), value: value.to_owned() })
    }

    #[test]
    fn lists_are_told_by_their_names() {
        for name in ["NBS", "nbs-2023", " NBS 2023 ", "统计用区划代码"] {
            assert_eq!(code(name, "350211102000").scheme, AreaScheme::Nbs, "{name}");
        }
        for name in ["MCA", "GB/T 2260", "GB/T 2260-2007", "民政部"] {
            assert_eq!(code(name, "350211").scheme, AreaScheme::Mca, "{name}");
        }
        for name in ["", "CPEAS Geographic Code", "行政区划代码", "geocode"] {
            assert_eq!(code(name, "350211000000").scheme, AreaScheme::Unstated, "{name}");
        }
        assert_eq!(code("UGC", "NVC013").scheme, AreaScheme::Foreign("UGC".to_owned()));
    }

    #[test]
    fn short_codes_are_filled_up_and_nonsense_is_no_region() {
        assert_eq!(code("GB/T 2260", "350211").region, "350211000000".parse().ok());
        assert_eq!(code("MCA", "350213003").region, "350213003000".parse().ok());
        assert_eq!(code("NBS", "3502").region, None);
        assert_eq!(code("NBS", "350211000001").region, None);
        assert_eq!(code("UGC", "350211000000").region, None);
    }

    #[test]
    fn colours_are_read_in_three_scripts() {
        assert_eq!(read_color("Red"), Ok(Some(AlertColor::Red)));
        assert_eq!(read_color("橙色"), Ok(Some(AlertColor::Orange)));
        assert_eq!(read_color("黃色"), Ok(Some(AlertColor::Yellow)));
        assert_eq!(read_color("蓝色预警"), Ok(Some(AlertColor::Blue)));
        assert_eq!(read_color("none"), Ok(None));
        assert_eq!(read_color("purple"), Err(NotAColor));
    }
}
