"""Says a scene in one of very many ways: all that the picture shows beyond the usual, and no more."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator

from . import phrases as p
from .caption_grounds import ground_after, ground_before, says_ground
from .english import ARTICLE, pluralise, resolve_articles, takes_article
from .scene import Group, Scene

Names = Callable[[str], tuple[tuple[str, ...], str]]

MOST_WORDS = 22
TRIES = 12


def caption(scene: Scene, names: Names, rng: random.Random) -> str:
    """
    One caption. `names(concept)` gives the natural names, the primary first, and the primary's
    plural. At most MOST_WORDS words, unless none of TRIES was so short: then the shortest.
    """
    shortest = ""
    for _ in range(TRIES):
        text = _caption(scene, names, rng)
        if len(text.split()) <= MOST_WORDS:
            return text
        if not shortest or len(text.split()) < len(shortest.split()):
            shortest = text
    return shortest


def _caption(scene: Scene, names: Names, rng: random.Random) -> str:
    style_form = _style_form(scene, rng)
    ground_first = rng.random() < 0.12 and style_form not in ("of", "tag first")
    picture = None if style_form in ("of", "noun") or ground_first else _picture_form(scene, rng)

    text = _subject(scene, names, style_form, picture == "noun", rng)
    if style_form == "of":
        text = f"{rng.choice(p.STYLE_OF[scene.style])} {text}"
    elif picture == "of":
        text = f"{rng.choice(p.PLAIN_PICTURE_OF if scene.style == 'plain' else p.PICTURE_OF)} {text}"

    after: list[Callable[[str], str]] = []
    if style_form == "after":
        after.append(lambda said: f"{said} {rng.choice(p.STYLE_AFTER[scene.style])}")
    elif style_form == "tag":
        after.append(lambda said: f"{said}, {rng.choice(p.STYLE_TAGS[scene.style])}")
    if scene.place != "centre":
        after.append(lambda said: _placed(said, scene, rng))
    elif scene.second is None and scene.first.count == "one" and rng.random() < 0.03:
        after.append(lambda said: _placed(said, scene, rng))
    said_ground = says_ground(scene, rng)
    if said_ground and not ground_first:
        after.append(lambda said: ground_after(said, scene, rng))
    start = 1 if style_form == "after" else 0  # "in neon" stays with the object
    after[start:] = rng.sample(after[start:], len(after) - start)
    for add in after:
        text = add(text)
    if said_ground and ground_first:
        text = ground_before(text, scene, rng)
    elif style_form == "tag first":
        text = f"{rng.choice(p.STYLE_TAGS[scene.style])}, {text}"
    elif rng.random() < 0.14:
        text = f"{rng.choice(p.REQUESTS)} {text}"
    return _finish(text, rng)


def _style_form(scene: Scene, rng: random.Random) -> str | None:
    """Where the style is said, None for the plain style. Adjectives and nouns are for one group only."""
    if scene.style == "plain":
        return None
    if scene.second:
        return rng.choices(("of", "after", "tag", "tag first"), (4, 3, 3, 1))[0]
    if scene.first.count != "one":
        return rng.choices(("of", "before", "after", "tag", "tag first"), (3, 3, 2, 2, 1))[0]
    return rng.choices(("of", "before", "noun", "after", "tag", "tag first"), (3, 4, 2, 2, 2, 1))[0]


def _picture_form(scene: Scene, rng: random.Random) -> str | None:
    """Words such as "a picture of" or "sticker" that change nothing, or None."""
    chance = rng.random()
    if chance < 0.12:
        return "of"
    one = scene.second is None and scene.first.count == "one"
    return "noun" if one and chance < 0.18 else None


def _subject(scene: Scene, names: Names, style_form: str | None, picture_noun: bool, rng: random.Random) -> str:
    """The objects with all that belongs to them, with article marks."""
    if scene.second is None:
        adjective = rng.choice(p.STYLE_BEFORE[scene.style]) if style_form == "before" else None
        noun = rng.choice(p.STYLE_NOUNS[scene.style]) if style_form == "noun" else None
        if picture_noun:
            noun = rng.choice(p.PLAIN_PICTURE_NOUNS if scene.style == "plain" else p.PICTURE_NOUNS)
        return _group(scene.first, names, rng, adjective, noun)
    relation = scene.relation or "next to"
    one = _group(scene.first, names, rng, in_pair=True)
    other = _group(scene.second, names, rng, in_pair=True)
    if rng.random() < 0.3:
        relation, one, other = p.MIRRORED[relation], other, one
    return rng.choice(p.RELATION_WORDS[relation]).format(a=one, b=other)


def _group(
    group: Group,
    names: Names,
    rng: random.Random,
    adjective: str | None = None,
    noun: str | None = None,
    in_pair: bool = False,
) -> str:
    """One group; `adjective` (a style) goes before the name and `noun` ("sticker") right after it."""
    known, plural = names(group.concept)
    name = known[0] if len(known) == 1 or rng.random() < 0.6 else rng.choice(known[1:])
    singular = group.count == "one"
    shown = name if singular else plural if name == known[0] else pluralise(name)
    before, after = _describe(group, rng, in_pair or noun is not None)
    if adjective:
        before.insert(rng.choice((0, len(before), len(before))), adjective)
    words = [*before, shown, *([noun] if noun else []), *after]
    if not singular:
        count = rng.choice(p.COUNT_WORDS[group.count])
        if " of" in shown and count.endswith(" of"):  # not "a pair of pairs of scissors"
            count = group.count
        words.insert(0, count)
    elif noun or takes_article(name):
        words.insert(0, rng.choice(p.COUNT_WORDS["one"]) if not in_pair and rng.random() < 0.05 else ARTICLE)
    return " ".join(words)


def _describe(group: Group, rng: random.Random, only_before: bool) -> tuple[list[str], list[str]]:
    """Words for size, tint and rotation before and after the name."""
    before: list[str] = []
    after: list[str] = []
    if group.rotation != "upright":
        if only_before or rng.random() < 0.3:
            before.append(rng.choice(p.ROTATED_BEFORE[group.rotation]))
        else:
            after.append(rng.choice(("", "", "", ", ")) + rng.choice(p.ROTATED_AFTER[group.rotation]))
    size_tag = None
    if group.size != "medium":
        if not only_before and rng.random() < 0.06:
            size_tag = rng.choice(p.SIZE_TAGS[group.size])
        else:
            before.insert(rng.randint(0, len(before)), rng.choice(p.SIZE_WORDS[group.size]))
    elif rng.random() < 0.01:
        before.append(rng.choice(p.SIZE_WORDS["medium"]))
    if group.tint:
        colour = rng.choice(p.COLOUR_WORDS[group.tint])
        if not only_before and rng.random() < 0.1:
            after.insert(0, rng.choice(p.TINTED_AFTER).format(c=colour))
        else:
            before.append(rng.choice(p.TINTED_BEFORE).format(c=colour))
    if size_tag:
        after.append(f", {size_tag}")
    return before, after


def _placed(said: str, scene: Scene, rng: random.Random) -> str:
    form = rng.choice(p.PLACED_FIRST) if rng.random() < 0.06 else rng.choice(p.PLACED)
    return form.format(s=said, p=rng.choice(p.PLACE_WORDS[scene.place]))


def _finish(text: str, rng: random.Random) -> str:
    """Articles put in, or at times left out; tidy spaces; sometimes a capital and an end mark."""
    if rng.random() < 0.18:
        text = re.sub(rf"(?<!\S){ARTICLE} (?!(?:pair|couple|trio|group|bunch|lot) of)", "", text)
    text = re.sub(r"\s+([,.])", r"\1", " ".join(resolve_articles(text).split()))
    if rng.random() < 0.12:
        text = text[0].upper() + text[1:]
    return text + rng.choices(("", ".", "!"), (93, 6, 1))[0]


def _strings(value: object) -> Iterator[str]:
    """All strings inside nested dictionaries and tuples, keys aside."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _strings(inner)
    elif isinstance(value, tuple):
        for inner in value:
            yield from _strings(inner)


def _phrases() -> list[list[str]]:
    """Every phrase of captions in words: lower case, split at anything but letters and digits."""
    texts = [t for name, value in vars(p).items() if name.isupper() and name != "MIRRORED" for t in _strings(value)]
    return [re.findall(r"[a-z0-9]+", re.sub(r"\{\w\}", " ", text)) for text in texts]


def _vocabulary() -> tuple[str, ...]:
    words = {word for phrase in _phrases() for word in phrase}
    return tuple(sorted(words | {"a", "an", *p.COUNT_WORDS}))


def bound_numbers() -> dict[str, set[str]]:
    """Numbers that count nothing, as in "8 bit" and "180 degrees", with all that they stand in."""
    counts = {word for texts in p.COUNT_WORDS.values() for text in texts for word in text.split()}
    found: dict[str, set[str]] = {}
    for phrase in _phrases():
        for number, unit in zip(phrase, phrase[1:]):
            if number.isdigit() and number not in counts:
                found.setdefault(number, set()).add(f"{number} {unit}")
    return found


# All words that captions have besides the names of objects: lower case, split at anything but letters and digits.
VOCABULARY: tuple[str, ...] = _vocabulary()
