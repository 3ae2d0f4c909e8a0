"""Attention for training: tokens may lie elsewhere in each picture, and a CPU computes it faster."""

from __future__ import annotations

import torch
from diffusers import FluxTransformer2DModel
from diffusers.models.embeddings import apply_rotary_emb
from torch import nn
from torch.nn.functional import scaled_dot_product_attention

Rotary = tuple[torch.Tensor, torch.Tensor]  # cosines and sines [tokens, head width]


def turn(tokens: torch.Tensor, rotary: Rotary) -> torch.Tensor:
    """Turns [b, n, heads, width] by the positions of n tokens, or of b * n where every picture has its own."""
    if len(rotary[0]) == tokens.shape[1]:
        return apply_rotary_emb(tokens, rotary, sequence_dim=1)
    return apply_rotary_emb(tokens.flatten(0, 1)[None], rotary, sequence_dim=1)[0].view_as(tokens)


class Attention:
    """
    FLUX's joint attention, which `positions` of each picture's own may replace those of all.
    `written_out`: as two products with a softmax between them. The fused kernel saves memory, which a
    hundred tokens do not need, and on a CPU pays for it in its backward pass.
    """

    def __init__(self, written_out: bool) -> None:
        self.written_out = written_out

    def __call__(
        self,
        attn: nn.Module,
        hidden_states: torch.Tensor,
        encoder_hidden_states: torch.Tensor | None = None,
        attention_mask: None = None,
        image_rotary_emb: Rotary | None = None,
        positions: Rotary | None = None,
    ) -> torch.Tensor | tuple[torch.Tensor, torch.Tensor]:
        """Picture [b, n, width], or with text [b, m, width] both: a double block has projections for each."""

        def heads(projected: torch.Tensor) -> torch.Tensor:
            return projected.unflatten(-1, (-1, attn.head_dim))

        query = attn.norm_q(heads(attn.to_q(hidden_states)))
        key = attn.norm_k(heads(attn.to_k(hidden_states)))
        value = heads(attn.to_v(hidden_states))
        if encoder_hidden_states is not None:
            query = torch.cat([attn.norm_added_q(heads(attn.add_q_proj(encoder_hidden_states))), query], 1)
            key = torch.cat([attn.norm_added_k(heads(attn.add_k_proj(encoder_hidden_states))), key], 1)
            value = torch.cat([heads(attn.add_v_proj(encoder_hidden_states)), value], 1)
        rotary = positions or image_rotary_emb
        query, key, value = turn(query, rotary).transpose(1, 2), turn(key, rotary).transpose(1, 2), value.transpose(1, 2)
        if self.written_out:
            weights = torch.softmax((query * attn.head_dim**-0.5) @ key.transpose(-1, -2), -1)
            mixed = weights.to(value.dtype) @ value
        else:
            mixed = scaled_dot_product_attention(query.to(value.dtype), key.to(value.dtype), value)
        mixed = mixed.transpose(1, 2).flatten(2)
        if encoder_hidden_states is None:
            return mixed
        text, picture = mixed.split([encoder_hidden_states.shape[1], hidden_states.shape[1]], 1)
        return attn.to_out[1](attn.to_out[0](picture)), attn.to_add_out(text)


def compile_blocks(transformer: FluxTransformer2DModel) -> None:
    """Compiles the blocks, one of each kind, around their attention."""
    # Each shape, kind and lesson needs another; beyond the limit blocks would silently stay slow.
    torch._dynamo.config.recompile_limit = 64
    transformer.compile_repeated_blocks(dynamic=False)
