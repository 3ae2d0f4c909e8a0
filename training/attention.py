"""Attention for training on a CPU: written out, which compiled is half as fast again as the fused kernel."""

from __future__ import annotations

import torch
from diffusers import FluxTransformer2DModel
from diffusers.models.embeddings import apply_rotary_emb
from torch import nn


class WrittenOut:
    """
    FLUX's joint attention as two products with a softmax between them. The fused kernel saves memory,
    which a hundred tokens do not need, and pays for it in its backward pass.
    """

    def __call__(
        self,
        attn: nn.Module,
        hidden_states: torch.Tensor,
        encoder_hidden_states: torch.Tensor | None = None,
        attention_mask: None = None,
        image_rotary_emb: tuple[torch.Tensor, torch.Tensor] | None = None,
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
        query = apply_rotary_emb(query, image_rotary_emb, sequence_dim=1).transpose(1, 2)
        key = apply_rotary_emb(key, image_rotary_emb, sequence_dim=1).transpose(1, 2)
        weights = torch.softmax((query * attn.head_dim**-0.5) @ key.transpose(-1, -2), -1)
        mixed = (weights.to(value.dtype) @ value.transpose(1, 2)).transpose(1, 2).flatten(2)
        if encoder_hidden_states is None:
            return mixed
        text, picture = mixed.split([encoder_hidden_states.shape[1], hidden_states.shape[1]], 1)
        return attn.to_out[1](attn.to_out[0](picture)), attn.to_add_out(text)


def compile_for_cpu(transformer: FluxTransformer2DModel) -> None:
    """Compiles the blocks, one of each kind, around this attention."""
    transformer.set_attn_processor(WrittenOut())
    transformer.compile_repeated_blocks(dynamic=False)
