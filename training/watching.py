"""What a judge says of a model while it learns: shares of what was asked, of compositions that are never trained."""

from __future__ import annotations

from pathlib import Path

import torch

from folder import Pipeline
from judging.cases import first_cases
from judging.network import load
from judging.report import accuracies
from sampling import GUIDANCE, generate
from world.concepts import known

STEPS = 16
BATCH = 8
GUIDED_ABOVE = 0.7  # guidance in two passes recognises no more objects below, and costs a pass


class Watch:
    """The first cases of the evaluation, always the same."""

    def __init__(self, folder: Path, tier: int, cases: int) -> None:
        self.judge = load(folder)
        self.cases = first_cases([key for key in known(tier) if key in self.judge.index], cases)

    @torch.no_grad()
    def look(self, pipeline: Pipeline, distilled: bool) -> dict[str, str]:
        """By attribute: how many are right, of how many."""
        images = []
        for start in range(0, len(self.cases), BATCH):
            part = self.cases[start : start + BATCH]
            how = {"distilled": distilled, "guided_above": GUIDED_ABOVE}
            images += list(generate(pipeline, [c.prompt for c in part], [c.seed for c in part], STEPS, GUIDANCE, **how))
        found = accuracies(self.cases, self.judge.look(images), self.judge)
        return {name: f"{round(one['right'] * one['of'])} of {one['of']}" for name, one in found.items()}
