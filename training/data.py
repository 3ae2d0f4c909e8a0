"""Scenes in numbers: pictures drawn by worker processes, each with some of its captions."""

from __future__ import annotations

import itertools
import os
import random
from collections import Counter, deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from itertools import accumulate
from multiprocessing import get_context

import numpy as np
import torch

from world.captions import caption
from world.concepts import CONCEPTS, names
from world.render import render_marked
from world.sampler import sample
from world.scene import Scene

CHUNK = 64  # scenes that a worker draws at a time; each chunk has its own seed
CHUNKS_OF_SEED = 1_000_003  # so many chunks belong to one seed of a pool
# Several captions of each picture, pixels [n, height, width, 4] uint8, and marks [n, tokens, 3] int16.
Chunk = tuple[list[list[str]], np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Source:
    """
    Which scenes: concepts up to `tier`, each tier with its share of the draws; with `unseen` only
    compositions that are kept out of training. `typos`: the share of captions with a slip in them.
    `lone`: the share of scenes that show one object and nothing to distract from it. `renders`: how often each
    scene is drawn, one image after another; it divides CHUNK.
    """

    tier: int = 5
    shares: tuple[float, ...] = (1, 1, 1, 1, 1)
    unseen: bool = False
    captions: int = 1
    typos: float = 0.0
    lone: float = 0.0
    renders: int = 1

    def weights(self) -> tuple[list[str], list[float]]:
        """The concepts and their cumulative weights."""
        chosen = [c for c in CONCEPTS.values() if c.tier <= self.tier]
        sizes = Counter(c.tier for c in chosen)
        return [c.key for c in chosen], list(accumulate(self.shares[c.tier - 1] / sizes[c.tier] for c in chosen))


def slip(text: str, rng: random.Random) -> str:
    """One letter inside a longer word left out, doubled or exchanged with the next."""
    words = text.split(" ")
    long = [i for i, w in enumerate(words) if len(w) > 4 and w.isalpha()]
    if not long:
        return text
    i = rng.choice(long)
    word, at = words[i], rng.randrange(1, len(words[i]) - 1)
    words[i] = rng.choice((
        word[:at] + word[at + 1 :],
        word[:at] + word[at] + word[at:],
        word[:at] + word[at + 1] + word[at] + word[at + 2 :],
    ))
    return " ".join(words)


def _captions(scene, source: Source, rng: random.Random) -> list[str]:
    texts = [caption(scene, names, rng) for _ in range(source.captions)]
    return [slip(t, rng) if rng.random() < source.typos else t for t in texts]


def _drawn(source: Source, rng: random.Random, count: int) -> list[Scene]:
    concepts, cumulative = source.weights()
    return [sample(rng, concepts, cumulative, source.unseen, source.lone) for _ in range(count)]


def draw_chunk(source: Source, seed: int, count: int, width: int, height: int) -> Chunk:
    """`count` images of one seed."""
    rng = random.Random(seed)
    drawn = _drawn(source, rng, count // source.renders)
    texts = [said for scene in drawn for said in [_captions(scene, source, rng)] * source.renders]
    drawn = [scene for scene in drawn for _ in range(source.renders)]
    pixels, marks = zip(*(render_marked(scene, rng, width, height) for scene in drawn), strict=True)
    return texts, np.stack(pixels), np.stack(marks)


def scenes(
    source: Source, count: int, width: int, height: int, seed: int, workers: int | None = None
) -> Iterator[Chunk]:
    """`count` scenes: the same for the same seed. Workers stay a few chunks ahead of the reader, and no more."""
    workers = workers or os.cpu_count() or 1
    # Forking a process in which CUDA or many threads run is not safe.
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        waiting: list[Future] = []
        try:
            for i, start in enumerate(range(0, count, CHUNK)):
                task = (source, seed * CHUNKS_OF_SEED + i, min(CHUNK, count - start), width, height)
                waiting.append(pool.submit(draw_chunk, *task))
                if len(waiting) > 2 * workers:
                    yield waiting.pop(0).result()
            while waiting:
                yield waiting.pop(0).result()
        finally:
            for future in waiting:
                future.cancel()


def _said(source: Source, seed: int, count: int) -> tuple[list[str], list[Scene]]:
    rng = random.Random(seed)
    drawn = _drawn(source, rng, count)
    return [_captions(scene, source, rng)[0] for scene in drawn], drawn


def captions(source: Source, batch: int, seed: int) -> Iterator[tuple[list[str], list[Scene]]]:
    """Endless batches of captions without pictures, and the scenes that they tell of."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        waiting = deque(pool.submit(_said, source, seed * CHUNKS_OF_SEED + i, batch) for i in range(4))
        for i in itertools.count(4):
            yield waiting.popleft().result()
            waiting.append(pool.submit(_said, source, seed * CHUNKS_OF_SEED + i, batch))


def scene_pool(source: Source, count: int, side: int, seed: int) -> torch.Tensor:
    """[count, side, side, 4] uint8, straight colour."""
    return torch.from_numpy(np.concatenate([pixels for _, pixels, _ in scenes(source, count, side, side, seed)]))
