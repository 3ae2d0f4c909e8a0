"""How a caption says the background, or leaves it out."""

from __future__ import annotations

import random
from collections.abc import Sequence

from . import phrases as p
from .scene import TRANSPARENT, Scene

PREPOSITIONS = (" with ", " on ", " and ", " in front of ")  # twice in one caption they make it unclear
NO_GROUND_STYLES = ("blueprint",)  # their ground is always the same
DARK_STYLES = ("neon",)  # their ground is a dark shade of the colour
UNLIT = "white"  # whose shade is dark gray: the ground of those styles where none is asked for


def says_ground(scene: Scene, rng: random.Random) -> bool:
    """Whether the caption says the background. A transparent one is what one expects, so it is said at times."""
    if scene.style in NO_GROUND_STYLES:
        return False
    if scene.ground == TRANSPARENT:
        return rng.random() < 0.35
    if scene.pattern != "plain" or scene.style not in DARK_STYLES:
        return True
    return rng.random() < (0.1 if scene.ground == UNLIT else 0.6)


def ground_after(said: str, scene: Scene, rng: random.Random) -> str:
    """What was said so far, and the background after it. Articles are marks still."""
    if scene.ground == TRANSPARENT and rng.random() < 0.5:
        return rng.choice(_clear(p.TRANSPARENT_AFTER, said, "")).format(s=said)
    if scene.ground != TRANSPARENT and " on " not in said and scene.style not in DARK_STYLES and rng.random() < 0.25:
        ground = _ground(p.GROUND_BARE[scene.pattern], scene, rng)
        return rng.choice(p.ON_BARE).format(s=said, g=ground)
    ground = _noun(scene, rng)
    if said.endswith("corner") and rng.random() < 0.25:
        return p.CORNER_OF_GROUND.format(s=said, g=ground)
    forms = p.ON_PLAIN_GROUND if scene.pattern == "plain" and "," not in said else p.ON_GROUND
    # "In front of" a background is not said where it might be taken for the relation of a pair.
    clear = _clear(forms, f"{said} in front of " if scene.second else said, ground)
    return rng.choice(clear).format(s=said, g=ground)


def ground_before(said: str, scene: Scene, rng: random.Random) -> str:
    """The background first, then all the rest."""
    if scene.ground == TRANSPARENT and rng.random() < 0.5:
        return rng.choice(_clear(p.TRANSPARENT_FIRST, said, "")).format(s=said)
    ground = _noun(scene, rng)
    return rng.choice(_clear(p.GROUND_FIRST, said, ground)).format(s=said, g=ground)


def _noun(scene: Scene, rng: random.Random) -> str:
    """A background that takes an article."""
    return rng.choice(p.TRANSPARENT_NOUNS) if scene.ground == TRANSPARENT else _ground(p.GROUND_NOUNS[scene.pattern], scene, rng)


def _ground(templates: Sequence[str], scene: Scene, rng: random.Random) -> str:
    first, second = _colours(scene, rng, may_omit=templates is not p.GROUND_BARE[scene.pattern])
    if scene.pattern == "gradient" and not second:
        return f"{first} {rng.choice(p.GRADIENT_UNSAID)}".strip()
    return " ".join(rng.choice(templates).format(c=first, d=second).split())


def _colours(scene: Scene, rng: random.Random, may_omit: bool) -> tuple[str, str]:
    """Words for the two colours of the background, empty where they are left out or are not there."""
    first = rng.choice(p.COLOUR_WORDS[scene.ground])
    second = rng.choice(p.COLOUR_WORDS[scene.ground2]) if scene.ground2 else ""
    if scene.style in DARK_STYLES:
        return _dark_colours(first, second, scene, rng)
    patterned = scene.pattern not in ("plain", "gradient")
    if may_omit and patterned and scene.ground == "white" and rng.random() < 0.5:
        first = ""
    return first, second


def _dark_colours(first: str, second: str, scene: Scene, rng: random.Random) -> tuple[str, str]:
    # White is not white any more on a dark ground, so then no colour is named.
    named = UNLIT not in (scene.ground, scene.ground2)
    if scene.pattern == "plain":
        if not named or rng.random() < 0.15:
            return p.DARK, ""
    elif not named or rng.random() < 0.5:
        return rng.choice(("", p.DARK)), ""
    if rng.random() < 0.5:
        return first, second
    return _darkened(first), _darkened(second)


def _darkened(colour: str) -> str:
    return colour if colour in ("", "black") else p.DARKENED.format(c=colour)


def _clear(templates: Sequence[str], said: str, ground: str) -> list[str]:
    """The templates that do not say a preposition again that the text or the background has already."""
    taken = [word for word in PREPOSITIONS if word in f" {said} " or word in f" {ground} "]
    return [form for form in templates if not any(word in form for word in taken)]
