//! Fewer vertices, never less area: a ring is simplified outward within a bound.
//!
//! Two steps only ever add ground: a vertex that bends inward is cut off by the chord between its
//! neighbours, and an edge between two vertices that bend outward gives way to the point where its
//! neighbours meet. The cheapest comes first. Each edge carries a bound of its distance from the
//! original ring, so that many small steps can't add up to more than was allowed.

#![expect(
    clippy::many_single_char_names,
    reason = "a to d are the points of a chain, as in a figure"
)]

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::ring::{Point, Ring, cross, do_touch, is_on};

/// Metres of one unit (10⁻⁶ degree) of latitude, rounded up.
const UNIT_M: f64 = 0.111_195_1;
/// Metres added for the rounding of a new vertex to whole units.
const ROUNDING_M: f64 = 0.5;

/// `ring` with at most `vertices_max` vertices, and by how many metres it grew at most; `None`
/// when more than `grow_m_max` would be needed. A ring that is small enough comes back as it is.
pub(super) fn simplify_outward(
    ring: &Ring,
    vertices_max: usize,
    grow_m_max: f64,
) -> Option<(Ring, f64)> {
    let vertices_max = vertices_max.max(8);
    if ring.vertices().len() <= vertices_max {
        return Some((ring.clone(), 0.0));
    }
    let mut work = Work::new(ring);
    while work.alive > vertices_max {
        let Reverse(Candidate { cost, step }) = work.heap.pop()?;
        if cost.0 > grow_m_max {
            return None;
        }
        if work.is_current(&step) && !work.is_blocked(&step) {
            work.apply(&step);
            work.grown_m = work.grown_m.max(cost.0);
        }
    }
    let grown_m = work.grown_m;
    Some((Ring::from_simple(work.into_vertices()), grown_m))
}

/// `f64` without NaN in the order of the heap.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Metres(f64);

impl Eq for Metres {}

impl PartialOrd for Metres {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Metres {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Candidate {
    cost: Metres,
    step: Step,
}

/// A step names the chain of vertices that it was computed for; it is current while they still
/// follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    /// `[before, vertex, after]`: the vertex goes.
    Chord([usize; 3]),
    /// `[before, from, to, after]`: `from` and `to` give way to the point.
    Corner([usize; 4], Point),
}

struct Work {
    points: Vec<Point>,
    next: Vec<usize>,
    previous: Vec<usize>,
    is_alive: Vec<bool>,
    /// Bound in metres of the distance between the edge that begins here and the original ring.
    grown: Vec<f64>,
    alive: usize,
    heap: BinaryHeap<Reverse<Candidate>>,
    /// Metres of one unit of longitude, at the ring's vertex nearest to the equator.
    x_m: f64,
    grown_m: f64,
}

impl Work {
    fn new(ring: &Ring) -> Self {
        let points = ring.vertices().to_vec();
        let len = points.len();
        let lowest = points.iter().map(|p| p.y.abs()).min().unwrap_or(0);
        let mut work = Self {
            next: (0..len).map(|i| (i + 1) % len).collect(),
            previous: (0..len).map(|i| (i + len - 1) % len).collect(),
            is_alive: vec![true; len],
            grown: vec![0.0; len],
            alive: len,
            heap: BinaryHeap::with_capacity(2 * len),
            x_m: UNIT_M * (lowest as f64 / 1e6).to_radians().cos(),
            grown_m: 0.0,
            points,
        };
        for vertex in 0..len {
            work.offer(vertex);
        }
        work
    }

    /// Offers the chord over `vertex` or the corner over its edge, whichever adds ground.
    fn offer(&mut self, vertex: usize) {
        let (before, after) = (self.previous[vertex], self.next[vertex]);
        let [a, b, c] = [before, vertex, after].map(|i| self.points[i]);
        if cross(a, b, c) <= 0 {
            let cost = self.distance_m(b, a, c) + self.grown[before].max(self.grown[vertex]);
            let step = Step::Chord([before, vertex, after]);
            self.heap.push(Reverse(Candidate { cost: Metres(cost), step }));
            return;
        }
        let far = self.next[after];
        let d = self.points[far];
        if cross(b, c, d) <= 0 {
            return;
        }
        if let Some(corner) = corner(a, b, c, d) {
            let cost = self.distance_m(corner, b, c) + ROUNDING_M + self.grown[vertex];
            let cost = cost.max(self.grown[before]).max(self.grown[after]);
            let step = Step::Corner([before, vertex, after, far], corner);
            self.heap.push(Reverse(Candidate { cost: Metres(cost), step }));
        }
    }

    fn is_current(&self, step: &Step) -> bool {
        let chain: &[usize] = match step {
            Step::Chord(chain) => chain,
            Step::Corner(chain, _) => chain,
        };
        chain.iter().all(|i| self.is_alive[*i])
            && chain.windows(2).all(|pair| self.next[pair[0]] == pair[1])
    }

