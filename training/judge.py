"""Trains the classifier that judges pictures, on rendered scenes alone.

Writes half-precision weights and what the classifier gets right on rendered scenes it never saw.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import torch
from torch.nn import functional as F

from judging.labels import LAYOUTS, NAMES, PAIR_REGIONS, REGIONS
from judging.network import Answer, Judge, Network, save
from judging.pictures import Batch, Pool
from world.concepts import known

# The two regions of each layout; objects of one kind are looked for in the whole picture.
_LOOK = torch.tensor([
    [REGIONS.index(name) for name in PAIR_REGIONS.get(layout, ("whole", "whole"))] for layout in LAYOUTS
])


def in_regions(logits: torch.Tensor, layout: torch.Tensor) -> torch.Tensor:
    """Logits [n, regions, classes] -> those of both regions of the layout, [n, 2, classes]."""
    return logits[torch.arange(len(logits))[:, None], _LOOK[layout]]


def loss_of(answer: Answer, batch: Batch) -> torch.Tensor:
    layout = batch.other["layout"]
    loss = sum(F.cross_entropy(answer.other[name], batch.other[name], ignore_index=-1) for name in NAMES) * 0.5
    for logits, targets in ((answer.objects, batch.objects), (answer.tints, batch.tints)):
        loss = loss + F.cross_entropy(in_regions(logits, layout).flatten(0, 1), targets.flatten(), ignore_index=-1)
    return loss


@torch.no_grad()
def accuracy(network: Network, batch: Batch) -> dict[str, float]:
    """How often each thing is named rightly, of those where it can be said."""
    network.eval()
    answer = network(batch.pictures)
    network.train()
    layout, alone = batch.other["layout"], batch.objects[:, 1] < 0
    share = lambda right: round(right.float().mean().item(), 4)  # noqa: E731
    found = {}
    for name, logits, targets in (("object", answer.objects, batch.objects), ("tint", answer.tints, batch.tints)):
        right = in_regions(logits, layout).argmax(-1) == targets
        found[name] = share(right[:, 0][alone])
        found[f"{name}, both of a pair"] = share(right[~alone].all(1))
    plain = alone & (batch.other["style"] == 0)
    found["object, plain style"] = share((answer.objects[:, 0].argmax(-1) == batch.objects[:, 0])[plain])
    for name in NAMES:
        said = batch.other[name] >= 0
        found[name] = share((answer.other[name].argmax(-1) == batch.other[name])[said])
    return found


def train(args: argparse.Namespace) -> None:
    torch.manual_seed(args.seed)
    concepts = known(args.tier)
    started = time.time()
    pool = Pool(args.tier, {key: i for i, key in enumerate(concepts)}, args.pool, args.seed)
    print(json.dumps({"concepts": len(concepts), "scenes": args.pool, "drawn in s": round(time.time() - started)}), flush=True)
    network = Network(len(concepts)).to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(network.parameters(), lr=args.learning_rate, weight_decay=0.02)
    limit, step, recent = args.minutes * 60, 0, []
    while (now := time.time() - started) < limit:
        for group in optimizer.param_groups:
            group["lr"] = args.learning_rate * min(1, (step + 1) / 200, 0.01 + 1.6 * (1 - now / limit))
        pool.renew(args.renew)
        batch = pool.draw(args.batch)
        with torch.autocast("cpu", torch.bfloat16):
            answer = network(batch.pictures.contiguous(memory_format=torch.channels_last))
        loss = loss_of(answer, batch)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 2.0)
        optimizer.step()
        step += 1
        recent.append(loss.item())
        if step % 100 == 0:
            line = {"step": step, "seconds": round(time.time() - started), "loss": round(sum(recent) / len(recent), 4)}
            print(json.dumps(line), flush=True)
            recent = []
        if step % 1000 == 0:
            save(Judge(network, concepts, accuracy(network, pool.unseen(300))), args.out)
    found = accuracy(network, pool.unseen(args.check))
    save(Judge(network, concepts, found), args.out)
    print(json.dumps({"steps": step, "scenes to check": args.check} | found), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder for the weights")
    parser.add_argument("--tier", type=int, default=3, help="concepts up to this tier")
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--pool", type=int, default=12_000, help="scenes drawn beforehand")
    parser.add_argument("--renew", type=int, default=8, help="scenes of the pool drawn anew in each step")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--learning-rate", type=float, default=2e-3)
    parser.add_argument("--check", type=int, default=2000, help="scenes to check the classifier with")
    parser.add_argument("--seed", type=int, default=5)
    train(parser.parse_args())


if __name__ == "__main__":
    main()
