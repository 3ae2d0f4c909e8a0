"""Which layers need 8 bits: how far the velocity is off when a group of them gets more than 4.

Quantizes as src/convert/quantize/quantizer.ts does, but puts the result back as ordinary weights. Compares
with the unquantized model at the latents that it goes through itself, prompt by prompt. Prints
for every group what share of the squared error goes away, what that costs in bytes on this model,
and on FLUX.1 (19 double and 38 single blocks, 12 billion weights).
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from pathlib import Path

import torch
from diffusers import FluxTransformer2DModel

import folder
from flow import position_ids
from folder import Pipeline
from sampling import GUIDANCE, start_noise

PROMPTS = [
    "a fox on a blue background",
    "two small red apples on a yellow striped background",
    "a penguin next to an umbrella, green background",
    "neon skull",
]
STEPS = 8
BLOCK = 32
SHRINKS = {4: [1, 0.95, 0.9, 0.85, 0.8, 0.75, 0.7], 8: [1]}

DOUBLE = r"^transformer_blocks\.\d+\."
SINGLE = r"^single_transformer_blocks\.\d+\."
GROUPS = {
    "double: image q": DOUBLE + r"attn\.to_q$",
    "double: image k": DOUBLE + r"attn\.to_k$",
    "double: image v": DOUBLE + r"attn\.to_v$",
    "double: image out": DOUBLE + r"attn\.to_out\.0$",
    "double: image feed-forward in": DOUBLE + r"ff\.net\.0\.proj$",
    "double: image feed-forward out": DOUBLE + r"ff\.net\.2$",
    "double: image modulation": DOUBLE + r"norm1\.linear$",
    "double: text q": DOUBLE + r"attn\.add_q_proj$",
    "double: text k": DOUBLE + r"attn\.add_k_proj$",
    "double: text v": DOUBLE + r"attn\.add_v_proj$",
    "double: text out": DOUBLE + r"attn\.to_add_out$",
    "double: text feed-forward in": DOUBLE + r"ff_context\.net\.0\.proj$",
    "double: text feed-forward out": DOUBLE + r"ff_context\.net\.2$",
    "double: text modulation": DOUBLE + r"norm1_context\.linear$",
    "first double: attention, both ff": r"^transformer_blocks\.0\.(attn|ff|ff_context)\.",
    "first double: image ff": r"^transformer_blocks\.0\.ff\.",
    "single: q": SINGLE + r"attn\.to_q$",
    "single: k": SINGLE + r"attn\.to_k$",
    "single: v": SINGLE + r"attn\.to_v$",
    "single: feed-forward in": SINGLE + r"proj_mlp$",
    "single: out": SINGLE + r"proj_out$",
    "single: modulation": SINGLE + r"norm\.linear$",
    "single: v and out": SINGLE + r"(attn\.to_v|proj_out)$",
    "all double blocks": DOUBLE,
    "all single blocks": SINGLE,
    "all modulations": r"^(single_)?transformer_blocks\..*norm.*\.linear$",
    "all q and k": r"^(single_)?transformer_blocks\..*attn\.(to_q|to_k|add_q_proj|add_k_proj)$",
    "all v": r"^(single_)?transformer_blocks\..*attn\.(to_v|add_v_proj)$",
    "all v and attention out": r"^(single_)?transformer_blocks\..*attn\.(to_v|add_v_proj|to_out\.0|to_add_out)$",
}
# As src/convert/quantize/precision-policy.ts says.
POLICIES = {
    "nothing": "$^",
    "int4": r"^(transformer_blocks\.0\.(attn|ff|ff_context)\.|single_transformer_blocks\.\d+\.attn\.to_v$)",
    "mixed": rf"({DOUBLE}(attn|ff)\.|{SINGLE}(attn\.to_v|proj_mlp|proj_out)$)",
    "int8": "",
}
# Stored as float16 otherwise.
ENDS = {
    "x_embedder": r"^x_embedder$",
    "context_embedder": r"^context_embedder$",
    "time_text_embed": r"^time_text_embed\.",
    "norm_out": r"^norm_out\.linear$",
    "proj_out": r"^proj_out$",
}
FLUX = {"num_layers": 19, "num_single_layers": 38, "attention_head_dim": 128, "num_attention_heads": 24,
        "joint_attention_dim": 4096, "pooled_projection_dim": 768, "in_channels": 64}

Bits = Callable[[str], int | None]


def quantized(weights: torch.Tensor, bits: int) -> torch.Tensor:
    """What `weights` [rows, columns] become in blocks of 32."""
    top = 2 ** (bits - 1) - 1
    v = weights.double().reshape(-1, BLOCK)

    def levels(scale: torch.Tensor) -> torch.Tensor:
        inverse = torch.where(scale == 0, 0, 1 / scale)
        return (v * inverse + 0.5).floor().clamp(-top - 1, top)

    extreme = v.gather(1, v.abs().argmax(1, keepdim=True))
    explained = torch.zeros_like(extreme)
    found = torch.zeros_like(extreme)
    for reach in (-top - 1, top):
        for shrink in SHRINKS[bits]:
            q = levels(extreme / reach * shrink)
            dot, norm = (v * q).sum(1, keepdim=True), (q * q).sum(1, keepdim=True)
            share = torch.where(norm == 0, 0, dot * dot / norm)
            found = torch.where(share > explained, dot / norm, found)
            explained = explained.maximum(share)
    usual = (extreme.abs() / top).half().double()
    found = found.half().double()
    results = [scale * levels(scale) for scale in (found, usual)]
    errors = [(v - result).square().sum(1, keepdim=True) for result in results]
    best = torch.where(errors[0] < errors[1], *results)
    return best.reshape(weights.shape).float()


class Model:
    """A part of the pipeline whose linear layers can be stored in fewer bits."""

    def __init__(self, module: torch.nn.Module) -> None:
        self.module = module
        self.linears = {
            name: layer for name, layer in module.named_modules() if isinstance(layer, torch.nn.Linear)
        }
        self.stored = {
            name: {
                None: layer.weight.detach().clone(),
                **{
                    bits: quantized(layer.weight.detach(), bits)
                    for bits in (4, 8)
                    if layer.in_features % BLOCK == 0
                },
            }
            for name, layer in self.linears.items()
        }

    def store(self, bits_of: Bits) -> None:
        for name, layer in self.linears.items():
            stored = self.stored[name]
            layer.weight.data = stored.get(bits_of(name), stored[None])


def usual_bits(name: str) -> int | None:
    """4 in the blocks; the ends are float16."""
    return 4 if re.match(DOUBLE, name) or re.match(SINGLE, name) else None


def promoted(pattern: str, bits: int | None = 8) -> Bits:
    return lambda name: bits if re.match(pattern, name) else usual_bits(name)


def blocks_promoted(pattern: str) -> Bits:
    return lambda name: 8 if usual_bits(name) and re.match(pattern, name) else usual_bits(name)


class Cases:
    """Latents on the way from noise to a picture, and the model's own velocities there."""

    def __init__(self, pipeline: Pipeline) -> None:
        self.pipeline = pipeline
        self.text, self.pooled = self.encode()
        size = pipeline.config["image_size"]
        channels = pipeline.autoencoder.config.latent_channels
        self.side = size // 16
        latents = torch.cat([start_noise(seed, channels, size, size) for seed in range(len(PROMPTS))])
        shift = pipeline.scheduler.config.shift
        times = [1 - i / STEPS for i in range(STEPS + 1)]
        times = [shift * t / (1 + (shift - 1) * t) for t in times]
        self.points = []
        for now, after in zip(times, times[1:]):
            velocity = self.velocity(latents, now, self.text, self.pooled)
            self.points.append((latents, now, velocity))
            latents = latents + (after - now) * velocity

    def encode(self) -> tuple[torch.Tensor, torch.Tensor]:
        return self.pipeline.encode(*self.pipeline.tokenize(PROMPTS))

    def velocity(self, latents, time, text, pooled) -> torch.Tensor:
        return self.pipeline.transformer(
            hidden_states=latents,
            encoder_hidden_states=text,
            pooled_projections=pooled,
            timestep=torch.full((len(PROMPTS),), time),
            img_ids=position_ids(self.side, self.side),
            txt_ids=torch.zeros(text.shape[1], 3),
            guidance=torch.full((len(PROMPTS),), GUIDANCE),
            return_dict=False,
        )[0]

    def error(self, text: torch.Tensor | None = None, pooled: torch.Tensor | None = None) -> float:
        """Squared error of the velocity over its square, the mean of all points."""
        text = self.text if text is None else text
        pooled = self.pooled if pooled is None else pooled
        total = 0.0
        for latents, time, expected in self.points:
            off = self.velocity(latents, time, text, pooled) - expected
            total += float(off.square().sum() / expected.square().sum())
        return total / len(self.points)