    /// Whether the new edges would meet another edge, or the added ground hold another vertex.
    fn is_blocked(&self, step: &Step) -> bool {
        // The chord's ground is one triangle and the corner's three; a chord counts twice.
        let (first, last, new, triangles) = match *step {
            Step::Chord(chain) => {
                let [a, b, c] = chain.map(|i| self.points[i]);
                (chain[0], chain[2], [(a, c); 2], [[a, b, c]; 3])
            }
            Step::Corner(chain, x) => {
                let [a, b, c, d] = chain.map(|i| self.points[i]);
                (chain[0], chain[3], [(a, x), (x, d)], [[b, x, c], [a, x, b], [x, d, c]])
            }
        };
        let corners = triangles.as_flattened();
        let mut low = corners[0];
        let mut high = corners[0];
        for p in corners {
            low = Point { x: low.x.min(p.x), y: low.y.min(p.y) };
            high = Point { x: high.x.max(p.x), y: high.y.max(p.y) };
        }
        let (start, end) = (self.points[first], self.points[last]);
        let mut from = last;
        while from != first {
            let to = self.next[from];
            let (u, w) = (self.points[from], self.points[to]);
            let is_far = u.x.max(w.x) < low.x
                || u.x.min(w.x) > high.x
                || u.y.max(w.y) < low.y
                || u.y.min(w.y) > high.y;
            if !is_far {
                let is_met = new.iter().any(|(a, b)| {
                    // Neighbours share one vertex with the new edge: only a fold counts.
                    if u == end && *b == end {
                        is_on(w, *a, *b) || is_on(*a, u, w)
                    } else if w == start && *a == start {
                        is_on(u, *a, *b) || is_on(*b, u, w)
                    } else {
                        do_touch(*a, *b, u, w)
                    }
                });
                let is_held = from != last && triangles.iter().any(|t| does_hold(*t, u));
                if is_met || is_held {
                    return true;
                }
            }
            from = to;
        }
        false
    }

    fn apply(&mut self, step: &Step) {
        match *step {
            Step::Chord([before, vertex, after]) => {
                let b = self.points[vertex];
                let height = self.distance_m(b, self.points[before], self.points[after]);
                self.grown[before] = height + self.grown[before].max(self.grown[vertex]);
                self.is_alive[vertex] = false;
                self.link(before, after);
                self.alive -= 1;
                self.offer_around(before, after);
            }
            Step::Corner([before, from, to, after], corner) => {
                let reach = self.distance_m(corner, self.points[from], self.points[to])
                    + ROUNDING_M
                    + self.grown[from];
                let new = self.points.len();
                self.points.push(corner);
                self.is_alive.push(true);
                self.next.push(after);
                self.previous.push(before);
                self.grown.push(reach.max(self.grown[to]));
                self.grown[before] = reach.max(self.grown[before]);
                self.is_alive[from] = false;
                self.is_alive[to] = false;
                self.link(before, new);
                self.link(new, after);
                self.alive -= 1;
                self.offer(new);
                self.offer_around(before, after);
            }
        }
    }

    fn offer_around(&mut self, before: usize, after: usize) {
        let farther = self.previous[before];
        for vertex in [farther, before, after] {
            self.offer(vertex);
        }
    }

    fn link(&mut self, from: usize, to: usize) {
        self.next[from] = to;
        self.previous[to] = from;
    }

    /// Metres from `p` to the segment, never too few within a ring of a few degrees.
    fn distance_m(&self, p: Point, a: Point, b: Point) -> f64 {
        let flat = |q: Point| ((q.x - a.x) as f64 * self.x_m, (q.y - a.y) as f64 * UNIT_M);
        let ((px, py), (bx, by)) = (flat(p), flat(b));
        let length = bx * bx + by * by;
        let along =
            if length == 0.0 { 0.0 } else { ((px * bx + py * by) / length).clamp(0.0, 1.0) };
        (px - along * bx).hypot(py - along * by)
    }

