"""
The words and phrases of captions. What is typed more often stands more than once.

`@` stands for "a" or "an". Templates: {a} and {b} are objects, {c} and {d} colours, {s} all that is
said before, {g} a background, {n} a name. Every upper-case constant counts for the vocabulary.
"""

from __future__ import annotations

COLOUR_WORDS: dict[str, tuple[str, ...]] = {
    "red": ("red",) * 9 + ("crimson", "scarlet"),
    "orange": ("orange",),
    "yellow": ("yellow",) * 9 + ("golden",),
    "green": ("green",),
    "blue": ("blue",) * 12 + ("royal blue",),
    "purple": ("purple",) * 4 + ("violet",),
    "pink": ("pink",),
    "brown": ("brown",),
    "gray": ("gray", "grey"),
    "black": ("black",),
    "white": ("white",),
    "turquoise": ("turquoise",) * 4 + ("teal", "teal", "aqua", "cyan"),
}
DARKENED = "dark {c}"
DARK = "dark"

SIZE_WORDS: dict[str, tuple[str, ...]] = {
    "small": ("small",) * 5 + ("little",) * 2 + ("tiny",) * 3 + ("very small", "mini", "really small"),
    "medium": ("medium", "medium sized", "normal sized"),
    "big": ("big",) * 5 + ("large",) * 4 + ("huge", "huge", "giant", "giant", "enormous", "very big", "very large"),
}
SIZE_TAGS = {"small": ("small", "very small", "small size"), "big": ("big", "large", "very big", "large size")}

COUNT_WORDS: dict[str, tuple[str, ...]] = {
    "one": ("one", "@ single", "1", "the", "the", "just one"),
    "two": ("two",) * 6 + ("2",) * 3 + ("@ pair of", "@ couple of"),
    "three": ("three",) * 6 + ("3",) * 3 + ("@ trio of", "@ group of three"),
    "many": ("many",) * 4 + ("lots of",) * 3
    + ("several", "several", "@ bunch of", "@ bunch of", "@ group of", "@ lot of", "loads of", "multiple", "plenty of"),
}  # fmt: skip

TINTED_BEFORE = ("{c}",) * 14 + ("{c} coloured", "{c} colored", "{c}-coloured")
TINTED_AFTER = ("in {c}", "in {c}", "coloured {c}", "colored {c}", "painted {c}", "tinted {c}")

ROTATED_BEFORE: dict[str, tuple[str, ...]] = {
    "tilted left": ("left leaning", "left tilted", "left-leaning", "tilted left"),
    "tilted right": ("right leaning", "right tilted", "right-leaning", "tilted right"),
    "upside down": ("upside down",) * 3 + ("upside-down", "inverted", "flipped upside down"),
}
_TILTED = ("tilted to the {w}", "tilted to the {w}", "tilted {w}", "tilted {w}", "leaning {w}", "leaning to the {w}",
           "rotated to the {w}", "tilting {w}", "slanted to the {w}", "rotated {w}")  # fmt: skip
ROTATED_AFTER: dict[str, tuple[str, ...]] = {
    "tilted left": tuple(text.format(w="left") for text in _TILTED),
    "tilted right": tuple(text.format(w="right") for text in _TILTED),
    "upside down": ("upside down",) * 3
    + ("turned upside down", "flipped upside down", "hanging upside down", "the wrong way up", "rotated 180 degrees"),
}  # fmt: skip
_CORNER = ("in the {v} {h} corner", "in the {v} {h} corner", "in the {v} {h}", "at the {v} {h}", "{v} {h}",
           "on the {v} {h}", "{v} {h} corner", "at the {v} {h} of the picture")  # fmt: skip


def _corner(words: tuple[str, ...], side: str) -> tuple[str, ...]:
    # "top" and "bottom" are typed more often than "upper" and "lower"
    return tuple(text.format(v=word, h=side) for word in (words[0], words[0], words[1]) for text in _CORNER)


PLACE_WORDS: dict[str, tuple[str, ...]] = {
    "centre": ("in the middle", "in the centre", "in the center", "centered", "centred"),
    "top left": _corner(("top", "upper"), "left"),
    "top right": _corner(("top", "upper"), "right"),
    "bottom left": _corner(("bottom", "lower"), "left"),
    "bottom right": _corner(("bottom", "lower"), "right"),
}
PLACED = ("{s} {p}",) * 6 + ("{s}, {p}",) * 2
PLACED_FIRST = ("{p}, {s}", "{p} {s}")

