"""Draws scenes at random, and keeps some compositions out of training for good."""

from __future__ import annotations

import random
import zlib
from collections.abc import Sequence
from dataclasses import replace

from .concepts import CONCEPTS
from .scene import COLOURS, COUNTS, PATTERNS, PLACES, RELATIONS, ROTATIONS, SIZES, STYLES, TINTS, Group, Scene

HELD_OUT = 8  # one composition in so many is never trained


def _hidden(*parts: str) -> bool:
    return zlib.crc32("/".join(parts).encode()) % HELD_OUT == 0


def held_out(scene: Scene) -> bool:
    """
    Whether the scene holds a composition that is never trained: an object on a background, in a
    colour, in a number, in a place, or two objects in a relation. White grounds and single, untinted
    objects in the middle are always trained, or a rare object would not be met at all.
    """
    first, second = scene.first, scene.second
    if scene.ground != "white" and _hidden("ground", first.concept, scene.ground):
        return True
    if first.tint and _hidden("tint", first.concept, first.tint):
        return True
    if first.count != "one" and _hidden("count", first.concept, first.count):
        return True
    if scene.place != "centre" and _hidden("place", first.concept, scene.place):
        return True
    return second is not None and _hidden("pair", first.concept, scene.relation or "", second.concept)


def _lone(rng: random.Random, concept: str) -> Scene:
    """One object, large, on a plain ground: what its name means, and what the name of a colour does to it."""
    tint = rng.choice(TINTS) if rng.random() < 0.4 else None
    return Scene(Group(concept, tint, size=rng.choice(("medium", "big"))), ground=rng.choice(list(COLOURS)))


def _draw(rng: random.Random, concepts: Sequence[str], weights: Sequence[float] | None, lone: float) -> Scene:
    pick = lambda: rng.choices(concepts, cum_weights=weights)[0] if weights else rng.choice(concepts)  # noqa: E731
    if lone and rng.random() < lone:
        return _lone(rng, pick())
    kind = rng.choices(("alone", "several", "pair"), (55, 27, 18))[0]
    tint = rng.choice(TINTS) if rng.random() < 0.35 else None
    ground = rng.choice(list(COLOURS)) if rng.random() < 0.85 else "white"
    pattern = "plain" if rng.random() < 0.7 else rng.choice(PATTERNS[1:])
    style = "plain" if rng.random() < 0.78 else rng.choice(STYLES[1:])
    ground2 = rng.choice([c for c in COLOURS if c != ground]) if pattern == "gradient" else None
    scene = Scene(Group(pick()), ground=ground, ground2=ground2, pattern=pattern, style=style)
    if kind == "pair":
        other = pick()
        while other == scene.first.concept:
            other = pick()
        second_tint = rng.choice(TINTS) if rng.random() < 0.15 else None
        first = replace(scene.first, tint=tint)
        return replace(scene, first=first, second=Group(other, second_tint), relation=rng.choice(RELATIONS))
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
    """Without the colours and overlaps that the scene's style does not show."""
    hides = {"silhouette": TINTS, "outline": TINTS, "blueprint": TINTS, "neon": ("black", "white")}.get(scene.style, ())
    clear = lambda group: replace(group, tint=None) if group.tint in hides else group  # noqa: E731
    scene = replace(scene, first=clear(scene.first), second=scene.second and clear(scene.second))
    if scene.style == "silhouette" and scene.relation in ("in front of", "behind"):
        scene = replace(scene, relation="next to")
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
