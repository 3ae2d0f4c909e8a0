"""An evaluation in figures: shares of what was drawn as asked, and what was not."""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from .cases import KINDS, Case
from .frechet import frechet_distance
from .network import Answer, Judge
from .pictures import drawn
from .scores import Seen, seen

REFERENCES = 4  # rendered pictures of each case, to compare with
REFERENCE_SEED = 77_000_000


def _rendered(todo: list[Case], judge: Judge, turn: int) -> Answer:
    """The judge's answers about the cases' scenes as the world renders them."""
    return judge.look([drawn(case.scene, REFERENCE_SEED * turn + case.seed)[0] for case in todo])


def _marks(todo: list[Case], answer: Answer, judge: Judge) -> list[dict[str, Seen]]:
    return [seen(case.scene, answer, i, judge) for i, case in enumerate(todo)]


def _shares(marks: list[dict[str, Seen]]) -> dict[str, dict[str, float]]:
    """By attribute: the share that is right, and of how many pictures."""
    right: dict[str, list[bool]] = defaultdict(list)
    for mark in marks:
        for name, one in mark.items():
            right[name].append(one.right)
    return {name: {"right": round(float(np.mean(found)), 4), "of": len(found)} for name, found in sorted(right.items())}


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


def report(todo: list[Case], pictures: list[np.ndarray], judge: Judge) -> dict:
    """`rendered` beside an accuracy is the judge's own, on rendered pictures of the same scenes."""
    answer = judge.look(pictures)
    references = [_rendered(todo, judge, 1 + turn) for turn in range(REFERENCES)]
    other = _rendered(todo, judge, 1 + REFERENCES)
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
        "frechet distance": {"pictures": distance(answer), "rendered": distance(other), "references": len(features)},
        "objects": _by_concept(todo, marks),
        "mistakes": [
            {"prompt": case.prompt, "seed": case.seed}
            | {name: one.found for name, one in mark.items() if not one.right}
            for case, mark in zip(todo, marks, strict=True)
            if not all(one.right for one in mark.values())
        ],
    }
