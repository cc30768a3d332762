//! A shape made ready to be asked for many terminals: the same answer as
//! [`Shape::covers`], which is what a terminal computes, in a fraction of the time.

use protocols::area::{Position, Shape};

use super::ring::{Point, Ring, cross, is_on};

/// Latitude bands at most; more would cost more to fill than they save.
const BANDS_MAX: usize = 256;
/// Metres of a degree of latitude, rounded down so that a box around a circle is never too small.
const DEGREE_M: f64 = 110_000.0;

/// West, south, east, north in degrees.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Bounds {
    pub(super) min: [f64; 2],
    pub(super) max: [f64; 2],
}

/// A shape with its bounds and, for a polygon, its edges sorted into bands of latitude.
#[derive(Debug, Clone)]
pub(super) struct ReadyShape {
    shape: Shape,
    bounds: Bounds,
    bands: Vec<Vec<(Point, Point)>>,
    south: i64,
    band_height: i64,
}

impl ReadyShape {
    pub(super) fn polygon(ring: &Ring) -> Self {
        let south = ring.vertices().iter().map(|p| p.y).min().unwrap_or(0);
        let north = ring.vertices().iter().map(|p| p.y).max().unwrap_or(0);
        let west = ring.vertices().iter().map(|p| p.x).min().unwrap_or(0);
        let east = ring.vertices().iter().map(|p| p.x).max().unwrap_or(0);
        let count = ring.vertices().len().min(BANDS_MAX) as u32;
        let band_height = (north - south) / i64::from(count) + 1;
        let mut bands = vec![Vec::new(); count as usize];
        for (a, b) in ring.edges() {
            let first = (a.y.min(b.y) - south) / band_height;
            let last = (a.y.max(b.y) - south) / band_height;
            for band in first..=last {
                bands[band as usize].push((a, b));
            }
        }
        let degrees = |unit: i64| unit as f64 / 1e6;
        Self {
            shape: Shape::Polygon(ring.vertices().iter().map(|p| p.position()).collect()),
            bounds: Bounds {
                min: [degrees(west), degrees(south)],
                max: [degrees(east), degrees(north)],
            },
            bands,
            south,
            band_height,
        }
    }

    pub(super) fn circle(center: Position, radius_m: u32) -> Self {
        let dlat = f64::from(radius_m) / DEGREE_M;
        let widest = (center.lat().abs() + dlat).min(90.0).to_radians().cos();
        let dlon = if widest < 0.01 { 360.0 } else { dlat / widest };
        Self {
            shape: Shape::Circle(center, radius_m),
            bounds: Bounds {
                min: [center.lon() - dlon, center.lat() - dlat],
                max: [center.lon() + dlon, center.lat() + dlat],
            },
            bands: Vec::new(),
            south: 0,
            band_height: 1,
        }
    }

    pub(super) fn shape(&self) -> &Shape {
        &self.shape
    }

    pub(super) fn bounds(&self) -> Bounds {
        self.bounds
    }

    /// Whether `position` lies inside or on the edge: exactly what [`Shape::covers`] says.
    pub(super) fn covers(&self, position: Position) -> bool {
        if self.bands.is_empty() {
            return self.shape.covers(position);
        }
        let p = Point::from(position);
        let band = (p.y - self.south).div_euclid(self.band_height);
        let Some(edges) = usize::try_from(band).ok().and_then(|band| self.bands.get(band)) else {
            return false;
        };
        let mut is_inside = false;
        for (a, b) in edges.iter().copied() {
            let is_across = (a.y > p.y) != (b.y > p.y);
            if !is_across && a.y != p.y && b.y != p.y {
                continue;
            }
            if is_on(p, a, b) {
                // On the edge itself the degrees of the terminal's arithmetic decide.
                return self.shape.covers(position);
            }
            if is_across && (cross(a, b, p) > 0) == (b.y > a.y) {
                is_inside = !is_inside;
            }
        }
        is_inside
    }

    /// The outline to lay upon the map. A circle stands as a polygon of 64 edges around it.
    pub(super) fn outline(&self) -> Ring {
        match &self.shape {
            Shape::Polygon(vertices) => {
                Ring::from_simple(vertices.iter().map(|v| Point::from(*v)).collect())
            }
            Shape::Circle(center, _) => {
                let (center, half) = (Point::from(*center), |axis: usize| {
                    (self.bounds.max[axis] - self.bounds.min[axis]) / 2.0 * 1e6
                });
                let points = (0..64).map(|i| {
                    let (sin, cos) = (f64::from(i) / 64.0 * std::f64::consts::TAU).sin_cos();
                    Point {
                        x: center.x + (half(0) * cos * 1.002) as i64,
                        y: center.y + (half(1) * sin * 1.002) as i64,
                    }
                });
                let points: Vec<Point> = points.collect();
                // A circle of a metre collapses to a few units: its own square is as good.
                Ring::new(points).unwrap_or_else(|_| square(center))
            }
        }
    }
}

fn square(center: Point) -> Ring {
    let corner = |dx, dy| Point { x: center.x + dx, y: center.y + dy };
    Ring::from_simple(vec![corner(-20, -20), corner(20, -20), corner(20, 20), corner(-20, 20)])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_quick_answer_is_the_answer_of_a_terminal(
            radii in proptest::collection::vec(10_i64..1_000, 3..40),
            points in proptest::collection::vec((-1_000_i64..1_000, -1_000_i64..1_000), 50),
        ) {
            let len = radii.len() as f64;
            let vertices = radii.iter().enumerate().map(|(i, radius)| {
                let (sin, cos) = (i as f64 / len * std::f64::consts::TAU).sin_cos();
                Point {
                    x: 118_000_000 + (*radius as f64 * cos) as i64,
                    y: 24_000_000 + (*radius as f64 * sin) as i64,
                }
            });
            let Ok(ring) = Ring::new(vertices.collect::<Vec<_>>()) else { return Ok(()) };
            let ready = ReadyShape::polygon(&ring);
            let around = points.iter().map(|(x, y)| Point { x: 118_000_000 + x, y: 24_000_000 + y });
            for point in around.chain(ring.vertices().iter().copied()) {
                let position = point.position();
                prop_assert_eq!(ready.covers(position), ready.shape().covers(position));
            }
        }

        #[test]
        fn nothing_outside_the_box_of_a_circle_is_covered(
            lat in -80.0_f64..80.0, radius_m in 1_u32..2_000_000, dlat in -20.0_f64..20.0, dlon in -40.0_f64..40.0,
        ) {
            let Some(center) = Position::from_degrees(lat, 100.0) else { return Ok(()) };
            let ready = ReadyShape::circle(center, radius_m);
            let Some(at) = Position::from_degrees(lat + dlat, 100.0 + dlon) else { return Ok(()) };
            if ready.covers(at) {
                let bounds = ready.bounds();
                prop_assert!(bounds.min[0] <= at.lon() && at.lon() <= bounds.max[0]);
                prop_assert!(bounds.min[1] <= at.lat() && at.lat() <= bounds.max[1]);
            }
        }
    }
}
