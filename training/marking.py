"""Asks the tokens of the picture, half way through the transformer, what they are going to show.

The loss of the flow says little of what a word means: a picture with another object in it is hardly
further away than one with the right object drawn badly. Hidden tokens that are made to agree with what
is known of the clean picture learn several times faster (arXiv 2410.06940, there with the features of
another network). These scenes are our own, so the answer itself is known: the object and the part of it.
"""

from __future__ import annotations

import torch
from diffusers import FluxTransformer2DModel
from torch import nn
from torch.nn.functional import cross_entropy

from world.concepts import CONCEPTS
from world.render import FAR


class Marker(nn.Module):
    """Reads the output of one of the transformer's blocks. Thrown away after the lesson."""

    def __init__(self, transformer: FluxTransformer2DModel, tier: int, width: int = 512) -> None:
        super().__init__()
        self.objects = 1 + sum(concept.tier <= tier for concept in CONCEPTS.values())
        self.head = nn.Sequential(
            nn.LayerNorm(transformer.inner_dim), nn.Linear(transformer.inner_dim, width), nn.SiLU(), nn.Linear(width, self.objects + 2)
        )
        singles = transformer.single_transformer_blocks
        singles[len(singles) // 3].register_forward_hook(self._look)

    def _look(self, block: nn.Module, given: tuple, made: tuple[torch.Tensor, torch.Tensor]) -> None:
        self.hidden = made[1]

    def forward(self, marks: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """
        For the marks [b, tokens, 3] of the batch that just went through the transformer: the loss,
        and the share of the objects' tokens that name their object.
        """
        with torch.autocast(self.hidden.device.type, torch.bfloat16):
            said = self.head(self.hidden).float()
        named, placed = said.split([self.objects, 2], -1)
        truth, shows = marks[..., 0], marks[..., 0] > 0
        naming = cross_entropy(named.flatten(0, 1), truth.flatten())
        placing = ((placed - marks[..., 1:] / FAR).pow(2).mean(-1) * shows).sum() / shows.sum().clamp(min=1)
        right = ((named.argmax(-1) == truth) & shows).sum() / shows.sum().clamp(min=1)
        return naming + placing, right
