"""An evaluation in figures: shares of what was drawn as asked, and what was not."""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from world.scene import TRANSPARENT

from .cases import KINDS, Case
from .clear import edges, has_clear_ground
from .frechet import frechet_distance
from .network import Answer, Judge
from .pictures import RENDERED, drawn
from .scores import Seen, seen

REFERENCES = 4  # rendered images of each case, to compare with
REFERENCE_SEED = 77_000_000
SURE = 1.96  # standard deviations to each side that hold 95 % of a normal distribution
SOFT_STYLES = ("paper cut-out", "watercolour")  # whose alpha is neither 0 nor 1 in shadows and thin paint


def wilson(right: int, of: int) -> tuple[float, float]:
    """The 95 % confidence interval of a share (Wilson 1927): unlike the normal one, it holds near 0 and 1 too."""
    share, room = right / of, SURE**2 / of
    middle, reach = share + room / 2, SURE * (share * (1 - share) / of + room / of / 4) ** 0.5
    return round(max(0, (middle - reach) / (1 + room)), 4), round(min(1, (middle + reach) / (1 + room)), 4)


def _drawn(todo: list[Case], turn: int, side: int = RENDERED) -> list[np.ndarray]:
    """The cases' scenes as the world renders them."""
    return [drawn(case.scene, REFERENCE_SEED * turn + case.seed, side)[0] for case in todo]


def _marks(todo: list[Case], answer: Answer, judge: Judge) -> list[dict[str, Seen]]:
    return [seen(case.scene, answer, i, judge) for i, case in enumerate(todo)]


def _shares(marks: list[dict[str, Seen]]) -> dict[str, dict]:
    """By attribute: the share that is right, of how many, and its 95 % interval. Both colours of a pair count."""
    right: dict[str, list[bool]] = defaultdict(list)
    for mark in marks:
        for name, one in mark.items():
            right[name.removeprefix("second ")].append(one.right)
    return {
        name: {"right": round(float(np.mean(found)), 4), "of": len(found), "interval": wilson(sum(found), len(found))}
        for name, found in sorted(right.items())
    }


def _edges(todo: list[Case], images: list[np.ndarray]) -> dict[str, float] | None:
    """How clean alpha is on average, of the images whose ground is transparent as asked, but for soft styles."""
    found = [
        edge
        for case, image in zip(todo, images, strict=True)
        if case.scene.ground == TRANSPARENT and case.scene.style not in SOFT_STYLES and has_clear_ground(image) and (edge := edges(image[..., 3]))
    ]
    if not found:
        return None
    mean = lambda values: round(float(np.mean(list(values))), 4)  # noqa: E731
    return {"images": len(found), "soft": mean(e.soft for e in found), "haze": mean(e.haze for e in found)}


def accuracies(todo: list[Case], answer: Answer, judge: Judge) -> dict[str, dict[str, float]]:
    """By attribute: the share that is right, and of how many pictures it was asked."""
    return _shares(_marks(todo, answer, judge))


def _by_concept(todo: list[Case], marks: list[dict[str, Seen]]) -> dict[str, str]:
    """Of each concept that was drawn alone or in number: how often it was recognised, the worst first."""
    right: dict[str, list[bool]] = defaultdict(list)
    for case, mark in zip(todo, marks, strict=True):
        if not case.scene.second:
            right[case.scene.first.concept].append(mark["object"].right)
    order = sorted(right.items(), key=lambda item: (np.mean(item[1]), item[0]))
    return {concept: f"{sum(found)} of {len(found)}" for concept, found in order}


def _distances(images: float, floor: float, references: int) -> dict[str, float]:
    """`floor`: of as many other rendered images; with few images no set is nearer."""
    return {"pictures": images, "rendered": floor, "ratio": round(images / floor, 3), "references": references}


def report(todo: list[Case], pictures: list[np.ndarray], judge: Judge) -> dict:
    """`rendered` beside an accuracy is the judge's own, on rendered pictures of the same scenes."""
    answer = judge.look(pictures)
    references = [judge.look(_drawn(todo, 1 + turn)) for turn in range(REFERENCES)]
    # As large as the images, for edges are counted in pixels.
    rendered = _drawn(todo, 1 + REFERENCES, pictures[0].shape[0])
    other = judge.look(rendered)
    marks = _marks(todo, answer, judge)
    ceilings = _shares([mark for reference in references for mark in _marks(todo, reference, judge)])
    features = np.concatenate([reference.features.numpy() for reference in references])
    distance = lambda of: round(frechet_distance(of.features.numpy(), features), 4)  # noqa: E731
    return {
        "pictures": len(todo),
        "accuracy": {name: share | {"rendered": ceilings[name]["right"]} for name, share in _shares(marks).items()},
        "by kind": {
            kind: {name: share["right"] for name, share in _shares(of_kind).items()}
            for kind in dict.fromkeys(KINDS)
            if (of_kind := [mark for case, mark in zip(todo, marks, strict=True) if case.kind == kind])
        },
        "frechet distance": _distances(distance(answer), distance(other), len(features)),
        "alpha edges": {"pictures": _edges(todo, pictures), "rendered": _edges(todo, rendered)},
        "objects": _by_concept(todo, marks),
        "mistakes": [
            {"prompt": case.prompt, "seed": case.seed}
            | {name: one.found for name, one in mark.items() if not one.right}
            for case, mark in zip(todo, marks, strict=True)
            if not all(one.right for one in mark.values())
        ],
    }
