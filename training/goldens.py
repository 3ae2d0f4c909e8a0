"""Writes what PyTorch says, for the converter and the pipeline to be tested against.

Two kinds of golden values, all float32: every component's outputs for given inputs, and whole
pictures that diffusers' own FluxPipeline makes of the folder as it lies there. Arrays go to
goldens.safetensors under the names that goldens.json gives, FluxPipeline's pictures to PNG files.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from diffusers import FluxPipeline
from safetensors.torch import save_file

from flow import position_ids, unpack
from folder import Pipeline, load
from sampling import start_noise

PROMPTS = [
    "a fox on a blue background",
    "a small red apple on a yellow striped background",
    "a penguin next to an umbrella",
]


@dataclass(frozen=True)
class TrunkCase:
    """A call of the transformer at a flow time from 1, pure noise, to 0; `prompt` counts PROMPTS."""

    time: float
    prompt: int
    guidance: float
    width: int
    height: int


@dataclass(frozen=True)
class Loop:
    """A whole image; width and height are those that the transformer knows, 16 pixels a token."""

    prompt: int
    seed: int
    steps: int
    guidance: float
    width: int
    height: int


# Small pictures keep the files small; what is computed per token is the same.
TRUNK_CASES = [
    TrunkCase(1.0, 0, 3.5, 128, 128),
    TrunkCase(0.72, 1, 1.0, 128, 128),
    TrunkCase(0.3, 2, 3.5, 160, 96),
    TrunkCase(0.02, 0, 7.0, 128, 128),
]
LOOPS = [
    Loop(0, 0, 28, 3.5, 256, 256),
    Loop(1, 1234, 8, 3.5, 128, 128),
    Loop(2, 4294967295, 8, 2.0, 160, 96),
]


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


def rotary_goldens(pipeline: Pipeline, width: int, height: int, goldens: Goldens) -> dict[str, str]:
    text_ids = torch.zeros(pipeline.t5_tokenizer.model_max_length, 3)
    cos, sin = pipeline.transformer.pos_embed(torch.cat([text_ids, position_ids(height // 16, width // 16)]))
    # diffusers repeats each angle for the two numbers that it turns; the graphs do not.
    return {
        "rotaryCos": goldens.keep(f"rotary.{width}x{height}.cos", cos[:, ::2]),
        "rotarySin": goldens.keep(f"rotary.{width}x{height}.sin", sin[:, ::2]),
    }


def told(pipeline: Pipeline, guidance: float) -> float | None:
    """The guidance that the transformer is told: none if it does not take any."""
    return guidance if pipeline.transformer.config.guidance_embeds else None


def trunk_goldens(pipeline: Pipeline, texts: list[dict], goldens: Goldens) -> list[dict]:
    """Features (what norm_out is given) and velocity, at several flow times."""
    seen: list[torch.Tensor] = []
    hook = pipeline.transformer.norm_out.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    channels = pipeline.autoencoder.config.latent_channels
    cases = []
    for i, case in enumerate(TRUNK_CASES):
        latents = start_noise(1000 + i, channels, case.height, case.width)
        text = goldens.arrays[texts[case.prompt]["text"]]
        guidance = told(pipeline, case.guidance)
        velocity = pipeline.transformer(
            hidden_states=latents,
            encoder_hidden_states=text,
            pooled_projections=goldens.arrays[texts[case.prompt]["pooled"]],
            timestep=torch.tensor([case.time]),
            img_ids=position_ids(case.height // 16, case.width // 16),
            txt_ids=torch.zeros(text.shape[1], 3),
            guidance=None if guidance is None else torch.tensor([guidance]),
            return_dict=False,
        )[0]
        cases.append(
            {
                "sigma": case.time,
                "prompt": case.prompt,
                "guidance": guidance,
                **rotary_goldens(pipeline, case.width, case.height, goldens),
                "latents": goldens.keep(f"trunk.{i}.latents", latents),
                "features": goldens.keep(f"trunk.{i}.features", seen[-1]),
                "velocity": goldens.keep(f"trunk.{i}.velocity", velocity),
            }
        )
    hook.remove()
    return cases


def loop_goldens(folder: Path, pipeline: Pipeline, goldens: Goldens, out: Path) -> list[dict]:
    """Whole pictures by FluxPipeline, which opens the folder itself."""
    flux = FluxPipeline.from_pretrained(folder, torch_dtype=torch.float32)
    flux.set_progress_bar_config(disable=True)
    enlarged = flux.vae_scale_factor // 8  # its sizes are those of decoded images
    cases = []
    for i, loop in enumerate(LOOPS):
        passed: list[torch.Tensor] = []

        def keep_latents(_flux, _step, _time, given: dict) -> dict:
            passed.append(given["latents"])
            return given

        picture = flux(
            PROMPTS[loop.prompt],
            width=loop.width * enlarged,
            height=loop.height * enlarged,
            num_inference_steps=loop.steps,
            guidance_scale=loop.guidance,
            generator=torch.Generator("cpu").manual_seed(loop.seed),
            max_sequence_length=flux.tokenizer_2.model_max_length,
            callback_on_step_end=keep_latents,
        ).images[0]
        picture.save(out / f"picture-{i}.png", optimize=True)
        config = flux.vae.config
        latents = unpack(passed[-1], loop.height // 16, loop.width // 16)
        image = flux.vae.decode(latents / config.scaling_factor + config.shift_factor).sample
        start = start_noise(loop.seed, config.latent_channels, loop.height, loop.width)
        cases.append(
            {
                **asdict(loop),
                "guidance": told(pipeline, loop.guidance),
                "sigmas": flux.scheduler.sigmas.tolist(),
                **rotary_goldens(pipeline, loop.width, loop.height, goldens),
                "start": goldens.keep(f"loop.{i}.start", start),
                "final": goldens.keep(f"loop.{i}.final", passed[-1]),
                "image": goldens.keep(f"loop.{i}.image", image),
                "picture": f"picture-{i}.png",
            }
        )
    return cases


@torch.no_grad()
def main() -> None:
    arguments = parse_arguments()
    arguments.out.mkdir(parents=True, exist_ok=True)
    pipeline = load(arguments.folder)
    for part in (*pipeline.trained().values(), pipeline.autoencoder):
        part.eval()
    goldens = Goldens()
    texts = text_goldens(pipeline, goldens)
    index = {
        "made": "by training/goldens.py, in float32, from the float16 weights of the folder",
        "texts": texts,
        "trunk": trunk_goldens(pipeline, texts, goldens),
        "loops": loop_goldens(arguments.folder, pipeline, goldens, arguments.out),
    }
    save_file(goldens.arrays, arguments.out / "goldens.safetensors")
    (arguments.out / "goldens.safetensors").chmod(0o644)
    (arguments.out / "goldens.json").write_text(json.dumps(index, indent=1) + "\n")


if __name__ == "__main__":
    main()
