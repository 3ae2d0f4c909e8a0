"""Writes tests/golden/layouts: tiny random models under the names of single files, and under those
that diffusers' own conversion functions give them.

    python layout_goldens.py ../tests/golden/layouts

bfl.safetensors             a transformer as Black Forest Labs name its tensors
bfl-diffusers.safetensors   the same as FluxTransformer2DModel
ldm.safetensors             an autoencoder as Latent Diffusion names its tensors
ldm-diffusers.safetensors   the same as AutoencoderKL
tae.safetensors             a tiny decoder as its authors name its tensors
tae-diffusers.safetensors   the same as the decoder of AutoencoderTiny
layouts.json                their configurations
"""

from __future__ import annotations

import inspect
import json
import sys
from pathlib import Path

import diffusers
import torch
from diffusers import AutoencoderKL, AutoencoderTiny, FluxTransformer2DModel
from diffusers.loaders import single_file_utils
from safetensors.torch import save_file

HIDDEN, HEAD = 20, 20
TRANSFORMER = {
    "in_channels": 64,
    "num_layers": 1,
    "num_single_layers": 2,
    "attention_head_dim": HEAD,
    "num_attention_heads": HIDDEN // HEAD,
    "joint_attention_dim": 12,
    "pooled_projection_dim": 8,
    "guidance_embeds": True,
    "axes_dims_rope": (16, 2, 2),
}
AUTOENCODER = {
    "block_out_channels": (2, 4, 4),
    "layers_per_block": 2,
    "latent_channels": 16,
    "norm_num_groups": 2,
    "down_block_types": ("DownEncoderBlock2D",) * 3,
    "up_block_types": ("UpDecoderBlock2D",) * 3,
    "use_quant_conv": False,
    "use_post_quant_conv": False,
    "scaling_factor": 0.3611,
    "shift_factor": 0.1159,
}
TINY = {
    "latent_channels": 16,
    "encoder_block_out_channels": (4, 4, 4, 4),
    "decoder_block_out_channels": (4, 4, 4, 4),
    "num_encoder_blocks": (1, 1, 1, 1),
    "num_decoder_blocks": (2, 1, 3, 1),
}


def random(*shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=random.generator).half()


random.generator = torch.Generator().manual_seed(1)


def linear(state: dict, name: str, outputs: int, inputs: int) -> None:
    state[f"{name}.weight"] = random(outputs, inputs)
    state[f"{name}.bias"] = random(outputs)


def bfl_transformer() -> dict:
    state: dict[str, torch.Tensor] = {}
    wide = 4 * HIDDEN
    linear(state, "img_in", HIDDEN, TRANSFORMER["in_channels"])
    linear(state, "txt_in", HIDDEN, TRANSFORMER["joint_attention_dim"])
    for name, inputs in (("time", 256), ("guidance", 256), ("vector", TRANSFORMER["pooled_projection_dim"])):
        linear(state, f"{name}_in.in_layer", HIDDEN, inputs)
        linear(state, f"{name}_in.out_layer", HIDDEN, HIDDEN)
    for i in range(TRANSFORMER["num_layers"]):
        for stream in ("img", "txt"):
            block = f"double_blocks.{i}.{stream}_"
            linear(state, f"{block}mod.lin", 6 * HIDDEN, HIDDEN)
            linear(state, f"{block}attn.qkv", 3 * HIDDEN, HIDDEN)
            linear(state, f"{block}attn.proj", HIDDEN, HIDDEN)
            linear(state, f"{block}mlp.0", wide, HIDDEN)
            linear(state, f"{block}mlp.2", HIDDEN, wide)
            state[f"{block}attn.norm.query_norm.scale"] = random(HEAD)
            state[f"{block}attn.norm.key_norm.scale"] = random(HEAD)
    for i in range(TRANSFORMER["num_single_layers"]):
        block = f"single_blocks.{i}."
        linear(state, f"{block}modulation.lin", 3 * HIDDEN, HIDDEN)
        linear(state, f"{block}linear1", 3 * HIDDEN + wide, HIDDEN)
        linear(state, f"{block}linear2", HIDDEN, HIDDEN + wide)
        state[f"{block}norm.query_norm.scale"] = random(HEAD)
        state[f"{block}norm.key_norm.scale"] = random(HEAD)
    linear(state, "final_layer.linear", TRANSFORMER["in_channels"], HIDDEN)
    linear(state, "final_layer.adaLN_modulation.1", 2 * HIDDEN, HIDDEN)
    return state


