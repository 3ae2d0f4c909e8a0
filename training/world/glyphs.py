"""Glyphs as sprites of any size: drawn from vectors, scaled, tinted and turned."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from PIL import Image

from . import vectors
from .tints import Shades, shades, tint

ANGLES = {"upright": 0, "tilted left": 30, "tilted right": -30, "upside down": 180}
SMALLEST = 64  # pixels of the longer side of the smallest drawing that is kept
MIDDLE = 128  # and of the one from which a tint is worked out, so that it does not depend on the size


@lru_cache(maxsize=1024)
def _drawn(concept: str, reach: int) -> np.ndarray:
    return vectors.draw(concept, reach)


@lru_cache(maxsize=None)
def _shades(concept: str) -> Shades:
    return shades(_floats(_drawn(concept, MIDDLE)))


def _floats(pixels: np.ndarray) -> np.ndarray:
    """[h, w, 4] uint8 premultiplied -> float32, RGB in 0..255 times alpha and alpha in 0..1."""
    out = pixels.astype(np.float32)
    out[..., 3] *= 1 / 255
    return out


def sprite(concept: str, reach: float, colour: str | None = None, rotation: str = "upright", lean: float = 0) -> np.ndarray:
    """
    The glyph with its longer side `reach` pixels long: [h, w, 4] float32, RGB 0..255 times alpha, alpha 0..1.
    `lean` are degrees added to the rotation, counter-clockwise.
    """
    level = SMALLEST
    while level < reach:
        level *= 2
    pixels = _drawn(concept, level)
    # "RGBa" is premultiplied: resampled otherwise, transparent pixels would leave dark fringes.
    image = Image.frombuffer("RGBa", (pixels.shape[1], pixels.shape[0]), pixels)
    size = tuple(max(1, round(side * reach / level)) for side in image.size)
    image = image.resize(size, Image.Resampling.BICUBIC)
    angle = ANGLES[rotation] + lean
    if angle == 180:
        image = image.transpose(Image.Transpose.ROTATE_180)
    elif angle:
        image = image.rotate(angle, Image.Resampling.BICUBIC, expand=True)
    out = _floats(np.asarray(image))
    # Bicubic resampling can overshoot: no channel shines through its alpha.
    np.minimum(out[..., :3], 255 * out[..., 3:], out=out[..., :3])
    return tint(out, colour, _shades(concept)) if colour else out
