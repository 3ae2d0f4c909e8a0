"""Recolouring an object: its overall colour becomes the named one, its shading and details stay."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .filters import LUMINANCE
from .scene import COLOURS

# An object of nearly one shade is not stretched further than this many levels of grey
# to either side of its middle: a flat heart stays flat.
LEAST_REACH = 70
# How far the darkest parts go to black and the lightest to white.
TO_BLACK, TO_WHITE = 0.72, 0.5
# Black and white have little room on one side, so their greys are named: darkest, middle, lightest.
GREYS = {"black": (0, 30, 118), "white": (84, 236, 255)}


def _ramp(colour: str) -> np.ndarray:
    """[3, 3]: the darkest, the middle and the lightest shade of a colour."""
    if colour in GREYS:
        return np.repeat(np.array(GREYS[colour], np.float32)[:, None], 3, 1)
    middle = np.array(COLOURS[colour], np.float32)
    return np.stack((middle * (1 - TO_BLACK), middle, middle + (255 - middle) * TO_WHITE))


@dataclass(frozen=True)
class Shades:
    """The greys of an object, 0..255: dark and light ones, few of it beyond, and the middle one."""

    low: float
    middle: float
    high: float


def _grey(sprite: np.ndarray) -> np.ndarray:
    return sprite[..., :3] @ LUMINANCE / np.maximum(sprite[..., 3], 1e-3)


def shades(sprite: np.ndarray) -> Shades:
    """Of a sprite [h, w, 4] float32, RGB premultiplied in 0..255 and alpha in 0..1. ValueError if nothing of it is solid."""
    solid = _grey(sprite)[sprite[..., 3] > 0.5]
    if solid.size == 0:
        raise ValueError("a clear sprite has no shades")
    return Shades(*(float(value) for value in np.percentile(solid, (3, 50, 97))))


def tint(sprite: np.ndarray, colour: str, seen: Shades) -> np.ndarray:
    """
    The sprite in one colour of COLOURS: [h, w, 4] float32, RGB premultiplied in 0..255 and
    alpha in 0..1, as given. Its object's middle grey becomes the colour itself, so that it does
    not matter how dark or light the object is. KeyError for an unknown colour.
    """
    dark, middle, light = _ramp(colour)
    grey = _grey(sprite)
    below = np.clip((seen.middle - grey) / max(seen.middle - seen.low, LEAST_REACH), 0, 1)[..., None]
    above = np.clip((grey - seen.middle) / max(seen.high - seen.middle, LEAST_REACH), 0, 1)[..., None]
    out = sprite.copy()
    out[..., :3] = (middle + (dark - middle) * below + (light - middle) * above) * sprite[..., 3:]
    return out