# {a} stands in the relation to {b}. The mirrored form of each is reached through MIRRORED.
RELATION_WORDS: dict[str, tuple[str, ...]] = {
    "next to": ("{a} next to {b}",) * 4 + ("{a} and {b}",) * 3 + ("{a} beside {b}",) * 2
    + ("{a} with {b}", "{a} alongside {b}", "{a} by {b}", "{a} and {b} side by side", "{a} and {b} next to each other"),
    "left of": ("{a} to the left of {b}",) * 4 + ("{a} left of {b}",) * 3
    + ("{a} on the left of {b}", "{a} on the left side of {b}", "{a} on the left and {b} on the right",
       "{a} on the left, {b} on the right", "{a} left, {b} right", "{a} with {b} to its right",
       "{a} with {b} on the right"),
    "right of": ("{a} to the right of {b}",) * 4 + ("{a} right of {b}",) * 3
    + ("{a} on the right of {b}", "{a} on the right side of {b}", "{a} on the right and {b} on the left",
       "{a} on the right, {b} on the left", "{a} right, {b} left", "{a} with {b} to its left",
       "{a} with {b} on the left"),
    "above": ("{a} above {b}",) * 5 + ("{a} over {b}",) * 2
    + ("{a} on top of {b}", "{a} at the top and {b} at the bottom", "{a} with {b} below it", "{a} with {b} underneath",
       "{a} on top, {b} below"),
    "below": ("{a} below {b}",) * 4 + ("{a} under {b}",) * 3 + ("{a} underneath {b}", "{a} beneath {b}")
    + ("{a} at the bottom and {b} at the top", "{a} with {b} above it", "{a} below, {b} above"),
    "in front of": ("{a} in front of {b}",) * 7 + ("{a} with {b} behind it", "{a} with {b} behind"),
    "behind": ("{a} behind {b}",) * 7 + ("{a} with {b} in front of it", "{a} with {b} in front"),
}  # fmt: skip
MIRRORED = {
    "next to": "next to", "left of": "right of", "right of": "left of", "above": "below", "below": "above",
    "in front of": "behind", "behind": "in front of",
}  # fmt: skip

# Backgrounds that take an article; {c} may be empty, when the colour is left out.
GROUND_NOUNS: dict[str, tuple[str, ...]] = {
    "plain": ("{c} background",) * 8 + ("plain {c} background", "solid {c} background", "{c} backdrop", "{c} bg",
                                        "{c} bg"),
    "gradient": ("gradient background from {c} to {d}", "gradient from {c} to {d}", "{c} to {d} gradient",
                 "{c} to {d} gradient background", "{c} to {d} gradient background", "{c} and {d} gradient",
                 "background fading from {c} to {d}", "{c} to {d} background", "gradient of {c} and {d}",
                 "background that fades from {c} to {d}", "{c} {d} gradient", "{c} to {d} gradient bg",
                 "{c} background fading to {d}", "{c} background fading into {d}"),
    "striped": ("{c} striped background",) * 4 + ("striped {c} background",) * 3
    + ("{c} background with stripes",) * 2 + ("stripy {c} background", "{c} stripes background", "{c} striped bg",
                                              "{c} stripe pattern", "{c} striped backdrop"),
    "dotted": ("{c} dotted background",) * 3 + ("dotted {c} background",) * 2 + ("{c} polka dot background",) * 3
    + ("{c} background with dots", "{c} background with polka dots", "spotted {c} background", "{c} dotted bg",
       "{c} polka dot pattern"),
    "checkered": ("{c} checkered background",) * 3 + ("checkered {c} background",) * 2
    + ("chequered {c} background", "{c} chequered background", "{c} checked background", "{c} checkerboard background",
       "{c} background with checks", "{c} checkerboard", "{c} checkered bg", "{c} checkered pattern"),
    "starry": ("starry {c} background",) * 4 + ("{c} starry background",) * 2 + ("{c} background with stars",) * 3
    + ("{c} background full of stars", "{c} background with little stars", "starry {c} backdrop", "{c} star pattern"),
}  # fmt: skip
GRADIENT_UNSAID = ("gradient background", "gradient")
# Backgrounds after "on" without an article.
GROUND_BARE: dict[str, tuple[str, ...]] = {
    "plain": ("{c}",) * 5 + ("plain {c}", "solid {c}"),
    "striped": ("striped {c}", "{c} stripes", "{c} with stripes"),
    "dotted": ("dotted {c}", "polka dot {c}", "{c} with dots"),
    "checkered": ("checkered {c}", "chequered {c}", "{c} checks"),
    "starry": ("starry {c}", "{c} with stars"),
    "gradient": ("{c} fading to {d}", "{c} fading into {d}"),
}
ON_BARE = ("{s} on {g}",) * 5 + ("{s}, on {g}",)
ON_GROUND = ("{s} on @ {g}",) * 8 + ("{s}, {g}",) * 5 + (
    "{s} with @ {g}", "{s} with @ {g}", "{s} with {g}", "{s} against @ {g}", "{s}, on @ {g}", "{s}, with @ {g}",
    "{s} in front of @ {g}", "{s}. {g}",
)  # fmt: skip
ON_PLAIN_GROUND = ON_GROUND + ("{s} {g}",)
GROUND_FIRST = ("on @ {g}, {s}", "on @ {g}, {s}", "on @ {g} {s}", "{g} with {s}", "@ {g} with {s}", "{g}, {s}",
                "@ {g} and {s}")  # fmt: skip
