"""Writes what PyTorch says, for the converter and the pipeline to be tested against.

Two kinds of golden values, all float32: every component's outputs for given inputs, and whole
pictures by diffusers' own FluxPipeline. Arrays go to goldens.safetensors under the names
that goldens.json gives, pictures also to PNG files to look at.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from diffusers import FluxPipeline
from PIL import Image
from safetensors.torch import save_file

import folder
from folder import Pipeline

PROMPTS = [
    "a fox on a blue background",
    "a large red apple on a yellow striped background",
    "a penguin next to an umbrella, green background",
]
SIDE = 128
# Flow times from pure noise to nearly clean, each with a prompt and a seed of its own.
TRUNK_CASES = [(1.0, 0), (0.72, 1), (0.3, 2), (0.02, 0)]
LOOPS = [(0, 0, 50), (1, 1234, 50), (2, 4294967295, 8)]


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="pipeline folder")
    parser.add_argument("--out", type=Path, required=True)
    return parser.parse_args()


class Goldens:
    """Collects arrays; `keep` returns the name under which one can be found again."""

    def __init__(self) -> None:
        self.arrays: dict[str, torch.Tensor] = {}

    def keep(self, name: str, values: torch.Tensor) -> str:
        self.arrays[name] = values.detach().float().contiguous().clone()
        return name


def pack(latents: torch.Tensor) -> torch.Tensor:
    """[b, 16, h, w] -> [b, h/2 * w/2, 64], as FluxPipeline does."""
    b, c, h, w = latents.shape
    return FluxPipeline._pack_latents(latents, b, c, h, w)


def text_goldens(pipeline: Pipeline, goldens: Goldens) -> list[dict]:
    t5_ids, clip_ids = pipeline.tokenize(PROMPTS)
    end_of_text = pipeline.clip.config.eos_token_id
    cases = []
    for i, prompt in enumerate(PROMPTS):
        text, pooled = pipeline.encode(t5_ids[i : i + 1], clip_ids[i : i + 1])
        cases.append(
            {
                "prompt": prompt,
                "t5Ids": t5_ids[i].tolist(),
                "clipIds": clip_ids[i].tolist(),
                "clipEnd": clip_ids[i].tolist().index(end_of_text),
                "text": goldens.keep(f"text.{i}.text", text),
                "pooled": goldens.keep(f"text.{i}.pooled", pooled),
            }
        )
    return cases


def trunk_goldens(pipeline: Pipeline, texts: list[dict], goldens: Goldens) -> dict:
    """Features (what norm_out is given) and velocity, at several flow times."""
    rows = SIDE // 16
    image_ids = FluxPipeline._prepare_latent_image_ids(1, rows, rows, "cpu", torch.float32)
    text_ids = torch.zeros(len(texts[0]["t5Ids"]), 3)
    cos, sin = pipeline.transformer.pos_embed(torch.cat([text_ids, image_ids]))
    seen: list[torch.Tensor] = []
    hook = pipeline.transformer.norm_out.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    cases = []
    for i, (sigma, prompt) in enumerate(TRUNK_CASES):
        generator = torch.Generator("cpu").manual_seed(1000 + i)
        latents = pack(torch.randn((1, 16, 2 * rows, 2 * rows), generator=generator))
        velocity = pipeline.transformer(
            hidden_states=latents,
            encoder_hidden_states=goldens.arrays[texts[prompt]["text"]],
            pooled_projections=goldens.arrays[texts[prompt]["pooled"]],
            timestep=torch.tensor([sigma]),
            img_ids=image_ids,
            txt_ids=text_ids,
            return_dict=False,
        )[0]
        cases.append(
            {
                "sigma": sigma,
                "prompt": prompt,
                "latents": goldens.keep(f"trunk.{i}.latents", latents),
                "features": goldens.keep(f"trunk.{i}.features", seen[-1]),
                "velocity": goldens.keep(f"trunk.{i}.velocity", velocity),
            }
        )
    hook.remove()
    return {
        # diffusers repeats each angle for the two numbers that it turns; the graphs do not.
        "rotaryCos": goldens.keep("rotary.cos", cos[:, ::2]),
        "rotarySin": goldens.keep("rotary.sin", sin[:, ::2]),
        "cases": cases,
    }


def loop_goldens(pipeline: Pipeline, texts: list[dict], goldens: Goldens, out: Path) -> list[dict]:
    """Whole pictures by FluxPipeline itself: no guidance, noise by the CPU generator."""
    flux = FluxPipeline(
        scheduler=pipeline.scheduler,
        vae=pipeline.autoencoder,
        text_encoder=pipeline.clip,
        tokenizer=pipeline.clip_tokenizer,
        text_encoder_2=pipeline.t5,
        tokenizer_2=pipeline.t5_tokenizer,
        transformer=pipeline.transformer,
    )
    flux.set_progress_bar_config(disable=True)
    channels = pipeline.transformer.config.in_channels // 4
    cases = []
    for i, (prompt, seed, steps) in enumerate(LOOPS):
        generator = torch.Generator("cpu").manual_seed(seed)
        start, _ = flux.prepare_latents(1, channels, SIDE, SIDE, torch.float32, "cpu", generator)
        final = flux(
            texts[prompt]["prompt"],
            height=SIDE,
            width=SIDE,
            num_inference_steps=steps,
            guidance_scale=0.0,
            generator=torch.Generator("cpu").manual_seed(seed),
            max_sequence_length=len(texts[0]["t5Ids"]),
            output_type="latent",
        ).images
        config = flux.vae.config
        unpacked = flux._unpack_latents(final, SIDE, SIDE, flux.vae_scale_factor)
        image = flux.vae.decode(unpacked / config.scaling_factor + config.shift_factor).sample
        pixels = ((image[0] / 2 + 0.5).clamp(0, 1) * 255).round().permute(1, 2, 0)
        Image.fromarray(pixels.numpy().astype(np.uint8)).save(out / f"picture-{i}.png", optimize=True)
        cases.append(
            {
                "prompt": prompt,
                "seed": seed,
                "steps": steps,
                "width": SIDE,
                "height": SIDE,
                "sigmas": flux.scheduler.sigmas.tolist(),
                "start": goldens.keep(f"loop.{i}.start", start),
                "final": goldens.keep(f"loop.{i}.final", final),
                "image": goldens.keep(f"loop.{i}.image", image),
                "picture": f"picture-{i}.png",
            }
        )
    return cases


@torch.no_grad()
def main() -> None:
    arguments = parse_arguments()
    arguments.out.mkdir(parents=True, exist_ok=True)
    pipeline = folder.load(arguments.folder)
    for part in (*pipeline.trained().values(), pipeline.autoencoder):
        part.eval()
    goldens = Goldens()
    texts = text_goldens(pipeline, goldens)
    index = {
        "made": "by training/goldens.py, in float32, from the float16 weights of the folder",
        "texts": texts,
        "trunk": trunk_goldens(pipeline, texts, goldens),
        "loops": loop_goldens(pipeline, texts, goldens, arguments.out),
    }
    save_file(goldens.arrays, arguments.out / "goldens.safetensors")
    (arguments.out / "goldens.json").write_text(json.dumps(index, indent=1) + "\n")


if __name__ == "__main__":
    main()
