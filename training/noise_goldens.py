"""Reference noise for the pipeline's tests: what torch's CPU generator gives for a seed.

    python training/noise_goldens.py

Writes tests/golden/noise.json. Long runs are kept as their head, tail and a stride through the
middle; `packed` is diffusers' FluxPipeline.prepare_latents for a small picture.
"""

from __future__ import annotations

import json
from pathlib import Path

import torch
from diffusers import FluxPipeline

GOLDEN = Path(__file__).resolve().parent.parent / "tests" / "golden"
SEEDS = [0, 1, 42, 123456789, 2**31, 2**32 - 1]
# Beyond 32 bits, beyond what a JavaScript number holds, at both ends, and negative.
WIDE_SEEDS = [2**32 + 5, 2**53 + 1, 2**63, 2**64 - 1, 123456789012345678, -1, -5, -(2**53) - 1, -(2**63)]
SIZES = [1, 2, 7, 15, 16, 17, 31, 33, 100, 1000]
LONG = 65_541


def randn(seed: int, *shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator("cpu").manual_seed(seed))


def packed(seed: int, channels: int, height: int, width: int) -> list[float]:
    latents = randn(seed, 1, channels, height, width)
    return FluxPipeline._pack_latents(latents, 1, channels, height, width)[0].flatten().tolist()


if __name__ == "__main__":
    GOLDEN.mkdir(parents=True, exist_ok=True)
    cases = [
        {"seed": seed, "size": size, "values": randn(seed, size).tolist()}
        for seed in SEEDS
        for size in SIZES
    ]
    wide = [
        {"seed": str(seed), "size": size, "values": randn(seed, size).tolist()}
        for seed in WIDE_SEEDS
        for size in (2, 16)
    ]
    long = [
        {
            "seed": seed,
            "size": LONG,
            "indices": (indices := [*range(16), *range(16, LONG, 977), *range(LONG - 20, LONG)]),
            "values": randn(seed, LONG)[indices].tolist(),
        }
        for seed in (3, 2**32 - 1)
    ]
    layouts = [
        {"seed": 5, "channels": c, "height": h, "width": w, "values": packed(5, c, h, w)}
        for c, h, w in ((16, 4, 6), (4, 2, 2))
    ]
    lines = [json.dumps({"made": f"torch {torch.__version__}, torch.randn on the CPU generator"})[1:-1]]
    for name, rows in (("cases", cases), ("wide", wide), ("long", long), ("packed", layouts)):
        lines.append(f'"{name}": [\n' + ",\n".join(json.dumps(row) for row in rows) + "\n]")
    (GOLDEN / "noise.json").write_text("{" + ",\n".join(lines) + "}\n")
