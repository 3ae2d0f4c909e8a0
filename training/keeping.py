"""Which tokens of a picture a lesson looks at: those left out make it cheaper."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Shape:
    """A picture's size in pixels, and how far apart its tokens' positions are."""

    width: int
    height: int
    stretch: float = 1

    @property
    def rows(self) -> int:
        return self.height // 16

    @property
    def columns(self) -> int:
        return self.width // 16

    @property
    def tokens(self) -> int:
        return self.rows * self.columns


@dataclass(frozen=True)
class Keeping:
    """
    `tokens` of each picture stay, or all; blocks are compiled anew for every other number. In a share
    `windows` of the batches it is a window on an object, which teaches how neighbours go together; in the
    others single tokens from everywhere, which teach how the whole is laid out. Of those, one that shows an
    object counts as `objects` of the ground, which is learnt sooner.
    """

    tokens: int | None = None
    objects: float = 1.0
    windows: float = 0.0

    def choose(self, shows: torch.Tensor, shape: Shape) -> torch.Tensor:
        """[batch, kept] places, as many in each picture, from which of its tokens show an object [batch, tokens]."""
        count = min(self.tokens or shape.tokens, shape.tokens)
        return _window(shows, shape, *_sides(count, shape)) if random.random() < self.windows else _scattered(shows, count, self.objects)


def _sides(count: int, shape: Shape) -> tuple[int, int]:
    """Of the squarest window of at most `count` tokens."""
    high = min(shape.rows, math.isqrt(count))
    return high, min(shape.columns, count // high)


def _scattered(shows: torch.Tensor, count: int, objects: float) -> torch.Tensor:
    # The largest of u^(1/weight) are a sample without replacement (Efraimidis and Spirakis 2006).
    drawn = torch.rand(shows.shape, device=shows.device) ** torch.where(shows, 1 / objects, 1)
    return drawn.topk(count).indices


def _window(shows: torch.Tensor, shape: Shape, high: int, wide: int) -> torch.Tensor:
    """Around a random token of an object, or of the ground where there is none."""
    middle = (torch.rand(shows.shape, device=shows.device) + shows).argmax(1)
    top = (middle // shape.columns - high // 2).clamp(0, shape.rows - high)
    left = (middle % shape.columns - wide // 2).clamp(0, shape.columns - wide)
    down = top[:, None] + torch.arange(high, device=shows.device)
    across = left[:, None] + torch.arange(wide, device=shows.device)
    return (down[:, :, None] * shape.columns + across[:, None, :]).flatten(1)
