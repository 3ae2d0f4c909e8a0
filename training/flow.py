"""Rectified flow on FLUX's packed latents: tokens, positions, and the losses of the lessons."""

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
    what they show (world/render.py), and the ids of their captions. `same` [b, renders, tokens, 64]: all images of
    the caption that are at hand, each sample's own among them, where a lesson wants several.
    """

    latents: torch.Tensor
    ids: torch.Tensor
    marks: torch.Tensor
    t5: torch.Tensor
    clip: torch.Tensor
    same: torch.Tensor | None = None


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


def high_times(count: int, mean: float, high: float, share: float, device: str) -> torch.Tensor:
    """`times`, of which a share is uniform in `high`..1, where it is decided what is drawn."""
    many = round(count * share)
    upper = high + (1 - high) * (torch.arange(many, device=device) + torch.rand(many, device=device)) / max(many, 1)
    return torch.cat([times(count - many, mean, device), upper])


def early(count: int, mean: float, time: float) -> int:
    """How many of `times(count, mean)`, the first of them, can lie below `time`."""
    if time <= 0:
        return 0
    return math.ceil(count * NormalDist(mean).cdf(math.log(time / (1 - time))))


def nearest_noise(latents: torch.Tensor, choices: int) -> torch.Tensor:
    """
    The nearest of several noises for each sample [b, tokens, width]: paths from noise to images cross less
    (immiscible diffusion, arXiv 2505.18521, section 3).
    """
    best = torch.randn_like(latents)
    least = (best - latents).pow(2).sum((1, 2))
    for _ in range(choices - 1):
        other = torch.randn_like(latents)
        far = (other - latents).pow(2).sum((1, 2))
        best = torch.where((far < least)[:, None, None], other, best)
        least = torch.minimum(far, least)
    return best


def noised(latents: torch.Tensor, time: torch.Tensor, choices: int = 1) -> tuple[torch.Tensor, torch.Tensor]:
    """The point at `time` on the straight line to fresh noise, the nearest of `choices`, and that noise."""
    noise = nearest_noise(latents, choices)
    t = time[:, None, None]
    return (1 - t) * latents + t * noise, noise


def stable_velocity(noisy: torch.Tensor, same: torch.Tensor, time: torch.Tensor) -> torch.Tensor:
    """
    [b, tokens, width]: the mean velocity over all images of the caption [b, renders, tokens, width], each weighted by
    how likely it is to have become the noisy one. At high noise several are, and the target says less at random
    (stable targets, arXiv 2302.00670, section 3).
    """
    t = time[:, None, None]
    apart = (noisy[:, None] - (1 - t)[:, None] * same).pow(2).sum((2, 3))
    likely = torch.softmax(-apart / (2 * time[:, None] ** 2), 1)
    return (noisy - torch.einsum("br,brtw->btw", likely, same)) / t


def contrasted(predicted: torch.Tensor, velocity: torch.Tensor, weight: float) -> torch.Tensor:
    """
    The error that is to be small less `weight` times the distance from the velocity of another sample, which pushes
    images of different captions apart (contrastive flow matching, arXiv 2506.05350, equation 5). Both are means.
    """
    other = velocity.roll(1, 0)
    return (predicted - velocity).pow(2).mean() - weight * (predicted - other).pow(2).mean()


def flow_loss(pipeline: Pipeline, batch: Batch, time: torch.Tensor, contrast: float = 0.0, noises: int = 1) -> torch.Tensor:
    """
    Mean squared error of the velocity noise - latents (arXiv 2209.03003, equation 1), with the weight `contrast` of
    `contrasted`, the nearest of `noises`, and the stable velocity where the batch has several images of a caption.
    """
    noisy, noise = noised(batch.latents, time, noises)
    plain = torch.full_like(time, PLAIN)
    with torch.autocast(noisy.device.type, torch.bfloat16):
        said = pipeline.encode(batch.t5, batch.clip)
        predicted = velocity(pipeline.transformer, noisy, time, batch.ids, said, plain)
    target = noise - batch.latents if batch.same is None else stable_velocity(noisy, batch.same, time)
    return contrasted(predicted.float(), target, contrast)


def self_guided_loss(
    pipeline: Pipeline, average: FluxTransformer2DModel, batch: Batch, empty: Said, time: torch.Tensor, guidance: torch.Tensor
) -> torch.Tensor:
    """
    Guidance learnt from the images themselves, at all times alike: the target is the velocity plus
    (guidance - 1) times what the caption changes in the averaged weights' own answer, asked without guidance
    (model guidance, arXiv 2502.12154, equation 8, for a scale that the model is told). `guidance` [b] is 1 for a
    part of the batch, which goes on learning the plain velocity that the others are built on. Each scale counts the same.
    """
    noisy, noise = noised(batch.latents, time)
    target = noise - batch.latents
    guided = (guidance > PLAIN).nonzero()[:, 0]
    with torch.autocast(noisy.device.type, torch.bfloat16):
        said = pipeline.encode(batch.t5, batch.clip)
        with torch.no_grad():
            ids = batch.ids[guided] if batch.ids.ndim == 3 else batch.ids
            asked = tuple(words[guided].detach() for words in said)
            unsaid = tuple(words.expand_as(own) for words, own in zip(pipeline.encode(*empty), asked, strict=True))
            plain = torch.full_like(time[guided], PLAIN)
            change = velocity(average, noisy[guided], time[guided], ids, asked, plain).float()
            change -= velocity(average, noisy[guided], time[guided], ids, unsaid, plain).float()
            target[guided] += (guidance[guided] - 1)[:, None, None] * change
        predicted = velocity(pipeline.transformer, noisy, time, batch.ids, said, guidance)
    return ((predicted.float() - target).pow(2).mean((1, 2)) / guidance).mean()


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
