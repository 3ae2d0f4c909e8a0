"""Trains the AutoencoderTiny: RGBA images, latents 8 times smaller than what the encoder sees, 16 channels.

The encoder sees an image at the size that the transformer knows, and the decoder returns it at twice that size: it
has one level more. So scenes are drawn large, and averaged for the encoder. Trained on crops, because the network is
convolutional and a crop costs a fraction. The latents get noise on their way to the decoder, so that it forgives
small sampling errors.

With --from, training starts from another autoencoder, and the encoder learns alpha while the latents of opaque
images stay what they were: a transformer knows them. With --decoder the encoder rests altogether.
"""

from __future__ import annotations

import argparse
import copy
import json
import math
import time
import tomllib
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderTiny
from torch.nn.functional import avg_pool2d

import fidelity
from data import CHUNK, Source, scene_pool, scenes
from decoding import decode

AVERAGING = 0.998  # of the weights that are kept in the end


def build(config: dict) -> AutoencoderTiny:
    a = config["autoencoder"]
    return AutoencoderTiny(
        in_channels=4,
        out_channels=4,
        encoder_block_out_channels=(a["encoder_width"],) * len(a["encoder_blocks"]),
        decoder_block_out_channels=(a["decoder_width"],) * len(a["decoder_blocks"]),
        num_encoder_blocks=tuple(a["encoder_blocks"]),
        num_decoder_blocks=tuple(a["decoder_blocks"]),
        latent_channels=a["latent_channels"],
    )


def enlargement(model: AutoencoderTiny) -> int:
    """How many pixels of the decoded image each pixel that the encoder sees becomes, along a side."""
    return 2 ** (len(model.config.num_decoder_blocks) - len(model.config.num_encoder_blocks))


def _levels(layers: torch.nn.Sequential, blocks: tuple[int, ...]) -> list[list[torch.nn.Module]]:
    """A decoder's layers by level: its blocks, and the convolution that ends it."""
    wanted = [layer for layer in list(layers)[2:] if not isinstance(layer, torch.nn.Upsample)]
    levels = []
    for count in blocks:
        levels.append(wanted[: count + 1])
        wanted = wanted[count + 1 :]
    return levels


@torch.no_grad()
def start_from(model: AutoencoderTiny, other: AutoencoderTiny) -> None:
    """
    Takes over another autoencoder, of three or four channels and as many levels or one less, of the same widths.
    New blocks start as the identity, new levels as enlargements, alpha as opaque and unseen.
    """
    model.encoder.load_state_dict(
        {
            name: torch.cat([value, torch.zeros_like(value[:, :1])], 1) if name == "layers.0.weight" and value.shape[1] == 3 else value
            for name, value in other.encoder.state_dict().items()
        }
    )
    model.decoder.layers[0].load_state_dict(other.decoder.layers[0].state_dict())
    mine = _levels(model.decoder.layers, model.config.num_decoder_blocks)
    theirs = _levels(other.decoder.layers, other.config.num_decoder_blocks)
    for level, (own, given) in enumerate(zip(mine, theirs + [theirs[-1]] * (len(mine) - len(theirs)), strict=True)):
        for i, block in enumerate(own[:-1]):
            if level < len(theirs) and i < len(given) - 1:
                block.load_state_dict(given[i].state_dict())
            else:
                torch.nn.init.zeros_(block.conv[-1].weight)
                torch.nn.init.zeros_(block.conv[-1].bias)
        if own[-1] is mine[-1][-1]:
            own[-1].weight[:3], own[-1].bias[:3] = given[-1].weight[:3], given[-1].bias[:3]
            if len(given[-1].weight) == 4:
                own[-1].weight[3], own[-1].bias[3] = given[-1].weight[3], given[-1].bias[3]
            else:
                own[-1].bias[3] = 1  # opaque
        elif level < len(theirs) - 1:
            own[-1].load_state_dict(given[-1].state_dict())
        else:
            torch.nn.init.dirac_(own[-1].weight)


def to_image(pixels: torch.Tensor) -> torch.Tensor:
    """uint8 [b, h, w, 4] -> float [b, 4, h, w] in -1..1, straight colour, channels last in memory."""
    return (pixels.permute(0, 3, 1, 2).float() / 127.5 - 1).contiguous(memory_format=torch.channels_last)


