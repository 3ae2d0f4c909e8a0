"""Pools of latents and captions to train on, filled by worker processes and, if wanted, kept fresh by them.

Drawing pictures is slower than training on them, on two cores as on a large GPU. So training
draws its batches from pools of many scenes. While workers are at it, new scenes join a pool, and
replace its oldest ones once it is full.
"""

from __future__ import annotations

import os
import random
import zlib
from collections import deque
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import count, cycle
from multiprocessing import get_context
from pathlib import Path

import torch

from autoencoder import to_input
from data import CHUNK, CHUNKS_OF_SEED, Source, draw_chunk
from flow import Batch, pack, position_ids
from folder import Pipeline, Tokenizers
from keeping import Keeping, Shape

Tensors = tuple[torch.Tensor, ...]
OF_SCENES = ("shapes", "shape_shares", "scenes", "first_scenes", "lone", "tier", "shares", "renders")  # what a lesson says of them


@torch.no_grad()
def encode(pipeline: Pipeline, pixels: torch.Tensor) -> torch.Tensor:
    """Packed latents [n, tokens, 64] half, as the transformer sees them, of uint8 images [n, height, width, 4]."""
    vae = pipeline.autoencoder
    with torch.autocast(pixels.device.type, torch.bfloat16):
        z = vae.encode(to_input(pixels)).latents
    return pack((z.float() - vae.config.shift_factor) * vae.config.scaling_factor).half()


