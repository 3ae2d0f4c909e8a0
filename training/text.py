"""The tokenizers: T5's kind and CLIP's kind, for the words of the world and pieces for all others."""

from __future__ import annotations

import json
import random
from functools import cache

from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

from world.captions import VOCABULARY, caption
from world.concepts import CONCEPTS, names
from world.english import pluralise
from world.sampler import sample

PIECES = 700  # of words that are not in the world


def name_words() -> set[str]:
    """Every word in the name of a concept, singular and plural."""
    phrases = [n for c in CONCEPTS.values() for name in c.names for n in (name, pluralise(name))]
    phrases += [c.plural for c in CONCEPTS.values()]
    return {word for phrase in phrases for word in phrase.split()}


@cache
def _some_captions() -> list[str]:
    rng, concepts = random.Random(7), list(CONCEPTS)
    return [caption(sample(rng, concepts), names, rng) for _ in range(30_000)]


def _normalizer() -> normalizers.Normalizer:
    return normalizers.Sequence(
        [
            normalizers.NFKC(),
            normalizers.Lowercase(),
            normalizers.Replace(Regex(r"(?:(?!,)\p{P})+"), " "),
            normalizers.Replace(",", ", "),
            normalizers.Replace(Regex(r"\s+"), " "),
            normalizers.Strip(),
        ]
    )


def _pieces(words: list[str]) -> list[tuple[str, float]]:
    """Parts of words with their log-probabilities, by SentencePiece's unigram training."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.UnigramTrainer(vocab_size=PIECES, show_progress=False, unk_token="<unk>", special_tokens=["<unk>"])
    tokenizer.train_from_iterator(words, trainer)
    learnt = json.loads(tokenizer.to_str())["model"]["vocab"]
    return [(piece, min(score, -2.0)) for piece, score in learnt if piece != "<unk>"]


def build_t5_tokenizer(tokens: int) -> PreTrainedTokenizerFast:
    """
    A unigram model. The words of the world are whole pieces; any other word in Latin letters falls
    into parts of words and at last into letters, so that a slip of the pen still says something.
    """
    words = sorted(name_words() | set(VOCABULARY))
    letters = "abcdefghijklmnopqrstuvwxyz0123456789"
    pieces = {"<pad>": 0.0, "</s>": 0.0, "<unk>": -30.0, ",": -2.0, "▁": -4.0}
    pieces |= {f"▁{word}": -1.0 for word in words}
    # A whole word always beats its parts: two of them cost at least 4.
    for piece, score in [*_pieces(words), *((letter, -14.0) for letter in letters)]:
        pieces.setdefault(piece, score)
    tokenizer = Tokenizer(models.Unigram(list(pieces.items()), unk_id=2, byte_fallback=False))
    tokenizer.normalizer = _normalizer()
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
        vocab_size=3072,
        show_progress=False,
        special_tokens=[start, end],
        initial_alphabet=alphabet,
        end_of_word_suffix="</w>",
    )
    tokenizer.train_from_iterator(_some_captions(), trainer)
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
