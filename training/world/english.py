"""The little English grammar that captions need: "a" or "an", and plurals."""

from __future__ import annotations

import re

ARTICLE = "@"  # stands for "a" or "an" until the next word is known

_AN_DESPITE_CONSONANT = ("hour", "heir", "honest", "x-ray", "x ray", "xray", "8", "11", "18", "mp3", "atm", "sos", "rv")
_A_DESPITE_VOWEL = ("uni", "use", "usb", "ufo", "uku", "ute", "eu", "one", "once", "ura", "ewe")
_AN_UNI = ("unin", "unim", "unid")

_IRREGULAR = {
    "person": "people", "child": "children", "mouse": "mice", "goose": "geese", "foot": "feet",
    "tooth": "teeth", "ox": "oxen", "leaf": "leaves", "wolf": "wolves", "knife": "knives",
    "loaf": "loaves", "calf": "calves", "elf": "elves", "half": "halves", "scarf": "scarves",
    "shelf": "shelves", "thief": "thieves", "cactus": "cacti", "die": "dice", "sheep": "sheep",
    "deer": "deer", "moose": "moose", "shrimp": "shrimp", "squid": "squid", "bison": "bison",
    "aircraft": "aircraft", "dice": "dice", "quiz": "quizzes", "passerby": "passersby",
}  # fmt: skip
_OES = ("tomato", "potato", "hero", "mango", "volcano", "tornado", "mosquito", "buffalo", "echo")
_MAN_STAYS = ("human", "roman", "german", "shaman", "talisman", "caiman")
_SINGULAR_S = ("lens", "gas", "canvas", "atlas", "pancreas", "christmas", "pegasus")
# What is one or several, and what only says more of it
_HEAD = re.compile(
    r"^(.+?)( (?:of|in|on|with|without|for|at|over) .+)$"
    r"|^(.*(?:person|man|woman|girl|boy|face|monkey|cat))( \w+ing\b.*)$"
)

# Names without a plural meaning "several of it": they take no article.
UNCOUNTABLE = frozenset(
    "bread rice money sushi popcorn broccoli garlic ginger corn fire water milk honey butter salt spaghetti pasta "
    "bacon meat cheese fog rain snow wind wheat grass jewelry jewellery luggage soap lightning wool yarn "
    "chess wine underwear earth saturn tea coffee juice ramen soup oil toast ice clothing chocolate footwear bamboo fruit".split()
)


def article(following: str) -> str:
    """The word "a" or "an", for the text that follows it."""
    text = following.lower()
    if text.startswith(_AN_DESPITE_CONSONANT):
        return "an"
    if text.startswith(_AN_UNI):
        return "an"
    return "an" if text[:1] in tuple("aeiou") and not text.startswith(_A_DESPITE_VOWEL) else "a"


def resolve_articles(text: str) -> str:
    """Every ARTICLE mark replaced by the article that fits the word after it."""
    return re.sub(rf"{ARTICLE} (?=(\S+))", lambda found: f"{article(found.group(1))} ", text)


def _split(name: str) -> tuple[str, str]:
    """A name's head and the rest, which may be empty: "loaf" and " of bread"."""
    found = _HEAD.match(name)
    return (found.group(1) or found.group(3), found.group(2) or found.group(4)) if found else (name, "")


def _head_word(name: str) -> str:
    """The word that is one or several: "loaf" of "fresh loaf of bread"."""
    return _split(name)[0].split()[-1].lower()


def is_plural(name: str) -> bool:
    """Whether a name is already plural ("grapes", "sunglasses"), so that "a" would be wrong before it."""
    word = _head_word(name)
    return word.endswith("s") and not word.endswith(("ss", "us", "is")) and word not in _SINGULAR_S


def takes_article(name: str) -> bool:
    """Whether "a" or "an" may stand before one of this."""
    return not (is_plural(name) or _head_word(name) in UNCOUNTABLE or name.lower().startswith("the "))


def pluralise(name: str) -> str:
    """The plural of a name of one or more words: "loaf of bread" gives "loaves of bread"."""
    head, rest = _split(name)
    if rest:
        return pluralise(head) + rest
    if " and " in name:
        return " and ".join(pluralise(part) for part in name.split(" and "))
    before, space, word = name.rpartition(" ")
    return before + space + _plural_word(word)


def _plural_word(word: str) -> str:
    low = word.lower()
    if low in _IRREGULAR:
        return _IRREGULAR[low]
    if is_plural(low) or low.endswith("fish"):
        return word
    if low.endswith("man") and low not in _MAN_STAYS:
        return word[:-3] + "men"
    if re.search(r"[^aeiou]y$", low):
        return word[:-1] + "ies"
    if low.endswith(("s", "x", "z", "ch", "sh")) or low in _OES:
        return word + "es"
    return word + "s"
