//! From the meaning of a CAP message to the content of a draft, and the questions that stand open.
//!
//! Nothing is dropped in silence: what can't be placed is asked, and a message without any area is
//! refused before it gets here.

use jiff::{SignedDuration, Timestamp};
use protocols::alert::BroadcastKind;
use protocols::cap::model::Point;
use protocols::cap::profile::{AreaCode, AreaScheme, Asked, Meaning};
use protocols::limits;
use protocols::order::Purpose;
use protocols::region::{AliasTable, CodeMeaning, CodeScheme, RegionCode};

use crate::domain::alert::content::{AlertContent, AlertText, REPEATS_DEFAULT};
use crate::domain::fault::Fault;
use crate::domain::regions::{Region, RegionTree};
use crate::domain::targeting::{GeoPoint, RequestedArea, RequestedCircle};

/// What a message becomes.
#[derive(Debug, Clone, PartialEq)]
pub struct Incoming {
    /// The content of the draft.
    pub content: AlertContent,
    /// What an officer must answer.
    pub asked: Vec<Fault>,
}

/// The draft of a message. `kind` is what it is broadcast as; `sent` decides which aliases were
/// good when it was written.
pub fn draft(
    meaning: &Meaning,
    kind: BroadcastKind,
    sent: Timestamp,
    aliases: &AliasTable,
    authority: RegionCode,
) -> Incoming {
    let mut asked = meaning.asked.iter().map(question).collect::<Vec<_>>();
    let area = area(meaning, sent, aliases, authority, &mut asked);
    if area.is_empty() && !asked.iter().any(|fault| fault.pointer == "/area") {
        asked.push(Fault::new(
            "/area",
            "area-unresolved",
            "覆盖区域无法对应到本平台的区划，请确认",
            "the area could not be matched with regions of this dispatcher",
        ));
    }
    let longest = SignedDuration::from_hours(limits::EXPIRY_MAX_H);
    if meaning.expires_at.duration_since(sent) > longest {
        asked.push(Fault::new(
            "/expires_at",
            "expiry-too-late",
            "失效时间超过 72 小时，请改短",
            "the expiry is more than 72 hours ahead: choose an earlier one",
        ));
    }
    if !meaning.languages_left_out.is_empty() {
        let left_out = meaning.languages_left_out.join(", ");
        asked.push(Fault::new(
            "/texts",
            "languages-left-out",
            format!("最多三种语言，未采用：{left_out}"),
            format!("at most three languages; left out: {left_out}"),
        ));
    }
    if kind == BroadcastKind::Exercise {
        asked.push(Fault::new(
            "/drill",
            "drill-names-exercise",
            "演练信息须补充演练编号",
            "an exercise needs the number of its drill",
        ));
    }
    let texts = meaning.words.iter().map(|words| AlertText {
        language: words.language.clone(),
        headline: words.headline.clone(),
        description: words.description.clone(),
        instruction: words.instruction.clone(),
    });
    let content = AlertContent {
        kind,
        color: meaning.color,
        event: meaning.event,
        is_move_out: meaning.is_move_out,
        texts: texts.collect(),
        area,
        expires_at: Some(meaning.expires_at),
        repeats: REPEATS_DEFAULT,
        play_at: None,
        wants_out_of_area: false,
        drill: None,
        is_minor: meaning.purpose == Some(Purpose::MinorUpdate),
    };
    Incoming { content, asked }
}

/// What is asked about regions that no loudspeaker may be addressed by.
pub fn pseudo_units(area: &RequestedArea, tree: &RegionTree) -> Vec<Fault> {
    let named = area.regions.iter().filter_map(|code| tree.get(*code));
    let pseudo = named.filter(|region| !region.is_target);
    let question = |region: &Region| {
        let (code, name) = (region.code, &region.name);
        Fault::new(
            "/area",
            "region-pseudo-unit",
            format!("{code} {name} 是统计上的虚拟单位，居民由周围的镇、街道覆盖，请改选"),
            format!(
                "{code} is a pseudo-unit: its people are covered by the town around it; choose that"
            ),
        )
    };
    pseudo.map(question).collect()
}

fn question(asked: &Asked) -> Fault {
    let pointer = match asked.field {
        "color" => "/color",
        "event" => "/event",
        "areas" => "/area",
        "words" => "/texts",
        "effective" => "/play_at",
        other => return Fault::new(format!("/{other}"), "asked", &asked.why_zh, &asked.why_en),
    };
    Fault::new(pointer, "asked", &asked.why_zh, &asked.why_en)
}

fn area(
    meaning: &Meaning,
    sent: Timestamp,
    aliases: &AliasTable,
    authority: RegionCode,
    asked: &mut Vec<Fault>,
) -> RequestedArea {
    let mut area = RequestedArea::default();
    for place in &meaning.areas {
        for code in &place.codes {
            match region(code, sent, aliases, authority) {
                Ok(Some(region)) => area.regions.push(region),
                Ok(None) => {}
                Err(question) => asked.push(question),
            }
        }
        let point = |at: &Point| GeoPoint { lat: at.lat, lon: at.lon };
        let rings = place.polygons.iter();
        area.polygons.extend(rings.map(|ring| ring.vertices.iter().map(point).collect()));
        let circles = place.circles.iter().filter(|circle| circle.radius_km > 0.0);
        area.circles.extend(circles.map(|circle| RequestedCircle {
            center: point(&circle.center),
            // Never smaller than it was drawn.
            radius_m: (circle.radius_km * 1_000.0).ceil().clamp(1.0, f64::from(u32::MAX)) as u32,
        }));
    }
    area.regions.sort_unstable();
    area.regions.dedup();
    area
}

/// The region that a code names, `None` for a code of another purpose, or the question about it.
fn region(
    code: &AreaCode,
    sent: Timestamp,
    aliases: &AliasTable,
    authority: RegionCode,
) -> Result<Option<RegionCode>, Fault> {
    let scheme = match &code.scheme {
        AreaScheme::Nbs => CodeScheme::Nbs,
        AreaScheme::Mca => CodeScheme::Mca,
        AreaScheme::Unstated => CodeScheme::Unstated,
        AreaScheme::Foreign(_) => return Ok(None),
    };
    let value = &code.value;
    let ask = |rule: &str, zh: String, en: String| Err(Fault::new("/area", rule, zh, en));
    match aliases.resolve(scheme, value, sent) {
        CodeMeaning::Resolved(region) if authority.contains(region) => Ok(Some(region)),
        CodeMeaning::Resolved(region) => ask(
            "area-outside-authority",
            format!("代码 {value}（{region}）不在本级辖区 {authority} 之内，未列入"),
            format!("code {value} ({region}) lies outside {authority} and is left out"),
        ),
        CodeMeaning::Ambiguous { nbs, mca } => ask(
            "region-ambiguous",
            format!(
                "代码 {value} 未注明体系：统计用区划代码为 {nbs}，民政部代码为 {mca}，请确认是哪一个"
            ),
            format!("code {value} comes without its list: {nbs} by NBS, {mca} by MCA; which one?"),
        ),
        CodeMeaning::Unknown => ask(
            "region-unknown",
            format!("代码 {value} 不在区划表中"),
            format!("code {value} is not in the list of regions"),
        ),
    }
}