def flux_linears() -> dict[str, int]:
    """Weights of every linear layer of FLUX.1."""
    with torch.device("meta"):
        flux = FluxTransformer2DModel(**FLUX)
    return {n: m.weight.numel() for n, m in flux.named_modules() if isinstance(m, torch.nn.Linear)}


def matching(sizes: dict[str, int], pattern: str) -> int:
    return sum(size for name, size in sizes.items() if re.match(pattern, name))


def transformer_table(cases: Cases) -> None:
    model = Model(cases.pipeline.transformer)
    own = {name: layer.weight.numel() for name, layer in model.linears.items()}
    flux = flux_linears()

    def error(bits_of: Bits) -> float:
        model.store(bits_of)
        return cases.error()

    int4 = error(usual_bits)
    blocks = matching(own, DOUBLE) + matching(own, SINGLE)
    flux_blocks = matching(flux, DOUBLE) + matching(flux, SINGLE)
    print(f"blocks in int4: relative L2 of the velocity {int4**0.5:.4f}")
    print(f"\n{'to 8 bits':34}{'error gone':>11}{'of weights':>11}{'gone/share':>11}{'FLUX share':>11}{'FLUX MB':>9}")
    groups = dict(GROUPS)
    for kind, pattern in (("transformer", r"transformer"), ("single_transformer", r"single_transformer")):
        count = 1 + max(int(m[1]) for n in own if (m := re.match(rf"^{kind}_blocks\.(\d+)\.", n)))
        for i in range(count):
            groups[f"{kind}_blocks.{i}"] = rf"^{pattern}_blocks\.{i}\."
    for label, pattern in groups.items():
        gone = 1 - error(promoted(pattern)) / int4
        share = matching(own, pattern) / blocks
        flux_share = matching(flux, pattern) / flux_blocks
        print(
            f"{label:34}{gone:11.1%}{share:11.1%}{gone / share:11.2f}{flux_share:11.1%}"
            f"{matching(flux, pattern) / 2e6:9.0f}"
        )
    print("\nthe ends, float16 otherwise: how much the squared error grows")
    for label, pattern in ENDS.items():
        for bits in (8, 4):
            print(f"{label:24} int{bits} {error(promoted(pattern, bits)) / int4 - 1:9.1%}")
    print(f"{'all':24} int8 {error(promoted('|'.join(ENDS.values()))) / int4 - 1:9.1%}")
    print("\nwhole policies: what is in 8 bits, the relative L2 of the velocity, GB of the blocks on FLUX.1")
    for label, pattern in POLICIES.items():
        eight = sum(size for name, size in flux.items() if usual_bits(name) and re.match(pattern, name))
        size = (flux_blocks * (4 + 0.5) + eight * 4) / 8e9
        print(f"{label:24} {error(blocks_promoted(pattern)) ** 0.5:.4f} {size:.2f}")
    model.store(lambda name: None)


def text_table(cases: Cases) -> None:
    pipeline = cases.pipeline
    print("\ntext encoders, the transformer unquantized")
    models = {"t5": Model(pipeline.t5), "clip": Model(pipeline.clip)}
    for label, model in models.items():
        variants: dict[str, Bits] = {"int4": lambda name: 4, "int8": lambda name: 8}
        if label == "t5":
            for end in ("q", "k", "v", "o", "wi_0", "wi_1", "wo"):
                variants[f"int4, {end} int8"] = lambda name, end=end: 8 if name.endswith(f".{end}") else 4
        for variant, bits_of in variants.items():
            model.store(bits_of)
            text, pooled = cases.encode()
            reference, got = (cases.text, text) if label == "t5" else (cases.pooled, pooled)
            own = float((got - reference).norm() / reference.norm())
            velocity = cases.error(text, pooled) ** 0.5
            print(f"{label} {variant:16} output {own:.4f}, velocity {velocity:.4f}")
        model.store(lambda name: None)


@torch.no_grad()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="pipeline folder")
    cases = Cases(folder.load(parser.parse_args().folder))
    transformer_table(cases)
    text_table(cases)


if __name__ == "__main__":
    main()