def seen(image: torch.Tensor) -> torch.Tensor:
    """What the encoder sees of an image [b, 4, h, w] in -1..1: its colour over white, and its alpha."""
    alpha = (image[:, 3:] + 1) / 2
    return torch.cat([image[:, :3] * alpha + (1 - alpha), image[:, 3:]], 1)


def reduced(image: torch.Tensor, factor: int) -> torch.Tensor:
    """`seen` of an image that is averaged over squares."""
    return avg_pool2d(seen(image), factor) if factor > 1 else seen(image)


def to_input(pixels: torch.Tensor) -> torch.Tensor:
    """What the encoder sees of uint8 [b, h, w, 4]."""
    return seen(to_image(pixels))


def crops(pool: torch.Tensor, batch: int, crop: int, rng: np.random.Generator) -> torch.Tensor:
    picks = rng.integers(0, len(pool), batch)
    # Multiples of 16: as latents lie, whatever the enlargement.
    tops = 16 * rng.integers(0, (pool.shape[1] - crop) // 16 + 1, (batch, 2))
    return torch.stack([pool[i, y : y + crop, x : x + crop] for i, (y, x) in zip(picks, tops, strict=True)])


@torch.no_grad()
def measure(model: AutoencoderTiny, pixels: torch.Tensor, earlier: AutoencoderTiny | None) -> dict[str, float]:
    """
    Means over images, PSNR of opaque ones and of clear ones apart. `moved`: how far the latents of opaque images are
    from those of an earlier encoder, as a share of their variance.
    """
    found: dict[str, list[torch.Tensor]] = {"opaque": [], "psnr": [], "edge": []}
    moved = spread = 0.0
    for part in pixels.split(8):
        image = to_image(part)
        x = reduced(image, enlargement(model))
        z = model.encode(x).latents
        each = fidelity.figures(decode(model, z), image)
        opaque = part[..., 3].flatten(1).min(1).values == 255
        found["opaque"].append(opaque)
        found["psnr"].append(each["psnr"])
        found["edge"].append(each["edge"])
        if earlier and opaque.any():
            before = earlier.encode(x[opaque][:, : earlier.config.in_channels]).latents
            moved += (z[opaque] - before).pow(2).sum().item()
            spread += (before - before.mean()).pow(2).sum().item()
    opaque, psnr, edge = (torch.cat(values) for values in found.values())
    out = {"psnr": psnr.mean(), "psnr opaque": psnr[opaque].mean(), "psnr clear": psnr[~opaque].mean(), "alpha edge": edge.nanmean()}
    out = {name: round(value.item(), 4) for name, value in out.items()}
    return out | ({"moved": round(moved / spread, 5)} if spread else {})


def latent_statistics(model: AutoencoderTiny, pixels: torch.Tensor) -> tuple[float, float]:
    with torch.no_grad():
        z = torch.cat([model.encode(reduced(to_image(p), enlargement(model))).latents for p in pixels.split(16)])
    return z.mean().item(), z.std().item()


class Training:
    """The model, its averaged weights and its optimizer, kept in a checkpoint."""

    def __init__(self, model: AutoencoderTiny, trained: list[torch.nn.Parameter], rate: float, file: Path) -> None:
        self.model, self.average, self.file = model, copy.deepcopy(model).requires_grad_(False), file
        self.optimizer = torch.optim.AdamW(trained, rate, betas=(0.9, 0.99), weight_decay=0)
        self.elapsed, self.step = 0.0, 0
        if file.exists():
            device = next(model.parameters()).device
            state = torch.load(file, weights_only=True, map_location=device)
            model.load_state_dict(state["model"])
            self.average.load_state_dict(state["average"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.elapsed, self.step = state["elapsed"], state["step"]

    def keep(self) -> None:
        parts = {"model": self.model, "average": self.average, "optimizer": self.optimizer}
        state = {name: part.state_dict() for name, part in parts.items()} | {"elapsed": self.elapsed, "step": self.step}
        torch.save(state, self.file.with_suffix(".new"))
        self.file.with_suffix(".new").rename(self.file)

    def update(self, loss: torch.Tensor, rate: float) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 0.5)
        self.optimizer.step()
        self.step += 1
        decay = min(AVERAGING, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            torch._foreach_lerp_(list(self.average.parameters()), list(self.model.parameters()), 1 - decay)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("config", type=Path)
    parser.add_argument("--out", type=Path, required=True, help="pipeline folder, of which vae/ is written")
    parser.add_argument("--work", type=Path, required=True, help="checkpoint")
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--from", dest="start", type=Path, help="vae folder to start from")
    parser.add_argument("--decoder", action="store_true", help="keep the encoder, and so the latents, as they are")
    parser.add_argument("--tier", type=int, default=1, help="concepts up to this tier")
    parser.add_argument("--scenes", type=int, help="drawn beforehand, instead of pool_scenes; more are drawn all the while")
    parser.add_argument("--seed", type=int, default=1, help="of the scenes")
    args = parser.parse_args()
    if args.decoder and not args.start:
        parser.error("--decoder needs --from: an autoencoder whose encoder is to stay")
    return args


def main() -> None:
    args = parse_arguments()
    config = tomllib.loads(args.config.read_text())
    a = config["autoencoder"]
    args.work.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(args.seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model, earlier = build(config), None
    if args.start:
        earlier = AutoencoderTiny.from_pretrained(args.start, torch_dtype=torch.float32).requires_grad_(False)
        start_from(model, earlier)
        earlier.to(device, memory_format=torch.channels_last)
    if args.decoder:
        model.encoder.requires_grad_(False)
    model.to(device, memory_format=torch.channels_last)
    file = args.work / ("decoder.pt" if args.decoder else "autoencoder.pt")
    training = Training(model, [p for p in model.parameters() if p.requires_grad], a["learning_rate"], file)
    factor = enlargement(model)
    side, crop = config["image_size"] * factor, a["crop"] * factor
    source = Source(args.tier, (1,) * args.tier)
    seed = args.seed + 1000 * training.step  # other scenes when a run is resumed
    pool = scene_pool(source, args.scenes or a["pool_scenes"], side, seed)
    fresh, oldest = scenes(source, 10**9, side, side, seed + 1, workers=1), 0
    held_out = scene_pool(Source(args.tier, (1,) * args.tier, unseen=True), 48, side, seed=2).to(device)
    rng = np.random.default_rng(seed)

    def loss_of(image: torch.Tensor) -> torch.Tensor:
        x = reduced(image, factor)
        with torch.autocast(device, torch.bfloat16):
            z = model.encode(x).latents
            before = earlier.encode(x[:, : earlier.config.in_channels]).latents if earlier and not args.decoder else None
            spread = a["latent_noise"] * z.detach().float().std()
            decoded = decode(model, z + spread * torch.randn_like(z))
        loss = fidelity.loss(decoded.float(), image, a["edge_weight"], a["slope_weight"])
        if args.decoder:
            return loss
        loss = loss + a["latent_penalty"] * z.float().pow(2).mean()
        if before is None:
            return loss
        # Where an image is opaque its latents are to stay; elsewhere to stay near, so that little is to be relearnt.
        opaque = (image[:, 3] == 1).flatten(1).all(1).float()[:, None, None, None]
        drift = (z.float() - before.float()).pow(2)
        return loss + (a["stay"] * (drift * opaque).mean() + a["stay_near"] * (drift * (1 - opaque)).mean())

    compiled = torch.compile(loss_of)
    limit, began, recent = args.minutes * 60, time.time() - training.elapsed, []

    def report() -> None:
        training.elapsed = time.time() - began
        training.keep()
        line = {"step": training.step, "seconds": round(training.elapsed), "loss": round(sum(recent) / max(1, len(recent)), 5)}
        print(json.dumps(line | measure(training.average, held_out, earlier)), flush=True)
        recent.clear()

    while (elapsed := time.time() - began) < limit:
        if training.step % a["renew_steps"] == 0:
            pool[oldest : oldest + CHUNK] = torch.from_numpy(next(fresh)[1])[: len(pool) - oldest]
            oldest = (oldest + CHUNK) % len(pool)
        warm = min(1.0, (training.step + 1) / 100)
        cosine = 0.5 + 0.5 * math.cos(math.pi * elapsed / limit)
        loss = compiled(to_image(crops(pool, a["batch"], crop, rng).to(device)))
        training.update(loss, a["learning_rate"] * warm * max(cosine, 0.02))
        recent.append(loss.item())
        if training.step % a["log_steps"] == 0:
            report()
    report()
    made = training.average
    if earlier:
        mean, std = earlier.config.shift_factor, 1 / earlier.config.scaling_factor
    else:
        mean, std = latent_statistics(made, held_out)
    made.register_to_config(scaling_factor=1 / std, shift_factor=mean)
    made.cpu().half().save_pretrained(args.out / "vae")
    print(json.dumps({"step": training.step, "mean": mean, "std": std}))


if __name__ == "__main__":
    main()
