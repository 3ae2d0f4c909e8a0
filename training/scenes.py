"""The world the pocket model knows: scenes drawn from the Noto Color Emoji font, with captions.

Every scene is one or two glyphs on a plain or patterned background. A caption never
says anything the picture does not show, so a picture can be judged against its caption.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

FONT = "/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf"
BITMAP_SIZE = 109  # the only strike the colour font has

# name -> (glyph, other names)
OBJECTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "fox": ("🦊", ()),
    "cat": ("🐱", ("kitten",)),
    "dog": ("🐶", ("puppy",)),
    "lion": ("🦁", ()),
    "tiger": ("🐯", ()),
    "bear": ("🐻", ()),
    "panda": ("🐼", ()),
    "koala": ("🐨", ()),
    "frog": ("🐸", ()),
    "pig": ("🐷", ("piglet",)),
    "cow": ("🐮", ()),
    "monkey": ("🐵", ()),
    "rabbit": ("🐰", ("bunny",)),
    "chick": ("🐥", ()),
    "penguin": ("🐧", ()),
    "owl": ("🦉", ()),
    "unicorn": ("🦄", ()),
    "turtle": ("🐢", ("tortoise",)),
    "octopus": ("🐙", ()),
    "fish": ("🐠", ()),
    "butterfly": ("🦋", ()),
    "ladybug": ("🐞", ("ladybird",)),
    "apple": ("🍎", ()),
    "banana": ("🍌", ()),
    "strawberry": ("🍓", ()),
    "pizza": ("🍕", ()),
    "burger": ("🍔", ("hamburger",)),
    "cake": ("🎂", ()),
    "car": ("🚗", ()),
    "bus": ("🚌", ()),
    "rocket": ("🚀", ()),
    "sun": ("🌞", ()),
    "moon": ("🌛", ()),
    "star": ("⭐", ()),
    "tree": ("🌳", ()),
    "cactus": ("🌵", ()),
    "sunflower": ("🌻", ()),
    "mushroom": ("🍄", ("toadstool",)),
    "heart": ("❤", ()),
    "house": ("🏠", ("home",)),
    "ball": ("⚽", ("football",)),
    "guitar": ("🎸", ()),
    "balloon": ("🎈", ()),
    "umbrella": ("☂", ()),
    "ghost": ("👻", ()),
    "robot": ("🤖", ()),
    "pumpkin": ("🎃", ()),
    "gift": ("🎁", ("present",)),
}

COLOURS: dict[str, tuple[int, int, int]] = {
    "red": (214, 48, 49),
    "orange": (243, 140, 38),
    "yellow": (250, 214, 60),
    "green": (58, 160, 78),
    "blue": (52, 104, 214),
    "purple": (132, 72, 186),
    "pink": (246, 148, 190),
    "brown": (126, 84, 54),
    "gray": (140, 144, 150),
    "black": (28, 28, 32),
    "white": (248, 248, 248),
}
COLOUR_SYNONYMS = {"gray": ("grey",), "purple": ("violet",)}
BACKGROUNDS = tuple(COLOURS)
TINTS = ("red", "green", "blue", "purple", "pink")
PATTERNS = ("plain", "striped", "dotted", "checkered")

# name -> (glyph height in pixels of a 128 px picture, words)
SIZES: dict[str, tuple[int, tuple[str, ...]]] = {
    "small": (48, ("small", "little", "tiny")),
    "medium": (70, ()),
    "big": (100, ("big", "large", "huge")),
}
DEFAULT_BACKGROUND = "white"


@dataclass(frozen=True)
class Scene:
    """What a picture shows. `second` is the right-hand object of "X next to Y", or None."""

    object: str
    size: str = "medium"
    tint: str | None = None
    background: str = DEFAULT_BACKGROUND
    pattern: str = "plain"
    second: str | None = None


def sample_scene(rng: random.Random) -> Scene:
    pair = rng.random() < 0.15
    return Scene(
        object=rng.choice(list(OBJECTS)),
        size="medium" if pair else rng.choices(list(SIZES), (5, 3, 2))[0],
        tint=rng.choice(TINTS) if not pair and rng.random() < 0.12 else None,
        background=rng.choice(BACKGROUNDS),
        pattern="plain" if rng.random() < 0.75 else rng.choice(PATTERNS[1:]),
        second=rng.choice(list(OBJECTS)) if pair else None,
    )


def _name(rng: random.Random, key: str) -> str:
    return rng.choice((key, key, *OBJECTS[key][1]))


def _colour(rng: random.Random, key: str) -> str:
    return rng.choice((key, key, *COLOUR_SYNONYMS.get(key, ())))


def _article(phrase: str) -> str:
    return f"an {phrase}" if phrase[0] in "aeio" or phrase.startswith("umb") else f"a {phrase}"


def caption(scene: Scene, rng: random.Random) -> str:
    """One of the ways to say the scene."""
    words = []
    if SIZES[scene.size][1]:
        words.append(rng.choice(SIZES[scene.size][1]))
    if scene.tint:
        words.append(_colour(rng, scene.tint))
    words.append(_name(rng, scene.object))
    subject = " ".join(words)
    with_article = rng.random() < 0.75
    if with_article:
        subject = _article(subject)
    if scene.second:
        other = _name(rng, scene.second)
        subject += rng.choice((" next to ", " beside ", " and ")) + (
            _article(other) if with_article else other
        )
    ground = _colour(rng, scene.background)
    plain = scene.pattern == "plain"
    if plain and scene.background == DEFAULT_BACKGROUND and rng.random() < 0.5:
        return subject
    if not plain:
        ground = f"{ground} {scene.pattern}"
    form = rng.random()
    if form < 0.7:
        return f"{subject} on {_article(ground)} background"
    if form < 0.85:
        return f"{subject}, {ground} background"
    return f"{subject} on {ground}"


@lru_cache(maxsize=None)
def glyph(name: str) -> Image.Image:
    """The glyph cropped to its ink, RGBA."""
    font = ImageFont.truetype(FONT, BITMAP_SIZE)
    canvas = Image.new("RGBA", (180, 180))
    ImageDraw.Draw(canvas).text((20, 20), OBJECTS[name][0], font=font, embedded_color=True)
    box = canvas.getbbox()
    if box is None:
        raise ValueError(f"the font at {FONT} does not draw {name}")
    return canvas.crop(box)


@lru_cache(maxsize=4096)
def _scaled(name: str, size: int, tint: str | None) -> np.ndarray:
    """[h, w, 4] float32: RGB in 0..255 premultiplied by alpha, alpha in 0..1."""
    image = glyph(name)
    scale = size / max(image.size)
    # Resize premultiplied, or dark fringes appear where transparent pixels are black.
    pixels = np.asarray(image, np.float32)
    pixels[..., :3] *= pixels[..., 3:] / 255
    shape = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    channels = [
        np.asarray(Image.fromarray(pixels[..., c]).resize(shape, Image.Resampling.LANCZOS))
        for c in range(4)
    ]
    out = np.clip(np.stack(channels, -1), 0, 255)
    out[..., 3] /= 255
    if tint:
        grey = out[..., :3] @ np.array([0.3, 0.59, 0.11], np.float32)
        colour = np.array(COLOURS[tint], np.float32)
        tinted = grey[..., None] * 0.45 + out[..., 3:] * colour * 0.55
        out[..., :3] = tinted * 0.85 + out[..., :3] * 0.15
    return out


@lru_cache(maxsize=None)
def _pattern_mask(pattern: str, size: int, phase: int) -> np.ndarray:
    y, x = np.mgrid[0:size, 0:size]
    cell = size // 8
    if pattern == "striped":
        return ((x + phase) // cell % 2).astype(np.float32)
    if pattern == "checkered":
        return (((x + phase) // cell + (y + phase) // cell) % 2).astype(np.float32)
    cx = (x + phase) % cell - cell / 2 + 0.5
    cy = (y + phase) % cell - cell / 2 + 0.5
    return np.clip(cell * 0.3 + 0.5 - np.hypot(cx, cy), 0, 1).astype(np.float32)


def background(colour: str, pattern: str, size: int, phase: int = 0) -> np.ndarray:
    """[size, size, 3] float32 in 0..255. Patterns alternate with a lighter or darker shade."""
    base = np.array(COLOURS[colour], np.float32)
    if pattern == "plain":
        return np.broadcast_to(base, (size, size, 3)).copy()
    light = base.mean() > 200
    shade = base * 0.8 if light else base + (255 - base) * 0.35
    return base + (shade - base) * _pattern_mask(pattern, size, phase)[..., None]


def _paste(canvas: np.ndarray, sprite: np.ndarray, cx: int, cy: int) -> None:
    height, width = sprite.shape[:2]
    top, left = cy - height // 2, cx - width // 2
    y0, x0 = max(0, top), max(0, left)
    y1, x1 = min(canvas.shape[0], top + height), min(canvas.shape[1], left + width)
    part = sprite[y0 - top : y1 - top, x0 - left : x1 - left]
    canvas[y0:y1, x0:x1] = canvas[y0:y1, x0:x1] * (1 - part[..., 3:]) + part[..., :3]


def render(scene: Scene, rng: random.Random | None = None, size: int = 128) -> np.ndarray:
    """[size, size, 3] uint8. With `rng`, position, scale and pattern phase vary a little."""
    unit = size / 128
    jitter = (lambda reach: rng.randint(-reach, reach)) if rng else (lambda reach: 0)
    phase = rng.choice((0, size // 16)) if rng else 0
    canvas = background(scene.background, scene.pattern, size, phase)
    if scene.second:
        for name, cx in ((scene.object, 0.27), (scene.second, 0.73)):
            height = round(unit * (56 + 2 * jitter(2)))
            x, y = round(size * cx + unit * jitter(3)), round(size / 2 + unit * jitter(6))
            _paste(canvas, _scaled(name, height, None), x, y)
    else:
        reach = {"small": 8, "medium": 7, "big": 5}[scene.size]
        height = round(unit * (SIZES[scene.size][0] + 2 * jitter(2)))
        x, y = round(size / 2 + unit * jitter(reach)), round(size / 2 + unit * jitter(reach))
        _paste(canvas, _scaled(scene.object, height, scene.tint), x, y)
    return np.clip(canvas + 0.5, 0, 255).astype(np.uint8)


def sample(rng: random.Random, size: int = 128) -> tuple[str, np.ndarray]:
    """A caption and its picture."""
    scene = sample_scene(rng)
    return caption(scene, rng), render(scene, rng, size)
