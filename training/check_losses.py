"""Checks that the lessons' losses teach what they say: a tiny transformer on a world of two images, in some minutes.

Two captions, one image each, and the empty caption for both. Then the true velocity is known in closed form, and so is
what guidance and contrast make of it. Exits with an error if a loss does not reach it.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable

import torch
from diffusers import FluxTransformer2DModel

from flow import PLAIN, Batch, flow_loss, nearest_noise, position_ids, self_guided_loss, velocity
from optimizing import Average

STEPS, BATCH, RATE = 700, 48, 4e-3
TIME = 0.9  # where it is asked what was learnt
NEITHER, ONE, OTHER = range(3)
IMAGES = torch.stack([torch.zeros(4, 8), torch.ones(4, 8), -torch.ones(4, 8)])


class World:
    """Stands for the pipeline: captions are single ids."""

    def __init__(self) -> None:
        torch.manual_seed(0)
        self.transformer = FluxTransformer2DModel(
            in_channels=8, num_layers=1, num_single_layers=1, attention_head_dim=16, num_attention_heads=3,
            joint_attention_dim=16, pooled_projection_dim=8, guidance_embeds=True, axes_dims_rope=(4, 6, 6),
        )  # fmt: skip
        self.text, self.pooled = torch.randn(3, 1, 16), torch.randn(3, 8)
        self.ids = position_ids(2, 2)

    def encode(self, t5: torch.Tensor, clip: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return self.text[t5[:, 0]], self.pooled[clip[:, 0]]

    def batch(self) -> Batch:
        shown = torch.randint(ONE, OTHER + 1, (BATCH, 1))
        said = torch.where(torch.rand(BATCH, 1) < 0.3, NEITHER, shown)
        return Batch(IMAGES[shown[:, 0]], self.ids, torch.zeros(BATCH, 4, 3), said, said)

    @torch.no_grad()
    def answer(self, caption: int, guidance: float) -> torch.Tensor:
        """The mean velocity at noise that says nothing of the image."""
        torch.manual_seed(1)
        many = 256
        ids = torch.full((many, 1), caption)
        # Of both images, so that noise alone is what the empty caption is asked about.
        x = (1 - TIME) * IMAGES[ONE:].repeat(many // 2, 1, 1) + TIME * torch.randn(many, 4, 8)
        time = torch.full((many,), TIME)
        return velocity(self.transformer, x, time, self.ids, self.encode(ids, ids), torch.full((many,), guidance)).mean((0, 1))


def taught(loss: Callable[[World, Batch, torch.Tensor], torch.Tensor], world: World, after: Callable[[int], None] = lambda step: None) -> None:
    optimizer = torch.optim.Adam(world.transformer.parameters(), RATE)
    for step in range(STEPS):
        optimizer.param_groups[0]["lr"] = RATE * min(1, 2 * (1 - step / STEPS))
        value = loss(world, world.batch(), torch.rand(BATCH).clamp(0.02, 0.98))
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        after(step)


def caption_changes(world: World, guidance: float) -> float:
    """How far the caption moves the velocity from that of the empty one, towards its image: 1 is the plain truth."""
    return ((world.answer(NEITHER, PLAIN) - world.answer(ONE, guidance)).mean() / -IMAGES[OTHER].mean()).item()


def require(name: str, found: float, low: float, high: float) -> None:
    print(json.dumps({"check": name, "found": round(found, 3), "allowed": [low, high]}), flush=True)
    if not low <= found <= high:
        raise SystemExit(f"{name}: {found:.3f} is outside {low}..{high}")


def main() -> None:
    latents = torch.randn(64, 4, 8)
    distance = lambda choices: (nearest_noise(latents, choices) - latents).pow(2).mean().item()  # noqa: E731
    require("distance to the nearest of 8 noises, against that of any", distance(8) / distance(1), 0.3, 0.95)

    plain = World()
    taught(lambda world, batch, time: flow_loss(world, batch, time), plain)
    require("what a caption changes", caption_changes(plain, PLAIN), 0.85, 1.15)

    contrast = World()
    taught(lambda world, batch, time: flow_loss(world, batch, time, contrast=0.4), contrast)
    # The minimum is (own mean - 0.4 mean of all) / 0.6.
    require("what a caption changes with a contrast of 0.4", caption_changes(contrast, PLAIN), 1.35, 1.95)

    guided = World()
    average = Average({"transformer": guided.transformer}, 0.98)
    teacher = copy.deepcopy(guided.transformer).requires_grad_(False)
    teacher.load_state_dict(average.values["transformer"], assign=True)
    empty = (torch.tensor([[NEITHER]]),) * 2

    def loss(world: World, batch: Batch, time: torch.Tensor) -> torch.Tensor:
        scale = torch.where(torch.rand(BATCH) < 0.6, 1 + 3 * torch.rand(BATCH), 1.0)
        return self_guided_loss(world, teacher, batch, empty, time, scale)

    taught(loss, guided, average.update)
    for scale in (1.0, 2.0, 3.5):
        require(f"what a caption changes at a guidance of {scale}", caption_changes(guided, scale) / scale, 0.8, 1.2)


if __name__ == "__main__":
    main()
