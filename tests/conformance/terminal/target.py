"""Whom an order means, and whether this terminal is one of them."""

import math
from dataclasses import dataclass

from . import limits, region
from .fields import integers
from .limits import Refused

EARTH_RADIUS_M = 6_371_008.8
POLYGON, CIRCLE = 0, 1
MICRO = 1_000_000


@dataclass(frozen=True)
class Target:
    regions: tuple
    excluded_regions: tuple
    partial: tuple
    excluded_terminals: tuple
    shapes: tuple


def read(fields):
    return Target(
        regions=tuple(region.read(code) for code in fields.array(0, [])),
        excluded_regions=tuple(region.read(code) for code in fields.array(1, [])),
        partial=tuple(_partial(each) for each in fields.array(2, [])),
        excluded_terminals=tuple(_partial(each) for each in fields.array(3, [])),
        shapes=tuple(_shape(each) for each in fields.array(4, [])),
    )


def _partial(value):
    if not isinstance(value, list) or len(value) != 2 or not isinstance(value[1], bytes):
        raise Refused("malformed", "not a partial village")
    return region.read(value[0]), value[1]


def _shape(value):
    if not isinstance(value, list) or len(value) != 2 or not isinstance(value[1], list):
        raise Refused("malformed", "not a shape")
    if value[0] == POLYGON:
        if len(value[1]) != 1 or not isinstance(value[1][0], list):
            raise Refused("malformed", "not a polygon")
        return POLYGON, tuple(tuple(integers(each, 2)) for each in value[1][0])
    if value[0] == CIRCLE:
        if len(value[1]) != 2 or type(value[1][1]) is not int:
            raise Refused("malformed", "not a circle")
        return CIRCLE, (tuple(integers(value[1][0], 2)), value[1][1])
    raise Refused("malformed", "an unknown shape")


def check(target, authority):
    """The rules of a target, or `invalid`."""
    listed = [*target.regions, *(village for village, _ in target.partial)]
    rules = (
        (len(target.regions) <= limits.REGIONS_PER_ORDER_MAX, "regions"),
        (len(target.excluded_regions) <= limits.REGIONS_PER_ORDER_MAX, "excluded regions"),
        (len(target.partial) <= limits.PARTIAL_VILLAGES_MAX, "partial villages"),
        (len(target.excluded_terminals) <= limits.EXCLUDED_TERMINALS_MAX, "excluded terminals"),
        (len(target.shapes) <= limits.SHAPES_MAX, "shapes"),
        (bool(listed or target.shapes), "an empty target"),
        (all(region.contains(authority, code) for code in listed), "outside the authority"),
        (all(map(_bitmap_is_right, target.partial)), "bitmap"),
        (all(map(_bitmap_is_right, target.excluded_terminals)), "bitmap"),
        (all(map(_shape_is_right, target.shapes)), "shape"),
    )
    for is_kept, field in rules:
        if not is_kept:
            raise Refused("invalid", f"target: {field}")


def _bitmap_is_right(partial):
    village, bitmap = partial
    most = limits.TERMINALS_PER_VILLAGE_MAX // 8
    return region.level(village) == 4 and len(bitmap) <= most


def _position_is_right(position):
    return abs(position[0]) <= 90 * MICRO and abs(position[1]) <= 180 * MICRO


def _shape_is_right(shape):
    kind, content = shape
    if kind == CIRCLE:
        return _position_is_right(content[0]) and content[1] > 0
    count = len(content)
    return limits.VERTICES_MIN <= count <= limits.VERTICES_MAX and all(
        map(_position_is_right, content)
    )


def means(target, terminal, position):
    """Whether the target holds this terminal; `position` in 10⁻⁶ degree or None."""
    village, number = terminal
    if any(region.contains(code, village) for code in target.excluded_regions):
        return False
    if any(_names(partial, village, number) for partial in target.excluded_terminals):
        return False
    if any(region.contains(code, village) for code in target.regions):
        return True
    if any(_names(partial, village, number) for partial in target.partial):
        return True
    return position is not None and any(_holds(shape, position) for shape in target.shapes)


def _names(partial, village, number):
    place, bit = divmod(number - 1, 8)
    listed, bitmap = partial
    return listed == village and place < len(bitmap) and bool(bitmap[place] >> bit & 1)


def _holds(shape, position):
    kind, content = shape
    if kind == CIRCLE:
        center, radius = content
        return _distance_m(center, position) <= radius
    return _in_polygon(content, position)


def _distance_m(one, other):
    """Great-circle distance by the haversine formula."""
    lat1, lon1, lat2, lon2 = (math.radians(part / MICRO) for part in (*one, *other))
    chord = (
        math.sin((lat2 - lat1) / 2) ** 2
        + math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
    )
    return 2 * EARTH_RADIUS_M * math.asin(min(1, math.sqrt(chord)))


def _in_polygon(vertices, position):
    """Ray casting in integers, edge included."""
    y, x = position
    inside = False
    for index, (y1, x1) in enumerate(vertices):
        y2, x2 = vertices[index - 1]
        cross = (x2 - x1) * (y - y1) - (y2 - y1) * (x - x1)
        if cross == 0 and min(x1, x2) <= x <= max(x1, x2) and min(y1, y2) <= y <= max(y1, y2):
            return True
        if (y1 > y) != (y2 > y):
            # The edge's x at this y is right of the point; signs keep it in integers.
            if (cross > 0) == (y2 > y1):
                inside = not inside
    return inside
