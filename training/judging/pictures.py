"""Labelled pictures to learn from: a pool that grows and is renewed bit by bit, half of it spoilt as a model may spoil it."""

from __future__ import annotations

import io
import random

import numpy as np
import torch
from PIL import Image, ImageFilter

from data import Source
from world.layout import spots
from world.render import render
from world.sampler import sample
from world.scene import Scene

from .labels import NAMES, Label, label
from .network import SIDE, averaged

RENDERED = 2 * SIDE  # pixels a side
SHIFT = 4  # pixels that a picture is moved at most, of SIDE


def drawn(scene: Scene, seed: int, side: int = RENDERED) -> tuple[np.ndarray, list]:
    """The image [side, side, 4] uint8 of a scene and a seed, and the spots that it was drawn with."""
    # The layout is the first thing that render draws from its generator.
    at = spots(scene, side, side, random.Random(seed))
    return render(scene, random.Random(seed), side, side), at


def spoilt(picture: np.ndarray, rng: random.Random) -> np.ndarray:
    """A little blurred, compressed, noisy or off in colour: what decoders and samplers do to a picture."""
    image = Image.fromarray(picture)
    if rng.random() < 0.6:
        image = image.filter(ImageFilter.GaussianBlur(rng.uniform(0.2, 1.3)))
    if rng.random() < 0.4:
        side = rng.randint(SIDE // 2, SIDE)
        image = image.resize((side, side), Image.Resampling.BILINEAR).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    if rng.random() < 0.4:
        file = io.BytesIO()
        image.save(file, "JPEG", quality=rng.randint(12, 60))
        image = Image.open(file)
    values = np.asarray(image, np.float32)
    if rng.random() < 0.5:
        noise = np.random.default_rng(rng.randrange(2**31)).standard_normal(values.shape, np.float32)
        values = values + noise * rng.uniform(2, 16)
    if rng.random() < 0.5:
        gain = np.array([rng.uniform(0.94, 1.06) for _ in range(3)], np.float32)
        values = values * gain + rng.uniform(-8, 8)
    return np.clip(values + 0.5, 0, 255).astype(np.uint8)


def moved(picture: np.ndarray, rng: random.Random) -> np.ndarray:
    """Moved by some pixels, its border repeated."""
    padded = np.pad(picture, ((SHIFT, SHIFT), (SHIFT, SHIFT), (0, 0)), "edge")
    top, left = rng.randint(0, 2 * SHIFT), rng.randint(0, 2 * SHIFT)
    return padded[top : top + SIDE, left : left + SIDE]


class Batch:
    """Pictures [n, 3, SIDE, SIDE] in 0..1 and their labels, `objects` and `tints` [n, 2] with -1 for no second."""

    def __init__(self, pictures: list[np.ndarray], labels: list[Label]) -> None:
        self.pictures = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float() / 255
        two = lambda values: (*values, -1)[:2]  # noqa: E731
        self.objects = torch.tensor([two(one.objects) for one in labels])
        self.tints = torch.tensor([two(one.tints) for one in labels])
        self.other = {name: torch.tensor([getattr(one, name) for one in labels]) for name in NAMES}


class Pool:
    """Scenes of all compositions, trained and kept back: the judge is not to know one kind better."""

    def __init__(self, tier: int, concepts: dict[str, int], first: int, most: int, seed: int) -> None:
        """`first` scenes are drawn at once, and `most` are kept."""
        self.concepts, self.most, self.rng = concepts, most, random.Random(seed)
        self.keys, self.weights = Source(tier).weights()
        self.scenes = [self._new() for _ in range(first)]

    def _new(self, unseen: bool | None = None) -> tuple[np.ndarray, Label]:
        unseen = self.rng.random() < 0.3 if unseen is None else unseen
        scene = sample(self.rng, self.keys, self.weights, unseen)
        picture, at = drawn(scene, self.rng.randrange(2**31))
        return averaged(picture), label(scene, at, self.concepts)

    def renew(self, count: int) -> None:
        """Draws new scenes, in place of old ones if the pool is full."""
        for _ in range(count):
            if len(self.scenes) < self.most:
                self.scenes.append(self._new())
            else:
                self.scenes[self.rng.randrange(self.most)] = self._new()

    def draw(self, count: int) -> Batch:
        chosen = self.rng.sample(self.scenes, count)
        pictures = [moved(picture, self.rng) for picture, _ in chosen]
        pictures = [spoilt(p, self.rng) if self.rng.random() < 0.5 else p for p in pictures]
        return Batch(pictures, [one for _, one in chosen])

    def unseen(self, count: int) -> Batch:
        """New, unspoilt pictures of compositions that the model is never trained on."""
        made = [self._new(True) for _ in range(count)]
        return Batch([picture for picture, _ in made], [one for _, one in made])
