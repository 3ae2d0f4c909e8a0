"""Draws scenes at random, and keeps some compositions out of training for good."""

from __future__ import annotations

import random
import zlib
from collections.abc import Sequence
from dataclasses import replace

from .concepts import CONCEPTS
from .scene import (
    COLOURS, COUNTS, OWN_GROUND_STYLES, PATTERNS, PLACES, RELATIONS, ROTATIONS, SIZES, TINTS, TRANSPARENT, Group, Scene,
)  # fmt: skip

HELD_OUT = 8  # one composition in so many is never trained
UNASKED_GROUNDS = (TRANSPARENT, "white")  # what scenes are drawn on where no ground is asked for
TRANSPARENT_SHARE = 0.33
# How often each style is drawn. The plain one and stickers are asked for most; some are harder to learn than others.
STYLE_WEIGHTS = {
    "plain": 65, "sticker": 10, "pixel art": 5, "neon": 4, "blueprint": 4,
    "outline": 3, "silhouette": 3, "paper cut-out": 3, "watercolour": 3,
}  # fmt: skip


def _hidden(*parts: str) -> bool:
    return zlib.crc32("/".join(parts).encode()) % HELD_OUT == 0


def held_out(scene: Scene) -> bool:
    """
    Whether the scene holds a composition that is never trained: an object on a background, in a
    colour, in a number, in a place, or two objects in a relation. White and transparent grounds and single, untinted
    objects in the middle are always trained, or a rare object would not be met at all.
    """
    first, second = scene.first, scene.second
    if scene.ground not in UNASKED_GROUNDS and _hidden("ground", first.concept, scene.ground):
        return True
    if first.tint and _hidden("tint", first.concept, first.tint):
        return True
    if first.count != "one" and _hidden("count", first.concept, first.count):
        return True
    if scene.place != "centre" and _hidden("place", first.concept, scene.place):
        return True
    return second is not None and _hidden("pair", first.concept, scene.relation or "", second.concept)


def _ground(rng: random.Random) -> str:
    """A colour, or one time in three the transparent ground, which is also what no word for a ground means."""
    return TRANSPARENT if rng.random() < TRANSPARENT_SHARE else rng.choice(list(COLOURS))


def _lone(rng: random.Random, concept: str) -> Scene:
    """One object, large, on a plain ground: what its name means, and what the name of a colour does to it."""
    tint = rng.choice(TINTS) if rng.random() < 0.4 else None
    return Scene(Group(concept, tint, size=rng.choice(("medium", "big"))), ground=_ground(rng))


def _pair_tints(rng: random.Random) -> tuple[str | None, str | None]:
    """Mostly of both, so that a colour has to be bound to its object, or of either one."""
    both = rng.choice(TINTS), rng.choice(TINTS)
    return rng.choices((both, (both[0], None), (None, both[1]), (None, None)), (35, 12, 12, 41))[0]


def _draw(rng: random.Random, concepts: Sequence[str], weights: Sequence[float] | None, lone: float) -> Scene:
    pick = lambda: rng.choices(concepts, cum_weights=weights)[0] if weights else rng.choice(concepts)  # noqa: E731
    if lone and rng.random() < lone:
        return _lone(rng, pick())
    kind = rng.choices(("alone", "several", "pair"), (42, 23, 35))[0]
    ground = _ground(rng)
    pattern = "plain" if ground == TRANSPARENT or rng.random() < 0.6 else rng.choice(PATTERNS[1:])
    style = rng.choices(list(STYLE_WEIGHTS), list(STYLE_WEIGHTS.values()))[0]
    ground2 = rng.choice([c for c in COLOURS if c != ground]) if pattern == "gradient" else None
    scene = Scene(Group(pick()), ground=ground, ground2=ground2, pattern=pattern, style=style)
    if kind == "pair":
        other = pick()
        while other == scene.first.concept:
            other = pick()
        first_tint, second_tint = _pair_tints(rng)
        first = replace(scene.first, tint=first_tint)
        return replace(scene, first=first, second=Group(other, second_tint), relation=rng.choice(RELATIONS))
    tint = rng.choice(TINTS) if rng.random() < 0.4 else None
    if kind == "several":
        count = rng.choices(COUNTS[1:], (40, 40, 20))[0]
        size = "medium" if rng.random() < 0.8 else rng.choice(("small", "big"))
        return replace(scene, first=replace(scene.first, tint=tint, count=count, size=size))
    first = replace(scene.first, tint=tint, size=rng.choices(list(SIZES), (3, 4, 3))[0])
    if rng.random() < 0.12:
        return replace(scene, first=replace(first, size="small"), place=rng.choice(PLACES[1:]))
    if rng.random() < 0.12:
        first = replace(first, rotation=rng.choice(ROTATIONS[1:]))
    return replace(scene, first=first)


def _coloured(name: str) -> bool:
    return any(colour in name.split() for colour in COLOURS)


_NAMES = {name for concept in CONCEPTS.values() for name in concept.names}
_COLOURED = {c.key for c in CONCEPTS.values() if any(map(_coloured, c.names))}


def contradicts(group: Group) -> bool:
    """A tint of what has a colour in its name ("blue heart"), or one that makes another's name."""
    if group.tint is None:
        return False
    return group.concept in _COLOURED or any(f"{group.tint} {n}" in _NAMES for n in CONCEPTS[group.concept].names)


def _visible(scene: Scene) -> Scene:
    """Without the colours, overlaps and clear grounds that the scene's style does not show."""
    hides = {"silhouette": TINTS, "outline": TINTS, "blueprint": TINTS, "neon": ("black", "white")}.get(scene.style, ())
    clear = lambda group: replace(group, tint=None) if group.tint in hides else group  # noqa: E731
    scene = replace(scene, first=clear(scene.first), second=scene.second and clear(scene.second))
    if scene.style == "silhouette" and scene.relation in ("in front of", "behind"):
        scene = replace(scene, relation="next to")
    if scene.style in OWN_GROUND_STYLES and scene.ground == TRANSPARENT:
        scene = replace(scene, ground="white")
    return scene


def sample(
    rng: random.Random, concepts: Sequence[str], weights: Sequence[float] | None = None, unseen: bool = False, lone: float = 0
) -> Scene:
    """
    A scene of these concepts: one that may be trained, or with `unseen` one that must not be.
    `weights` are cumulative, one for each concept. `lone`: the share of single objects on plain grounds.
    """
    while True:
        scene = _visible(_draw(rng, concepts, weights, lone))
        groups = [g for g in (scene.first, scene.second) if g]
        if any(g.tint == scene.ground or contradicts(g) for g in groups):
            continue
        if held_out(scene) == unseen:
            return scene
