"""Teaches the text encoders to read before anything is drawn: what does a caption say of the scene?

Learnt from pictures alone, words come slowly: each picture says little of each word, through noise.
Captions without pictures are cheap, thousands in a second, and the scene that each was made from is
known. So both encoders first learn to tell it: the objects, their tints, sizes and numbers, how they
stand to each other, the ground, the style. The heads that answer are thrown away.

With --stay the encoders learn only what is new in the world (stickers, transparent grounds): what they make of all
other captions, which a transformer has learnt, is held to what it was.
"""

from __future__ import annotations

import argparse
import copy
import json
import time
import tomllib
from dataclasses import replace
from pathlib import Path

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from data import Source, captions
from folder import Pipeline, load, save
from optimizing import learning_rate_factor, optimizers, set_rates
from world.concepts import CONCEPTS
from world.phrases import MIRRORED
from world.scene import COLOURS, COUNTS, GROUNDS, PATTERNS, PLACES, RELATIONS, ROTATIONS, SIZES, STYLES, TRANSPARENT, Scene

NOTHING = "nothing"
SETTLING = 0.25  # the share of the time in which the heads alone learn, with --stay
# What can be said of a scene, and the answers.
QUESTIONS: dict[str, tuple[str, ...]] = {
    "first": tuple(CONCEPTS),
    "second": (NOTHING, *CONCEPTS),
    "first tint": (NOTHING, *COLOURS),
    "second tint": (NOTHING, *COLOURS),
    "size": tuple(SIZES),
    "count": COUNTS,
    "rotation": ROTATIONS,
    "relation": (NOTHING, *RELATIONS),
    "place": PLACES,
    "ground": GROUNDS,
    "other ground": (NOTHING, *COLOURS),
    "pattern": PATTERNS,
    "style": STYLES,
}
OTHER_WAY = ("right of", "below", "behind")


def one_way(scene: Scene) -> Scene:
    """A pair said in one of the two ways that mean the same: a tree behind a fox is a fox in front of it."""
    if scene.second is None:
        return scene
    turned = scene.relation in OTHER_WAY or (scene.relation == "next to" and scene.second.concept < scene.first.concept)
    if not turned:
        return scene
    return replace(scene, first=scene.second, second=scene.first, relation=MIRRORED[scene.relation])


def answers(scene: Scene) -> list[int]:
    """The index of the right answer to each question."""
    scene = one_way(scene)
    first, second = scene.first, scene.second
    # Grounds that the style hides are not said, and cannot be read.
    ground = "blue" if scene.style == "blueprint" else scene.ground
    said = {
        "first": first.concept,
        "second": second.concept if second else NOTHING,
        "first tint": first.tint or NOTHING,
        "second tint": (second.tint if second else None) or NOTHING,
        "size": first.size,
        "count": first.count,
        "rotation": first.rotation,
        "relation": scene.relation or NOTHING,
        "place": scene.place,
        "ground": ground,
        "other ground": scene.ground2 or NOTHING,
        "pattern": scene.pattern,
        "style": scene.style,
    }
    return [choices.index(said[question]) for question, choices in QUESTIONS.items()]


class Readers(nn.Module):
    """From T5's words, gathered by attention for each question, and from CLIP's pooled vector: logits."""

    def __init__(self, text_width: int, pooled_width: int) -> None:
        super().__init__()
        self.queries = nn.Parameter(torch.randn(len(QUESTIONS), text_width) * text_width**-0.5)
        self.of_text = nn.ModuleList(nn.Linear(text_width, len(choices)) for choices in QUESTIONS.values())
        self.of_pooled = nn.ModuleList(nn.Linear(pooled_width, len(choices)) for choices in QUESTIONS.values())

    def forward(self, text: torch.Tensor, pooled: torch.Tensor) -> list[tuple[torch.Tensor, torch.Tensor]]:
        """[batch, tokens, width] and [batch, width] -> two logits [batch, choices] for each question."""
        weights = torch.softmax(text @ self.queries.T, 1)
        gathered = torch.einsum("btq,btw->qbw", weights, text)
        return [(t(gathered[i]), p(pooled)) for i, (t, p) in enumerate(zip(self.of_text, self.of_pooled, strict=True))]


