"""How far a decoded image with alpha is from the true one: losses to train with and figures to judge by.

Images are [b, 4, h, w] in -1..1, as diffusers has them: straight colour and alpha. The colour of what is clear
counts for nothing: what matters is how an image looks on whatever ground it is put.
"""

from __future__ import annotations

import torch
from torch.nn.functional import max_pool2d

BAND = 2  # pixels to each side of an edge of alpha
MID = 0.5  # the ground, 0..1, that images are compared on


def _premultiplied(image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    image = (image + 1) / 2
    alpha = image[:, 3:]
    return image[:, :3] * alpha, alpha


def on_mid_gray(image: torch.Tensor) -> torch.Tensor:
    """[b, 3, h, w] in 0..1."""
    colour, alpha = _premultiplied(image)
    return colour + (1 - alpha) * MID


def edge_band(alpha: torch.Tensor) -> torch.Tensor:
    """Of alpha [b, 1, h, w] in 0..1: where what is solid and what is clear are at most BAND pixels apart."""
    near = lambda mask: max_pool2d(mask.float(), 2 * BAND + 1, 1, BAND) > 0  # noqa: E731
    return near(alpha >= 0.5) & near(alpha < 0.5)


def _slopes(error: torch.Tensor) -> torch.Tensor:
    across, down = error[..., 1:] - error[..., :-1], error[..., 1:, :] - error[..., :-1, :]
    return across.abs().mean() + down.abs().mean()


def loss(decoded: torch.Tensor, true: torch.Tensor, edges: float, slopes: float) -> torch.Tensor:
    """
    Squared and absolute error on grounds of all shades, that of alpha counted `edges` times more about its edges, and
    that of the slopes, without which outlines are soft. Over a ground g the error is p - a g, where p is that of the
    premultiplied colour and a that of alpha. With g uniform in 0..1 its mean square is (p - a / 2)^2 + a^2 / 12.
    """
    (colour, alpha), (true_colour, true_alpha) = _premultiplied(decoded), _premultiplied(true)
    off = alpha - true_alpha
    error = colour - true_colour - MID * off
    weight = 1 + edges * edge_band(true_alpha)
    square = error.pow(2).mean() + (weight * off.pow(2)).mean() / 4
    absolute = error.abs().mean() + (weight * off.abs()).mean() / 4
    return 4 * square + 0.2 * absolute + slopes * (_slopes(error) + _slopes(off) / 4)


def figures(decoded: torch.Tensor, true: torch.Tensor) -> dict[str, torch.Tensor]:
    """
    Of each image [b]: `psnr` in dB on mid gray; `edge`, the mean absolute error of alpha 0..1 in the band of its
    edges, not a number where it has none.
    """
    decoded = decoded.clamp(-1, 1)
    psnr = -10 * torch.log10((on_mid_gray(decoded) - on_mid_gray(true)).pow(2).mean((1, 2, 3)))
    band = edge_band((true[:, 3:] + 1) / 2)
    off = (decoded[:, 3:] - true[:, 3:]).abs() / 2
    return {"psnr": psnr, "edge": (off * band).sum((1, 2, 3)) / band.sum((1, 2, 3))}
