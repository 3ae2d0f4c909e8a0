"""Small raster tools of the styles: blurring, widening, edges as lines, noise. No scipy."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from PIL import Image, ImageFilter

LUMINANCE = np.array([0.3, 0.59, 0.11], np.float32)
FULL_EDGE = 0.17  # a colour step (0..1) that already draws a full line
FAINT_EDGE = 0.085  # a colour step that draws none: soft shading inside an object


def to_image(values: np.ndarray) -> Image.Image:
    """A picture of [h, w] or [h, w, 3 or 4] values in 0..255, which are clipped and rounded."""
    return Image.fromarray(np.clip(values + 0.5, 0, 255).astype(np.uint8))


def blur(values: np.ndarray, radius: float) -> np.ndarray:
    """Gaussian blur of [h, w] or [h, w, 3 or 4] in 0..255 by `radius` pixels; float32, 8-bit steps."""
    return np.asarray(to_image(values).filter(ImageFilter.GaussianBlur(radius)), np.float32)


def bytes_of(layer: np.ndarray) -> np.ndarray:
    """The layer ([h, w, 4], alpha in 0..1) with its alpha in 0..255 too."""
    return layer * np.array([1, 1, 1, 255], np.float32)


def shifted(mask: np.ndarray, down: int, right: int) -> np.ndarray:
    """The mask moved by whole pixels, zeros flowing in."""
    out = np.zeros_like(mask)
    h, w = mask.shape
    out[max(0, down) : h + min(0, down), max(0, right) : w + min(0, right)] = mask[
        max(0, -down) : h - max(0, down), max(0, -right) : w - max(0, right)
    ]
    return out


def widen(mask: np.ndarray, radius: int) -> np.ndarray:
    """Greyscale dilation of [h, w] uint8 by a disc of `radius` pixels."""
    h, w = mask.shape
    padded = np.zeros((h + 2 * radius, w), mask.dtype)
    row = mask.copy()  # the mask widened sideways so far
    reach = 0
    for dy in range(radius, -1, -1):
        half = int((radius * radius - dy * dy) ** 0.5 + 0.5)
        while reach < half:
            reach += 1
            np.maximum(row[:, reach:], mask[:, :-reach], out=row[:, reach:])
            np.maximum(row[:, :-reach], mask[:, reach:], out=row[:, :-reach])
        for top in {radius - dy, radius + dy}:
            np.maximum(padded[top : top + h], row, out=padded[top : top + h])
    return padded[radius : radius + h]


def lines(layer: np.ndarray, width: float = 1.0) -> np.ndarray:
    """
    The outlines and inner edges of a layer as a line drawing: [h, w] in 0..1.

    Lines are about 1.5 % of the shorter side wide, times `width`. The layer is [h, w, 4],
    RGB premultiplied in 0..255 and alpha in 0..1.
    """
    radius = max(0.5, min(layer.shape[:2]) / 256 * width)
    soft = np.pad(blur(bytes_of(layer), radius), ((1, 1), (1, 1), (0, 0)))
    across = soft[1:-1, 2:] - soft[1:-1, :-2]
    down = soft[2:, 1:-1] - soft[:-2, 1:-1]
    across *= across
    down *= down
    across += down
    # Alpha counts twice, so that an outline is drawn in full even around dark objects.
    energy = across @ np.array([1, 1, 1, 2], np.float32)
    # The middle of a blurred step of height 1 has a central difference of 2 / (radius sqrt(2 pi)).
    step = np.sqrt(energy) * (radius * 1.25 / 255 / 3**0.5)
    return np.clip((step - FAINT_EDGE) / (FULL_EDGE - FAINT_EDGE), 0, 1)


@lru_cache(maxsize=64)
def _noise(height: int, width: int, cell: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    small = rng.random((height // cell + 3, width // cell + 3), np.float32)
    size = (small.shape[1] * cell, small.shape[0] * cell)
    return np.asarray(Image.fromarray(small).resize(size, Image.Resampling.BICUBIC))


def noise(height: int, width: int, cell: int, rng) -> np.ndarray:
    """Smooth noise about 0.5, [height, width], with blobs of `cell` pixels."""
    seed, x, y = (rng.randrange(4), rng.randrange(2 * cell), rng.randrange(2 * cell)) if rng else (0, 0, 0)
    return _noise(height, width, cell, seed)[y : y + height, x : x + width]
