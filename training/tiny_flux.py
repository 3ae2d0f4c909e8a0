"""Writes tests/golden/tiny-flux: a whole FLUX.1-dev of very small widths, and what diffusers makes of it.

    python tiny_flux.py ../tests/golden/tiny-flux

diffusers/       the configurations of its folder, as diffusers saves them, and a bundle.json
weights.json     of every part, every tensor's shape, exponent and offset: its numbers are drawn
single.json      of every single file, what rows of which tensors its own tensors are made of
goldens.json     pictures by FluxPipeline, in float32
goldens.safetensors  their latents, and picture-N.png

No weights are kept. The i-th number of a tensor is `offset + 2 ** exponent * x`, where x is one of
1024 values in [-1, 1) that a hash of the tensor's name and of i chooses (`draw`): the same float16
number in every language. tests/unit/support/tiny-flux.ts draws them too and writes the files.
"""

from __future__ import annotations

import json
import math
import shutil
import sys
import tempfile
from itertools import groupby
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL, FlowMatchEulerDiscreteScheduler, FluxPipeline, FluxTransformer2DModel
from safetensors.torch import save_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer, T5Config, T5EncoderModel, T5Tokenizer

import layout_goldens as layouts

TOKENIZERS = Path(__file__).resolve().parent.parent / "tests" / "golden" / "tokenizers"
T5_TOKENS, CLIP_TOKENS = 32, 16

# What single files do not say must be as in FLUX.1: a first rotary axis of 16, CLIP's heads of 64,
# 32 groups of channels.
TRANSFORMER = {
    "in_channels": 64,
    "num_layers": 1,
    "num_single_layers": 2,
    "attention_head_dim": 32,
    "num_attention_heads": 2,
    "joint_attention_dim": 32,
    "pooled_projection_dim": 64,
    "guidance_embeds": True,
    "axes_dims_rope": (16, 8, 8),
}
AUTOENCODER = {
    "block_out_channels": (32, 32, 32, 64),
    "layers_per_block": 1,
    "latent_channels": 16,
    "norm_num_groups": 32,
    "down_block_types": ("DownEncoderBlock2D",) * 4,
    "up_block_types": ("UpDecoderBlock2D",) * 4,
    "use_quant_conv": False,
    "use_post_quant_conv": False,
    "scaling_factor": 0.3611,
    "shift_factor": 0.1159,
}
SCHEDULER = {
    "shift": 3.0,
    "use_dynamic_shifting": True,
    "base_shift": 0.5,
    "max_shift": 1.15,
    "base_image_seq_len": 256,
    "max_image_seq_len": 4096,
}
BUNDLE = {
    "title": "Tiny FLUX",
    "licence": "None is needed: its weights are drawn by a rule.",
    "source": "training/tiny_flux.py",
    "examples": ["a big red fox on a blue background"],
    "sizes": [{"width": 64, "height": 96}, {"width": 96, "height": 64}],
    "defaults": {"steps": 4, "guidance": 3.5},
}
STEPS = 4
# Prompt, seed, guidance, width, height.
PICTURES = [
    ("a big red fox on a blue background", 7, 3.5, 64, 96),
    ("a big red fox on a blue background", 7, 1.5, 64, 96),
    ("Un zorro, rojo y grande: 2024!", 4294967295, 3.5, 96, 64),
]


def draw(name: str, shape: torch.Size, exponent: int, offset: float) -> torch.Tensor:
    """FNV-1a of the name starts a count in steps of the golden ratio; MurmurHash3's finalizer mixes it."""
    seed = 0x811C9DC5
    for byte in name.encode():
        seed = (seed ^ byte) * 0x01000193 % 2**32
    h = (np.arange(math.prod(shape), dtype=np.uint64) * 0x9E3779B1 + seed).astype(np.uint32)
    h ^= h >> 16
    h *= np.uint32(0x85EBCA6B)
    h ^= h >> 13
    h *= np.uint32(0xC2B2AE35)
    h ^= h >> 16
    x = ((h >> 22).astype(np.float64) - 512) / 512
    return torch.from_numpy(offset + 2.0**exponent * x).reshape(tuple(shape))


