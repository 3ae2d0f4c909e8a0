"""The classifier: a small residual network that answers for the whole picture and for its regions."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn import functional as F

from world.concepts import CONCEPTS
from world.scene import PATTERNS, PLACES, STYLES

from .clear import has_clear_ground, on_gray
from .labels import ALL_TINTS, GROUNDS, LAYOUTS, NAMES, REGIONS

SIDE = 192  # images are averaged to this many pixels a side
CELL = 16  # and the network answers for cells of so many pixels a side
WIDTH = 192
SIZES = {"layout": len(LAYOUTS), "ground": len(GROUNDS), "pattern": len(PATTERNS), "style": len(STYLES), "place": len(PLACES)}


class Convolution(nn.Module):
    """3x3 without a bias. Its weights are kept as a matrix [outputs, inputs * 9], for Muon."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.shape, self.stride = (outputs, inputs, 3, 3), stride
        self.matrix = nn.Parameter(torch.randn(outputs, inputs * 9) / (inputs * 9) ** 0.5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.conv2d(x, self.matrix.view(self.shape), stride=self.stride, padding=1)


def _convolution(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(Convolution(inputs, outputs, stride), nn.BatchNorm2d(outputs), nn.ReLU())


class Residual(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        last = nn.BatchNorm2d(width)
        nn.init.zeros_(last.weight)  # every block starts as the identity
        self.body = nn.Sequential(_convolution(width, width), Convolution(width, width), last)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(x + self.body(x))


@lru_cache(maxsize=None)
def _regions(cells: int) -> torch.Tensor:
    """[regions, cells * cells]: the weight of each cell in each region. They add up to one."""
    at = (torch.arange(cells) + 0.5) / cells - 0.5
    y, x = torch.meshgrid(at, at, indexing="ij")
    bump = lambda cx, cy: torch.exp(-((x - cx) ** 2 + (y - cy) ** 2) / (2 * 0.15**2))  # noqa: E731
    masks = {
        "whole": torch.ones_like(x),
        "left": (x < 0).float(),
        "right": (x > 0).float(),
        "top": (y < 0).float(),
        "bottom": (y > 0).float(),
        "front": bump(-0.08, 0.14),
        "back": bump(0.1, -0.12),
    }
    weights = torch.stack([masks[name].flatten() for name in REGIONS])
    return weights / weights.sum(1, keepdim=True)


@dataclass(frozen=True)
class Answer:
    """
    Logits. `objects` [batch, regions, concepts] and `tints` [batch, regions, tints]; `other` has one
    [batch, classes] for each of labels.NAMES. `features` [batch, WIDTH] are of the whole picture. `clear` [batch]:
    whether the ground is transparent, once the images themselves were looked at.
    """

    objects: torch.Tensor
    tints: torch.Tensor
    other: dict[str, torch.Tensor]
    features: torch.Tensor
    clear: tuple[bool, ...] = ()


class Network(nn.Module):
    def __init__(self, concepts: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(3, 64, 7, 4, 3, bias=False),
            nn.BatchNorm2d(64),
            nn.ReLU(),
            _convolution(64, 128, 2),
            Residual(128),
            Residual(128),
            _convolution(128, WIDTH, 2),
            Residual(WIDTH),
        )
        self.attention = nn.Linear(WIDTH, 1)  # where there is something to name
        self.norm = nn.BatchNorm1d(WIDTH)  # of what is pooled, over all regions
        self.ground_norm = nn.BatchNorm1d(WIDTH)
        self.objects = nn.Linear(WIDTH, concepts)
        self.tints = nn.Linear(WIDTH, len(ALL_TINTS))
        self.other = nn.ModuleDict({name: nn.Linear(WIDTH * len(REGIONS), SIZES[name]) for name in NAMES})

    def forward(self, pictures: torch.Tensor) -> Answer:
        """Pictures [batch, 3, SIDE, SIDE] in 0..1, or smaller ones to learn the rough of it sooner."""
        regions = _regions(pictures.shape[-1] // CELL)
        seen = self.body((pictures - 0.5) * 4).flatten(2).float()
        with torch.autocast(pictures.device.type, enabled=False):
            where = F.softplus(self.attention(seen.transpose(1, 2))) + 0.01  # [batch, cells, 1]
            weights = regions * where.transpose(1, 2)
            weights = weights / weights.sum(-1, keepdim=True)
            named = _normed(self.norm, torch.einsum("bck,brk->brc", seen, weights))
            flat = _normed(self.ground_norm, torch.einsum("bck,rk->brc", seen, regions)).flatten(1)
            other = {name: head(flat) for name, head in self.other.items()}
            return Answer(self.objects(named), self.tints(named), other, named[:, 0])


def _normed(norm: nn.BatchNorm1d, pooled: torch.Tensor) -> torch.Tensor:
    """Of [batch, regions, width]."""
    return norm(pooled.flatten(0, 1)).view_as(pooled)


def averaged(picture: np.ndarray) -> np.ndarray:
    """[SIDE, SIDE, 3] uint8 of a square image [height, width, 3 or 4] uint8, on gray where it is transparent."""
    image = Image.fromarray(on_gray(picture))
    if image.width != image.height:
        raise ValueError(f"the classifier knows square pictures only, and this one is {image.width}x{image.height}")
    return np.asarray(image.resize((SIDE, SIDE), Image.Resampling.BOX))


@dataclass
class Judge:
    """A trained network, the concepts that it knows, in its order, and how often it is right on rendered scenes."""

    network: Network
    concepts: list[str]
    accuracy: dict[str, float]

    @property
    def index(self) -> dict[str, int]:
        return {concept: i for i, concept in enumerate(self.concepts)}

    @torch.no_grad()
    def look(self, pictures: list[np.ndarray], batch: int = 64) -> Answer:
        """Answers about images [height, width, 3 or 4] uint8."""
        self.network.eval()
        answers = []
        for start in range(0, len(pictures), batch):
            small = np.stack([averaged(picture) for picture in pictures[start : start + batch]])
            values = torch.from_numpy(small).permute(0, 3, 1, 2).float() / 255
            answers.append(self.network(values))
        return Answer(
            torch.cat([a.objects for a in answers]),
            torch.cat([a.tints for a in answers]),
            {name: torch.cat([a.other[name] for a in answers]) for name in NAMES},
            torch.cat([a.features for a in answers]),
            tuple(has_clear_ground(picture) for picture in pictures),
        )


def save(judge: Judge, folder: Path) -> None:
    """Half-precision weights, and the concepts by their glyphs, which stay when a name is changed."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = {k: v.half().contiguous() for k, v in judge.network.state_dict().items() if "num_batches" not in k}
    save_file(weights, folder / "weights.safetensors")
    about = {"accuracy on rendered scenes": judge.accuracy, "glyphs": " ".join(CONCEPTS[c].glyph for c in judge.concepts)}
    (folder / "judge.json").write_text(json.dumps(about, indent=1, ensure_ascii=False) + "\n")


def read(folder: Path) -> tuple[dict[str, torch.Tensor], list[str], dict[str, float]]:
    """Weights, concepts and accuracy of a saved judge, whatever world it was trained on."""
    about = json.loads((folder / "judge.json").read_text())
    keys = {concept.glyph: concept.key for concept in CONCEPTS.values()}
    concepts = [keys[glyph] for glyph in about["glyphs"].split(" ")]
    weights = {k: v.float() for k, v in load_file(folder / "weights.safetensors").items()}
    return weights, concepts, about["accuracy on rendered scenes"]


def load(folder: Path) -> Judge:
    """ValueError for the weights of another network, such as that of a world with fewer styles."""
    weights, concepts, accuracy = read(folder)
    network = Network(len(concepts))
    own = network.state_dict()
    if other := [name for name, value in weights.items() if name not in own or own[name].shape != value.shape]:
        raise ValueError(f"{folder} has the weights of another network: {', '.join(other[:3])}")
    missing, _ = network.load_state_dict(weights, strict=False)
    if any("num_batches" not in name for name in missing):
        raise ValueError(f"{folder} lacks weights: {', '.join(missing[:3])}")
    return Judge(network, concepts, accuracy)
