"""Trains the transformer and both text encoders together by rectified flow.

x_t = (1 - t) x + t noise, and the network learns the velocity noise - x [Liu et al. 2022],
with logit-normal times [Esser et al. 2024, section 3.1]. Pictures are rendered and encoded
to latents once, before training. Hidden matrices are trained by Muon, the rest by AdamW.

The learning rate follows the clock: it warms up, stays, and falls to zero over the last
part of --minutes. A run that was cut resumes from its checkpoint; a run that ended is
continued with --from FOLDER, from the saved half-precision weights alone.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import time
import tomllib
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderTiny

from autoencoder import to_input
from folder import Pipeline, load, new_pipeline, save
from scenes import sample


def pack(latents: torch.Tensor) -> torch.Tensor:
    """[b, c, h, w] -> [b, h/2 * w/2, 4c], FLUX's packing of 2x2 latents into one token."""
    b, c, h, w = latents.shape
    latents = latents.view(b, c, h // 2, 2, w // 2, 2).permute(0, 2, 4, 1, 3, 5)
    return latents.reshape(b, (h // 2) * (w // 2), 4 * c)


def position_ids(rows: int, columns: int) -> torch.Tensor:
    """[rows * columns, 3]: (0, row, column) of every image token."""
    ids = torch.zeros(rows, columns, 3)
    ids[..., 1] = torch.arange(rows)[:, None]
    ids[..., 2] = torch.arange(columns)[None]
    return ids.view(-1, 3)


@torch.no_grad()
def precompute(pipeline: Pipeline, count: int, seed: int, device: str) -> dict[str, torch.Tensor]:
    """Latents [count, tokens, 64] half, T5 ids and CLIP ids of `count` fresh scenes."""
    size = pipeline.config["image_size"]
    vae: AutoencoderTiny = pipeline.autoencoder.to(device, memory_format=torch.channels_last).eval()
    scale, shift = vae.config.scaling_factor, vae.config.shift_factor
    rng = random.Random(seed)
    latents, t5_ids, clip_ids = [], [], []
    for start in range(0, count, 128):
        texts, pixels = zip(*(sample(rng, size) for _ in range(min(128, count - start))), strict=True)
        x = to_input(torch.from_numpy(np.stack(pixels)).to(device))
        with torch.autocast(device, torch.bfloat16):
            z = vae.encode(x).latents
        latents.append(pack(((z.float() - shift) * scale)).half().cpu())
        t5, clip = pipeline.tokenize(list(texts))
        t5_ids.append(t5.to(torch.int32))
        clip_ids.append(clip.to(torch.int32))
    return {"latents": torch.cat(latents), "t5": torch.cat(t5_ids), "clip": torch.cat(clip_ids)}


def optimizers(pipeline: Pipeline, config: dict) -> list[torch.optim.Optimizer]:
    hidden, rest = [], []
    for part in pipeline.trained().values():
        for name, parameter in part.named_parameters():
            inner = "block" in name or "layers" in name
            matrix = parameter.ndim == 2 and inner and ".norm" not in name and "relative" not in name
            (hidden if matrix else rest).append(parameter)
    muon = torch.optim.Muon(
        hidden, lr=config["muon_learning_rate"], weight_decay=0.01, adjust_lr_fn="match_rms_adamw"
    )
    adam = torch.optim.AdamW(rest, lr=config["adam_learning_rate"], betas=(0.9, 0.98), weight_decay=0.01)
    for optimizer in (muon, adam):
        for group in optimizer.param_groups:
            group["peak"] = group["lr"]
    return [muon, adam]


def learning_rate_factor(step: int, progress: float, warmup: int) -> float:
    cooling = 1.0 if progress < 0.5 else 0.5 + 0.5 * math.cos(math.pi * (progress - 0.5) / 0.5)
    return min(1.0, (step + 1) / warmup) * max(cooling, 0.01)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("config", type=Path)
    parser.add_argument("--out", type=Path, required=True, help="pipeline folder; holds vae/ already")
    parser.add_argument("--work", type=Path, required=True, help="checkpoints and log")
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--from", dest="start", type=Path, help="pipeline folder to continue from")
    parser.add_argument("--data-seed", type=int, default=11)
    args = parser.parse_args()
    config = tomllib.loads(args.config.read_text())
    t = config["training"]
    args.work.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(args.data_seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    vae = AutoencoderTiny.from_pretrained(args.out / "vae", torch_dtype=torch.float32)
    # A run that was cut has saved its folder: its tokenizers must be kept, for merges are learnt
    # anew in another order each time.
    saved = args.out if (args.out / "model_index.json").exists() else None
    start = args.start or saved
    pipeline = load(start) if start else new_pipeline(config, vae)

    cache = args.work / f"scenes-{args.data_seed}.pt"
    if not cache.exists():
        torch.save(precompute(pipeline, t["scenes"], args.data_seed, device), cache)
    data = torch.load(cache, weights_only=True, mmap=True)
    print(json.dumps({"scenes": len(data["latents"]), "std": data["latents"][:2000].float().std().item()}), flush=True)

    parts = pipeline.trained()
    for part in parts.values():
        part.to(device).train()
    trainers = optimizers(pipeline, t)
    ema = {n: {k: v.detach().clone() for k, v in p.state_dict().items()} for n, p in parts.items()}
    step, elapsed = 0, 0.0
    checkpoint = args.work / "train.pt"
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True, map_location=device)
        for name, part in parts.items():
            part.load_state_dict(state["parts"][name])
        for optimizer, saved in zip(trainers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        ema, step, elapsed = state["ema"], state["step"], state["elapsed"]

    side = config["image_size"] // 16
    image_ids = position_ids(side, side).to(device)
    text_ids = torch.zeros(config["text"]["tokens"], 3, device=device)

    def loss_of(latents, t5_ids, clip_ids, noise, time_):
        with torch.autocast(device, torch.bfloat16):
            text, pooled = pipeline.encode(t5_ids, clip_ids)
            noisy = (1 - time_[:, None, None]) * latents + time_[:, None, None] * noise
            velocity = pipeline.transformer(
                hidden_states=noisy,
                encoder_hidden_states=text,
                pooled_projections=pooled,
                timestep=time_,
                img_ids=image_ids,
                txt_ids=text_ids,
                return_dict=False,
            )[0]
        return (velocity.float() - (noise - latents)).pow(2).mean()

    compiled = torch.compile(loss_of)

    def keep() -> None:
        torch.save(
            {
                "parts": {n: p.state_dict() for n, p in parts.items()},
                "optimizers": [o.state_dict() for o in trainers],
                "ema": ema,
                "step": step,
                "elapsed": elapsed,
            },
            checkpoint.with_suffix(".new"),
        )
        checkpoint.with_suffix(".new").rename(checkpoint)

    def export() -> None:
        """Saves the averaged weights as the pipeline folder, and goes on with the raw ones."""
        raw = {n: {k: v.clone() for k, v in p.state_dict().items()} for n, p in parts.items()}
        for name, part in parts.items():
            part.load_state_dict(ema[name])
        save(pipeline, args.out, half=True)
        for name, part in parts.items():
            part.to(device).load_state_dict(raw[name])

    limit = args.minutes * 60
    started, recent, mark = time.time() - elapsed, [], time.time()
    rng = np.random.default_rng(step + args.data_seed)
    order: np.ndarray = np.empty(0, np.int64)
    while (elapsed := time.time() - started) < limit:
        factor = learning_rate_factor(step, elapsed / limit, t["warmup_steps"])
        for optimizer in trainers:
            for group in optimizer.param_groups:
                group["lr"] = group["peak"] * factor
        if len(order) < t["batch"]:
            order = rng.permutation(len(data["latents"]))
        picks, order = np.sort(order[: t["batch"]]), order[t["batch"] :]
        latents = data["latents"][picks].to(device).float()
        loss = compiled(
            latents,
            data["t5"][picks].to(device).long(),
            data["clip"][picks].to(device).long(),
            torch.randn_like(latents),
            torch.sigmoid(torch.randn(len(picks), device=device)),
        )
        for optimizer in trainers:
            optimizer.zero_grad(set_to_none=True)
        loss.backward()
        for optimizer in trainers:
            torch.nn.utils.clip_grad_norm_([p for g in optimizer.param_groups for p in g["params"]], 1.0)
            optimizer.step()
        step += 1
        decay = min(t["ema"], (1 + step) / (10 + step))
        with torch.no_grad():
            for name, part in parts.items():
                averaged, current = ema[name], part.state_dict()
                floats = [k for k in averaged if averaged[k].is_floating_point()]
                torch._foreach_lerp_([averaged[k] for k in floats], [current[k] for k in floats], 1 - decay)
        recent.append(loss.item())
        if step % 50 == 0:
            rate = len(recent) * t["batch"] / (time.time() - mark)
            mark = time.time()
            mean = sum(recent) / len(recent)
            recent.clear()
            print(json.dumps({"step": step, "seconds": round(elapsed), "loss": round(mean, 4), "rate": round(rate, 1)}), flush=True)
        if step % 500 == 0:
            keep()
            export()
    keep()
    export()
    print(json.dumps({"step": step, "samples": step * t["batch"], "seconds": round(elapsed)}), flush=True)


if __name__ == "__main__":
    main()
