"""What a rendered scene shows, as numbers for the classifier. -1 where nothing can be said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from world.layout import Spot
from world.scene import COLOURS, PATTERNS, PLACES, STYLES, TINTS, TRANSPARENT, Group, Scene

GROUNDS = tuple(COLOURS)  # a transparent one is told from alpha alone (clear.py)
ALL_TINTS = ("none", *TINTS)
# The ways that objects stand: so many of one kind, or two kinds beside, above or before one another.
COUNT_LAYOUTS = ("one", "two", "three", "many")
PAIR_LAYOUTS = ("beside", "above", "before")
LAYOUTS = (*COUNT_LAYOUTS, *PAIR_LAYOUTS)
# Where the classifier looks, and where the two objects of each layout of a pair stand.
REGIONS = ("whole", "left", "right", "top", "bottom", "front", "back")
PAIR_REGIONS = {"beside": ("left", "right"), "above": ("top", "bottom"), "before": ("front", "back")}
# relation -> the layout of a pair, and whether the first object is in the layout's first region
RELATION_LAYOUTS = {
    "next to": ("beside", True),
    "left of": ("beside", True),
    "right of": ("beside", False),
    "above": ("above", True),
    "below": ("above", False),
    "in front of": ("before", True),
    "behind": ("before", False),
}
NAMES = ("layout", "ground", "pattern", "style", "place")


@dataclass(frozen=True)
class Label:
    """`objects` and `tints`: one index, or two in the order of the pair's regions."""

    objects: tuple[int, ...]
    tints: tuple[int, ...]
    layout: int
    ground: int
    pattern: int
    style: int
    place: int


def label(scene: Scene, spots: Sequence[Spot], concepts: dict[str, int]) -> Label:
    """`spots` are those that the picture was drawn with, from the back to the front."""
    groups: list[Group]
    if scene.second is None:
        layout, groups = scene.first.count, [scene.first]
    else:
        layout = RELATION_LAYOUTS[scene.relation or "next to"][0]
        order = {"beside": lambda s: s.x, "above": lambda s: s.y, "before": lambda s: -spots.index(s)}[layout]
        groups = [spot.group for spot in sorted(spots, key=order)]
    alone = scene.second is None and scene.first.count == "one"
    return Label(
        objects=tuple(concepts[group.concept] for group in groups),
        tints=tuple(ALL_TINTS.index(group.tint or "none") for group in groups),
        layout=LAYOUTS.index(layout),
        ground=-1 if scene.style == "blueprint" or scene.ground == TRANSPARENT else GROUNDS.index(scene.ground),
        pattern=-1 if scene.style == "blueprint" else PATTERNS.index(scene.pattern),
        style=STYLES.index(scene.style),
        place=PLACES.index(scene.place) if alone else -1,
    )
