"""Ways of drawing a scene. Each takes the objects on a clear layer and the ground, and joins them."""

from __future__ import annotations

import random

import numpy as np
from PIL import Image, ImageFilter

from .filters import LUMINANCE, blur, bytes_of, lines, noise, shifted, to_image, widen
from .scene import OWN_GROUND_STYLES

INK = np.array([22, 22, 26], np.float32)
CHALK = np.array([250, 250, 250], np.float32)
PAPER = np.array([253, 251, 246], np.float32)
STICKER = np.array([255, 255, 255], np.float32)
BLUEPRINT = np.array([30, 84, 164], np.float32)
NIGHT = np.array([6, 5, 12], np.float32)
PIXELS_ACROSS = 64
PIXEL_COLOURS = 12
PIXEL_GROUND_COLOURS = 6
PAPER_COLOURS = 8


def _over(canvas: np.ndarray, mask: np.ndarray, colour: np.ndarray) -> np.ndarray:
    """One colour ([3] or [h, w, 3], not premultiplied) over the canvas through a mask [h, w] in 0..1."""
    mask = mask[..., None]
    out = canvas * (1 - mask)
    out[..., :3] += colour * mask
    out[..., 3:] += mask
    return out


def _under(layer: np.ndarray, ground: np.ndarray) -> np.ndarray:
    """[3]: the mean colour of the ground behind the objects; a transparent one counts as white."""
    weight = layer[..., 3] + 1e-4
    seen = ground[..., :3] + 255 * (1 - ground[..., 3:])
    return np.tensordot(weight, seen, 2) / weight.sum()


def _plain(layer: np.ndarray, ground: np.ndarray, rng) -> np.ndarray:
    return ground * (1 - layer[..., 3:]) + layer


def _outline(layer: np.ndarray, ground: np.ndarray, rng) -> np.ndarray:
    light = (_under(layer, ground) / 255) ** 2.2 @ np.array([0.21, 0.72, 0.07])
    return _over(ground, lines(layer), CHALK if light < 0.18 else INK)


def _silhouette(layer: np.ndarray, ground: np.ndarray, rng) -> np.ndarray:
    return _over(ground, layer[..., 3], CHALK if _under(layer, ground) @ LUMINANCE < 64 else INK)


