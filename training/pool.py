"""A pool of latents and captions to train on: filled first, then kept fresh by worker processes.

Drawing pictures is slower than training on them, on two cores as on a large GPU. So training
draws its batches from a pool of many scenes, and new scenes replace the oldest ones as fast
as the workers draw them (not at all if none are given).
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import count, cycle
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch

from autoencoder import to_input
from data import CHUNK, CHUNKS_OF_SEED, Source, draw_chunk, scenes
from flow import Batch, pack, position_ids
from folder import Pipeline
from keeping import Keeping, Shape


@torch.no_grad()
def encode(pipeline: Pipeline, pixels: np.ndarray, device: str) -> torch.Tensor:
    """Packed latents [n, tokens, 64] half, as the transformer sees them, of uint8 pictures."""
    vae = pipeline.autoencoder
    with torch.autocast(device, torch.bfloat16):
        z = vae.encode(to_input(torch.from_numpy(pixels).to(device))).latents
    return pack((z.float() - vae.config.shift_factor) * vae.config.scaling_factor).half()


class Pool:
    """Scenes of one shape. Lives on `device`; a batch is drawn without going back to the CPU."""

    def __init__(self, pipeline: Pipeline, shape: Shape, source: Source, size: int, seed: int, device: str, cache: Path | None = None) -> None:
        self.pipeline, self.shape, self.source, self.seed, self.device = pipeline, shape, source, seed, device
        self.ids = position_ids(shape.rows, shape.columns, shape.stretch).to(device)
        self.oldest = 0
        text, clip = pipeline.t5_tokenizer.model_max_length, pipeline.clip_tokenizer.model_max_length
        self.latents = torch.empty(size, shape.tokens, 64, dtype=torch.half, device=device)
        self.marks = torch.empty(size, shape.tokens, 3, dtype=torch.int16, device=device)
        self.t5 = torch.empty(size, source.captions, text, dtype=torch.int16, device=device)
        self.clip = torch.empty(size, source.captions, clip, dtype=torch.int16, device=device)
        kept = cache / f"pool-{shape.width}x{shape.height}-{seed}-{size}.pt" if cache else None
        if kept and kept.exists():
            self.latents, self.marks, self.t5, self.clip = (x.to(device) for x in torch.load(kept, weights_only=True, mmap=True))
            return
        for chunk in scenes(source, size, shape.width, shape.height, seed):
            self.put(*chunk)
        if kept:
            torch.save((self.latents.cpu(), self.marks.cpu(), self.t5.cpu(), self.clip.cpu()), kept)

    def put(self, texts: list[list[str]], pixels: np.ndarray, marks: np.ndarray) -> None:
        """Replaces the oldest scenes."""
        n, size = len(pixels), len(self.latents)
        where = (torch.arange(n) + self.oldest) % size
        t5, clip = self.pipeline.tokenize([t for several in texts for t in several])
        self.latents[where] = encode(self.pipeline, pixels, self.device)
        self.marks[where] = torch.from_numpy(marks).to(self.device)
        self.t5[where] = t5.view(n, -1, t5.shape[1]).to(self.t5)
        self.clip[where] = clip.view(n, -1, clip.shape[1]).to(self.clip)
        self.oldest = (self.oldest + n) % size

    def draw(self, batch: int, keeping: Keeping, dropout: float, empty: tuple[torch.Tensor, torch.Tensor]) -> Batch:
        """A batch of random scenes. `dropout`: the share of captions that become empty."""
        picks = torch.randint(len(self.latents), (batch,), device=self.device)
        latents, marks, ids = self.latents[picks], self.marks[picks], self.ids
        if keeping.share < 1:
            kept = keeping.choose(marks[..., 0] > 0, self.shape)
            each = torch.arange(batch, device=self.device)[:, None]
            latents, marks, ids = latents[each, kept], marks[each, kept], ids[kept]
        which = torch.randint(self.t5.shape[1], (batch,), device=self.device)
        unsaid = torch.rand(batch, 1, device=self.device) < dropout
        t5 = torch.where(unsaid, empty[0], self.t5[picks, which].long())
        clip = torch.where(unsaid, empty[1], self.clip[picks, which].long())
        return Batch(latents.float(), ids, marks.long(), t5, clip)


class Fresh:
    """Draws new scenes for pools in worker processes, from seeds that their first fillings did not use."""

    def __init__(self, pools: list[Pool], workers: int) -> None:
        self.workers = ProcessPoolExecutor(workers, mp_context=get_context("spawn"))
        self.turns = cycle([p for p in pools for _ in range(max(1, round(8 * len(p.latents) / len(pools[0].latents))))])
        self.next = {id(p): count(p.seed * CHUNKS_OF_SEED + -(-len(p.latents) // CHUNK)) for p in pools}
        self.waiting = deque(self._submit() for _ in range(2 * workers))

    def _submit(self) -> tuple[Pool, Future]:
        pool = next(self.turns)
        shape, seed = pool.shape, next(self.next[id(pool)])
        return pool, self.workers.submit(draw_chunk, pool.source, seed, CHUNK, shape.width, shape.height)

    def refresh(self) -> int:
        """Puts what is ready into the pools, without waiting. Returns the number of scenes."""
        put = 0
        while self.waiting and self.waiting[0][1].done():
            pool, future = self.waiting.popleft()
            self.waiting.append(self._submit())
            chunk = future.result()
            pool.put(*chunk)
            put += len(chunk[0])
        return put