def is_new(scene: Scene) -> bool:
    """Whether a scene shows what --stay lets the encoders learn."""
    return scene.style == "sticker" or scene.ground == TRANSPARENT


class Stay:
    """Holds what the encoders say of captions to what they said in the beginning."""

    def __init__(self, pipeline: Pipeline) -> None:
        self.t5, self.clip = (copy.deepcopy(part).eval().requires_grad_(False) for part in (pipeline.t5, pipeline.clip))

    def loss(self, t5: torch.Tensor, clip: torch.Tensor, said: tuple[torch.Tensor, torch.Tensor], old: torch.Tensor) -> torch.Tensor:
        """The squared change, as a share of the variance, of the captions [b] that are `old`. Both encoders count."""
        before = self.t5(input_ids=t5[old]).last_hidden_state, self.clip(input_ids=clip[old]).pooler_output
        pairs = zip(said, before, strict=True)
        return sum((now[old].float() - then.float()).pow(2).mean() / then.float().var() for now, then in pairs)


def teach(pipeline: Pipeline, readers: Readers, source: Source, training: dict, args: argparse.Namespace) -> None:
    parts = {"t5": pipeline.t5, "clip": pipeline.clip, "readers": readers}
    for part in parts.values():
        part.to(args.device).train()
    stay = Stay(pipeline) if args.stay else None
    trainers = optimizers(list(parts.values()), training)
    started, step, right, losses = time.time(), 0, [], []
    for texts, scenes in captions(source, args.batch, args.seed):
        progress = (time.time() - started) / (args.minutes * 60)
        if progress >= 1:
            break
        t5, clip = (ids.to(args.device) for ids in pipeline.tokenize(texts))
        truth = torch.tensor([answers(scene) for scene in scenes], device=args.device)
        # Heads that know nothing yet would only disturb encoders that do.
        settling = stay is not None and progress < SETTLING
        for part in (pipeline.t5, pipeline.clip):
            part.requires_grad_(not settling)
        with torch.autocast(args.device, torch.bfloat16):
            encoded = pipeline.encode(t5, clip)
            said = readers(*encoded)
            drift = stay.loss(t5, clip, encoded, torch.tensor([not is_new(s) for s in scenes])) if stay and not settling else 0.0
        loss = sum(cross_entropy(l.float(), truth[:, i]) for i, pair in enumerate(said) for l in pair) / len(said)
        loss = loss + args.stay * drift
        set_rates(trainers, learning_rate_factor(step, progress, training["warmup_steps"], 0.5))
        for trainer in trainers:
            trainer.zero_grad(set_to_none=True)
        loss.backward()
        for trainer in trainers:
            trainer.step()
        step += 1
        losses.append(loss.item())
        right.append([[(l.argmax(1) == truth[:, i]).float().mean().item() for l in pair] for i, pair in enumerate(said)])
        if step % 50 == 0:
            share = torch.tensor(right).mean(0)
            line = {"step": step, "seconds": round(time.time() - started), "loss": round(sum(losses) / len(losses), 4)}
            if stay:
                line["drift"] = round(float(drift), 6)
            of = lambda which: {q: round(share[i, which].item(), 3) for i, q in enumerate(QUESTIONS)}  # noqa: E731
            print(json.dumps(line | {"t5": of(0), "clip": of(1)}), flush=True)
            right, losses = [], []


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("config", type=Path)
    parser.add_argument("--from", dest="start", type=Path, required=True, help="pipeline folder to read")
    parser.add_argument("--out", type=Path, required=True, help="pipeline folder to write")
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--tier", type=int, default=5, help="concepts up to this tier")
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--stay", type=float, default=0, metavar="WEIGHT", help="learn only what is new: 30 is firm")
    args = parser.parse_args()
    args.device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.manual_seed(args.seed)
    training = tomllib.loads(args.config.read_text())["training"]
    pipeline = load(args.start)
    readers = Readers(pipeline.t5.config.d_model, pipeline.clip.config.hidden_size)
    source = Source(args.tier, captions=1, typos=training["typos"])
    teach(pipeline, readers, source, training, args)
    save(pipeline, args.out, half=True)


if __name__ == "__main__":
    main()