def rule(name: str, shape: torch.Size) -> tuple[int, int]:
    """Exponent and offset under which activations keep about their size and every parameter counts."""
    if len(shape) == 1:
        return (-1, 1) if name.endswith("weight") else (-2, 0)
    if "embedding.weight" in name or name.startswith("shared"):
        return 0, 0
    if name == "decoder.conv_out.weight":
        return -4, 0  # few pixels beyond white and black
    return round(math.log2(math.sqrt(3 / math.prod(shape[1:])))), 0


def filled(part: str, model: torch.nn.Module, index: dict) -> torch.nn.Module:
    """Draws every parameter, and writes down how."""
    entries = index[part] = {}
    for name, parameter in model.named_parameters():
        exponent, offset = rule(name, parameter.shape)
        values = draw(f"{part}/{name}", parameter.shape, exponent, offset)
        assert torch.equal(values.half().double(), values), name
        parameter.data = values.float()
        entries[name] = [list(parameter.shape), exponent, offset]
    return model.eval()


def tokenizers() -> tuple[CLIPTokenizer, T5Tokenizer]:
    with tempfile.TemporaryDirectory() as name:
        for file in ("spiece.model", "vocab.json", "merges.txt"):
            shutil.copy(TOKENIZERS / file, name)
        clip = CLIPTokenizer.from_pretrained(name, model_max_length=CLIP_TOKENS)
        return clip, T5Tokenizer.from_pretrained(name, model_max_length=T5_TOKENS)


def pipeline(weights: dict) -> FluxPipeline:
    clip_tokenizer, t5_tokenizer = tokenizers()
    end = clip_tokenizer.eos_token_id
    clip = CLIPTextConfig(
        vocab_size=len(clip_tokenizer),
        hidden_size=TRANSFORMER["pooled_projection_dim"],
        intermediate_size=128,
        projection_dim=64,
        num_hidden_layers=2,
        num_attention_heads=1,
        max_position_embeddings=77,
        hidden_act="quick_gelu",
        bos_token_id=clip_tokenizer.bos_token_id,
        eos_token_id=end,
        pad_token_id=end,
    )
    t5 = T5Config(
        vocab_size=len(t5_tokenizer),
        d_model=TRANSFORMER["joint_attention_dim"],
        d_kv=16,
        d_ff=64,
        num_layers=2,
        num_heads=3,
        feed_forward_proj="gated-gelu",
    )
    return FluxPipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(**SCHEDULER),
        vae=filled("vae", AutoencoderKL(**AUTOENCODER), weights),
        text_encoder=filled("text_encoder", CLIPTextModel(clip), weights),
        tokenizer=clip_tokenizer,
        text_encoder_2=filled("text_encoder_2", T5EncoderModel(t5), weights),
        tokenizer_2=t5_tokenizer,
        transformer=filled("transformer", FluxTransformer2DModel(**TRANSFORMER), weights),
    )


def origins(part: str, theirs: dict[str, torch.Tensor], convert) -> dict:
    """What diffusers' own conversion makes of a file, read backwards: rows are followed by their numbers."""
    marked, begin = {}, {}
    count = 0
    for name, values in theirs.items():
        rows = torch.arange(count, count + len(values), dtype=torch.float32)
        marked[name] = rows.reshape(-1, *[1] * (values.ndim - 1)).expand(values.shape).contiguous()
        begin[name] = count
        count += len(values)
    found: list[tuple[str, int] | None] = [None] * count
    for ours, values in convert(marked).items():
        for row, number in enumerate(values.reshape(len(values), -1)[:, 0].tolist()):
            found[int(number)] = (ours, row)
    assert None not in found
    files = {}
    for name, values in theirs.items():
        rows = found[begin[name] : begin[name] + len(values)]
        runs = groupby(enumerate(rows), key=lambda item: (item[1][0], item[1][1] - item[0]))
        places = [[row for _, row in run] for _, run in runs]
        files[name] = [
            list(values.shape),
            [[f"{part}/{run[0][0]}", run[0][1], run[-1][1] + 1] for run in places],
        ]
    return files