CORNER_OF_GROUND = "{s} of @ {g}"

# The transparent ground. As for colours: nouns that take an article, and what stands alone.
TRANSPARENT_NOUNS = ("transparent background",) * 8 + ("transparent bg", "transparent backdrop", "clear background",
                                                       "see-through background", "fully transparent background")  # fmt: skip
TRANSPARENT_AFTER = (
    ("{s}, no background", "{s} with no background", "{s} without background", "{s} without a background") * 2
    + ("{s} on transparent", "{s}, transparent", "{s}, isolated", "{s} isolated", "{s}, isolated on transparent")
    + ("{s}, background removed", "{s} with the background removed", "{s}, cutout", "{s} cut out", "{s}, cut out")
    + ("{s} png", "{s}, png", "{s}, transparent png", "{s} transparent png", "{s} as a transparent png")
)
TRANSPARENT_FIRST = (
    "transparent png of {s}", "@ transparent png of {s}", "png of {s}", "@ cutout of {s}", "transparent background, {s}",
    "no background, {s}", "on @ transparent background, {s}", "@ transparent image of {s}",
)  # fmt: skip

STYLE_OF: dict[str, tuple[str, ...]] = {
    "outline": ("@ line drawing of", "@ outline of", "@ outline of", "line art of", "@ sketch of", "outline drawing of"),
    "silhouette": ("@ silhouette of", "@ silhouette of", "silhouette of", "the silhouette of", "@ shadow of"),
    "pixel art": ("pixel art of", "pixel art of", "@ pixel art of", "@ pixelated picture of", "@ pixel art picture of",
                  "@ 8 bit picture of", "8-bit art of", "@ pixel sprite of"),
    "paper cut-out": ("@ paper cut-out of", "@ paper cutout of", "@ paper cut out of", "paper craft of",
                      "@ papercraft of", "@ paper cut of"),
    "neon": ("@ neon sign of", "@ glowing neon sign of", "@ neon drawing of", "neon art of", "@ neon light of"),
    "watercolour": ("@ watercolour of", "@ watercolour painting of", "@ watercolor painting of",
                    "watercolor painting of", "@ watercolor of", "@ aquarelle of", "@ aquarelle painting of"),
    "blueprint": ("@ blueprint of", "@ blueprint of", "@ blueprint drawing of", "@ technical drawing of",
                  "blueprint of"),
    "sticker": ("@ sticker of",) * 5 + ("sticker of", "sticker of", "@ die cut sticker of", "@ die-cut sticker of", "@ vinyl sticker of",
                "@ sticker design of"),
}  # fmt: skip
STYLE_BEFORE: dict[str, tuple[str, ...]] = {
    "outline": ("outlined", "line art", "outline", "line drawn"),
    "silhouette": ("silhouetted", "silhouette", "shadow"),
    "pixel art": ("pixel art", "pixel art", "pixelated", "pixel", "8 bit", "8-bit"),
    "paper cut-out": ("paper cut-out", "paper cutout", "paper", "papercut", "paper craft", "cut out paper"),
    "neon": ("neon", "neon", "neon", "glowing neon", "neon light"),
    "watercolour": ("watercolour", "watercolor", "aquarelle", "watercolour painted"),
    "blueprint": ("blueprint", "blueprint style"),
    "sticker": ("sticker", "sticker style", "die cut"),
}
STYLE_NOUNS: dict[str, tuple[str, ...]] = {
    "outline": ("outline", "line art", "line drawing"),
    "silhouette": ("silhouette", "silhouette", "shadow"),
    "pixel art": ("pixel art", "sprite in pixel art"),
    "paper cut-out": ("paper cut-out", "paper cutout", "papercraft"),
    "neon": ("neon sign", "neon light"),
    "watercolour": ("watercolour", "watercolor painting", "aquarelle"),
    "blueprint": ("blueprint", "technical drawing"),
    "sticker": ("sticker",) * 6 + ("sticker with white outline", "sticker with @ white outline", "sticker with @ white border",
                "die cut sticker", "vinyl sticker", "sticker design"),
}  # fmt: skip
STYLE_AFTER: dict[str, tuple[str, ...]] = {
    "outline": ("as line art", "as an outline", "in outline style", "in line art style", "drawn in outline"),
    "silhouette": ("as a silhouette", "in silhouette", "as a shadow", "silhouette style"),
    "pixel art": ("in pixel art style", "as pixel art", "in pixel art", "in 8 bit style", "made of pixels"),
    "paper cut-out": ("cut out of paper", "made of paper", "as a paper cut-out", "in paper cutout style",
                      "in papercraft style"),
    "neon": ("in neon", "in neon style", "as a neon sign", "made of neon lights", "glowing in neon"),
    "watercolour": ("in watercolour", "in watercolor", "painted in watercolour", "in watercolor style", "as an aquarelle",
                    "as a watercolour painting"),
    "blueprint": ("as a blueprint", "in blueprint style", "as a technical drawing"),
    "sticker": ("as a sticker", "as a sticker", "in sticker style", "as a die cut sticker", "with a white outline",
                "with white outline", "with a white border", "with a thick white border"),
}  # fmt: skip
STYLE_TAGS: dict[str, tuple[str, ...]] = {
    "outline": ("outline", "line art", "line drawing", "outline style"),
    "silhouette": ("silhouette", "silhouette style"),
    "pixel art": ("pixel art", "pixel art", "pixel art style", "8 bit", "pixelated"),
    "paper cut-out": ("paper cut-out", "paper cutout", "papercraft", "paper craft style"),
    "neon": ("neon", "neon style", "neon sign", "glowing neon"),
    "watercolour": ("watercolour", "watercolor", "watercolor style", "aquarelle"),
    "blueprint": ("blueprint", "blueprint style", "technical drawing"),
    "sticker": ("sticker", "sticker", "sticker style", "die cut sticker", "white outline", "white border", "sticker with white outline"),
}

# Words for any picture, then those that go with the plain style only.
PICTURE_OF = ("@ picture of",) * 4 + ("@ image of", "@ image of", "picture of", "@ icon of")
PLAIN_PICTURE_OF = PICTURE_OF + (
    "@ drawing of", "@ drawing of", "drawing of", "@ icon of", "@ emoji of", "emoji of", "@ cartoon of",
    "@ illustration of", "@ photo of", "clipart of",
)  # fmt: skip
PICTURE_NOUNS = ("icon",) * 3 + ("picture", "image")
PLAIN_PICTURE_NOUNS = PICTURE_NOUNS + ("emoji", "emoji", "drawing", "clipart", "cartoon")
REQUESTS = ("please draw", "draw", "draw", "draw me", "i want", "i want", "i would like", "show me", "make",
            "create", "generate", "give me", "can you draw", "make me", "i need", "could you make",
            "this is", "there is")  # fmt: skip
