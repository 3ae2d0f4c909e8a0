"""Fits the linear map from a latent's channels to the mean colour of its 8x8 pixels, over white.

Writes preview.json into the folder: factors [channels][rgb] and bias [rgb], colours 0..1, for
latents as the transformer sees them (after scaling and shift). Least squares on fresh scenes.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch
from torch.nn.functional import avg_pool2d

from autoencoder import to_input
from data import Source, scene_pool
from folder import load


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    args = parser.parse_args()
    pipeline = load(args.folder)
    vae = pipeline.autoencoder
    x = to_input(scene_pool(Source(), 256, pipeline.config["image_size"], seed=3))
    with torch.no_grad():
        z = (vae.encode(x).latents - vae.config.shift_factor) * vae.config.scaling_factor
    channels = z.permute(0, 2, 3, 1).reshape(-1, z.shape[1])
    colours = avg_pool2d((x[:, :3] + 1) / 2, 8).permute(0, 2, 3, 1).reshape(-1, 3)
    design = torch.cat([channels, torch.ones(len(channels), 1)], 1)
    solution = torch.linalg.lstsq(design, colours).solution
    error = (design @ solution - colours).pow(2).mean().sqrt().item()
    rounded = [[round(v, 5) for v in row] for row in solution.tolist()]
    preview = {"factors": rounded[:-1], "bias": rounded[-1]}
    (args.folder / "preview.json").write_text(json.dumps(preview, indent=1) + "\n")
    print(json.dumps({"rms error": round(error, 4)}))


if __name__ == "__main__":
    main()
