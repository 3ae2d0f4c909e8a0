"""The concepts: emoji and the names that people give them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

TABLE = Path(__file__).with_name("concepts.tsv")


@dataclass(frozen=True)
class Concept:
    """`tier` 1: learnt first; 2: what is asked for most; 3: popular things; 4: all others with a name; 5: signs and arrows."""

    glyph: str
    tier: int
    names: tuple[str, ...]
    plural: str

    @property
    def key(self) -> str:
        """The first, most natural name. Unique, as every name is."""
        return self.names[0]


def read(table: Path = TABLE) -> dict[str, Concept]:
    """Key -> concept, in the table's order: popular ones first."""
    out: dict[str, Concept] = {}
    seen: set[str] = set()
    for line in table.read_text().splitlines():
        glyph, tier, names, plural = line.split("\t")
        concept = Concept(glyph, int(tier), tuple(names.split("|")), plural)
        if taken := seen.intersection(concept.names):
            raise ValueError(f"{table}: {', '.join(sorted(taken))} names two glyphs")
        seen.update(concept.names)
        out[concept.key] = concept
    return out


CONCEPTS = read()


def names(key: str) -> tuple[tuple[str, ...], str]:
    """The natural names of a concept, the primary first, and the primary's plural."""
    concept = CONCEPTS[key]
    return concept.names, concept.plural


def known(tier: int) -> list[str]:
    """The keys of all concepts up to a tier."""
    return [c.key for c in CONCEPTS.values() if c.tier <= tier]
