"""Rectified flow on FLUX's packed latents: tokens, positions, and the losses of both lessons."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import torch
from diffusers import FluxTransformer2DModel

from folder import Pipeline

PLAIN = 1.0  # the guidance of a model that was not distilled: what the caption alone says


def pack(latents: torch.Tensor) -> torch.Tensor:
    """[b, c, h, w] -> [b, h/2 * w/2, 4c], FLUX's packing of 2x2 latents into one token."""
    b, c, h, w = latents.shape
    latents = latents.view(b, c, h // 2, 2, w // 2, 2).permute(0, 2, 4, 1, 3, 5)
    return latents.reshape(b, (h // 2) * (w // 2), 4 * c)


def unpack(tokens: torch.Tensor, rows: int, columns: int) -> torch.Tensor:
    """[b, rows * columns, 4c] -> [b, c, 2 * rows, 2 * columns]."""
    b, _, width = tokens.shape
    tokens = tokens.view(b, rows, columns, width // 4, 2, 2).permute(0, 3, 1, 4, 2, 5)
    return tokens.reshape(b, width // 4, 2 * rows, 2 * columns)


def position_ids(rows: int, columns: int, stretch: float = 1) -> torch.Tensor:
    """
    [rows * columns, 3]: (0, row, column) of every image token. A small picture that stands for a
    large one is stretched over the large one's positions.
    """
    ids = torch.zeros(rows, columns, 3)
    ids[..., 1] = ((torch.arange(rows) + 0.5) * stretch - 0.5)[:, None]
    ids[..., 2] = ((torch.arange(columns) + 0.5) * stretch - 0.5)[None]
    return ids.view(-1, 3)


@dataclass(frozen=True)
class Batch:
    """
    Clean latents [b, tokens, 64] at `ids` [tokens, 3], or at [b, tokens, 3] where each picture has its own,
    what they show (world/render.py), and the ids of their captions.
    """

    latents: torch.Tensor
    ids: torch.Tensor
    marks: torch.Tensor
    t5: torch.Tensor
    clip: torch.Tensor


Said = tuple[torch.Tensor, torch.Tensor]  # what a caption says: text [b, tokens, width] and pooled [b, width]


def velocity(
    transformer: FluxTransformer2DModel, noisy: torch.Tensor, time: torch.Tensor, ids: torch.Tensor, said: Said, guidance: torch.Tensor
) -> torch.Tensor:
    """
    [b, tokens, 64] for flow times [b] in 0..1 and guidance scales [b]. `ids` are those of all pictures, or
    with the attention of attention.py [b, tokens, 3].
    """
    text, pooled = said
    own = None
    if ids.ndim == 3:
        every = torch.cat([torch.zeros(*text.shape[:2], 3, device=ids.device), ids], 1)
        own = {"positions": transformer.pos_embed(every.flatten(0, 1))}
        ids = ids[0]
    return transformer(
        hidden_states=noisy,
        encoder_hidden_states=text,
        pooled_projections=pooled,
        timestep=time,
        img_ids=ids,
        txt_ids=torch.zeros(text.shape[1], 3, device=noisy.device),
        guidance=guidance,
        joint_attention_kwargs=own,
        return_dict=False,
    )[0]


def guided_velocity(
    transformer: FluxTransformer2DModel,
    noisy: torch.Tensor,
    time: torch.Tensor,
    ids: torch.Tensor,
    said: Said,
    unsaid: Said,
    guidance: torch.Tensor,
) -> torch.Tensor:
    """
    Classifier-free guidance by a model that was not distilled, in two passes:
    v(empty) + guidance * (v(caption) - v(empty)) (arXiv 2207.12598, equation 6).
    """
    plain = torch.full_like(time, PLAIN)
    to = velocity(transformer, noisy, time, ids, said, plain).float()
    base = velocity(transformer, noisy, time, ids, unsaid, plain).float()
    return base + guidance[:, None, None] * (to - base)


def times(count: int, mean: float, device: str) -> torch.Tensor:
    """
    Logit-normal flow times [count] in 0..1 (arXiv 2403.03206, section 3.1), one from each of `count`
    shares of the distribution: no batch is all noise or all picture by chance.
    """
    shares = (torch.arange(count, device=device) + torch.rand(count, device=device)) / count
    return torch.sigmoid(torch.special.ndtri(shares) + mean)


def early(count: int, mean: float, time: float) -> int:
    """How many of `times(count, mean)`, the first of them, can lie below `time`."""
    if time <= 0:
        return 0
    return math.ceil(count * NormalDist(mean).cdf(math.log(time / (1 - time))))


def noised(latents: torch.Tensor, time: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The point at `time` on the straight line to fresh noise, and that noise."""
    noise = torch.randn_like(latents)
    t = time[:, None, None]
    return (1 - t) * latents + t * noise, noise


def flow_loss(pipeline: Pipeline, batch: Batch, time: torch.Tensor) -> torch.Tensor:
    """Mean squared error of the velocity noise - latents (arXiv 2209.03003, equation 1)."""
    noisy, noise = noised(batch.latents, time)
    plain = torch.full_like(time, PLAIN)
    with torch.autocast(noisy.device.type, torch.bfloat16):
        said = pipeline.encode(batch.t5, batch.clip)
        predicted = velocity(pipeline.transformer, noisy, time, batch.ids, said, plain)
    return (predicted.float() - (noise - batch.latents)).pow(2).mean()


def guidance_loss(
    student: Pipeline,
    teacher: Pipeline,
    batch: Batch,
    empty: tuple[torch.Tensor, torch.Tensor],
    time: torch.Tensor,
    guidance: torch.Tensor,
    unguided: int = 0,
) -> torch.Tensor:
    """
    The student, told the scale, is to say in one pass what the teacher says in two (arXiv 2210.03142,
    section 3.1). The first `unguided` pictures, those of the least noise, it learns from the pictures themselves:
    guidance is of use where it is decided what is drawn, and costs details below (arXiv 2404.07724, section 4).
    """
    noisy, noise = noised(batch.latents, time)
    target = noise - batch.latents
    with torch.autocast(noisy.device.type, torch.bfloat16):
        with torch.no_grad():
            t5, clip = batch.t5[unguided:], batch.clip[unguided:]
            said = teacher.encode(t5, clip)
            unsaid = teacher.encode(empty[0].expand_as(t5), empty[1].expand_as(clip))
            ids = batch.ids[unguided:] if batch.ids.ndim == 3 else batch.ids
            target[unguided:] = guided_velocity(
                teacher.transformer, noisy[unguided:], time[unguided:], ids, said, unsaid, guidance[unguided:]
            )
        said = student.encode(batch.t5, batch.clip)
        predicted = velocity(student.transformer, noisy, time, batch.ids, said, guidance)
    errors = (predicted.float() - target).pow(2).mean((1, 2))
    # Strong guidance makes large targets: each scale counts the same.
    errors[unguided:] /= guidance[unguided:]
    return errors.mean()
