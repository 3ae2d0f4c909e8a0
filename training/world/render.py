"""Draws a scene."""

from __future__ import annotations

import random

import numpy as np

from . import styles
from .backgrounds import background
from .glyphs import sprite
from .layout import lean, spots
from .scene import Scene


def _paste(layer: np.ndarray, glyph: np.ndarray, x: float, y: float) -> None:
    height, width = glyph.shape[:2]
    top, left = round(y - height / 2), round(x - width / 2)
    y0, x0 = max(0, top), max(0, left)
    y1, x1 = min(layer.shape[0], top + height), min(layer.shape[1], left + width)
    if y1 <= y0 or x1 <= x0:
        return
    part = glyph[y0 - top : y1 - top, x0 - left : x1 - left]
    layer[y0:y1, x0:x1] *= 1 - part[..., 3:]
    layer[y0:y1, x0:x1] += part


def render(scene: Scene, rng: random.Random, width: int = 256, height: int = 256) -> np.ndarray:
    """[height, width, 3] uint8. `rng` decides everything that the scene does not say."""
    layer = np.zeros((height, width, 4), np.float32)
    for spot in spots(scene, width, height, rng):
        group = spot.group
        glyph = sprite(group.concept, spot.reach, group.tint, group.rotation, lean(rng) if group.rotation == "upright" else 0)
        _paste(layer, glyph, spot.x, spot.y)
    ground = background(scene.ground, scene.ground2, scene.pattern, height, width, rng)
    picture = styles.apply(scene.style, layer, ground, rng)
    return np.clip(picture + 0.5, 0, 255).astype(np.uint8)
