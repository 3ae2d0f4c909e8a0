"""Draws a scene, and knows what each part of the image shows."""

from __future__ import annotations

import random

import numpy as np

from . import styles
from .backgrounds import background
from .concepts import CONCEPTS
from .glyphs import sprite
from .layout import Spot, lean, spots
from .scene import Scene

CELL = 16  # pixels of a token's side, of an image as the transformer sees it
FAR = 100  # what a glyph's half length counts in marks
_NUMBERS = {concept: i + 1 for i, concept in enumerate(CONCEPTS)}


def _paste(layer: np.ndarray, owner: np.ndarray, number: int, glyph: np.ndarray, x: float, y: float) -> None:
    """Puts the glyph on the layer; `owner` [height, width] becomes `number` where it covers more than half."""
    height, width = glyph.shape[:2]
    top, left = round(y - height / 2), round(x - width / 2)
    y0, x0 = max(0, top), max(0, left)
    y1, x1 = min(layer.shape[0], top + height), min(layer.shape[1], left + width)
    if y1 <= y0 or x1 <= x0:
        return
    part = glyph[y0 - top : y1 - top, x0 - left : x1 - left]
    layer[y0:y1, x0:x1] *= 1 - part[..., 3:]
    layer[y0:y1, x0:x1] += part
    owner[y0:y1, x0:x1][part[..., 3] > 0.5] = number


def _marks(placed: list[Spot], owner: np.ndarray) -> np.ndarray:
    """
    [tokens, 3] int16: of the object that covers most of each token, its number in CONCEPTS from 1,
    and how far the token lies from its centre, to the right and down, in hundredths of half its
    length. Zeros where the ground does.
    """
    rows, columns = owner.shape[0] // CELL, owner.shape[1] // CELL
    cells = owner.reshape(rows, CELL, columns, CELL).transpose(0, 2, 1, 3).reshape(rows * columns, -1)
    shares = (cells[..., None] == np.arange(len(placed) + 1)).sum(1)
    marks = np.zeros((rows * columns, 3), np.int16)
    for token, most in enumerate(shares.argmax(1)):
        if most:
            spot = placed[most - 1]
            x, y = (token % columns + 0.5) * CELL - spot.x, (token // columns + 0.5) * CELL - spot.y
            far = [max(-FAR, min(FAR, round(2 * FAR * d / spot.reach))) for d in (x, y)]
            marks[token] = _NUMBERS[spot.group.concept], *far
    return marks


def _draw(scene: Scene, rng: random.Random, width: int, height: int) -> tuple[np.ndarray, list[Spot], np.ndarray]:
    """The image [height, width, 4] uint8, what was placed in it, and which of that (from 1) or the ground (0) each pixel shows."""
    layer, owner = np.zeros((height, width, 4), np.float32), np.zeros((height, width), np.int16)
    placed = spots(scene, width, height, rng)
    for number, spot in enumerate(placed, 1):
        group = spot.group
        glyph = sprite(group.concept, spot.reach, group.tint, group.rotation, lean(rng) if group.rotation == "upright" else 0)
        _paste(layer, owner, number, glyph, spot.x, spot.y)
    ground = background(scene.ground, scene.ground2, scene.pattern, height, width, rng)
    return _bytes(styles.apply(scene.style, layer, ground, rng)), placed, owner


def _bytes(image: np.ndarray) -> np.ndarray:
    """From premultiplied float32 [h, w, 4] to straight uint8, as PNG has it. What is clear is white."""
    alpha = image[..., 3:]
    out = image.copy()
    if alpha.min() < 1:
        out[..., :3] = np.where(alpha > 1 / 512, out[..., :3] / np.maximum(alpha, 1 / 512), 255)
    out[..., 3:] *= 255
    return np.clip(out + 0.5, 0, 255).astype(np.uint8)


def render(scene: Scene, rng: random.Random, width: int = 256, height: int = 256) -> np.ndarray:
    """
    [height, width, 4] uint8, RGB straight. `rng` decides everything that the scene does not say; another size of the
    same scene is another image.
    """
    return _draw(scene, rng, width, height)[0]


def render_marked(scene: Scene, rng: random.Random, width: int, height: int) -> tuple[np.ndarray, np.ndarray]:
    """The image, as `render` draws it, and the marks of its tokens; both sides are multiples of CELL."""
    image, placed, owner = _draw(scene, rng, width, height)
    return image, _marks(placed, owner)
