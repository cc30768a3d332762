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

/// Looks for two parts of the ring that cross. Rings that only touch themselves pass: real ones,
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
            if do_cross(vertices, *first, *second, budget) {
                return Crossing::Crossed;
            }
        }
    }
    Crossing::Simple
}

/// Whether the ring has no inside: all its points on one line, closer than a decimetre.
pub(super) fn is_flat(polygon: &Polygon) -> bool {
    const SMALLEST_DEG2: f64 = 1e-12;
    let Some(origin) = polygon.vertices.first() else { return true };
    let pairs = polygon.vertices.windows(2);
    let doubled = pairs.map(|pair| side(*origin, pair[0], pair[1])).sum::<f64>();
    doubled.abs() < SMALLEST_DEG2
}

/// Whether the ring is wider than half the globe: then it is not said which way round is meant.
pub(super) fn is_wide(polygon: &Polygon) -> bool {
    let longitudes = || polygon.vertices.iter().map(|vertex| vertex.lon);
    longitudes().fold(f64::MIN, f64::max) - longitudes().fold(f64::MAX, f64::min) > 180.0
}

/// Positive where `r` lies left of `p → q`.
fn side(p: Point, q: Point, r: Point) -> f64 {
    (q.lon - p.lon) * (r.lat - p.lat) - (q.lat - p.lat) * (r.lon - p.lon)
}

/// Comparisons that a look at the end of an edge costs beside the one of the edges: angles are slow.
const END_COMPARISONS: usize = 15;

/// Whether the ring crosses itself where two edges meet, or where one of them ends on the other.
/// Edges that lie upon each other do not count.
fn do_cross(vertices: &[Point], first: usize, second: usize, budget: &mut usize) -> bool {
    let at = |index: usize| vertices[index % vertices.len()];
    let (a, b, c, d) = (at(first), at(first + 1), at(second), at(second + 1));
    let (c_side, d_side) = (side(a, b, c), side(a, b, d));
    let (a_side, b_side) = (side(c, d, a), side(c, d, b));
    if c_side * d_side < 0.0 && a_side * b_side < 0.0 {
        return true;
    }
    if b_side != 0.0 && d_side != 0.0 {
        return false;
    }
    *budget = budget.saturating_sub(END_COMPARISONS);
    passes(vertices, first, second)
        || passes(vertices, second, first)
        || weaves(vertices, first, second)
}

/// Whether the ring passes through edge `across` at the vertex that ends edge `along`.
fn passes(vertices: &[Point], along: usize, across: usize) -> bool {
    let at = |index: usize| vertices[index % vertices.len()];
    let (before, here, after) = (at(along), at(along + 1), at(along + 2));
    let (c, d) = (at(across), at(across + 1));
    let is_between = |low: f64, x: f64, high: f64| low.min(high) <= x && x <= low.max(high);
    here != c
        && here != d
        && side(c, d, here) == 0.0
        && is_between(c.lat, here.lat, d.lat)
        && is_between(c.lon, here.lon, d.lon)
        && side(c, d, before) * side(c, d, after) < 0.0
}

/// Whether the ends of two edges are one place at which the ring crosses itself rather than
/// touches: of the two ways on, one lies on each side.
fn weaves(vertices: &[Point], first: usize, second: usize) -> bool {
    let at = |index: usize| vertices[index % vertices.len()];
    let here = at(first + 1);
    if here != at(second + 1) {
        return false;
    }
    let direction = |to: Point| (to.lat - here.lat).atan2(to.lon - here.lon);
    let from = direction(at(first));
    // Angles from the way in, counter-clockwise.
    let turn = |to: Point| (direction(to) - from).rem_euclid(std::f64::consts::TAU);
    let out = turn(at(first + 2));
    let (one, other) = (turn(at(second)), turn(at(second + 2)));
    let is_apart =
        [one, other].into_iter().all(|angle| angle != 0.0 && angle.total_cmp(&out).is_ne());
    is_apart && (one < out) != (other < out)
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
    fn a_crossing_in_a_vertex_is_one() {
        let mut budget = 1_000;
        let eight = "0,0 1,1 2,2 2,0 1,1 0,2 0,0";
        assert_eq!(crossing(&ring(eight), &mut budget), Crossing::Crossed);
        let through_an_edge = "0,0 0,4 4,4 4,2 0,2 -2,3 -2,0 0,0";
        assert_eq!(crossing(&ring(through_an_edge), &mut budget), Crossing::Crossed);
        let touching_an_edge = "0,0 0,4 4,4 0,2 4,0 0,0";
        assert_eq!(crossing(&ring(touching_an_edge), &mut budget), Crossing::Simple);
    }

    #[test]
    fn a_ring_without_an_inside_is_flat_and_one_across_the_date_line_is_wide() {
        for text in ["1,1 1,1 1,1 1,1", "24.6,118.0 24.6,118.1 24.6,118.2 24.6,118.0"] {
            assert!(is_flat(&ring(text)), "{text}");
        }
        assert!(!is_flat(&ring("24.6,118.0 24.60001,118.0 24.6,118.00001 24.6,118.0")));
        assert!(is_wide(&ring("10,179 10,-179 12,-179 12,179 10,179")));
        assert!(!is_wide(&ring("10,0 10,180 12,180 10,0")));
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
