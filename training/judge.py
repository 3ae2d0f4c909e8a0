"""Trains the classifier that judges images, on rendered scenes alone.

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
from judging.network import Answer, Judge, Network, read, save
from judging.pictures import Batch, Pool
from optimizing import learning_rate_factor, set_rates, with_peaks
from world.concepts import known

MUON_RATE, ADAM_RATE = 0.01, 3e-3
WARMUP, COOLING = 60, 0.5
SMALL = 0.4  # the first share of the time, with pictures of half the size: many more of them
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


def optimizers(network: Network) -> list[torch.optim.Optimizer]:
    """Muon for the convolutions inside, AdamW for all else."""
    hidden = [p for name, p in network.named_parameters() if name.endswith("matrix")]
    rest = [p for name, p in network.named_parameters() if not name.endswith("matrix")]
    muon = torch.optim.Muon(hidden, lr=MUON_RATE, weight_decay=0.02, adjust_lr_fn="match_rms_adamw")
    adam = torch.optim.AdamW(rest, lr=ADAM_RATE, weight_decay=0.02)
    return with_peaks(muon, adam)


@torch.no_grad()
def start_from(network: Network, concepts: list[str], folder: Path) -> None:
    """Takes over what an earlier judge learnt, of other concepts or of a world with fewer styles."""
    weights, known_before, _ = read(folder)
    own = network.state_dict()
    for name, value in weights.items():
        if name in ("objects.weight", "objects.bias"):
            for row, concept in enumerate(known_before):
                if concept in concepts:
                    own[name][concepts.index(concept)] = value[row]
        elif own[name].shape[1:] == value.shape[1:]:
            own[name][: len(value)] = value
    network.load_state_dict(own)


class Run:
    """A training that resumes from its checkpoint. Time is CPU time, whatever else the CPU does."""

    def __init__(self, concepts: list[str], file: Path, earlier: Path | None) -> None:
        self.network = Network(len(concepts)).to(memory_format=torch.channels_last)
        if earlier:
            start_from(self.network, concepts, earlier)
        self.optimizers = optimizers(self.network)
        self.file, self.step, self.earlier = file, 0, 0.0
        if file.exists():
            state = torch.load(file, weights_only=True)
            self.network.load_state_dict(state["network"])
            for optimizer, kept in zip(self.optimizers, state["optimizers"], strict=True):
                optimizer.load_state_dict(kept)
            self.step, self.earlier = state["step"], state["seconds"]

    @property
    def seconds(self) -> float:
        return self.earlier + time.process_time()

    def keep(self) -> None:
        state = {"network": self.network.state_dict(), "optimizers": [o.state_dict() for o in self.optimizers]}
        torch.save(state | {"step": self.step, "seconds": self.seconds}, self.file.with_suffix(".new"))
        self.file.with_suffix(".new").rename(self.file)

    def learn(self, batch: Batch, progress: float) -> float:
        """One step at `progress` in 0..1; the loss."""
        set_rates(self.optimizers, learning_rate_factor(self.step, progress, WARMUP, COOLING))
        pictures = batch.pictures if progress > SMALL else F.avg_pool2d(batch.pictures, 2)
        with torch.autocast("cpu", torch.bfloat16):
            answer = self.network(pictures.contiguous(memory_format=torch.channels_last))
        loss = loss_of(answer, batch)
        loss.backward()
        for optimizer in self.optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        self.step += 1
        return loss.item()


def train(args: argparse.Namespace) -> None:
    torch.manual_seed(args.seed)
    concepts = known(args.tier)
    args.work.mkdir(parents=True, exist_ok=True)
    run = Run(concepts, args.work / "judge.pt", args.start)
    pool = Pool(args.tier, {key: i for i, key in enumerate(concepts)}, args.first, args.pool, args.seed + run.step)
    print(json.dumps({"concepts": len(concepts), "step": run.step, "seconds": round(run.seconds)}), flush=True)
    limit, recent = args.minutes * 60, []
    while (seconds := run.seconds) < limit:
        pool.renew(args.renew)
        recent.append(run.learn(pool.draw(args.batch), seconds / limit))
        if run.step % 100 == 0:
            line = {"step": run.step, "seconds": round(seconds), "loss": round(sum(recent) / len(recent), 4)}
            print(json.dumps(line), flush=True)
            recent = []
            run.keep()
    found = accuracy(run.network, pool.unseen(args.check))
    save(Judge(run.network, concepts, found), args.out)
    print(json.dumps({"steps": run.step, "scenes to check": args.check} | found), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder for the weights")
    parser.add_argument("--work", type=Path, required=True, help="folder for the checkpoint")
    parser.add_argument("--from", dest="start", type=Path, help="folder of an earlier judge to go on from, of any tier")
    parser.add_argument("--tier", type=int, default=4, help="concepts up to this tier")
    parser.add_argument("--minutes", type=float, required=True, help="of CPU time")
    parser.add_argument("--first", type=int, default=4000, help="scenes drawn beforehand")
    parser.add_argument("--pool", type=int, default=16_000, help="scenes kept at most")
    parser.add_argument("--renew", type=int, default=8, help="scenes drawn in each step")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--check", type=int, default=2000, help="scenes to check the classifier with")
    parser.add_argument("--seed", type=int, default=5)
    train(parser.parse_args())


if __name__ == "__main__":
    main()