    fn into_vertices(self) -> Vec<Point> {
        let Some(start) = self.is_alive.iter().position(|is_alive| *is_alive) else {
            return Vec::new();
        };
        let mut vertices = Vec::with_capacity(self.alive);
        let mut at = start;
        loop {
            vertices.push(self.points[at]);
            at = self.next[at];
            if at == start {
                return vertices;
            }
        }
    }
}

/// Where `a → b` and `d → c` meet beyond `b` and `c`, rounded to a whole unit such that `b` and
/// `c` still lie inside or on the new edges.
fn corner(a: Point, b: Point, c: Point, d: Point) -> Option<Point> {
    let (first_x, first_y) = ((b.x - a.x) as f64, (b.y - a.y) as f64);
    let (last_x, last_y) = ((d.x - c.x) as f64, (d.y - c.y) as f64);
    let turn = first_x * last_y - first_y * last_x;
    if turn <= 0.0 {
        return None;
    }
    let (gap_x, gap_y) = ((c.x - b.x) as f64, (c.y - b.y) as f64);
    let beyond = (gap_x * last_y - gap_y * last_x) / turn;
    let (x, y) = (b.x as f64 + beyond * first_x, b.y as f64 + beyond * first_y);
    // A meeting point a degree away is far beyond any bound.
    if (x - b.x as f64).abs() > 1e6 || (y - b.y as f64).abs() > 1e6 {
        return None;
    }
    let mut best: Option<(f64, Point)> = None;
    for dx in -2..=2 {
        for dy in -2..=2 {
            let p = Point { x: x.round() as i64 + dx, y: y.round() as i64 + dy };
            let off = (p.x as f64 - x).hypot(p.y as f64 - y);
            let is_outward = cross(a, p, b) >= 0 && cross(p, d, c) >= 0 && cross(b, c, p) < 0;
            if is_outward && best.is_none_or(|(least, _)| off < least) {
                best = Some((off, p));
            }
        }
    }
    best.map(|(_, p)| p)
}

/// Whether the triangle, of either direction, holds `p` inside or on its edge.
fn does_hold([a, b, c]: [Point; 3], p: Point) -> bool {
    let sides = [cross(a, b, p), cross(b, c, p), cross(c, a, p)];
    if cross(a, b, c) == 0 {
        return is_on(p, a, b) || is_on(p, b, c) || is_on(p, a, c);
    }
    sides.iter().all(|side| *side >= 0) || sides.iter().all(|side| *side <= 0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A star-shaped ring around Xiamen: sorted angles, ragged radii.
    fn ragged() -> impl Strategy<Value = Ring> {
        let radii = proptest::collection::vec(0.6_f64..1.0, 130..700);
        (radii, 5_000.0_f64..60_000.0, 0.0_f64..1.0).prop_filter_map(
            "rounding made it touch itself",
            |(radii, size, smooth)| {
                let len = radii.len() as f64;
                let points = radii.iter().enumerate().map(|(i, radius)| {
                    let radius = smooth + (1.0 - smooth) * radius;
                    let (sin, cos) = (i as f64 / len * std::f64::consts::TAU).sin_cos();
                    Point {
                        x: 118_100_000 + (size * radius * cos).round() as i64,
                        y: 24_600_000 + (size * radius * sin).round() as i64,
                    }
                });
                Ring::new(points.collect::<Vec<_>>()).ok()
            },
        )
    }

    fn distance_to_ring_m(p: Point, ring: &Ring) -> f64 {
        let work = Work::new(ring);
        if ring.covers(p) {
            return 0.0;
        }
        ring.edges().map(|(a, b)| work.distance_m(p, a, b)).fold(f64::MAX, f64::min)
    }

    proptest! {
        #[test]
        fn a_simplified_ring_contains_the_original_and_grows_within_its_bound(
            ring in ragged(),
            max in 16_usize..129,
        ) {
            let Some((simple, grown)) = simplify_outward(&ring, max, 200.0) else { return Ok(()) };
            prop_assert!(simple.vertices().len() <= max);
            prop_assert!(grown <= 200.0);
            prop_assert!(Ring::new(simple.vertices().to_vec()).is_ok(), "still simple");
            for vertex in ring.vertices() {
                prop_assert!(simple.covers(*vertex), "{vertex:?} was cut off");
            }
            // No part of an original edge leaves: none properly crosses the new outline.
            for (a, b) in ring.edges() {
                for (c, d) in simple.edges() {
                    let (c_side, d_side) = (cross(a, b, c).signum(), cross(a, b, d).signum());
                    let (a_side, b_side) = (cross(c, d, a).signum(), cross(c, d, b).signum());
                    prop_assert!(c_side * d_side >= 0 || a_side * b_side >= 0);
                }
            }
            for (a, b) in simple.edges() {
                for tenth in 0..10 {
                    let p = Point {
                        x: a.x + (b.x - a.x) * tenth / 10,
                        y: a.y + (b.y - a.y) * tenth / 10,
                    };
                    prop_assert!(distance_to_ring_m(p, &ring) <= grown + 0.2);
                }
            }
        }
    }

    #[test]
    fn a_smooth_ring_of_a_thousand_vertices_needs_metres() {
        let points = (0..1_000).map(|i| {
            let (sin, cos) = (f64::from(i) / 1_000.0 * std::f64::consts::TAU).sin_cos();
            Point {
                x: 118_100_000 + (100_000.0 * cos).round() as i64,
                y: 24_600_000 + (100_000.0 * sin).round() as i64,
            }
        });
        let ring = Ring::new(points.collect::<Vec<_>>()).expect("a circle");
        let (simple, grown) = simplify_outward(&ring, 128, 50.0).expect("within 50 m");
        assert!(simple.vertices().len() <= 128);
        assert!(grown < 50.0, "{grown} m");
    }

    #[test]
    fn a_ring_too_ragged_for_the_bound_is_given_up() {
        let points = (0..600).map(|i| {
            let (sin, cos) = (f64::from(i) / 600.0 * std::f64::consts::TAU).sin_cos();
            let radius = if i % 2 == 0 { 100_000.0 } else { 50_000.0 };
            Point {
                x: 118_100_000 + (radius * cos).round() as i64,
                y: 24_600_000 + (radius * sin).round() as i64,
            }
        });
        let ring = Ring::new(points.collect::<Vec<_>>()).expect("a star");
        assert!(simplify_outward(&ring, 128, 50.0).is_none());
    }
}
