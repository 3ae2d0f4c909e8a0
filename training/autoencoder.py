"""Trains the AutoencoderTiny: 8x smaller, 16 channels. Writes vae/ of the pipeline folder.

Trained on crops, because the network is convolutional and a crop costs a fraction. The latents
get noise on their way to the decoder, so that it forgives small sampling errors, and some of
them are halved in size and must then decode to the halved picture: latents that scale as
pictures do are easier to learn for the transformer (EQ-VAE, arXiv 2502.09509, section 3.2).
With --decoder only the decoder is trained: the latents, and all that was learnt of them, stay.
"""

from __future__ import annotations

import argparse
import json
import math
import time
import tomllib
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderTiny
from torch.nn.functional import avg_pool2d

from data import Source, scene_pool


def build(config: dict) -> AutoencoderTiny:
    a = config["autoencoder"]
    return AutoencoderTiny(
        encoder_block_out_channels=(a["encoder_width"],) * 4,
        decoder_block_out_channels=(a["decoder_width"],) * 4,
        num_encoder_blocks=tuple(a["encoder_blocks"]),
        num_decoder_blocks=tuple(a["decoder_blocks"]),
        latent_channels=a["latent_channels"],
    )


def start_from(model: AutoencoderTiny, folder: Path) -> int:
    """Takes over every tensor of another autoencoder that fits by name and shape. Returns how many."""
    own = model.state_dict()
    other = AutoencoderTiny.from_pretrained(folder, torch_dtype=torch.float32).state_dict()
    fitting = {k: v for k, v in other.items() if k in own and own[k].shape == v.shape}
    model.load_state_dict({**own, **fitting})
    return len(fitting)


def to_input(pixels: torch.Tensor) -> torch.Tensor:
    """uint8 [b, h, w, 3] -> float [b, 3, h, w] in -1..1, channels last in memory."""
    return (pixels.permute(0, 3, 1, 2).float() / 127.5 - 1).contiguous(
        memory_format=torch.channels_last
    )


def crops(pool: torch.Tensor, batch: int, crop: int, rng: np.random.Generator) -> torch.Tensor:
    picks = rng.integers(0, len(pool), batch)
    tops = rng.integers(0, pool.shape[1] - crop + 1, (batch, 2))
    return torch.stack(
        [pool[i, y : y + crop, x : x + crop] for i, (y, x) in zip(picks, tops, strict=True)]
    )


@torch.no_grad()
def psnr(model: AutoencoderTiny, pixels: torch.Tensor) -> float:
    """Mean over pictures of the PSNR in dB on 0..1 values."""
    out = []
    for part in pixels.split(16):
        x = to_input(part)
        y = model(x).sample.clamp(-1, 1)
        mse = ((x - y) / 2).pow(2).mean((1, 2, 3))
        out.append(-10 * torch.log10(mse))
    return torch.cat(out).mean().item()


def latent_statistics(model: AutoencoderTiny, pixels: torch.Tensor) -> tuple[float, float]:
    with torch.no_grad():
        z = torch.cat([model.encode(to_input(p)).latents for p in pixels.split(16)])
    return z.mean().item(), z.std().item()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("config", type=Path)
    parser.add_argument("--out", type=Path, required=True, help="pipeline folder")
    parser.add_argument("--work", type=Path, required=True, help="checkpoints and log")
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--from", dest="start", type=Path, help="vae folder to take fitting weights from")
    parser.add_argument("--decoder", action="store_true", help="keep the encoder, and so the latents, as they are")
    args = parser.parse_args()
    config = tomllib.loads(args.config.read_text())
    a = config["autoencoder"]
    args.work.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = build(config)
    if args.start:
        print(json.dumps({"tensors taken over": start_from(model, args.start)}), flush=True)
    if args.decoder:
        model.encoder.requires_grad_(False)
    model.to(device, memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW((p for p in model.parameters() if p.requires_grad), a["learning_rate"], weight_decay=0)
    elapsed, step = 0.0, 0
    checkpoint = args.work / ("decoder.pt" if args.decoder else "autoencoder.pt")
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True, map_location=device)
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        elapsed, step = state["elapsed"], state["step"]
    side = config["image_size"]
    pool = scene_pool(Source(), a["pool_scenes"], side, seed=1 + step)
    held_out = scene_pool(Source(unseen=True), 96, side, seed=2).to(device)
    rng = np.random.default_rng(step)

    def loss_of(x: torch.Tensor, halved: torch.Tensor) -> torch.Tensor:
        with torch.autocast(device, torch.bfloat16):
            z = model.encode(x).latents
            spread = a["latent_noise"] * z.detach().float().std()
            y = model.decode(z + spread * torch.randn_like(z)).sample
            small = avg_pool2d(z[: len(halved)], 2)
            y_small = model.decode(small + spread * torch.randn_like(small)).sample
        error, error_small = y.float() - x, y_small.float() - halved
        loss = error.pow(2).mean() + 0.1 * error.abs().mean() + a["latent_penalty"] * z.float().pow(2).mean()
        return loss + a["scale_weight"] * (error_small.pow(2).mean() + 0.1 * error_small.abs().mean())

    loss_of = torch.compile(loss_of)
    limit = args.minutes * 60
    started = time.time() - elapsed
    while (elapsed := time.time() - started) < limit:
        progress = elapsed / limit
        warm = min(1.0, (step + 1) / 100)
        for group in optimizer.param_groups:
            group["lr"] = a["learning_rate"] * warm * (0.5 + 0.5 * math.cos(math.pi * progress))
        x = to_input(crops(pool, a["batch"], a["crop"], rng).to(device))
        loss = loss_of(x, avg_pool2d(x[: len(x) // 2], 2))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        step += 1
        if step % 250 == 0:
            line = {"step": step, "seconds": round(elapsed), "loss": round(loss.item(), 5)}
            line["psnr"] = round(psnr(model, held_out), 2)
            print(json.dumps(line), flush=True)
            torch.save(
                {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "elapsed": elapsed, "step": step},
                checkpoint,
            )
    if args.decoder:
        latents = AutoencoderTiny.from_pretrained(args.start)
        mean, std = latents.config.shift_factor, 1 / latents.config.scaling_factor
    else:
        mean, std = latent_statistics(model, held_out)
    model.register_to_config(scaling_factor=1 / std, shift_factor=mean)
    model.cpu().half().save_pretrained(args.out / "vae")
    print(json.dumps({"step": step, "psnr": psnr(model.float(), held_out.cpu()), "mean": mean, "std": std}))


if __name__ == "__main__":
    main()
