//! `polygon` and `circle`: their text form, and whether a ring crosses itself.

use super::encoding::Refusal;
use super::model::{Circle, Point, Polygon};
use super::rules;

/// Reads `lat,lon lat,lon …`, and whether the last point repeats the first. An open ring is
/// closed.
pub(super) fn parse_polygon(text: &str) -> Result<(Polygon, bool), Refusal> {
    let mut vertices = Vec::new();
    for pair in text.split_whitespace() {
        let point = parse_point(pair).ok_or((&rules::POLYGON_MALFORMED, pair.to_owned()))?;
        if !is_on_globe(point) {
            return Err((&rules::OFF_GLOBE, pair.to_owned()));
        }
        vertices.push(point);
    }
    let is_closed = vertices.len() > 1 && vertices.first() == vertices.last();
    if is_closed {
        vertices.pop();
    }
    Ok((Polygon { vertices }, is_closed))
}

/// Reads `lat,lon radius`.
pub(super) fn parse_circle(text: &str) -> Result<Circle, Refusal> {
    let malformed = || (&rules::CIRCLE_MALFORMED, text.to_owned());
    let mut parts = text.split_whitespace();
    let (Some(center), Some(radius), None) = (parts.next(), parts.next(), parts.next()) else {
        return Err(malformed());
    };
    let center = parse_point(center).ok_or_else(malformed)?;
    let radius_km = parse_number(radius).filter(|km| *km >= 0.0).ok_or_else(malformed)?;
    if !is_on_globe(center) {
        return Err((&rules::OFF_GLOBE, text.to_owned()));
    }
    Ok(Circle { center, radius_km })
}

fn parse_point(pair: &str) -> Option<Point> {
    let (lat, lon) = pair.split_once(',')?;
    Some(Point { lat: parse_number(lat)?, lon: parse_number(lon)? })
}

/// A finite number in digits; the words that floating point knows are none.
fn parse_number(text: &str) -> Option<f64> {
    let is_number = text.bytes().any(|byte| byte.is_ascii_digit());
    text.parse::<f64>().ok().filter(|number| is_number && number.is_finite())
}

fn is_on_globe(point: Point) -> bool {
    point.lat.abs() <= 90.0 && point.lon.abs() <= 360.0
}

/// What came of looking for crossings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Crossing {
    /// None.
    Simple,
    /// Two edges cross.
    Crossed,
    /// The budget ran out first.
    Unknown,
}

/// Looks for two edges of the ring that cross. Rings that only touch themselves pass: real ones,
/// rounded to four digits, do. `budget` is the number of comparisons left for the document.
pub(super) fn crossing(polygon: &Polygon, budget: &mut usize) -> Crossing {
    let vertices = &polygon.vertices;
    let n_edges = vertices.len();
    if n_edges < 4 {
        return Crossing::Simple;
    }
    let edge = |index: usize| (vertices[index], vertices[(index + 1) % n_edges]);
    let west = |(a, b): (Point, Point)| a.lon.min(b.lon);
    let east = |(a, b): (Point, Point)| a.lon.max(b.lon);
    let mut order = (0..n_edges).collect::<Vec<_>>();
    order.sort_by(|a, b| west(edge(*a)).total_cmp(&west(edge(*b))));
    for (position, first) in order.iter().enumerate() {
        let reach = east(edge(*first));
        for second in &order[position + 1..] {
            if west(edge(*second)) > reach {
                break;
            }
            let Some(left) = budget.checked_sub(1) else { return Crossing::Unknown };
            *budget = left;
            if cross(edge(*first), edge(*second)) {
                return Crossing::Crossed;
            }
        }
    }
    Crossing::Simple
}

/// Whether the open segments cross in one point. Common ends and overlaps do not count.
fn cross((a, b): (Point, Point), (c, d): (Point, Point)) -> bool {
    let side = |p: Point, q: Point, r: Point| {
        (q.lon - p.lon) * (r.lat - p.lat) - (q.lat - p.lat) * (r.lon - p.lon)
    };
    let (c_side, d_side) = (side(a, b, c), side(a, b, d));
    let (a_side, b_side) = (side(c, d, a), side(c, d, b));
    c_side * d_side < 0.0 && a_side * b_side < 0.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring(text: &str) -> Polygon {
        parse_polygon(text).expect("a ring").0
    }

    #[test]
    fn a_bow_tie_crosses_itself_and_a_touching_ring_does_not() {
        let mut budget = 1_000;
        assert_eq!(crossing(&ring("0,0 1,1 0,1 1,0 0,0"), &mut budget), Crossing::Crossed);
        assert_eq!(crossing(&ring("0,0 0,1 1,1 1,0 0,0"), &mut budget), Crossing::Simple);
        let touching = "0,0 0,2 1,1 2,2 2,0 1,1 0,0";
        assert_eq!(crossing(&ring(touching), &mut budget), Crossing::Simple);
    }

    #[test]
    fn the_search_ends_with_its_budget() {
        let zigzag = (0..2_000)
            .map(|n| format!("{},{} ", f64::from(n) / 100.0, f64::from(n % 2)))
            .chain(["30,5 -1,5".to_owned()])
            .collect::<String>();
        let mut budget = 10_000;
        assert_eq!(crossing(&ring(&zigzag), &mut budget), Crossing::Unknown);
    }

    #[test]
    fn points_are_read_strictly() {
        assert_eq!(ring("\n+41.1,-117.5  1,2 ").vertices.len(), 2);
        let code = |text| parse_polygon(text).map_err(|(rule, _)| rule.code).err();
        assert_eq!(code("40.85,-118.09, 1,2"), Some("polygon_malformed"));
        assert_eq!(code("1,2;3,4"), Some("polygon_malformed"));
        assert_eq!(code("NaN,2"), Some("polygon_malformed"));
        assert_eq!(code("118.1,24.5"), Some("off_globe"));
        assert_eq!(parse_circle("1,2 -1").map_err(|(rule, _)| rule.code), Err("circle_malformed"));
        assert_eq!(parse_circle("1,2").map_err(|(rule, _)| rule.code), Err("circle_malformed"));
        assert_eq!(parse_circle("32.9,-115.5 0").map(|circle| circle.radius_km), Ok(0.0));
    }
}
