//! Places: shapes that have an inside, and codes of a list that we know.

use crate::cap::finding::{Findings, Path};
use crate::cap::geometry::{Crossing, crossing, is_flat, is_wide};
use crate::cap::model::{Area, Circle, Polygon};
use crate::cap::profile::{AreaScheme, read_geocode};
use crate::cap::rules;

/// Half the circumference of the Earth: no circle is wider.
const RADIUS_KM_MAX: f64 = 20_038.0;

pub(super) fn check(
    area: &Area,
    path: Path<'_>,
    comparisons_left: &mut usize,
    findings: &mut Findings,
) {
    if area.description.trim().is_empty() {
        findings.add(&rules::TEXT_EMPTY, path.one("areaDesc"), "");
    }
    if area.polygons.is_empty() && area.circles.is_empty() && area.geocodes.is_empty() {
        findings.add(&rules::AREA_WORDS_ONLY, path, &area.description);
    }
    for (index, polygon) in area.polygons.iter().enumerate() {
        check_polygon(polygon, path.nth("polygon", index), comparisons_left, findings);
    }
    for (index, circle) in area.circles.iter().enumerate() {
        check_circle(circle, path.nth("circle", index), findings);
    }
    match (area.altitude, area.ceiling) {
        (None, Some(_)) => findings.add(&rules::CEILING_ALONE, path.one("ceiling"), ""),
        (Some(altitude), Some(ceiling)) if ceiling < altitude => {
            findings.add(&rules::CEILING_BELOW, path.one("ceiling"), "");
        }
        (_, None) | (Some(_), Some(_)) => {}
    }
    for (index, geocode) in area.geocodes.iter().enumerate() {
        let path = path.nth("geocode", index);
        let code = read_geocode(geocode);
        match (&code.scheme, code.region) {
            (AreaScheme::Foreign(name), _) => findings.add(&rules::GEOCODE_FOREIGN, path, name),
            (_, None) => findings.add(&rules::GEOCODE_MALFORMED, path.one("value"), &code.value),
            (AreaScheme::Unstated, Some(_)) => {
                findings.add(&rules::GEOCODE_UNSTATED, path, &code.value);
            }
            (AreaScheme::Nbs | AreaScheme::Mca, Some(_)) => {}
        }
    }
}

fn check_polygon(
    polygon: &Polygon,
    path: Path<'_>,
    comparisons_left: &mut usize,
    findings: &mut Findings,
) {
    if polygon.vertices.iter().any(|vertex| vertex.lon.abs() > 180.0) {
        findings.add(&rules::LONGITUDE_WRAPPED, path, "");
    }
    if is_wide(polygon) {
        findings.add(&rules::POLYGON_WIDE, path, "");
    }
    match crossing(polygon, comparisons_left) {
        Crossing::Simple if polygon.vertices.len() >= 3 && is_flat(polygon) => {
            findings.add(&rules::POLYGON_FLAT, path, "");
        }
        Crossing::Simple => {}
        Crossing::Crossed => findings.add(&rules::POLYGON_CROSSING, path, ""),
        Crossing::Unknown => findings.add(&rules::POLYGON_TOO_COMPLEX, path, ""),
    }
}

fn check_circle(circle: &Circle, path: Path<'_>, findings: &mut Findings) {
    if circle.center.lon.abs() > 180.0 {
        findings.add(&rules::LONGITUDE_WRAPPED, path, "");
    }
    if circle.radius_km == 0.0 {
        findings.add(&rules::CIRCLE_ZERO, path, "");
    }
    if circle.radius_km > RADIUS_KM_MAX {
        findings.add(&rules::CIRCLE_HUGE, path, "");
    }
}
