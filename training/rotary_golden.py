"""Writes tests/golden/rotary.json: rotary tables of diffusers' own FluxPosEmbed.

    python rotary_golden.py ../tests/golden/rotary.json
"""

import json
import sys
from pathlib import Path

import diffusers
import torch
from diffusers import FluxPipeline
from diffusers.models.transformers.transformer_flux import FluxPosEmbed

CASES = (
    {"textTokens": 3, "rows": 2, "columns": 3, "axes": (16, 24, 24)},
    {"textTokens": 2, "rows": 3, "columns": 2, "axes": (16, 56, 56)},
)


def tables(case: dict) -> dict:
    """cos and sin [tokens, head width / 2]; diffusers repeats every column twice."""
    text = torch.zeros(case["textTokens"], 3)
    image = FluxPipeline._prepare_latent_image_ids(
        1, case["rows"], case["columns"], "cpu", torch.float32
    )
    embed = FluxPosEmbed(theta=10000, axes_dim=list(case["axes"]))
    cos, sin = embed(torch.cat((text, image)))
    assert torch.equal(cos[:, 0::2], cos[:, 1::2]) and torch.equal(sin[:, 0::2], sin[:, 1::2])
    return {
        **case,
        "cos": cos[:, ::2].flatten().tolist(),
        "sin": sin[:, ::2].flatten().tolist(),
    }


if __name__ == "__main__":
    made_by = f"training/rotary_golden.py, diffusers {diffusers.__version__}"
    golden = {"madeBy": made_by, "cases": [tables(case) for case in CASES]}
    Path(sys.argv[1]).write_text(json.dumps(golden) + "\n")