def diffusers_transformer(state: dict) -> dict:
    """By diffusers' function, whose one size that is a constant is made this model's."""
    name = "convert_flux_transformer_checkpoint_to_diffusers"
    source = inspect.getsource(getattr(single_file_utils, name))
    assert "inner_dim = 3072" in source
    scope = vars(single_file_utils).copy()
    exec(source.replace("inner_dim = 3072", f"inner_dim = {HIDDEN}"), scope)
    converted = scope[name](dict(state))
    FluxTransformer2DModel(**TRANSFORMER).load_state_dict(converted, strict=True)
    return converted


def convolution(state: dict, name: str, outputs: int, inputs: int, side: int = 3) -> None:
    state[f"{name}.weight"] = random(outputs, inputs, side, side)
    state[f"{name}.bias"] = random(outputs)


def norm(state: dict, name: str, width: int) -> None:
    state[f"{name}.weight"] = random(width)
    state[f"{name}.bias"] = random(width)


def residual(state: dict, name: str, inputs: int, outputs: int) -> None:
    norm(state, f"{name}.norm1", inputs)
    convolution(state, f"{name}.conv1", outputs, inputs)
    norm(state, f"{name}.norm2", outputs)
    convolution(state, f"{name}.conv2", outputs, outputs)
    if inputs != outputs:
        convolution(state, f"{name}.nin_shortcut", outputs, inputs, 1)


def middle(state: dict, name: str, width: int) -> None:
    residual(state, f"{name}.mid.block_1", width, width)
    norm(state, f"{name}.mid.attn_1.norm", width)
    for part in ("q", "k", "v", "proj_out"):
        convolution(state, f"{name}.mid.attn_1.{part}", width, width, 1)
    residual(state, f"{name}.mid.block_2", width, width)


def ldm_autoencoder() -> dict:
    state: dict[str, torch.Tensor] = {}
    widths, layers = AUTOENCODER["block_out_channels"], AUTOENCODER["layers_per_block"]
    latents, last = AUTOENCODER["latent_channels"], len(widths) - 1
    convolution(state, "encoder.conv_in", widths[0], 3)
    width = widths[0]
    for stage, outputs in enumerate(widths):
        for i in range(layers):
            residual(state, f"encoder.down.{stage}.block.{i}", width, outputs)
            width = outputs
        if stage < last:
            convolution(state, f"encoder.down.{stage}.downsample.conv", width, width)
    middle(state, "encoder", width)
    norm(state, "encoder.norm_out", width)
    convolution(state, "encoder.conv_out", 2 * latents, width)
    convolution(state, "decoder.conv_in", width, latents)
    middle(state, "decoder", width)
    for stage in reversed(range(len(widths))):
        for i in range(layers + 1):
            residual(state, f"decoder.up.{stage}.block.{i}", width, widths[stage])
            width = widths[stage]
        if stage > 0:
            convolution(state, f"decoder.up.{stage}.upsample.conv", width, width)
    norm(state, "decoder.norm_out", width)
    convolution(state, "decoder.conv_out", 3, width)
    return state


def diffusers_autoencoder(state: dict) -> dict:
    converted = single_file_utils.convert_ldm_vae_checkpoint(dict(state), AUTOENCODER)
    AutoencoderKL(**AUTOENCODER).load_state_dict(converted, strict=True)
    return converted


def tae_decoder() -> tuple[dict, dict]:
    """The original has a clamp before the layers, so that each comes one later."""
    decoder = AutoencoderTiny(**TINY).decoder.layers.state_dict()
    named = {name: random(*value.shape) for name, value in decoder.items()}
    original = {}
    for name, value in named.items():
        layer, rest = name.split(".", 1)
        original[f"{int(layer) + 1}.{rest}"] = value
    return original, {f"decoder.layers.{name}": value for name, value in named.items()}


def main() -> None:
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    transformer, autoencoder = bfl_transformer(), ldm_autoencoder()
    tae, tiny = tae_decoder()
    files = {
        "bfl": transformer,
        "bfl-diffusers": diffusers_transformer(transformer),
        "ldm": autoencoder,
        "ldm-diffusers": diffusers_autoencoder(autoencoder),
        "tae": tae,
        "tae-diffusers": tiny,
    }
    for name, state in files.items():
        save_file({key: value.contiguous() for key, value in state.items()}, out / f"{name}.safetensors")
    index = {
        "madeBy": f"training/layout_goldens.py, diffusers {diffusers.__version__}",
        "transformer": TRANSFORMER,
        "autoencoder": AUTOENCODER,
        "tiny": TINY,
    }
    (out / "layouts.json").write_text(json.dumps(index, indent=1) + "\n")


if __name__ == "__main__":
    main()
