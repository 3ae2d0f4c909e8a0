"""The pipeline folder in diffusers' layout: builds its parts, saves and loads them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import torch
from diffusers import AutoencoderTiny, FlowMatchEulerDiscreteScheduler, FluxTransformer2DModel
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    PreTrainedTokenizerFast,
    T5Config,
    T5EncoderModel,
)

from text import build_clip_tokenizer, build_t5_tokenizer


@dataclass(frozen=True)
class Tokenizers:
    t5: PreTrainedTokenizerFast
    clip: PreTrainedTokenizerFast

    @classmethod
    def load(cls, folder: Path) -> Tokenizers:
        return cls(*(PreTrainedTokenizerFast.from_pretrained(folder / name) for name in ("tokenizer_2", "tokenizer")))

    def __call__(self, texts: list[str]) -> tuple[torch.Tensor, torch.Tensor]:
        """T5 and CLIP ids, each [batch, tokens], padded."""
        return tuple(
            t(texts, padding="max_length", truncation=True, return_tensors="pt").input_ids for t in (self.t5, self.clip)
        )


@dataclass
class Pipeline:
    config: dict
    t5_tokenizer: PreTrainedTokenizerFast
    clip_tokenizer: PreTrainedTokenizerFast
    t5: T5EncoderModel
    clip: CLIPTextModel
    transformer: FluxTransformer2DModel
    autoencoder: AutoencoderTiny
    scheduler: FlowMatchEulerDiscreteScheduler

    def trained(self) -> dict[str, torch.nn.Module]:
        """The parts that are trained together by rectified flow."""
        return {"transformer": self.transformer, "text_encoder_2": self.t5, "text_encoder": self.clip}

    def tokenize(self, texts: list[str]) -> tuple[torch.Tensor, torch.Tensor]:
        """T5 and CLIP ids, each [batch, tokens], padded."""
        return Tokenizers(self.t5_tokenizer, self.clip_tokenizer)(texts)

    def encode(self, t5_ids: torch.Tensor, clip_ids: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Text [batch, tokens, width] and pooled [batch, width]. No padding mask, as in FLUX."""
        text = self.t5(input_ids=t5_ids).last_hidden_state
        pooled = self.clip(input_ids=clip_ids).pooler_output
        return text, pooled


def new_pipeline(config: dict, autoencoder: AutoencoderTiny) -> Pipeline:
    text, t = config["text"], config["transformer"]
    t5_tokenizer = build_t5_tokenizer(text["tokens"])
    clip_tokenizer = build_clip_tokenizer(text["clip_tokens"])
    t5 = T5EncoderModel(
        T5Config(
            vocab_size=len(t5_tokenizer),
            d_model=text["t5_width"],
            d_kv=text["t5_width"] // text["t5_heads"],
            d_ff=text["t5_feed_forward"],
            num_layers=text["t5_layers"],
            num_heads=text["t5_heads"],
            feed_forward_proj="gated-gelu",
            dropout_rate=0.0,
            pad_token_id=t5_tokenizer.pad_token_id,
            eos_token_id=t5_tokenizer.eos_token_id,
            use_cache=False,
            is_encoder_decoder=False,
        )
    )
    clip = CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(clip_tokenizer),
            hidden_size=text["clip_width"],
            intermediate_size=2 * text["clip_width"],
            num_hidden_layers=text["clip_layers"],
            num_attention_heads=text["clip_heads"],
            max_position_embeddings=text["clip_tokens"],
            projection_dim=text["clip_width"],
            bos_token_id=clip_tokenizer.bos_token_id,
            eos_token_id=clip_tokenizer.eos_token_id,
            pad_token_id=clip_tokenizer.pad_token_id,
        )
    )
    transformer = FluxTransformer2DModel(
        in_channels=4 * config["autoencoder"]["latent_channels"],
        num_layers=t["double_blocks"],
        num_single_layers=t["single_blocks"],
        attention_head_dim=t["head_width"],
        num_attention_heads=t["heads"],
        joint_attention_dim=text["t5_width"],
        pooled_projection_dim=text["clip_width"],
        guidance_embeds=True,
        axes_dims_rope=tuple(t["axes"]),
    )
    for name, parameter in transformer.named_parameters():
        # Modulation and output start at zero: every block starts as the identity.
        if ".norm" in f".{name}" and ".linear." in name or name.startswith("proj_out"):
            torch.nn.init.zeros_(parameter)
        # Guidance says nothing until it is distilled.
        if "guidance_embedder.linear_2" in name:
            torch.nn.init.zeros_(parameter)
    scheduler = FlowMatchEulerDiscreteScheduler(shift=t["shift"])
    return Pipeline(config, t5_tokenizer, clip_tokenizer, t5, clip, transformer, autoencoder, scheduler)


PARTS = {
    "transformer": "transformer",
    "text_encoder": "clip",
    "text_encoder_2": "t5",
    "vae": "autoencoder",
    "tokenizer": "clip_tokenizer",
    "tokenizer_2": "t5_tokenizer",
    "scheduler": "scheduler",
}


def save(pipeline: Pipeline, folder: Path, half: bool) -> None:
    """Weights are stored in half precision if asked; computing stays in float32."""
    index = {"_class_name": "FluxPipeline"}
    for name, attribute in PARTS.items():
        part = getattr(pipeline, attribute)
        library = type(part).__module__.split(".")[0]
        index[name] = ["diffusers" if library == "diffusers" else "transformers", type(part).__name__]
        if isinstance(part, torch.nn.Module) and half:
            part.half().save_pretrained(folder / name)
            part.float()
        else:
            part.save_pretrained(folder / name)
    (folder / "model_index.json").write_text(json.dumps(index, indent=2) + "\n")
    (folder / "training.json").write_text(json.dumps(pipeline.config, indent=2) + "\n")


def load(folder: Path) -> Pipeline:
    as_float = {"torch_dtype": torch.float32}
    tokenizers = Tokenizers.load(folder)
    return Pipeline(
        config=json.loads((folder / "training.json").read_text()),
        t5_tokenizer=tokenizers.t5,
        clip_tokenizer=tokenizers.clip,
        t5=T5EncoderModel.from_pretrained(folder / "text_encoder_2", dtype=torch.float32),
        clip=CLIPTextModel.from_pretrained(folder / "text_encoder", dtype=torch.float32),
        transformer=FluxTransformer2DModel.from_pretrained(folder / "transformer", **as_float),
        autoencoder=AutoencoderTiny.from_pretrained(folder / "vae", **as_float),
        scheduler=FlowMatchEulerDiscreteScheduler.from_pretrained(folder / "scheduler"),
    )
