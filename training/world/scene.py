"""What an image shows. Everything a caption may say is here, and nothing else is."""

from __future__ import annotations

from dataclasses import dataclass

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
    "turquoise": (50, 186, 190),
}
TRANSPARENT = "transparent"
GROUNDS = (*COLOURS, TRANSPARENT)
TINTS = ("red", "orange", "yellow", "green", "blue", "purple", "pink", "turquoise", "black", "white")
PATTERNS = ("plain", "gradient", "striped", "dotted", "checkered", "starry")
STYLES = ("plain", "outline", "silhouette", "pixel art", "paper cut-out", "neon", "watercolour", "blueprint", "sticker")
OWN_GROUND_STYLES = ("neon", "blueprint")  # drawn as light on something dark: never on a transparent ground
# name -> height of an object alone, as a share of the image's shorter side
SIZES: dict[str, float] = {"small": 0.40, "medium": 0.56, "big": 0.78}
COUNTS = ("one", "two", "three", "many")
RELATIONS = ("next to", "left of", "right of", "above", "below", "in front of", "behind")
PLACES = ("centre", "top left", "top right", "bottom left", "bottom right")
ROTATIONS = ("upright", "tilted left", "tilted right", "upside down")
DEFAULT_GROUND = TRANSPARENT  # where a prompt names none


@dataclass(frozen=True)
class Group:
    """One or several of the same object. `concept` is the key of concepts.CONCEPTS."""

    concept: str
    tint: str | None = None
    size: str = "medium"
    count: str = "one"
    rotation: str = "upright"


@dataclass(frozen=True)
class Scene:
    """
    `second` stands in `relation` to `first`: "a fox left of a tree" has the fox first. With a
    second group both are single objects of medium size. `place` is only said of one alone.
    `ground` is one of GROUNDS; a transparent one is plain. `ground2` is the other colour of a gradient (to it, from
    `ground`), else None.
    """

    first: Group
    second: Group | None = None
    relation: str | None = None
    place: str = "centre"
    ground: str = DEFAULT_GROUND
    ground2: str | None = None
    pattern: str = "plain"
    style: str = "plain"
