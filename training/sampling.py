"""Sampling as diffusers' FluxPipeline does it, in plain PyTorch and in batches."""

from __future__ import annotations

import numpy as np
import torch

from flow import guided_velocity, pack, position_ids, unpack, velocity
from folder import Pipeline

GUIDANCE = 3.5
SHEET = (
    "a fox",
    "a big cat on a blue background",
    "two apples on a yellow background",
    "three penguins on pink",
    "a red guitar on a black background",
    "a small turtle on a green dotted background",
    "a red car next to a blue house on white",
    "a rocket above an owl on a purple background",
    "neon skull",
    "pixel art of a dragon on turquoise",
    "a ghost in the top left corner, orange background",
    "sticker of a strawberry",
    "many bees with a transparent background",
    "a blue car, gradient background from pink to purple",
    "paper cut-out of a heart on red",
    "an upside down duck on a starry blue background",
)


def start_noise(seed: int, channels: int, height: int, width: int) -> torch.Tensor:
    """Packed noise [1, tokens, 4 * channels] of one seed, as diffusers draws it on the CPU."""
    generator = torch.Generator("cpu").manual_seed(seed)
    return pack(torch.randn((1, channels, height // 8, width // 8), generator=generator))


@torch.no_grad()
def generate(
    pipeline: Pipeline,
    prompts: list[str],
    seeds: list[int],
    steps: int,
    guidance: float = GUIDANCE,
    width: int = 256,
    height: int = 256,
    stretch: float = 1,
    distilled: bool = True,
    guided_above: float = 0,
) -> np.ndarray:
    """
    [batch, 2 * height, 2 * width, 4] uint8 with straight colour, one image for each prompt and seed; `height` and
    `width` are those that the transformer knows, and the decoder enlarges them. `stretch`: see position_ids.
    A model whose guidance is not distilled yet is asked twice in every step, at flow times from `guided_above` on.
    """
    device = pipeline.transformer.device
    rows, columns = height // 16, width // 16
    channels = pipeline.autoencoder.config.latent_channels
    latents = torch.cat([start_noise(seed, channels, height, width) for seed in seeds]).to(device)
    said, *unsaid = (
        pipeline.encode(*(ids.to(device) for ids in pipeline.tokenize(texts)))
        for texts in ([prompts] if distilled else [prompts, [""] * len(prompts)])
    )
    ids, scales = position_ids(rows, columns, stretch).to(device), torch.full((len(prompts),), guidance, device=device)
    scheduler = pipeline.scheduler
    scheduler.set_timesteps(sigmas=np.linspace(1.0, 1 / steps, steps), device=device)
    for timestep in scheduler.timesteps:
        time = timestep.expand(len(prompts)) / 1000
        if distilled or timestep < 1000 * guided_above:
            v = velocity(pipeline.transformer, latents, time, ids, said, scales)
        else:
            v = guided_velocity(pipeline.transformer, latents, time, ids, said, *unsaid, scales)
        latents = scheduler.step(v, timestep, latents, return_dict=False)[0]
    vae = pipeline.autoencoder.to(device)
    latents = unpack(latents, rows, columns) / vae.config.scaling_factor + vae.config.shift_factor
    pixels = vae.decode(latents).sample.clamp(-1, 1)
    return ((pixels + 1) * 127.5).round().byte().permute(0, 2, 3, 1).cpu().numpy()


def sheet(pipeline: Pipeline, steps: int, width: int, height: int, stretch: float, distilled: bool) -> np.ndarray:
    """[8 * height, 8 * width, 4] uint8: sixteen prompts, always the same, to see a training run by."""
    images = generate(pipeline, list(SHEET), list(range(len(SHEET))), steps, GUIDANCE, width, height, stretch, distilled)
    return np.concatenate([np.concatenate(list(images[i : i + 4]), 1) for i in range(0, len(SHEET), 4)])
