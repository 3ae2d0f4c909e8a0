"""Writes a FLUX.1-dev pipeline folder of the true width and few blocks, with random weights.

Every tensor has the shape that it has in FLUX.1-dev: hidden 3072 in 24 heads of 128, T5-XXL's 4096
with its whole vocabulary, CLIP-L's 768, the autoencoder as it is. Only there are fewer blocks, so
that conversion, memory and a picture of 1024 x 1024 can be measured where FLUX.1 itself is not at
hand. By default 2.4 GB in bfloat16: one double and two single blocks, one layer of T5, two of CLIP.

A tensor is made, rounded and written before the next, in files of up to 1 GB with an index, as
diffusers and transformers shard theirs; memory stays below 2 GB. Values are normal, scaled so that
activations keep their size. The tokenizers are the embedded model's, whose words are the first ids
of the large vocabularies, with FLUX.1's prompt lengths of 512 and 77.
"""

from __future__ import annotations

import argparse
import json
import shutil
import struct
from collections.abc import Iterator
from pathlib import Path

import torch
from diffusers import AutoencoderKL, FlowMatchEulerDiscreteScheduler, FluxTransformer2DModel
from transformers import CLIPTextConfig, CLIPTextModel, T5Config, T5EncoderModel

POCKET = Path(__file__).parent / "pocket"
TOKENIZERS = {"tokenizer": 77, "tokenizer_2": 512}
SHARD_BYTES = 10**9
NUMBER_BYTES = 2
HEADS, HEAD_WIDTH = 24, 128
T5_WIDTH, T5_HEADS, T5_HEAD_WIDTH = 4096, 64, 64
CLIP_WIDTH = 768


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--double", type=int, default=1, help="double blocks, of 19")
    parser.add_argument("--single", type=int, default=2, help="single blocks, of 38")
    parser.add_argument("--t5-layers", type=int, default=1, help="of 24")
    parser.add_argument("--clip-layers", type=int, default=2, help="of 12")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def new_models(arguments: argparse.Namespace) -> dict[str, torch.nn.Module]:
    """Every model by its folder, without memory for its weights."""
    with torch.device("meta"):
        return {
            "transformer": FluxTransformer2DModel(
                num_layers=arguments.double,
                num_single_layers=arguments.single,
                num_attention_heads=HEADS,
                attention_head_dim=HEAD_WIDTH,
                axes_dims_rope=(16, 56, 56),
                in_channels=64,
                joint_attention_dim=T5_WIDTH,
                pooled_projection_dim=CLIP_WIDTH,
                guidance_embeds=True,
            ),
            "text_encoder_2": T5EncoderModel(
                T5Config(
                    vocab_size=32128,
                    d_model=T5_WIDTH,
                    d_kv=T5_HEAD_WIDTH,
                    d_ff=10240,
                    num_layers=arguments.t5_layers,
                    num_heads=T5_HEADS,
                    feed_forward_proj="gated-gelu",
                )
            ),
            "text_encoder": CLIPTextModel(
                CLIPTextConfig(
                    vocab_size=49408,
                    hidden_size=CLIP_WIDTH,
                    intermediate_size=4 * CLIP_WIDTH,
                    projection_dim=CLIP_WIDTH,
                    num_hidden_layers=arguments.clip_layers,
                    num_attention_heads=12,
                    max_position_embeddings=TOKENIZERS["tokenizer"],
                )
            ),
            "vae": AutoencoderKL(
                latent_channels=16,
                block_out_channels=(128, 256, 512, 512),
                layers_per_block=2,
                norm_num_groups=32,
                down_block_types=("DownEncoderBlock2D",) * 4,
                up_block_types=("UpDecoderBlock2D",) * 4,
                sample_size=1024,
                scaling_factor=0.3611,
                shift_factor=0.1159,
                use_quant_conv=False,
                use_post_quant_conv=False,
            ),
        }


def scheduler() -> FlowMatchEulerDiscreteScheduler:
    return FlowMatchEulerDiscreteScheduler(
        shift=3.0,
        use_dynamic_shifting=True,
        base_shift=0.5,
        max_shift=1.15,
        base_image_seq_len=256,
        max_image_seq_len=4096,
    )


