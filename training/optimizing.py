"""Muon and AdamW for their parts of the model, the learning rate's course, and averaged weights."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch


def optimizers(parts: Iterable[torch.nn.Module], training: dict) -> list[torch.optim.Optimizer]:
    """Muon for the matrices inside blocks, AdamW for embeddings, modulation, norms and outputs."""
    hidden, rest = [], []
    for part in parts:
        for name, parameter in part.named_parameters():
            inner = "block" in name or "layers" in name
            matrix = parameter.ndim == 2 and inner and ".norm" not in name and "relative" not in name
            (hidden if matrix else rest).append(parameter)
    muon = torch.optim.Muon(
        hidden, lr=training["muon_learning_rate"], weight_decay=0.01, adjust_lr_fn="match_rms_adamw"
    )
    adam = torch.optim.AdamW(rest, lr=training["adam_learning_rate"], betas=(0.9, 0.98), weight_decay=0.01)
    return with_peaks(muon, adam)


def with_peaks(*optimizers: torch.optim.Optimizer) -> list[torch.optim.Optimizer]:
    """Remembers the learning rates that they were made with, for `set_rates`."""
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["peak"] = group["lr"]
    return list(optimizers)


def set_rates(optimizers: Iterable[torch.optim.Optimizer], factor: float) -> None:
    """The learning rates for the next step: `factor` of their peaks."""
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = group["peak"] * factor


def learning_rate_factor(step: int, progress: float, warmup: int, cooling: float) -> float:
    """Warms up, stays at 1, and falls as a cosine over the last share `cooling` of the time."""
    late = max(0.0, progress - (1 - cooling)) / cooling if cooling else 0.0
    return min(1.0, (step + 1) / warmup) * max(0.5 + 0.5 * math.cos(math.pi * late), 0.01)


class Average:
    """Exponentially averaged weights of several modules."""

    def __init__(self, parts: dict[str, torch.nn.Module], decay: float) -> None:
        self.parts, self.decay = parts, decay
        self.values = {n: {k: v.detach().clone() for k, v in p.state_dict().items()} for n, p in parts.items()}

    def load(self, values: dict[str, dict[str, torch.Tensor]]) -> None:
        self.values = values

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Forgets faster in the beginning, when the first weights are worth little."""
        decay = min(self.decay, (1 + step) / (10 + step))
        for name, part in self.parts.items():
            averaged, current = self.values[name], part.state_dict()
            floats = [k for k in averaged if averaged[k].is_floating_point()]
            torch._foreach_lerp_([averaged[k] for k in floats], [current[k] for k in floats], 1 - decay)

    def give(self) -> None:
        """To the modules, for good."""
        for name, part in self.parts.items():
            part.load_state_dict(self.values[name])

    @contextmanager
    def shown(self) -> Iterator[None]:
        """The modules hold the averaged weights inside the block, and their own again after it."""
        raw = {n: {k: v.clone() for k, v in p.state_dict().items()} for n, p in self.parts.items()}
        self.give()
        try:
            yield
        finally:
            for name, part in self.parts.items():
                part.load_state_dict(raw[name])