class Pool:
    """Scenes of one shape. Lives on `device`; a batch is drawn without going back to the CPU."""

    def __init__(self, pipeline: Pipeline, shape: Shape, captions: int, renders: int, size: int, device: str) -> None:
        self.pipeline, self.shape, self.renders, self.device = pipeline, shape, renders, device
        self.size = -(-size // CHUNK) * CHUNK  # whole chunks
        self.filled = self.oldest = 0
        self.ids = position_ids(shape.rows, shape.columns, shape.stretch).to(device)
        room = lambda *each, dtype=torch.int16: torch.empty(self.size, *each, dtype=dtype, device=device)  # noqa: E731
        self.latents = room(shape.tokens, 64, dtype=torch.half)
        self.marks = room(shape.tokens, 3)
        self.t5 = room(captions, pipeline.t5_tokenizer.model_max_length)
        self.clip = room(captions, pipeline.clip_tokenizer.model_max_length)

    def put(self, chunk: Tensors) -> None:
        """Adds the scenes of a chunk, or replaces the oldest ones."""
        # From pinned memory, or every copy would wait for all that the GPU has still to do.
        here = [x.pin_memory().to(self.device, non_blocking=True) if self.device == "cuda" else x for x in chunk]
        places = slice(self.oldest, self.oldest + CHUNK)
        self.latents[places] = encode(self.pipeline, here[0])
        self.marks[places], self.t5[places], self.clip[places] = here[1:]
        self.filled = max(self.filled, places.stop)
        self.oldest = places.stop % self.size

    def draw(self, batch: int, keeping: Keeping, dropout: float, empty: tuple[torch.Tensor, torch.Tensor]) -> Batch:
        """A batch of random scenes. `dropout`: the share of captions that become empty."""
        picks = torch.randint(self.filled, (batch,), device=self.device)
        latents, marks, ids = self.latents[picks], self.marks[picks], self.ids
        first = picks - picks % self.renders
        same = self.latents[first[:, None] + torch.arange(self.renders, device=self.device)].float() if self.renders > 1 else None
        if keeping.tokens:
            kept = keeping.choose(marks[..., 0] > 0, self.shape)
            each = torch.arange(batch, device=self.device)[:, None]
            latents, marks, ids = latents[each, kept], marks[each, kept], ids[kept]
            same = same[each[:, :, None], torch.arange(self.renders, device=self.device)[:, None], kept[:, None]] if same is not None else None
        which = torch.randint(self.t5.shape[1], (batch,), device=self.device)
        unsaid = torch.rand(batch, 1, device=self.device) < dropout
        t5 = torch.where(unsaid, empty[0], self.t5[picks, which].long())
        clip = torch.where(unsaid, empty[1], self.clip[picks, which].long())
        return Batch(latents.float(), ids, marks.long(), t5, clip, same)


_tokenizers: list[Tokenizers] = []  # of a worker process


def _begin(folder: Path) -> None:
    os.nice(5)  # training comes first
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    torch.set_num_threads(1)
    _tokenizers.append(Tokenizers.load(folder))


def _chunk(source: Source, seed: int, shape: Shape) -> Tensors:
    """Pixels, marks and token ids of CHUNK scenes; tensors reach the other process in shared memory."""
    texts, pixels, marks = draw_chunk(source, seed, CHUNK, shape.width, shape.height)
    both = _tokenizers[0]([text for several in texts for text in several])
    ids = (one.view(CHUNK, source.captions, -1).to(torch.int16) for one in both)
    return torch.from_numpy(pixels), torch.from_numpy(marks), *ids


class Workers:
    """
    Draw new scenes for the pools, in turns by the pools' sizes, the same for the same seed. `folder` has the
    tokenizers. They are forked from a server that imported everything once: forking a process in which CUDA or
    many threads run is not safe, and spawned ones would each take long to begin.
    """

    def __init__(self, pools: list[Pool], source: Source, folder: Path, seed: int, workers: int) -> None:
        self.source = source
        self.workers = ProcessPoolExecutor(workers, get_context("forkserver"), _begin, (folder,))
        self.turns = cycle([i for i, p in enumerate(pools) for _ in range(max(1, round(8 * p.size / pools[0].size)))])
        self.pools, self.seeds = pools, [count((seed + i) * CHUNKS_OF_SEED) for i in range(len(pools))]
        self.waiting: deque[tuple[Pool, Future[Tensors]]] = deque()
        for _ in range(3 * workers):
            self._submit()

    def _submit(self) -> None:
        which = next(self.turns)
        pool = self.pools[which]
        self.waiting.append((pool, self.workers.submit(_chunk, self.source, next(self.seeds[which]), pool.shape)))

    def refresh(self, wait: bool = False, most: float = float("inf")) -> int:
        """Puts what is ready into the pools, at most about `most`, and waits for one chunk if asked. Returns the number of scenes."""
        put = 0
        for _ in range(len(self.waiting)):
            if put >= most:
                break
            if not self.waiting[0][1].done() and (put or not wait):
                break
            pool, future = self.waiting.popleft()
            self._submit()
            pool.put(future.result())
            put += CHUNK
        return put

    def stop(self) -> None:
        self.workers.shutdown(wait=False, cancel_futures=True)


class Scenes:
    """
    The pools of a lesson: one for each of its shapes. With `workers` they begin small and grow while
    training goes on; without, they are filled first, and kept in `cache` for a run that is cut.
    `folder` is that of the pipeline.
    """

    def __init__(
        self, pipeline: Pipeline, folder: Path, lesson: dict, training: dict, seed: int, workers: int, device: str, cache: Path
    ) -> None:
        self.shapes = [Shape(*shape) for shape in lesson["shapes"]]
        self.shares = lesson.get("shape_shares", [1.0] * len(self.shapes))
        source = Source(
            lesson["tier"], tuple(lesson["shares"]), captions=training["captions"], typos=training["typos"], lone=lesson.get("lone", 0),
            renders=lesson.get("renders", 1),
        )  # fmt: skip
        sizes = [round(lesson["scenes"] * share / sum(self.shares)) for share in self.shares]
        self.pools = [Pool(pipeline, shape, source.captions, source.renders, n, device) for shape, n in zip(self.shapes, sizes, strict=True)]
        self.workers: Workers | None = None
        kept = cache / f"scenes-{seed}-{zlib.crc32(repr([lesson.get(key) for key in OF_SCENES]).encode())}.pt"
        if not workers and kept.exists():
            for pool, values in zip(self.pools, torch.load(kept, weights_only=True, mmap=True), strict=True):
                pool.latents, pool.marks, pool.t5, pool.clip = (x.to(device) for x in values)
                pool.filled = pool.size
            return
        self.workers = Workers(self.pools, source, folder, seed, workers or os.cpu_count() or 1)
        least = lesson["first_scenes"] if workers else sum(sizes)
        while any(pool.filled < min(pool.size, least * n / sum(sizes)) for pool, n in zip(self.pools, sizes, strict=True)):
            self.workers.refresh(wait=True)
        if not workers:
            self.stop()
            torch.save([(p.latents, p.marks, p.t5, p.clip) for p in self.pools], kept)

    @property
    def filled(self) -> int:
        return sum(pool.filled for pool in self.pools)

    def refresh(self, most: float = float("inf")) -> int:
        """Takes in what workers have drawn, at most about `most`. Returns the number of scenes."""
        return self.workers.refresh(most=most) if self.workers else 0

    def draw(self, batch: int, keeping: Keeping, dropout: float, empty: tuple[torch.Tensor, torch.Tensor]) -> Batch:
        """All of one shape."""
        return random.choices(self.pools, self.shares)[0].draw(batch, keeping, dropout, empty)

    def stop(self) -> None:
        if self.workers:
            self.workers.stop()
            self.workers = None