def random_values(name: str, shape: torch.Size, generator: torch.Generator) -> torch.Tensor:
    values = torch.randn(shape, generator=generator)
    if "embedding" in name or "shared" in name or "relative_attention_bias" in name:
        return values
    if len(shape) >= 2:
        values *= shape[1:].numel() ** -0.5
        # T5 does not divide its scores.
        return values * T5_HEAD_WIDTH**-0.5 if name.endswith("SelfAttention.q.weight") else values
    return 1 + 0.1 * values if name.endswith("weight") else 0.1 * values


def shards(shapes: dict[str, torch.Size]) -> list[list[str]]:
    """Names of the tensors, cut so that each list makes a file of no more than SHARD_BYTES."""
    lists: list[list[str]] = [[]]
    room = SHARD_BYTES
    for name, shape in shapes.items():
        size = shape.numel() * NUMBER_BYTES
        if size > room and lists[-1]:
            lists.append([])
            room = SHARD_BYTES
        lists[-1].append(name)
        room -= size
    return lists


def write_safetensors(path: Path, shapes: dict[str, torch.Size], values: Iterator[torch.Tensor]) -> None:
    """As safetensors' own writer does, but without all tensors in memory at once."""
    header: dict[str, dict] = {"__metadata__": {"format": "pt"}}
    offset = 0
    for name, shape in shapes.items():
        end = offset + shape.numel() * NUMBER_BYTES
        header[name] = {"dtype": "BF16", "shape": list(shape), "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for tensor in values:
            file.write(tensor.bfloat16().view(torch.uint8).reshape(-1).numpy())


def write_model(folder: Path, model: torch.nn.Module, generator: torch.Generator) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    is_diffusers = hasattr(model, "save_config")
    if is_diffusers:
        model.save_config(folder)
    else:
        model.config.save_pretrained(folder)
    # parameters, unlike the state, list what is tied only once.
    shapes = {name: parameter.shape for name, parameter in model.named_parameters()}
    stem = "diffusion_pytorch_model" if is_diffusers else "model"
    lists = shards(shapes)
    where: dict[str, str] = {}
    for i, names in enumerate(lists):
        number = f"-{i + 1:05}-of-{len(lists):05}" if len(lists) > 1 else ""
        file = f"{stem}{number}.safetensors"
        own = {name: shapes[name] for name in names}
        write_safetensors(
            folder / file, own, (random_values(name, shape, generator) for name, shape in own.items())
        )
        where |= dict.fromkeys(names, file)
    if len(lists) > 1:
        total = sum(shape.numel() * NUMBER_BYTES for shape in shapes.values())
        index = {"metadata": {"total_size": total}, "weight_map": where}
        (folder / f"{stem}.safetensors.index.json").write_text(json.dumps(index, indent=2) + "\n")


def write_tokenizer(folder: Path, name: str, tokens: int) -> None:
    shutil.copytree(POCKET / name, folder / name, dirs_exist_ok=True)
    path = folder / name / "tokenizer_config.json"
    config = json.loads(path.read_text())
    path.write_text(json.dumps(config | {"max_length": tokens, "model_max_length": tokens}, indent=2) + "\n")


def main() -> None:
    arguments = parse_arguments()
    generator = torch.Generator().manual_seed(arguments.seed)
    index: dict[str, str | list[str]] = {"_class_name": "FluxPipeline"}
    for name, model in new_models(arguments).items():
        write_model(arguments.out / name, model, generator)
        index[name] = [type(model).__module__.split(".")[0], type(model).__name__]
    for name, tokens in TOKENIZERS.items():
        write_tokenizer(arguments.out, name, tokens)
        index[name] = ["transformers", "PreTrainedTokenizerFast"]
    scheduler().save_pretrained(arguments.out / "scheduler")
    index["scheduler"] = ["diffusers", "FlowMatchEulerDiscreteScheduler"]
    (arguments.out / "model_index.json").write_text(json.dumps(index, indent=2) + "\n")


if __name__ == "__main__":
    main()
