"""The decoder's last levels as one convolution, for training.

Levels without blocks are linear: nothing but enlargements and convolutions. So all of them together are one 3x3
convolution before the first enlargement, whose outputs are the pixels of a square: a fraction of the operations.
Only the outermost pixels of an image differ, where the convolutions in between would see zeros around their inputs.
"""

from __future__ import annotations

import torch
from diffusers import AutoencoderTiny
from torch import nn
from torch.nn.functional import conv2d, pixel_shuffle

# [phase, low, high]: which tap of a 3x3 kernel before a nearest enlargement by 2 gathers a tap after it, for the
# first and the second of the two pixels that each pixel becomes.
_THREE = ((0, 1, 1), (1, 1, 2))
_FIVE = ((0, 0, 1, 1, 2), (0, 1, 1, 2, 2))


def composed(after: torch.Tensor, before: torch.Tensor) -> torch.Tensor:
    """The kernel [o, i, a + b - 1, ...] of two convolutions in a row: [m, i, b, b], then [o, m, a, a]."""
    return conv2d(before.transpose(0, 1), after.flip(2, 3), padding=after.shape[-1] - 1).transpose(0, 1)


def before_enlarging(kernel: torch.Tensor) -> torch.Tensor:
    """
    A kernel [o, i, 3, 3] or [o, i, 5, 5] after a nearest enlargement by 2, as one before it, [4 o, i, 3, 3], whose
    outputs pixel_shuffle puts in place.
    """
    taps = {3: _THREE, 5: _FIVE}[kernel.shape[-1]]
    gather = torch.zeros(2, 3, kernel.shape[-1], dtype=kernel.dtype, device=kernel.device)
    for phase, lows in enumerate(taps):
        for high, low in enumerate(lows):
            gather[phase, low, high] = 1
    return torch.einsum("oiyx,pay,qbx->opqiab", kernel, gather, gather).flatten(0, 2)


def decode(model: AutoencoderTiny, latents: torch.Tensor) -> torch.Tensor:
    """What model.decode returns, but for the outermost pixels."""
    layers = list(model.decoder.layers)
    kernel, bias, enlarged = layers[-1].weight, layers[-1].bias, 0
    layers.pop()
    while isinstance(layers[-1], nn.Conv2d | nn.Upsample):
        layer = layers.pop()
        if isinstance(layer, nn.Upsample):
            kernel, enlarged = before_enlarging(kernel), enlarged + 1
        else:
            kernel = composed(kernel, layer.weight)
    x = torch.tanh(latents / 3) * 3
    for layer in layers:
        x = layer(x)
    x = conv2d(x, kernel, padding=kernel.shape[-1] // 2)
    for _ in range(enlarged):
        x = pixel_shuffle(x, 2)
    return (x + bias[:, None, None]) * 2 - 1
