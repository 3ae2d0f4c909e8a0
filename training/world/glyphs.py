"""Glyphs as sprites: drawn by the font, cropped to their ink, scaled, tinted and turned."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from .concepts import CONCEPTS
from .tints import tint

FONT = "/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf"
BITMAP_SIZE = 109  # the only strike the colour font has
ANGLES = {"upright": 0, "tilted left": 30, "tilted right": -30, "upside down": 180}


@lru_cache(maxsize=None)
def ink(concept: str) -> np.ndarray:
    """[h, w, 4] float32 cropped to its ink: RGB 0..255 times alpha, alpha 0..1. About 120 pixels high."""
    font = ImageFont.truetype(FONT, BITMAP_SIZE)
    canvas = Image.new("RGBA", (180, 180))
    ImageDraw.Draw(canvas).text((20, 20), CONCEPTS[concept].glyph, font=font, embedded_color=True)
    box = canvas.getbbox()
    if box is None:
        raise ValueError(f"the font at {FONT} does not draw {concept}")
    pixels = np.asarray(canvas.crop(box), np.float32).copy()
    pixels[..., 3] /= 255
    pixels[..., :3] *= pixels[..., 3:]
    return pixels


@lru_cache(maxsize=2048)
def _tinted(concept: str, colour: str) -> np.ndarray:
    return tint(ink(concept), colour)


def _channels(pixels: np.ndarray, change) -> np.ndarray:
    """Resampled premultiplied, or dark fringes appear where transparent pixels are black."""
    planes = [np.asarray(change(Image.fromarray(np.ascontiguousarray(pixels[..., c])))) for c in range(4)]
    return np.stack(planes, -1)


def sprite(concept: str, reach: float, colour: str | None = None, rotation: str = "upright", lean: float = 0) -> np.ndarray:
    """
    The glyph with its longer side `reach` pixels long, as `ink` returns it.
    `lean` are degrees added to the rotation, counter-clockwise.
    """
    pixels = _tinted(concept, colour) if colour else ink(concept)
    scale = reach / max(pixels.shape[:2])
    shape = (max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale)))
    out = _channels(pixels, lambda plane: plane.resize(shape, Image.Resampling.BICUBIC, reducing_gap=2.0))
    angle = ANGLES[rotation] + lean
    if angle == 180:
        out = out[::-1, ::-1]
    elif angle:
        out = _channels(out, lambda plane: plane.rotate(angle, Image.Resampling.BICUBIC, expand=True))
    out = np.clip(out, 0, 255)
    out[..., 3] = np.minimum(out[..., 3], 1)
    return out
