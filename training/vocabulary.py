"""Writes vocabulary.json into a pipeline folder: what the model was taught to draw, and all other words.

The page tells of words that are neither, and offers names near to them in spelling or in meaning.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from world.captions import VOCABULARY, bound_numbers
from world.concepts import CONCEPTS, Concept
from world.everyday import Known, emoji, related, related_emoji


def vocabulary(tier: int) -> dict[str, object]:
    """
    `concepts`: the names of each concept up to a tier, the primary first. `words`: the captions' other
    words; several together are known only together. `emoji`: what to read in the place of one.
    `related`: known names near in meaning to a word or emoji that is not known.
    """
    concepts = [c for c in CONCEPTS.values() if c.tier <= tier]
    words = _other_words(concepts)
    known = _knower(concepts, words)
    drawn = emoji(concepts, known)
    near = related(known, _knower(list(CONCEPTS.values()), words))
    near_emoji = related_emoji(near, {name for c in concepts for name in c.names})
    return {
        "concepts": [list(c.names) for c in concepts],
        "words": sorted(words),
        "emoji": drawn,
        "related": near | {glyph: names for glyph, names in near_emoji.items() if glyph not in drawn},
    }


def _other_words(concepts: list[Concept]) -> set[str]:
    # Plurals that no rule makes ("mice") are words of their own.
    plurals = {word for c in concepts for word in c.plural.split()}
    names = {word for c in concepts for name in c.names for word in name.split()}
    regular = {word for word in plurals if word.removesuffix("s") in names or word.removesuffix("es") in names}
    bound = bound_numbers()
    return {*VOCABULARY, *(plurals - names - regular)} - set(bound) | set().union(*bound.values())


def _knower(concepts: list[Concept], words: set[str]) -> Known:
    """Whether a name or phrase is made of what the model was taught."""
    names = {name for c in concepts for name in (*c.names, c.plural)}
    single = words | {name for name in names if " " not in name}
    return lambda text: text in names or text in words or all(word in single for word in text.split())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tier", type=int, required=True, help="the last tier of concepts that was trained")
    args = parser.parse_args()
    made = vocabulary(args.tier)
    (args.folder / "vocabulary.json").write_text(json.dumps(made, ensure_ascii=False, indent=0) + "\n")
    print(json.dumps({part: len(content) for part, content in made.items()}))


if __name__ == "__main__":
    main()
