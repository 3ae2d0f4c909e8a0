"""What of a scene a picture shows, as the judge sees it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from world.scene import OWN_GROUND_STYLES, PATTERNS, PLACES, STYLES, TRANSPARENT, Scene

from .labels import ALL_TINTS, COUNT_LAYOUTS, GROUNDS, LAYOUTS, PAIR_LAYOUTS, PAIR_REGIONS, REGIONS, RELATION_LAYOUTS
from .network import Answer, Judge

# The judge learnt from about so many untinted pictures to one of each tint, and rather says "none".
# Here a tint was asked for, and "none" is to be no likelier than any colour.
UNTINTED_ODDS = 30


@dataclass(frozen=True)
class Seen:
    """What was asked for and what the picture shows instead, or the same."""

    wanted: str
    found: str

    @property
    def right(self) -> bool:
        return self.wanted == self.found


def _most(logits: torch.Tensor, names: tuple[str, ...] | list[str]) -> str:
    return names[int(logits.argmax())]


def _tint(logits: torch.Tensor) -> str:
    fair = logits.clone()
    fair[ALL_TINTS.index("none")] -= math.log(UNTINTED_ODDS)
    return _most(fair, ALL_TINTS)


def seen(scene: Scene, answer: Answer, number: int, judge: Judge) -> dict[str, Seen]:
    """What the prompt says of the scene, by attribute, and picture `number` of the answer shows."""
    other = {name: logits[number] for name, logits in answer.other.items()}
    out = _seen_pair(scene, answer, number, judge) if scene.second else {}
    if not scene.second:
        whole = REGIONS.index("whole")
        out["object"] = Seen(scene.first.concept, _most(answer.objects[number, whole], judge.concepts))
        if scene.first.tint:
            out["tint"] = Seen(scene.first.tint, _tint(answer.tints[number, whole]))
        counted = other["layout"][: len(COUNT_LAYOUTS)]
        out[f"count of {scene.first.count}"] = Seen(scene.first.count, _most(counted, COUNT_LAYOUTS))
    if scene.style not in OWN_GROUND_STYLES:
        name = "transparent ground" if scene.ground == TRANSPARENT else "ground"
        out[name] = Seen(scene.ground, TRANSPARENT if answer.clear[number] else _most(other["ground"], GROUNDS))
    if scene.pattern != "plain":
        out["pattern"] = Seen(scene.pattern, _most(other["pattern"], PATTERNS))
    if scene.style != "plain":
        out["style"] = Seen(scene.style, _most(other["style"], STYLES))
    if scene.place != "centre":
        out["place"] = Seen(scene.place, _most(other["place"], PLACES))
    return out


def _seen_pair(scene: Scene, answer: Answer, number: int, judge: Judge) -> dict[str, Seen]:
    """
    Both objects, wherever they are; the relation: the layout, and which of the two is rather where, even if one of
    them is drawn as something else; and the colours that were asked for, each where its object is rather.
    """
    objects, layout = answer.objects[number], answer.other["layout"][number]  # [regions, concepts], [layouts]
    found = PAIR_LAYOUTS[int(layout[len(COUNT_LAYOUTS) :].argmax())]
    regions = [objects[REGIONS.index(name)].log_softmax(0) for name in PAIR_REGIONS[found]]
    names = sorted(_most(region, judge.concepts) for region in regions)
    wanted = sorted((scene.first.concept, scene.second.concept))
    a, b = (judge.index[group.concept] for group in (scene.first, scene.second))
    first_leads = bool(regions[0][a] + regions[1][b] > regions[0][b] + regions[1][a])
    relation = next(r for r, place in RELATION_LAYOUTS.items() if place == (found, first_leads) and r != "next to")
    if scene.relation == "next to" and found == "beside":
        relation = "next to"
    if LAYOUTS[int(layout.argmax())] not in PAIR_LAYOUTS:
        relation = "one kind only"
    out = {"object": Seen(" and ".join(wanted), " and ".join(names)), "relation": Seen(scene.relation, relation)}
    where = PAIR_REGIONS[found] if first_leads else PAIR_REGIONS[found][::-1]
    for name, group, region in (("tint", scene.first, where[0]), ("second tint", scene.second, where[1])):
        if group.tint:
            out[name] = Seen(group.tint, _tint(answer.tints[number, REGIONS.index(region)]))
    return out
