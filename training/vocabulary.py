"""Writes vocabulary.json into a pipeline folder: what the model was taught to draw, and all other words.

The page tells of words that are neither, and offers the nearest names.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from world.captions import VOCABULARY
from world.concepts import CONCEPTS


def vocabulary(tier: int) -> dict[str, list]:
    """`concepts`: the names of each concept up to a tier, the primary first. `words`: the captions' other words."""
    known = [c for c in CONCEPTS.values() if c.tier <= tier]
    # Plurals that no rule makes ("mice") are words of their own.
    plurals = {word for c in known for word in c.plural.split()}
    names = {word for c in known for name in c.names for word in name.split()}
    regular = {word for word in plurals if word.removesuffix("s") in names or word.removesuffix("es") in names}
    return {
        "concepts": [list(c.names) for c in known],
        "words": sorted({*VOCABULARY, *(plurals - names - regular)}),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tier", type=int, required=True, help="the last tier of concepts that was trained")
    args = parser.parse_args()
    made = vocabulary(args.tier)
    (args.folder / "vocabulary.json").write_text(json.dumps(made, ensure_ascii=False, indent=0) + "\n")
    print(json.dumps({"concepts": len(made["concepts"]), "words": len(made["words"])}))


if __name__ == "__main__":
    main()
