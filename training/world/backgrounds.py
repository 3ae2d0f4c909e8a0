"""Grounds: one colour, or a calm pattern of it and a lighter or darker shade, or a gradient."""

from __future__ import annotations

import math
import random
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw

from .scene import COLOURS, TRANSPARENT

CELL = 0.1  # of the shorter side
CELL_SCALES = (0.9, 1.0, 1.15)
# (x, y) parts of the direction in which stripes alternate
STRIPES = ((1.0, 0.0), (0.0, 1.0), (0.5**0.5, 0.5**0.5), (0.5**0.5, -(0.5**0.5)))
GRADIENTS = ((0.0, 1.0), (1.0, 0.0), (1.0, 1.0))  # vertical, horizontal, diagonal
STAR_FIELDS = 6
SUPERSAMPLING = 4  # for stars
# Fewer than 45 % of the pixels have the second shade, so that the named one stays the median.
STRIPE_SHARE = 0.36
DOT_RADIUS = 0.3
SQUARE_SIDE = 0.84


def _stripes(x: np.ndarray, y: np.ndarray, cell: float, variant: int) -> np.ndarray:
    along = x * STRIPES[variant][0] + y * STRIPES[variant][1]
    return cell * STRIPE_SHARE + 0.5 - np.abs(along % (2 * cell) - cell)


def _dots(x: np.ndarray, y: np.ndarray, cell: float) -> np.ndarray:
    return cell * DOT_RADIUS + 0.5 - np.hypot(x % cell - cell / 2, y % cell - cell / 2)


def _checks(x: np.ndarray, y: np.ndarray, cell: float) -> np.ndarray:
    def square(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        reach = np.maximum(np.abs(x % (2 * cell) - cell), np.abs(y % (2 * cell) - cell))
        return cell * SQUARE_SIDE / 2 + 0.5 - reach

    return np.maximum(square(x, y), square(x + cell, y + cell))


def _stars(height: int, width: int, cell: float, seed: int) -> np.ndarray:
    """Five-pointed stars, each somewhere in its own square of a grid."""
    rng = random.Random(seed)
    image = Image.new("L", (width * SUPERSAMPLING, height * SUPERSAMPLING))
    draw = ImageDraw.Draw(image)
    pitch = 1.6 * cell * SUPERSAMPLING
    for row in range(math.ceil(image.height / pitch)):
        for column in range(math.ceil(image.width / pitch)):
            cx, cy = ((at + 0.5 + rng.uniform(-0.22, 0.22)) * pitch for at in (column, row))
            radius, turn = pitch * rng.uniform(0.19, 0.34), rng.uniform(-0.3, 0.3)
            points = []
            for corner in range(10):
                reach = radius * (0.45 if corner % 2 else 1)
                angle = turn + corner * math.pi / 5
                points.append((cx + reach * math.sin(angle), cy - reach * math.cos(angle)))
            draw.polygon(points, fill=255)
    return np.asarray(image.reduce(SUPERSAMPLING), np.float32) / 255


@lru_cache(maxsize=96)
def _field(pattern: str, height: int, width: int, cell: float, variant: int) -> np.ndarray:
    """[height, width] in 0..1: where the second shade is."""
    if pattern == "starry":
        return _stars(height, width, cell, variant)
    x = np.arange(width, dtype=np.float32)[None, :] + 0.5
    y = np.arange(height, dtype=np.float32)[:, None] + 0.5
    if pattern == "striped":
        field = _stripes(x, y, cell, variant)
    elif pattern == "dotted":
        field = _dots(x, y, cell)
    elif pattern == "checkered":
        field = _checks(x, y, cell)
    else:
        raise ValueError(f"no pattern is called {pattern}")
    return np.broadcast_to(np.clip(field, 0, 1), (height, width))


def _mask(pattern: str, height: int, width: int, rng: random.Random | None) -> np.ndarray:
    """A window at a random place of a larger field that is kept between calls."""
    cell = CELL * min(height, width)
    variant, x, y = 0, 0, 0
    reach = math.ceil(2.5 * cell)
    if rng:
        cell *= rng.choice(CELL_SCALES)
        variant = rng.randrange({"striped": len(STRIPES), "starry": STAR_FIELDS}.get(pattern, 1))
        x, y = rng.randrange(reach + 1), rng.randrange(reach + 1)
    return _field(pattern, height + reach, width + reach, cell, variant)[y : y + height, x : x + width]


def _second_shade(base: np.ndarray, pattern: str) -> np.ndarray:
    """A shade that shows without competing with the objects. Stars are small and may shine more."""
    if base.mean() > 200:
        return base * (0.76 if pattern == "starry" else 0.84)
    return base + (255 - base) * (0.5 if pattern == "starry" else 0.3)


def _gradient(start: np.ndarray, end: np.ndarray, height: int, width: int, across: tuple) -> np.ndarray:
    x = (np.arange(width, dtype=np.float32) + 0.5)[None, :] / width * across[0]
    y = (np.arange(height, dtype=np.float32) + 0.5)[:, None] / height * across[1]
    share = (x + y)[..., None] / sum(across)
    return np.broadcast_to(start + (end - start) * share, (height, width, 3))


def background(
    ground: str, ground2: str | None, pattern: str, height: int, width: int, rng: random.Random | None
) -> np.ndarray:
    """
    [height, width, 4] float32: RGB 0..255 times alpha, alpha 0..1, which is 0 all over for the transparent ground and
    else 1. `ground2` is where a gradient leads, and a second shade of `ground` if None; other patterns ignore it. With
    `rng`, direction, place and cell size vary. ValueError for an unknown pattern, KeyError for an unknown colour.
    """
    out = np.zeros((height, width, 4), np.float32)
    if ground == TRANSPARENT:
        if pattern != "plain":
            raise ValueError(f"a transparent ground cannot be {pattern}")
        return out
    out[..., :3] = _opaque(ground, ground2, pattern, height, width, rng)
    out[..., 3] = 1
    return out


def _opaque(ground: str, ground2: str | None, pattern: str, height: int, width: int, rng: random.Random | None) -> np.ndarray:
    """[height, width, 3], or [3] of a plain ground."""
    base = np.array(COLOURS[ground], np.float32)
    if pattern == "plain":
        return base
    if pattern == "gradient":
        end = np.array(COLOURS[ground2], np.float32) if ground2 else _second_shade(base, pattern)
        return _gradient(base, end, height, width, rng.choice(GRADIENTS) if rng else GRADIENTS[0])
    return base + (_second_shade(base, pattern) - base) * _mask(pattern, height, width, rng)[..., None]
