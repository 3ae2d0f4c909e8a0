"""The pipeline folder in diffusers' layout: builds its parts, saves and loads them."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from pathlib import Path

import torch
from diffusers import AutoencoderTiny, FlowMatchEulerDiscreteScheduler, FluxTransformer2DModel
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    PreTrainedTokenizerFast,
    T5Config,
    T5EncoderModel,
)

from scenes import caption, sample_scene


def _captions(count: int) -> list[str]:
    rng = random.Random(7)
    return [caption(sample_scene(rng), rng) for _ in range(count)]


def build_t5_tokenizer(tokens: int) -> PreTrainedTokenizerFast:
    """A unigram model whose pieces are the whole words of the captions.

    Anything else becomes <unk>, so that the page can say which words the model never saw.
    """
    words = sorted({w for text in _captions(60_000) for w in text.replace(",", "").split()})
    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", -10.0), (",", -2.0), ("▁", -4.0)]
    pieces += [(f"▁{word}", -1.0) for word in words]
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=2, byte_fallback=False))
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.NFKC(),
            normalizers.Lowercase(),
            normalizers.Replace(Regex(r"(?:(?!,)\p{P})+"), " "),
            normalizers.Replace(",", ", "),
            normalizers.Replace(Regex(r"\s+"), " "),
            normalizers.Strip(),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A </s>", special_tokens=[("</s>", 1)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="<pad>",
        eos_token="</s>",
        unk_token="<unk>",
        model_max_length=tokens,
    )


def build_clip_tokenizer(tokens: int) -> PreTrainedTokenizerFast:
    """CLIP's byte-level BPE, with merges learnt from the captions."""
    start, end = "<|startoftext|>", "<|endoftext|>"
    tokenizer = Tokenizer(
        models.BPE(unk_token=end, continuing_subword_prefix="", end_of_word_suffix="</w>")
    )
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.NFC(),
            # Other punctuation never occurs in captions, and its unknown token would end the text.
            normalizers.Replace(Regex(r"[^\p{L}\p{N},\s]+"), " "),
            normalizers.Replace(Regex(r"\s+"), " "),
            normalizers.Lowercase(),
        ]
    )
    pattern = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(pattern), behavior="removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(
        vocab_size=1024,
        show_progress=False,
        special_tokens=[start, end],
        initial_alphabet=alphabet,
        end_of_word_suffix="</w>",
    )
    tokenizer.train_from_iterator(_captions(60_000), trainer)
    ids = [(end, tokenizer.token_to_id(end)), (start, tokenizer.token_to_id(start))]
    tokenizer.post_processor = processors.RobertaProcessing(
        ids[0], ids[1], trim_offsets=False, add_prefix_space=False
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=start,
        eos_token=end,
        pad_token=end,
        unk_token=end,
        model_max_length=tokens,
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
        return tuple(
            t(texts, padding="max_length", truncation=True, return_tensors="pt").input_ids
            for t in (self.t5_tokenizer, self.clip_tokenizer)
        )

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
        guidance_embeds=False,
        axes_dims_rope=tuple(t["axes"]),
    )
    for name, parameter in transformer.named_parameters():
        # Modulation and output start at zero: every block starts as the identity.
        if ".norm" in f".{name}" and ".linear." in name or name.startswith("proj_out"):
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
    return Pipeline(
        config=json.loads((folder / "training.json").read_text()),
        t5_tokenizer=PreTrainedTokenizerFast.from_pretrained(folder / "tokenizer_2"),
        clip_tokenizer=PreTrainedTokenizerFast.from_pretrained(folder / "tokenizer"),
        t5=T5EncoderModel.from_pretrained(folder / "text_encoder_2", dtype=torch.float32),
        clip=CLIPTextModel.from_pretrained(folder / "text_encoder", dtype=torch.float32),
        transformer=FluxTransformer2DModel.from_pretrained(folder / "transformer", **as_float),
        autoencoder=AutoencoderTiny.from_pretrained(folder / "vae", **as_float),
        scheduler=FlowMatchEulerDiscreteScheduler.from_pretrained(folder / "scheduler"),
    )
