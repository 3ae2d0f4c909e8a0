"""Where the objects of a scene stand: centres and lengths as shares of the picture."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

from .scene import SIZES, Group, Scene


@dataclass(frozen=True)
class Spot:
    """A glyph's centre (x, y from the top left) and the length of its longer side, in pixels."""

    group: Group
    x: float
    y: float
    reach: float


# Centres in units of the shorter side, from the picture's middle; lengths in the same unit.
_ROWS = {
    "two": ([(-0.25, 0.0), (0.25, 0.0)], 0.42),
    "three": ([(-0.31, 0.0), (0.0, 0.0), (0.31, 0.0)], 0.30),
}
_TRIANGLE = ([(0.0, -0.22), (-0.24, 0.2), (0.24, 0.2)], 0.40)
_PAIRS = {
    "next to": ((-0.25, 0.0), (0.25, 0.0)),
    "left of": ((-0.25, 0.0), (0.25, 0.0)),
    "right of": ((0.25, 0.0), (-0.25, 0.0)),
    "above": ((0.0, -0.25), (0.0, 0.25)),
    "below": ((0.0, 0.25), (0.0, -0.25)),
    "in front of": ((-0.08, 0.14), (0.1, -0.12)),
    "behind": ((0.1, -0.12), (-0.08, 0.14)),
}
_SHRINK = {"small": 0.75, "medium": 1.0, "big": 1.12}


def _many(rng: random.Random) -> tuple[list[tuple[float, float]], float]:
    """Five to nine of them on a loose grid."""
    count = rng.randint(5, 9)
    columns, rows = (3, 2) if count <= 6 else (3, 3)
    cells = [((c + 0.5) / columns - 0.5, (r + 0.5) / rows - 0.5) for r in range(rows) for c in range(columns)]
    rng.shuffle(cells)
    return [(0.92 * x + rng.uniform(-0.03, 0.03), 0.92 * y + rng.uniform(-0.03, 0.03)) for x, y in cells[:count]], 0.26


def spots(scene: Scene, width: int, height: int, rng: random.Random) -> list[Spot]:
    """From the back to the front. `rng` moves and scales everything a little."""
    side = min(width, height)
    first, second = scene.first, scene.second
    wide, high = width / side, height / side

    def spot(group: Group, x: float, y: float, reach: float, loose: float) -> Spot:
        x += rng.uniform(-loose, loose) * wide
        y += rng.uniform(-loose, loose) * high
        return Spot(group, width / 2 + x * side, height / 2 + y * side, reach * side * rng.uniform(0.94, 1.06))

    if second:
        a, b = _PAIRS[scene.relation or "next to"]
        overlap = scene.relation in ("in front of", "behind")
        if scene.relation == "next to" and rng.random() < 0.5:
            a, b = b, a
        reach = (0.46, 0.6) if overlap else (0.41, 0.41)
        near = scene.relation != "behind"
        lengths = reach if near else reach[::-1]
        both = [spot(first, *a, lengths[0], 0.02), spot(second, *b, lengths[1], 0.02)]
        return both[::-1] if near else both
    if first.count == "one":
        reach = SIZES[first.size]
        if scene.place == "centre":
            free = max(0.0, (1 - reach) / 2)
            return [spot(first, 0.0, 0.0, reach, 0.3 * free)]
        reach = min(reach, 0.42)
        x = (wide - reach) / 2 - 0.05
        y = (high - reach) / 2 - 0.05
        return [spot(first, -x if "left" in scene.place else x, -y if "top" in scene.place else y, reach, 0.02)]
    if first.count == "many":
        centres, reach = _many(rng)
        centres = [(x * wide, y * high) for x, y in centres]
    elif first.count == "three" and rng.random() < 0.5:
        centres, reach = _TRIANGLE
    else:
        centres, reach = _ROWS[first.count]
        if wide < 1.3 and first.count == "two" and high > 1.3:
            centres = [(y, x) for x, y in centres]
    return [spot(first, x, y, reach * _SHRINK[first.size], 0.015) for x, y in centres]


def lean(rng: random.Random) -> float:
    """Degrees that even an upright glyph may lean; mostly none."""
    return 0.0 if rng.random() < 0.8 else math.copysign(rng.uniform(2, 8), rng.random() - 0.5)