def single_files(weights: dict) -> dict:
    layouts.HIDDEN = TRANSFORMER["attention_head_dim"] * TRANSFORMER["num_attention_heads"]
    layouts.HEAD = TRANSFORMER["attention_head_dim"]
    layouts.TRANSFORMER, layouts.AUTOENCODER = TRANSFORMER, AUTOENCODER
    text = {
        part: {
            prefix + name: [shape, [[f"{part}/{name}", 0, shape[0]]]] for name, (shape, *_) in weights[part].items()
        }
        # transformers 5 leaves out what ComfyUI's file has before every name.
        for part, prefix in (("text_encoder", "text_model."), ("text_encoder_2", ""))
    }
    return {
        "flux1-dev.safetensors": origins("transformer", layouts.bfl_transformer(), layouts.diffusers_transformer),
        "ae.safetensors": origins("vae", layouts.ldm_autoencoder(), layouts.diffusers_autoencoder),
        "clip_l.safetensors": text["text_encoder"],
        "t5xxl_fp16.safetensors": text["text_encoder_2"],
    }


def save_configs(flux: FluxPipeline, folder: Path) -> None:
    """As diffusers saves the folder, without what is drawn or lies in tests/golden/tokenizers."""
    with tempfile.TemporaryDirectory() as name:
        flux.save_pretrained(name)
        for file in sorted(Path(name).rglob("*.json")):
            path = file.relative_to(name)
            if path.parent.name.startswith("tokenizer") and path.name != "tokenizer_config.json":
                continue
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, folder / path)
    (folder / "bundle.json").write_text(json.dumps(BUNDLE, indent=2) + "\n")


def pictures(flux: FluxPipeline, out: Path) -> list[dict]:
    flux.set_progress_bar_config(disable=True)
    cases, arrays = [], {}
    for i, (prompt, seed, guidance, width, height) in enumerate(PICTURES):
        latents = flux(
            prompt,
            width=width,
            height=height,
            num_inference_steps=STEPS,
            guidance_scale=guidance,
            generator=torch.Generator("cpu").manual_seed(seed),
            max_sequence_length=T5_TOKENS,
            output_type="latent",
        ).images
        config = flux.vae.config
        unpacked = flux._unpack_latents(latents, height, width, flux.vae_scale_factor)
        image = flux.vae.decode(unpacked / config.scaling_factor + config.shift_factor).sample
        picture = flux.image_processor.postprocess(image)[0]
        picture.save(out / f"picture-{i}.png", optimize=True)
        arrays[f"{i}.latents"] = latents.contiguous()
        clipped = (image.abs() > 1).float().mean()
        print(f"{i}: latents +- {latents.std():.2f}, image {image.mean():.2f} +- {image.std():.2f}, {clipped:.1%} clipped")
        cases.append(
            {"prompt": prompt, "seed": seed, "guidance": guidance, "steps": STEPS, "width": width, "height": height}
        )
    save_file(arrays, out / "goldens.safetensors")
    return cases


def write_lines(path: Path, value: dict[str, dict]) -> None:
    """JSON with a line for each tensor."""
    parts = []
    for part, entries in value.items():
        lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(entry)}" for name, entry in entries.items())
        parts.append(f"{json.dumps(part)}: {{\n{lines}\n}}")
    path.write_text("{\n" + ",\n".join(parts) + "\n}\n")


@torch.no_grad()
def main() -> None:
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    weights: dict = {}
    flux = pipeline(weights)
    write_lines(out / "weights.json", weights)
    write_lines(out / "single.json", single_files(weights))
    save_configs(flux, out / "diffusers")
    (out / "goldens.json").write_text(json.dumps(pictures(flux, out), indent=1) + "\n")


if __name__ == "__main__":
    main()
