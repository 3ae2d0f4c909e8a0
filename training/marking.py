"""Asks the tokens of the picture, half way through the transformer, what they are going to show.

The loss of the flow says little of what a word means: a picture with another object in it is hardly
further away than one with the right object drawn badly. Hidden tokens that are made to agree with what
is known of the clean picture learn several times faster (arXiv 2410.06940, there with the features of
another network). These scenes are our own, so the answer itself is known: the object and the part of it.
"""

from __future__ import annotations

from pathlib import Path

import torch
from diffusers import FluxTransformer2DModel
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn.functional import cross_entropy

from world.concepts import CONCEPTS
from world.render import FAR


FILE = "marker.safetensors"


class Marker(nn.Module):
    """Reads the output of one of the transformer's blocks. Serves the lessons only: no part of the model."""

    def __init__(self, transformer: FluxTransformer2DModel, tier: int, width: int = 512) -> None:
        super().__init__()
        self.objects = 1 + sum(concept.tier <= tier for concept in CONCEPTS.values())
        self.head = nn.Sequential(
            nn.LayerNorm(transformer.inner_dim), nn.Linear(transformer.inner_dim, width), nn.SiLU(), nn.Linear(width, self.objects + 2)
        )
        singles = transformer.single_transformer_blocks
        self.hook = singles[len(singles) // 3].register_forward_hook(self._look)

    def _look(self, block: nn.Module, given: tuple, made: tuple[torch.Tensor, torch.Tensor]) -> None:
        self.hidden = made[1]

    def leave(self) -> None:
        """Looks no longer."""
        self.hook.remove()

    def save(self, folder: Path) -> None:
        """In half precision, for the next lesson."""
        save_file({name: value.half() for name, value in self.head.state_dict().items()}, folder / FILE)

    def recall(self, folder: Path) -> None:
        """Goes on from what an earlier lesson left there, if it left any and asked for the same objects."""
        kept = load_file(folder / FILE) if (folder / FILE).exists() else {}
        if all(name in kept and kept[name].shape == value.shape for name, value in self.head.state_dict().items()):
            self.head.load_state_dict(kept)

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
