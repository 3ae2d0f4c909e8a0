"""The glyphs as vector drawings: Noto Emoji (Apache-2.0), as packed for Iconify, rendered by resvg.

The table beside this file holds the drawings of all concepts. The repository does not contain it; to make it:

    npm pack @iconify-json/noto@1.2.3 && tar xzf iconify-json-noto-1.2.3.tgz
    python -m world.vectors package

That version is the last whose drawings agree with version 2.042 of the font Noto Color Emoji for every object of
the first tier; later ones redesign the butterfly, the zebra and others, which a trained model would have to relearn.
"""

from __future__ import annotations

import argparse
import gzip
import io
import json
from functools import lru_cache
from pathlib import Path

import numpy as np
import resvg_py
from PIL import Image

from .concepts import CONCEPTS

TABLE = Path(__file__).with_name("glyphs.json.gz")
UNITS = 128  # a side of every drawing
PROBE = 512  # pixels a side of the image in which the ink is found
FAINT = 4  # alpha up to which a pixel counts as clear there

Box = tuple[float, float, float, float]  # left, top, width and height


@lru_cache(maxsize=1)
def _table() -> dict[str, list]:
    """Glyph -> its ink's box, in units, and the body of its SVG."""
    return json.loads(gzip.decompress(TABLE.read_bytes()))


def _render(body: str, box: Box, width: int, height: int) -> Image.Image:
    """The part of a drawing within the box, RGBA with straight colour."""
    view = " ".join(f"{value:g}" for value in box)
    links = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    svg = f'<svg {links} viewBox="{view}" preserveAspectRatio="none">{body}</svg>'
    return Image.open(io.BytesIO(resvg_py.svg_to_bytes(svg_string=svg, width=width, height=height, skip_system_fonts=True))).convert("RGBA")


def draw(concept: str, reach: int) -> np.ndarray:
    """
    [h, w, 4] uint8 cropped to the ink, whose longer side is `reach` pixels: RGB times alpha, and alpha.
    KeyError for a concept without a drawing.
    """
    *box, body = _table()[CONCEPTS[concept].glyph]
    scale = reach / max(box[2:])
    straight = np.asarray(_render(body, tuple(box), *(max(1, round(side * scale)) for side in box[2:])))
    colour = straight[..., :3].astype(np.uint16) * straight[..., 3:] + 127
    return np.concatenate([(colour // 255).astype(np.uint8), straight[..., 3:]], -1)


def _name(glyph: str, names: dict[str, str], aliases: dict[str, dict]) -> str | None:
    points = [f"{ord(character):x}" for character in glyph]
    for key in ("-".join(points), "-".join(p for p in points if p != "fe0f")):
        if name := names.get(key):
            while name in aliases:
                name = aliases[name]["parent"]
            return name
    return None


def _ink(body: str) -> Box:
    alpha = _render(body, (0, 0, UNITS, UNITS), PROBE, PROBE).getchannel("A").point(lambda value: 255 * (value > FAINT))
    left, top, right, bottom = (round(edge * UNITS / PROBE, 2) for edge in alpha.getbbox())
    return left, top, round(right - left, 2), round(bottom - top, 2)


def pack(package: Path) -> None:
    """Writes the table from an unpacked Iconify package."""
    icons, names = (json.loads((package / file).read_text()) for file in ("icons.json", "chars.json"))
    table = {}
    for concept in CONCEPTS.values():
        name = _name(concept.glyph, names, icons.get("aliases", {}))
        if name is None:
            raise SystemExit(f"{package} has no drawing of {concept.key} ({concept.glyph})")
        body = icons["icons"][name]["body"]
        table[concept.glyph] = [*_ink(body), body]
    TABLE.write_bytes(gzip.compress(json.dumps(table, ensure_ascii=False, separators=(",", ":")).encode(), 9, mtime=0))
    print(json.dumps({"drawings": len(table), "bytes": TABLE.stat().st_size}))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("package", type=Path, help="folder of the unpacked package")
    pack(parser.parse_args().package)
