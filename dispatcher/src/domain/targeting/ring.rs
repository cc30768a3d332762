//! [`Ring`]: a simple polygon in whole units of 10⁻⁶ degree, where every test is exact.

use protocols::area::Position;

/// A point in whole units; `x` is the longitude.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Point {
    pub(super) x: i64,
    pub(super) y: i64,
}

impl From<Position> for Point {
    fn from(position: Position) -> Self {
        Self { x: i64::from(position.lon_e6), y: i64::from(position.lat_e6) }
    }
}

impl Point {
    /// Back to a position; the callers never leave the globe by more than a rounding, which is
    /// clamped.
    pub(super) fn position(self) -> Position {
        Position {
            lat_e6: self.y.clamp(-90_000_000, 90_000_000) as i32,
            lon_e6: self.x.clamp(-180_000_000, 180_000_000) as i32,
        }
    }
}

/// Twice the signed area of `o`, `a`, `b`: positive when `b` lies left of `o → a`. Coordinates
/// are below 1.8 × 10⁸, so the products stay below 2⁵⁸.
pub(super) fn cross(o: Point, a: Point, b: Point) -> i64 {
    (a.x - o.x) * (b.y - o.y) - (a.y - o.y) * (b.x - o.x)
}

/// Whether the closed segments have a point in common.
pub(super) fn do_touch(a: Point, b: Point, c: Point, d: Point) -> bool {
    if a.x.max(b.x) < c.x.min(d.x)
        || c.x.max(d.x) < a.x.min(b.x)
        || a.y.max(b.y) < c.y.min(d.y)
        || c.y.max(d.y) < a.y.min(b.y)
    {
        return false;
    }
    let (c_side, d_side) = (cross(a, b, c).signum(), cross(a, b, d).signum());
    let (a_side, b_side) = (cross(c, d, a).signum(), cross(c, d, b).signum());
    c_side * d_side <= 0 && a_side * b_side <= 0
}

/// Whether `p` lies on the closed segment.
pub(super) fn is_on(p: Point, a: Point, b: Point) -> bool {
    cross(a, b, p) == 0
        && p.x >= a.x.min(b.x)
        && p.x <= a.x.max(b.x)
        && p.y >= a.y.min(b.y)
        && p.y <= a.y.max(b.y)
}

/// Why vertices are not a ring.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RingFault {
    /// Fewer than three different vertices.
    #[error("a polygon has at least three different vertices")]
    TooFew,
    /// The edges that begin at these vertices (counted from 0) meet.
    #[error("the polygon crosses or touches itself: edge {0} and edge {1} (from 0)")]
    CrossesItself(usize, usize),
}

impl RingFault {
    /// The reason in Chinese.
    pub(super) fn zh(self) -> String {
        match self {
            Self::TooFew => "多边形至少需要三个不同的顶点".to_owned(),
            Self::CrossesItself(a, b) => {
                format!("多边形自相交或自相接：第 {a} 条边与第 {b} 条边（从 0 起）")
            }
        }
    }
}

/// A simple ring, counter-clockwise, the first vertex not repeated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ring {
    vertices: Vec<Point>,
}

impl Ring {
    /// The ring of these vertices. A repeated vertex counts once; either direction is accepted.
    pub(super) fn new(vertices: impl IntoIterator<Item = Point>) -> Result<Self, RingFault> {
        let mut vertices: Vec<Point> = vertices.into_iter().collect();
        vertices.dedup();
        if vertices.len() > 1 && vertices.first() == vertices.last() {
            vertices.pop();
        }
        if vertices.len() < 3 {
            return Err(RingFault::TooFew);
        }
        check_simple(&vertices)?;
        if doubled_area(&vertices) < 0 {
            vertices.reverse();
        }
        Ok(Self { vertices })
    }

    /// A ring whose vertices are known to be simple and counter-clockwise.
    pub(super) fn from_simple(vertices: Vec<Point>) -> Self {
        debug_assert!(check_simple(&vertices).is_ok() && doubled_area(&vertices) > 0);
        Self { vertices }
    }

    pub(super) fn vertices(&self) -> &[Point] {
        &self.vertices
    }

