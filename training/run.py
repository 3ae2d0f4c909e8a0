"""A lesson under way: its weights, optimizers and averages, kept in a checkpoint, and what it tells of itself."""

from __future__ import annotations

import json
import time
from pathlib import Path

import torch

from folder import Pipeline
from marking import Marker
from optimizing import Average, optimizers, set_rates


class Run:
    """All that a checkpoint holds: weights, optimizers, averages, steps and seconds."""

    def __init__(
        self, pipeline: Pipeline, marker: Marker | None, file: Path, lesson: dict, training: dict, device: str
    ) -> None:
        for part in pipeline.trained().values():
            part.requires_grad_(False)
        self.parts = {n: p for n, p in pipeline.trained().items() if n == "transformer" or not lesson.get("text_rests")}
        if marker:
            self.parts["marker"] = marker.to(device)
        for part in self.parts.values():
            part.train().requires_grad_(True)
        if not {"guidance", "self_guidance"} & set(lesson):
            # Until guidance is learnt, it says the same whatever its scale.
            pipeline.transformer.time_text_embed.guidance_embedder.requires_grad_(False)
        self.optimizers = optimizers(self.parts.values(), training)
        self.average = Average(self.parts, lesson.get("ema", training["ema"]))
        self.file, self.step, self.elapsed, self.samples = file, 0, 0.0, 0
        if self.file.exists():
            state = torch.load(self.file, weights_only=True, map_location=device)
            for name, part in self.parts.items():
                part.load_state_dict(state["parts"][name])
            for optimizer, kept in zip(self.optimizers, state["optimizers"], strict=True):
                optimizer.load_state_dict(kept)
            self.average.load(state["average"])
            self.step, self.elapsed, self.samples = state["step"], state["elapsed"], state["samples"]

    def keep(self) -> None:
        state = {
            "parts": {n: p.state_dict() for n, p in self.parts.items()},
            "optimizers": [o.state_dict() for o in self.optimizers],
            "average": self.average.values,
            "step": self.step,
            "elapsed": self.elapsed,
            "samples": self.samples,
        }
        torch.save(state, self.file.with_suffix(".new"))
        self.file.with_suffix(".new").rename(self.file)

    def update(self, loss: torch.Tensor, factor: float) -> torch.Tensor:
        """One step of all optimizers; the length of the gradient that each was given."""
        set_rates(self.optimizers, factor)
        for optimizer in self.optimizers:
            optimizer.zero_grad(set_to_none=True)
        loss.backward()
        norms = []
        for optimizer in self.optimizers:
            norms.append(torch.nn.utils.clip_grad_norm_([p for g in optimizer.param_groups for p in g["params"]], 1.0))
            optimizer.step()
        self.step += 1
        self.average.update(self.step)
        return torch.stack(norms)


class Log:
    """Gathers what steps say, and prints a line of it now and then: until then nothing waits for a GPU."""

    def __init__(self, lesson: str) -> None:
        self.lesson = lesson
        self.begin()

    def begin(self) -> None:
        self.mark, self.samples = time.time(), 0
        self.losses, self.named, self.norms = [], [], []

    def add(self, loss: torch.Tensor, right: torch.Tensor | None, norms: torch.Tensor, samples: int) -> None:
        self.losses.append(loss.detach())
        if right is not None:
            self.named.append(right)
        self.norms.append(norms)
        self.samples += samples

    def print(self, run: Run, drawn: int) -> None:
        """`drawn`: scenes since the lesson began."""
        line = {"lesson": self.lesson, "step": run.step, "samples": run.samples, "seconds": round(run.elapsed)}
        if self.losses:
            mean = lambda values: torch.stack(values).mean(0)  # noqa: E731
            line |= {"loss": round(mean(self.losses).item(), 4), "rate": round(self.samples / (time.time() - self.mark), 1)}
            line |= {"new scenes": drawn, "gradients": [round(n, 2) for n in mean(self.norms).tolist()]}
            if self.named:
                line["named"] = round(mean(self.named).item(), 3)
        print(json.dumps(line), flush=True)
        self.begin()