def _few_colours(image: Image.Image, colours: int) -> np.ndarray:
    # Maximum coverage keeps small details of their own colour, such as eyes.
    # A palette found at about 64 x 64 serves the whole image, and is much sooner found.
    small = image.reduce(max(1, min(image.size) // 64))
    palette = small.quantize(colours, Image.Quantize.MAXCOVERAGE, kmeans=1)
    return np.asarray(image.quantize(palette=palette, dither=Image.Dither.NONE).convert("RGB"), np.float32)


def _pixel_art(layer: np.ndarray, ground: np.ndarray, rng) -> np.ndarray:
    height, width = layer.shape[:2]
    cell = max(1, round(min(height, width) / PIXELS_ACROSS))
    small = np.asarray(to_image(bytes_of(layer)).reduce(cell), np.float32)
    alpha = small[..., 3:]
    solid = alpha[..., 0] >= 128
    # Clear cells take the mean colour, so that they use up no entry of the palette.
    mean = small[..., :3].sum((0, 1)) / max(1, alpha.sum())
    colour = np.where(solid[..., None], small[..., :3] / np.maximum(alpha, 1), mean) * 255
    colour = _few_colours(to_image(colour), PIXEL_COLOURS)
    rows, columns = solid.shape
    sampled = ground[cell // 2 :: cell, cell // 2 :: cell]  # no blend of two shades at their border
    missing = ((0, rows - sampled.shape[0]), (0, columns - sampled.shape[1]), (0, 0))
    art = np.pad(sampled, missing, "edge")
    if art[..., 3].any():
        art[..., :3] = _few_colours(to_image(art[..., :3]), PIXEL_GROUND_COLOURS)
    rim = shifted(solid, 1, 0) | shifted(solid, -1, 0) | shifted(solid, 0, 1) | shifted(solid, 0, -1)
    art = _over(art, rim.astype(np.float32), INK)
    art = _over(art, solid.astype(np.float32), colour)
    return art.repeat(cell, 0).repeat(cell, 1)[:height, :width]


def _border(layer: np.ndarray, wide: float, smooth: float) -> np.ndarray:
    """
    [h, w] in 0..1: a sheet cut out around the objects, `wide` pixels beyond them, with a clean edge. `smooth`: the
    blur in pixels, before and after, that rounds its corners.
    """
    unit = min(layer.shape[:2]) / 256
    shape = to_image(layer[..., 3] * 255).filter(ImageFilter.GaussianBlur(0.75 * smooth))
    border = widen(np.asarray(shape), max(2, round(wide))).astype(np.float32)
    return np.clip((blur(border, smooth) - 128) / (255 * 0.3 / unit) + 0.5, 0, 1)


def _paper(layer: np.ndarray, ground: np.ndarray, rng) -> np.ndarray:
    short = min(layer.shape[:2])
    unit = short / 256
    border = _border(layer, 0.03 * short, 1.6 * unit)
    fall = round(4 * unit)
    shadow = blur(shifted(border, fall, round(0.75 * fall)) * 255, 4 * unit) * (0.55 / 255)
    sheet = _over(ground, shadow, np.zeros(3, np.float32))
    sheet = _over(sheet, border, PAPER)
    picture = to_image(layer[..., :3] + PAPER * (1 - layer[..., 3:]))
    flat = _few_colours(picture.filter(ImageFilter.GaussianBlur(1.2 * unit)), PAPER_COLOURS)
    return _over(sheet, layer[..., 3], blur(flat, 0.6 * unit))


def _sticker(layer: np.ndarray, ground: np.ndarray, rng) -> np.ndarray:
    short = min(layer.shape[:2])
    unit = short / 256
    border = _border(layer, 0.04 * short, 2.4 * unit)
    # A thin shade all around sets the border off from a white ground. Cut out, a sticker ends at its border.
    shade = blur(border * 255, 2 * unit) * (0.4 / 255) * ground[..., 3]
    sheet = _over(_over(ground, shade, np.zeros(3, np.float32)), border, STICKER)
    return sheet * (1 - layer[..., 3:]) + layer


def _wide_blur(values: np.ndarray, radius: float) -> np.ndarray:
    """`blur`, worked out at a quarter of the size: good for glows only."""
    image = to_image(values)
    small = image.reduce(4).filter(ImageFilter.GaussianBlur(radius / 4))
    return np.asarray(small.resize(image.size, Image.Resampling.BILINEAR), np.float32)


def _neon(layer: np.ndarray, ground: np.ndarray, rng) -> np.ndarray:
    unit = min(layer.shape[:2]) / 256
    line = lines(layer, 0.9)
    # Colour from a little around each line, as vivid and as bright as it gets.
    around = blur(bytes_of(layer), 3 * unit)[..., :3]
    most = around.max(-1, keepdims=True) + 1
    least = around.min(-1, keepdims=True)
    vivid = (around - 0.8 * least + 1) * (255 / (most - 0.8 * least))
    light = vivid * line[..., None]
    near = blur(light, 2.5 * unit)
    far = _wide_blur(light, 9 * unit)
    lit = ground.copy()
    lit[..., :3] = ground[..., :3] * 0.1 + NIGHT + near * 0.75 + far * 0.9
    return _over(lit, line * 0.9, vivid * 0.72 + 71)


def _watercolour(layer: np.ndarray, ground: np.ndarray, rng) -> np.ndarray:
    height, width = layer.shape[:2]
    unit = min(height, width) / 256
    wash = blur(bytes_of(layer), 3.5 * unit)
    bled = wash * 0.4 + blur(bytes_of(layer), 0.8 * unit) * 0.6
    alpha = bled[..., 3]
    colour = bled[..., :3] * (255 / np.maximum(alpha, 1))[..., None]
    ragged = noise(height, width, max(2, round(6 * unit)), rng) - 0.5
    pools = noise(height, width, max(2, round(36 * unit)), rng) - 0.5
    grain = noise(height, width, max(1, round(1.5 * unit)), rng) - 0.5
    inside = np.clip((alpha / 255 + 0.45 * ragged - 0.5) * 4 + 0.5, 0, 1)
    soft = wash[..., 3] / 255
    # Pigment gathers along the rim, and a little paper stays bare just outside it.
    rim = np.maximum(0, 1 - np.abs(soft - 0.72) * 5) * inside
    bare = np.maximum(0, 1 - np.abs(soft - 0.2) * 6) * (1 - inside)
    pigment = 0.78 + 0.5 * pools + 0.16 * ragged + 0.3 * rim - 0.5 * bare + 0.16 * grain
    painted = _over(ground, inside, colour)
    paper = PAPER * painted[..., 3:]
    painted[..., :3] = paper - (paper - np.minimum(painted[..., :3], paper)) * np.clip(pigment, 0.15, 1.1)[..., None]
    return painted


def _blueprint(layer: np.ndarray, ground: np.ndarray, rng) -> np.ndarray:
    height, width = layer.shape[:2]
    step = max(4, round(min(height, width) / 16))
    thin = max(1, round(min(height, width) / 256))
    grid = np.zeros((height, width), np.float32)
    for start in range(step // 2, max(height, width), step):
        grid[start : start + thin] = 0.16
        grid[:, start : start + thin] = 0.16
    sheet = np.empty_like(ground)
    sheet[..., :3], sheet[..., 3] = BLUEPRINT, 1
    return _over(_over(sheet, grid, CHALK), lines(layer), CHALK)


_STYLES = {
    "plain": _plain,
    "outline": _outline,
    "silhouette": _silhouette,
    "pixel art": _pixel_art,
    "paper cut-out": _paper,
    "neon": _neon,
    "watercolour": _watercolour,
    "blueprint": _blueprint,
    "sticker": _sticker,
}


def apply(style: str, layer: np.ndarray, ground: np.ndarray, rng: random.Random | None) -> np.ndarray:
    """
    The image, [h, w, 4] float32 with RGB 0..255 times alpha and alpha 0..1. `layer`, with all objects in place, and
    `ground` are of the same kind, and neither is changed. KeyError for an unknown style, ValueError for a style that
    has a ground of its own on a transparent one.
    """
    if style in OWN_GROUND_STYLES and not ground[..., 3].all():
        raise ValueError(f"{style} cannot be drawn on a transparent ground")
    image = _STYLES[style](layer, ground, rng)
    image[..., 3] = np.clip(image[..., 3], 0, 1)
    image[..., :3] = np.clip(image[..., :3], 0, 255 * image[..., 3:])
    return image
