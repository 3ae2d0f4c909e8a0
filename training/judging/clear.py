"""What alpha alone says of an image: whether its ground is transparent, and how clean the edges are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from fidelity import edge_band

RING = 1 / 16  # of the shorter side: the frame of an image in which its ground is looked for
MATTE = 128  # the gray that the classifier sees transparent images on


def has_clear_ground(image: np.ndarray) -> bool:
    """Whether most of the frame of an image [h, w, 3 or 4] uint8 is transparent."""
    if image.shape[-1] == 3:
        return False
    wide = max(1, round(RING * min(image.shape[:2])))
    inner = np.zeros(image.shape[:2], bool)
    inner[wide:-wide, wide:-wide] = True
    return bool(np.median(image[..., 3][~inner]) < 128)


def on_gray(image: np.ndarray) -> np.ndarray:
    """[h, w, 3] uint8: an image [h, w, 3 or 4], of straight colour, on MATTE."""
    if image.shape[-1] == 3:
        return image
    alpha = image[..., 3:].astype(np.float32) / 255
    return (image[..., :3] * alpha + MATTE * (1 - alpha) + 0.5).astype(np.uint8)


@dataclass(frozen=True)
class Edges:
    """
    Of an image with a transparent ground, without the true alpha. `soft`: in the band of the edges, how far alpha is
    from either 0 or 1, 0..0.5 (a clean edge has one such pixel across). `haze`: the same everywhere else.
    """

    soft: float
    haze: float


def edges(alpha: np.ndarray) -> Edges | None:
    """Of alpha [h, w] uint8, None if it has no edge."""
    band = edge_band(torch.from_numpy(alpha / np.float32(255))[None, None])[0, 0].numpy()
    if not band.any() or band.all():
        return None
    undecided = np.minimum(alpha, 255 - alpha).astype(np.float32) / 255
    return Edges(float(undecided[band].mean()), float(undecided[~band].mean()))
