"""Writes small models of FLUX's kinds with random weights, and what PyTorch says of them.

The embedded model is one point in the space of FLUX models; these are others: with and without
guidance, blocks of one kind only, other heads and rotary axes, T5 and CLIP of other sizes, both
autoencoders. Weights are float16 numbers, and everything is computed from them in float32.

A folder holds for each model `NAME.json` (its config.json), `NAME.safetensors` (its weights under
their own names) and `NAME.goldens.safetensors` (inputs and outputs).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from diffusers import AutoencoderKL, AutoencoderTiny, FluxPipeline, FluxTransformer2DModel
from safetensors.torch import save_file
from transformers import CLIPTextConfig, CLIPTextModel, T5Config, T5EncoderModel

# Every transformer, and the picture's rows and columns of tokens, never a square.
TRANSFORMERS = {
    "flux-guided": (
        dict(
            num_layers=2,
            num_single_layers=3,
            num_attention_heads=2,
            attention_head_dim=16,
            axes_dims_rope=(4, 6, 6),
            in_channels=64,
            joint_attention_dim=24,
            pooled_projection_dim=20,
            guidance_embeds=True,
        ),
        (3, 5),
    ),
    "flux-single": (
        dict(
            num_layers=0,
            num_single_layers=3,
            num_attention_heads=3,
            attention_head_dim=8,
            axes_dims_rope=(2, 2, 4),
            in_channels=16,
            joint_attention_dim=32,
            pooled_projection_dim=16,
            guidance_embeds=False,
        ),
        (4, 2),
    ),
    "flux-double": (
        dict(
            num_layers=3,
            num_single_layers=0,
            num_attention_heads=1,
            attention_head_dim=24,
            axes_dims_rope=(8, 12, 4),
            in_channels=16,
            joint_attention_dim=40,
            pooled_projection_dim=8,
            guidance_embeds=True,
        ),
        (1, 6),
    ),
    "flux-plain": (
        dict(
            num_layers=1,
            num_single_layers=4,
            num_attention_heads=4,
            attention_head_dim=8,
            axes_dims_rope=(4, 2, 2),
            in_channels=32,
            joint_attention_dim=16,
            pooled_projection_dim=12,
            guidance_embeds=False,
        ),
        (5, 3),
    ),
}
TEXT_TOKENS = 7
FLOW_TIMES = (1.0, 0.37)
GUIDANCES = (3.5, 1.25)

KL = dict(
    act_fn="silu",
    latent_channels=16,
    scaling_factor=0.3611,
    shift_factor=0.1159,
    down_block_types=("DownEncoderBlock2D",) * 4,
    up_block_types=("UpDecoderBlock2D",) * 4,
)
AUTOENCODERS = {
    # FLUX's own, narrower.
    "autoencoder-kl": AutoencoderKL(
        **KL,
        block_out_channels=(8, 12, 16, 16),
        layers_per_block=2,
        norm_num_groups=4,
        use_quant_conv=False,
        use_post_quant_conv=False,
        mid_block_add_attention=True,
    ),
    "autoencoder-kl-quant": AutoencoderKL(
        **{**KL, "down_block_types": ("DownEncoderBlock2D",) * 2, "up_block_types": ("UpDecoderBlock2D",) * 2},
        block_out_channels=(8, 12),
        layers_per_block=1,
        norm_num_groups=2,
        use_quant_conv=True,
        use_post_quant_conv=True,
        mid_block_add_attention=False,
    ),
    "autoencoder-tiny": AutoencoderTiny(
        latent_channels=16,
        encoder_block_out_channels=(8, 8, 8, 8),
        decoder_block_out_channels=(12, 12, 12, 12),
        num_encoder_blocks=(1, 0, 2, 1),
        num_decoder_blocks=(2, 1, 0, 1),
        scaling_factor=1.7,
        shift_factor=-0.2,
    ),
}
# Latents of a side, rows and columns.
LATENT_SIZE = (4, 6)


def randomize(model: torch.nn.Module, seed: int) -> torch.nn.Module:
    """Random float16 weights under which activations keep their size and every parameter counts."""
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in model.named_parameters():
        values = torch.randn(parameter.shape, generator=generator)
        if parameter.ndim >= 2:
            values *= parameter[0].numel() ** -0.5
            if "embedding" in name or "shared" in name:
                values *= parameter[0].numel() ** 0.5
        elif name.endswith("weight"):
            values = 1 + 0.3 * values
        else:
            values *= 0.2
        parameter.data = values.half().float()
    return model.eval()


class Writer:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, name: str, model: torch.nn.Module, goldens: dict[str, torch.Tensor]) -> None:
        if hasattr(model, "to_json_file"):
            model.to_json_file(self.folder / f"{name}.json")
        else:
            model.config.to_json_file(self.folder / f"{name}.json", use_diff=False)
        # Tensors under two names are kept under the first.
        seen: set[int] = set()
        weights = {}
        for key, values in model.state_dict().items():
            if values.data_ptr() in seen or not values.is_floating_point():
                continue
            seen.add(values.data_ptr())
            weights[key] = values.half().contiguous().clone()
        save_file(weights, self.folder / f"{name}.safetensors")
        arrays = {key: values.detach().contiguous().clone() for key, values in goldens.items()}
        save_file(arrays, self.folder / f"{name}.goldens.safetensors")


def transformer_goldens(model: FluxTransformer2DModel, grid: tuple[int, int]) -> dict[str, torch.Tensor]:
    """Features (what norm_out is given) and velocity at every flow time and guidance scale."""
    config = model.config
    generator = torch.Generator().manual_seed(7)
    rows, columns = grid
    text = torch.randn((1, TEXT_TOKENS, config.joint_attention_dim), generator=generator)
    pooled = torch.randn((1, config.pooled_projection_dim), generator=generator)
    image_ids = FluxPipeline._prepare_latent_image_ids(1, rows, columns, "cpu", torch.float32)
    text_ids = torch.zeros(TEXT_TOKENS, 3)
    cos, sin = model.pos_embed(torch.cat([text_ids, image_ids]))
    # diffusers repeats each angle for the two numbers that it turns; the graphs do not.
    goldens = {"text": text, "pooled": pooled, "rotary_cos": cos[:, ::2].float(), "rotary_sin": sin[:, ::2].float()}
    seen: list[torch.Tensor] = []
    model.norm_out.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    for i, (time, guidance) in enumerate(zip(FLOW_TIMES, GUIDANCES, strict=True)):
        latents = torch.randn((1, rows * columns, config.in_channels), generator=generator)
        velocity = model(
            hidden_states=latents,
            encoder_hidden_states=text,
            pooled_projections=pooled,
            timestep=torch.tensor([time]),
            guidance=torch.tensor([guidance]) if config.guidance_embeds else None,
            img_ids=image_ids,
            txt_ids=text_ids,
            return_dict=False,
        )[0]
        goldens |= {
            f"{i}.latents": latents,
            f"{i}.timestep": torch.tensor([time]),
            f"{i}.features": seen[-1],
            f"{i}.velocity": velocity,
        }
        if config.guidance_embeds:
            goldens[f"{i}.guidance"] = torch.tensor([guidance])
    return goldens


def t5() -> tuple[torch.nn.Module, dict[str, torch.Tensor]]:
    config = T5Config(
        vocab_size=40,
        d_model=32,
        d_kv=12,
        d_ff=40,
        num_layers=4,
        num_heads=3,
        feed_forward_proj="gated-gelu",
        relative_attention_num_buckets=8,
        relative_attention_max_distance=12,
    )
    model = randomize(T5EncoderModel(config), 11)
    ids = torch.tensor([[5, 17, 3, 3, 39, 22, 8, 1, 0, 0, 0, 30, 12, 0, 0, 0, 0]], dtype=torch.int32)
    return model, {"input_ids": ids.float(), "text": model(ids).last_hidden_state}


def clip() -> tuple[torch.nn.Module, dict[str, torch.Tensor]]:
    config = CLIPTextConfig(
        vocab_size=30,
        hidden_size=24,
        intermediate_size=40,
        projection_dim=24,
        num_hidden_layers=3,
        num_attention_heads=3,
        max_position_embeddings=14,
        hidden_act="quick_gelu",
        bos_token_id=28,
        eos_token_id=29,
        pad_token_id=29,
    )
    model = randomize(CLIPTextModel(config), 12)
    ids = torch.tensor([[28, 4, 9, 9, 1, 29, 29, 29, 29, 29, 29]], dtype=torch.int32)
    end = torch.tensor([5], dtype=torch.int32)
    return model, {"input_ids": ids.float(), "end": end.float(), "pooled": model(ids).pooler_output}


def pack(latents: torch.Tensor) -> torch.Tensor:
    """[1, c, h, w] to [1, h / 2, w / 2, 4 c], in the order of FluxPipeline's own packing."""
    _, c, h, w = latents.shape
    return FluxPipeline._pack_latents(latents, 1, c, h, w).reshape(1, h // 2, w // 2, 4 * c)


def autoencoder_goldens(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    """Both halves, with the scale and shift that FluxPipeline and FluxImg2ImgPipeline apply."""
    config = model.config
    generator = torch.Generator().manual_seed(8)
    latents = torch.randn((1, config.latent_channels, *LATENT_SIZE), generator=generator)
    decoded = model.decode(latents / config.scaling_factor + config.shift_factor).sample
    image = torch.rand(decoded.shape, generator=generator) * 2 - 1
    encoded = model.encode(image)
    mean = encoded.latents if isinstance(model, AutoencoderTiny) else encoded.latent_dist.mode()
    return {
        "latents": pack(latents),
        "decoded": decoded,
        "image": image,
        "encoded": pack((mean - config.shift_factor) * config.scaling_factor),
    }


@torch.no_grad()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("tests/golden/flux"))
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    writer = Writer(arguments.out)
    for seed, (name, (config, grid)) in enumerate(TRANSFORMERS.items()):
        transformer = randomize(FluxTransformer2DModel(**config), seed)
        writer.write(name, transformer, transformer_goldens(transformer, grid))
    writer.write("t5", *t5())
    writer.write("clip", *clip())
    for seed, (name, autoencoder) in enumerate(AUTOENCODERS.items()):
        randomize(autoencoder, 20 + seed)
        writer.write(name, autoencoder, autoencoder_goldens(autoencoder))


if __name__ == "__main__":
    main()
