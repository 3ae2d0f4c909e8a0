"""Words and emoji that people type although no caption has them, and what a model may draw in their place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from .concepts import CONCEPTS, Concept

FOLDER = Path(__file__).parent
Known = Callable[[str], bool]


def _rows(table: str) -> list[tuple[str, str]]:
    """The two columns of a table, which may have comments."""
    lines = (FOLDER / table).read_text().splitlines()
    return [(left, right) for left, right in (line.split("\t") for line in lines if not line.startswith("#"))]


def related(known: Known, may_be_known: Known) -> dict[str, list[str]]:
    """
    Word -> known names that are near to it in meaning, the nearest first: a synonym, a kind of it, what it
    is a kind of, or another of its kind. `known` says what the model was taught; ValueError for a name that
    no model can be taught, by `may_be_known`.
    """
    out: dict[str, list[str]] = {}
    for words, names in _rows("related.tsv"):
        options = names.split("|")
        if wrong := [name for name in options if not may_be_known(name)]:
            raise ValueError(f"related.tsv: nothing is named {', '.join(wrong)}")
        for word in words.split("|"):
            if word in out:
                raise ValueError(f"related.tsv has {word} twice")
            out[word] = [] if known(word) else [name for name in options if known(name)]
    return {word: names for word, names in out.items() if names}


def related_emoji(words: dict[str, list[str]], drawn: set[str]) -> dict[str, list[str]]:
    """Emoji of other concepts -> those names near to them, by `related`, that name something drawn."""
    near = {c.glyph: next((words[name] for name in c.names if name in words), []) for c in CONCEPTS.values()}
    things = {glyph: [name for name in names if name in drawn] for glyph, names in near.items()}
    return {glyph: names for glyph, names in things.items() if names}


def emoji(concepts: list[Concept], known: Known) -> dict[str, str]:
    """Emoji -> the words for what it shows, if the model draws that: those of the concepts, then look-alikes."""
    alike = {glyph: words for glyph, words in _rows("emoji.tsv") if known(words)}
    return {**alike, **{c.glyph: c.key for c in concepts}}
