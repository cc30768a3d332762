//! Composes the CAP 1.2 document by which an alert, or its end, is known outside, and keeps it.

use protocols::alert::AlertKey;
use protocols::cap;
use protocols::cap::model::{Circle, Point, Polygon};
use protocols::cap::profile::{Composition, Place, Words, compose};
use protocols::digest::Digest;
use protocols::hazard;
use protocols::speech::Language;

use super::AlertError;
use super::orders::Plan;
use crate::app::places::Places;
use crate::context::App;
use crate::domain::fault::Fault;
use crate::domain::targeting::RequestedArea;
use crate::store::Tx;
use crate::store::cap_documents::{Direction, insert};

/// Composes the document of `plan` and keeps it; gives its digest.
pub async fn keep(
    tx: &mut Tx,
    app: &App,
    plan: &Plan,
    words: &[Words],
    places: &Places,
    area: &RequestedArea,
) -> Result<Digest, AlertError> {
    let keys = plan.references.iter().map(|reference| reference.key.clone());
    let references = keys.collect::<Vec<AlertKey>>();
    let is_chinese = words.first().is_none_or(|words| words.language.starts_with("zh"));
    let language = if is_chinese { Language::Chinese } else { Language::English };
    let document = compose(&Composition {
        key: &plan.key,
        kind: plan.kind,
        purpose: plan.purpose,
        references: &references,
        color: plan.color,
        event: plan.event,
        is_move_out: plan.is_move_out,
        event_name: hazard::hazard(plan.event).name(language),
        expires_at: plan.expires,
        sender_name: &app.config.region.sender_name,
        words,
        places: &[place(places, area)],
    });
    let bytes = cap::write(&document).map_err(|error| {
        AlertError::Faults(vec![Fault::new(
            "",
            "cap-unwritable",
            format!("无法写成 CAP 文件：{error}"),
            format!("it can't be written as CAP: {error}"),
        )])
    })?;
    Ok(insert(tx, &bytes, Direction::Out, plan.sent).await?)
}

/// Names of an area's regions that its description lists; more are counted.
const NAMES_MAX: usize = 12;

fn place(places: &Places, area: &RequestedArea) -> Place {
    let name_of = |code: &protocols::region::RegionCode| {
        places.tree.get(*code).map_or_else(|| code.to_string(), |region| region.name.clone())
    };
    let mut names = area.regions.iter().take(NAMES_MAX).map(name_of).collect::<Vec<_>>();
    if area.regions.len() > NAMES_MAX {
        names.push(format!("等 {} 处", area.regions.len()));
    }
    if !area.polygons.is_empty() || !area.circles.is_empty() {
        names.push("图形范围".to_owned());
    }
    if !area.terminals.is_empty() {
        names.push(format!("{} 个终端", area.terminals.len()));
    }
    let mut name = names.join("、");
    if !area.excluded.is_empty() || !area.excluded_terminals.is_empty() {
        let excluded = area.excluded.iter().take(NAMES_MAX).map(name_of).collect::<Vec<_>>();
        name = format!("{name}（不含{}）", excluded.join("、"));
    }
    let point = |at: &crate::domain::targeting::GeoPoint| Point { lat: at.lat, lon: at.lon };
    let open = |ring: &Vec<crate::domain::targeting::GeoPoint>| {
        let mut vertices = ring.iter().map(point).collect::<Vec<_>>();
        if vertices.len() > 1 && vertices.first() == vertices.last() {
            vertices.pop();
        }
        Polygon { vertices }
    };
    let circle = |circle: &crate::domain::targeting::RequestedCircle| Circle {
        center: point(&circle.center),
        radius_km: f64::from(circle.radius_m) / 1_000.0,
    };
    Place {
        name,
        // CAP has no exclusions: whoever reads the codes must not warn who was left out.
        regions: places.tree.without(&area.regions, &area.excluded),
        polygons: area.polygons.iter().map(open).collect(),
        circles: area.circles.iter().map(circle).collect(),
    }
}
