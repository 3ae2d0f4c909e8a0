"""Sampling as diffusers' FluxPipeline does it, in plain PyTorch and in batches."""

from __future__ import annotations

import numpy as np
import torch

from folder import Pipeline
from train import pack, position_ids


def start_noise(seed: int, channels: int, height: int, width: int) -> torch.Tensor:
    """Packed noise [1, tokens, 4 * channels] of one seed, as diffusers draws it on the CPU."""
    generator = torch.Generator("cpu").manual_seed(seed)
    return pack(torch.randn((1, channels, height // 8, width // 8), generator=generator))


def unpack(tokens: torch.Tensor, rows: int, columns: int) -> torch.Tensor:
    """[b, rows * columns, 4c] -> [b, c, 2 * rows, 2 * columns]."""
    b, _, width = tokens.shape
    tokens = tokens.view(b, rows, columns, width // 4, 2, 2).permute(0, 3, 1, 4, 2, 5)
    return tokens.reshape(b, width // 4, 2 * rows, 2 * columns)


@torch.no_grad()
def generate(pipeline: Pipeline, prompts: list[str], seeds: list[int], steps: int) -> np.ndarray:
    """[batch, size, size, 3] uint8, one picture for each prompt and seed."""
    size = pipeline.config["image_size"]
    side = size // 16
    channels = pipeline.autoencoder.config.latent_channels
    latents = torch.cat([start_noise(seed, channels, size, size) for seed in seeds])
    text, pooled = pipeline.encode(*pipeline.tokenize(prompts))
    scheduler = pipeline.scheduler
    scheduler.set_timesteps(sigmas=np.linspace(1.0, 1 / steps, steps))
    for timestep in scheduler.timesteps:
        velocity = pipeline.transformer(
            hidden_states=latents,
            encoder_hidden_states=text,
            pooled_projections=pooled,
            timestep=timestep.expand(len(prompts)) / 1000,
            img_ids=position_ids(side, side),
            txt_ids=torch.zeros(text.shape[1], 3),
            return_dict=False,
        )[0]
        latents = scheduler.step(velocity, timestep, latents, return_dict=False)[0]
    vae = pipeline.autoencoder
    latents = unpack(latents, side, side) / vae.config.scaling_factor + vae.config.shift_factor
    pixels = vae.decode(latents).sample.clamp(-1, 1)
    return ((pixels + 1) * 127.5).round().byte().permute(0, 2, 3, 1).numpy()