    /// How far it reaches from west to east.
    pub(super) fn width(&self) -> i64 {
        let longitudes = || self.vertices.iter().map(|p| p.x);
        longitudes().max().unwrap_or(0) - longitudes().min().unwrap_or(0)
    }

    /// The edges.
    pub(super) fn edges(&self) -> impl Iterator<Item = (Point, Point)> {
        let next = self.vertices.iter().cycle().skip(1);
        self.vertices.iter().copied().zip(next.copied())
    }

    /// Whether `p` lies inside or on the edge.
    pub(super) fn covers(&self, p: Point) -> bool {
        let mut is_inside = false;
        for (a, b) in self.edges() {
            if is_on(p, a, b) {
                return true;
            }
            if (a.y > p.y) != (b.y > p.y) && (cross(a, b, p) > 0) == (b.y > a.y) {
                is_inside = !is_inside;
            }
        }
        is_inside
    }

    /// Whether the two have a point in common.
    pub(super) fn touches(&self, other: &Self) -> bool {
        other.vertices.first().is_some_and(|v| self.covers(*v))
            || self.vertices.first().is_some_and(|v| other.covers(*v))
            || self.edges().any(|(a, b)| other.edges().any(|(c, d)| do_touch(a, b, c, d)))
    }
}

fn doubled_area(vertices: &[Point]) -> i128 {
    let next = vertices.iter().cycle().skip(1);
    vertices
        .iter()
        .zip(next)
        .map(|(a, b)| i128::from(a.x) * i128::from(b.y) - i128::from(b.x) * i128::from(a.y))
        .sum()
}

/// Sweeps over the edges by their western end, so that only edges that overlap in longitude are
/// compared.
fn check_simple(vertices: &[Point]) -> Result<(), RingFault> {
    let len = vertices.len();
    let edge = |i: usize| (vertices[i], vertices[(i + 1) % len]);
    let west = |i: usize| edge(i).0.x.min(edge(i).1.x);
    let mut order: Vec<usize> = (0..len).collect();
    order.sort_unstable_by_key(|i| west(*i));
    for (at, i) in order.iter().copied().enumerate() {
        let (a, b) = edge(i);
        let east = a.x.max(b.x);
        for j in order[at + 1..].iter().copied().take_while(|j| west(*j) <= east) {
            let (c, d) = edge(j);
            let is_fault = if b == c && (i + 1) % len == j {
                is_on(d, a, b) || is_on(a, c, d)
            } else if d == a && (j + 1) % len == i {
                is_on(c, a, b) || is_on(b, c, d)
            } else {
                do_touch(a, b, c, d)
            };
            if is_fault {
                return Err(RingFault::CrossesItself(i.min(j), i.max(j)));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring(points: &[(i64, i64)]) -> Result<Ring, RingFault> {
        Ring::new(points.iter().map(|(x, y)| Point { x: *x, y: *y }))
    }

    #[test]
    fn a_bow_tie_is_refused_with_the_edges_that_cross() {
        assert_eq!(
            ring(&[(0, 0), (10, 10), (10, 0), (0, 10)]),
            Err(RingFault::CrossesItself(0, 2))
        );
    }

    #[test]
    fn a_spike_a_line_and_a_point_are_refused() {
        assert!(ring(&[(0, 0), (10, 0), (20, 0), (10, 0), (5, 9)]).is_err());
        assert!(ring(&[(0, 0), (10, 0), (5, 0)]).is_err());
        assert_eq!(ring(&[(0, 0), (10, 0), (0, 0)]), Err(RingFault::TooFew));
        assert_eq!(ring(&[(0, 0), (0, 0), (0, 0)]), Err(RingFault::TooFew));
    }

    #[test]
    fn direction_and_a_repeated_last_vertex_do_not_matter() {
        let square = ring(&[(0, 0), (10, 0), (10, 10), (0, 10)]).expect("simple");
        let other = ring(&[(0, 0), (0, 10), (10, 10), (10, 0), (0, 0)]).expect("simple");
        for (x, y) in [(0, 0), (5, 5), (10, 3), (11, 3), (-1, 0), (10, 11)] {
            let p = Point { x, y };
            assert_eq!(square.covers(p), (0..=10).contains(&x) && (0..=10).contains(&y));
            assert_eq!(square.covers(p), other.covers(p));
        }
    }
}
