"""Writes tests/golden/lora: LoRAs for the transformer of tests/golden/layouts, and what PEFT and
diffusers make of them.

    python lora_goldens.py ../tests/golden/layouts ../tests/golden/lora

peft.safetensors    as diffusers saves it: rank 3, and alpha 6 in its metadata
kohya.safetensors   as kohya's trainer saves it: fused modules, an alpha for each
merged.safetensors  under peft. and kohya. the changed matrices at strength 0.5, float32
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch
from diffusers import FluxPipeline, FluxTransformer2DModel
from diffusers.loaders.lora_conversion_utils import _convert_kohya_flux_lora_to_diffusers
from peft import LoraConfig
from peft.utils import get_peft_model_state_dict
from safetensors.torch import load_file, save_file

STRENGTH = 0.5
TARGETS = ["transformer_blocks.0.attn.to_q", "single_transformer_blocks.1.proj_mlp", "norm_out.linear", "x_embedder"]


def transformer(layouts: Path) -> FluxTransformer2DModel:
    config = json.loads((layouts / "layouts.json").read_text())["transformer"]
    model = FluxTransformer2DModel(**config)
    weights = load_file(layouts / "bfl-diffusers.safetensors")
    model.load_state_dict({name: value.float() for name, value in weights.items()}, strict=True)
    return model


def merged(model: FluxTransformer2DModel) -> dict[str, torch.Tensor]:
    """The matrices that have an adapter, after PEFT has merged it."""
    model.set_adapters("default", STRENGTH)
    model.fuse_lora()
    return {
        name.replace(".base_layer", ""): value.detach().clone()
        for name, value in model.state_dict().items()
        if ".base_layer.weight" in name
    }


def peft_lora(layouts: Path, out: Path) -> dict[str, torch.Tensor]:
    model = transformer(layouts)
    model.add_adapter(LoraConfig(r=3, lora_alpha=6, target_modules=TARGETS, init_lora_weights=False))
    config = {"r": 3, "lora_alpha": 6, "target_modules": TARGETS, "rank_pattern": {}, "alpha_pattern": {}}
    FluxPipeline.save_lora_weights(
        out,
        transformer_lora_layers={k: v.contiguous() for k, v in get_peft_model_state_dict(model).items()},
        weight_name="peft.safetensors",
        transformer_lora_adapter_metadata=config,
    )
    return merged(model)


def kohya_lora(layouts: Path, out: Path) -> dict[str, torch.Tensor]:
    model = transformer(layouts)
    hidden, rank = model.inner_dim, 2
    sizes = {
        "double_blocks_0_img_attn_qkv": (3 * hidden, hidden),
        "double_blocks_0_txt_mlp_2": (hidden, 4 * hidden),
        "single_blocks_0_linear2": (hidden, 5 * hidden),
    }
    state = {}
    for i, (name, (outputs, inputs)) in enumerate(sizes.items()):
        state[f"lora_unet_{name}.lora_down.weight"] = torch.randn(rank, inputs)
        state[f"lora_unet_{name}.lora_up.weight"] = torch.randn(outputs, rank)
        state[f"lora_unet_{name}.alpha"] = torch.tensor(1.5 + i)
    save_file(state, out / "kohya.safetensors")
    converted = _convert_kohya_flux_lora_to_diffusers({k: v.clone() for k, v in state.items()})
    model.load_lora_adapter(converted, prefix="transformer", adapter_name="default")
    return merged(model)


def main() -> None:
    layouts, out = Path(sys.argv[1]), Path(sys.argv[2])
    out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(3)
    arrays = {f"peft.{name}": value for name, value in peft_lora(layouts, out).items()}
    arrays |= {f"kohya.{name}": value for name, value in kohya_lora(layouts, out).items()}
    save_file({name: value.contiguous() for name, value in arrays.items()}, out / "merged.safetensors")
    print(*(f"{name} {tuple(value.shape)}" for name, value in arrays.items()), sep="\n")


if __name__ == "__main__":
    main()
