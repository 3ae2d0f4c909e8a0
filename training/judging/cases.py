"""What a model is asked to draw in an evaluation: compositions that are never trained, said soberly.

Case i is the same for the same concepts, however many cases there are. Its seed is one that training
does not use. Every concept has its turn before one comes again.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import cycle, islice

from world.concepts import names
from world.english import ARTICLE, resolve_articles, takes_article
from world.sampler import contradicts, held_out
from world.scene import (
    COLOURS, DEFAULT_GROUND, PATTERNS, PLACES, RELATIONS, SIZES, STYLES, TINTS, TRANSPARENT, Group, Scene,
)  # fmt: skip

FIRST_SEED = 1_000_000
ORDER_SEED = 7
# In turn, so that 512 cases ask at least 96 times for a colour, a relation, two or three, a style and a transparent
# ground. What is held out: the ground for "ground", "pattern" and "style", the colour for "clear", a ground that is
# said to be transparent, the pair for "bound", a pair with a colour each, else what the kind says.
KINDS = (
    "ground", "tint", "two", "pair", "style", "bound", "clear", "place",
    "style", "two", "tint", "pattern", "three", "pair", "style", "many",
)  # fmt: skip
CLEAR_SHARE = 0.4  # of the cases about neither a ground nor a style
STYLE_WORDS = {
    "outline": "line drawing", "silhouette": "silhouette", "pixel art": "pixel art picture",
    "paper cut-out": "paper cut-out", "neon": "neon sign", "watercolour": "watercolour painting",
    "blueprint": "blueprint", "sticker": "sticker",
}  # fmt: skip
RELATION_WORDS = {"left of": "to the left of", "right of": "to the right of"}


@dataclass(frozen=True)
class Case:
    kind: str
    scene: Scene
    prompt: str
    seed: int


def cases(concepts: Sequence[str]) -> Iterator[Case]:
    """Without end."""
    order = list(concepts)
    random.Random(ORDER_SEED).shuffle(order)
    for number, kind in enumerate(cycle(KINDS)):
        rng = random.Random(ORDER_SEED + number)
        # A concept that has nothing of this kind held out keeps its turn for another kind.
        found = ((c, [s for s in _candidates(kind, c, concepts, rng) if _counts(s, kind)]) for c in order)
        concept, fitting = next((c, scenes) for c, scenes in found if scenes)
        order.append(order.pop(order.index(concept)))
        scene = rng.choice(fitting)
        yield Case(kind, scene, prompt(scene, say_clear=kind == "clear"), FIRST_SEED + number)


def first_cases(concepts: Sequence[str], count: int) -> list[Case]:
    return list(islice(cases(concepts), count))


def _candidates(kind: str, concept: str, concepts: Sequence[str], rng: random.Random) -> list[Scene]:
    ground = TRANSPARENT if rng.random() < CLEAR_SHARE else rng.choice(list(COLOURS))
    if kind in ("ground", "pattern", "style"):
        plain = [Scene(Group(concept, size=rng.choice(list(SIZES))), ground=g) for g in COLOURS]
        if kind == "ground":
            return plain
        if kind == "style":
            style = rng.choice(STYLES[1:])
            return [replace(scene, style=style) for scene in plain]
        pattern = rng.choice(PATTERNS[1:])
        other = lambda g: rng.choice([c for c in COLOURS if c != g]) if pattern == "gradient" else None  # noqa: E731
        return [replace(scene, pattern=pattern, ground2=other(scene.ground)) for scene in plain]
    if kind == "clear":
        ground = TRANSPARENT
    if kind in ("tint", "clear"):
        tinted = [Group(concept, tint=tint) for tint in TINTS if tint != ground]
        return [Scene(group, ground=ground) for group in tinted if not contradicts(group)]
    if kind == "place":
        return [Scene(Group(concept, size="small"), place=place, ground=ground) for place in PLACES[1:]]
    if kind in ("pair", "bound"):
        first, second = Group(concept), Group(rng.choice([other for other in concepts if other != concept]))
        if kind == "bound":
            colours = rng.sample([tint for tint in TINTS if tint != ground], 2)
            first, second = (replace(group, tint=tint) for group, tint in zip((first, second), colours, strict=True))
            if contradicts(first) or contradicts(second):
                return []
        return [Scene(first, second=second, relation=relation, ground=ground) for relation in RELATIONS]
    return [Scene(Group(concept, count=kind), ground=ground)]


def _counts(scene: Scene, kind: str) -> bool:
    """Whether it is what its kind is about that is held out, and not just the background."""
    if kind == "bound":
        scene = replace(scene, first=replace(scene.first, tint=None))
    return held_out(scene if kind in ("ground", "pattern", "style") else replace(scene, ground=DEFAULT_GROUND))


def prompt(scene: Scene, say_clear: bool = False) -> str:
    """The one way in which an evaluation says a scene. Where no ground is said it is transparent; `say_clear` says so."""
    said = _group(scene.first)
    if scene.second:
        said = f"{said} {RELATION_WORDS.get(scene.relation, scene.relation)} {_group(scene.second)}"
    if scene.style != "plain":
        said = f"{ARTICLE} {STYLE_WORDS[scene.style]} of {said}"
    if scene.place != "centre":
        said = f"{said} in the {scene.place} corner"
    if scene.style != "blueprint" and (say_clear or scene.ground != DEFAULT_GROUND):
        said = f"{said} on {ARTICLE} {_ground(scene)}"
    return " ".join(resolve_articles(said).split())


def _group(group: Group) -> str:
    known, plural = names(group.concept)
    if group.count != "one":
        return f"{group.count} {plural}"
    words = f"{'' if group.size == 'medium' else group.size} {group.tint or ''} {known[0]}"
    return f"{ARTICLE} {' '.join(words.split())}" if takes_article(known[0]) else words


def _ground(scene: Scene) -> str:
    if scene.pattern == "plain":
        return f"{scene.ground} background"
    if scene.pattern == "gradient":
        return f"{scene.ground} to {scene.ground2} gradient background"
    return f"{scene.ground} {scene.pattern} background"
