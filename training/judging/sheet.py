"""Many pictures on one sheet, each with its prompt."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

COLUMNS = 8
CELL = 160  # pixels of a picture on the sheet
GAP = 6
LINE = 12  # height of a line of text
LINES = 3
FONT_SIZE = 10


def _lines(text: str, font: ImageFont.FreeTypeFont) -> list[str]:
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if font.getlength(longer) <= CELL:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines[:LINES]


def contact_sheet(pictures: list[np.ndarray], labels: list[str]) -> Image.Image:
    """Pictures [height, width, 3] uint8 in rows of COLUMNS, their labels beneath."""
    font = ImageFont.load_default(FONT_SIZE)
    wide, high = CELL + GAP, CELL + LINES * LINE + GAP
    sheet = Image.new("RGB", (COLUMNS * wide + GAP, -(-len(pictures) // COLUMNS) * high + GAP), "white")
    draw = ImageDraw.Draw(sheet)
    for i, (picture, label) in enumerate(zip(pictures, labels, strict=True)):
        x, y = GAP + i % COLUMNS * wide, GAP + i // COLUMNS * high
        sheet.paste(Image.fromarray(picture).resize((CELL, CELL), Image.Resampling.LANCZOS), (x, y))
        for n, line in enumerate(_lines(label, font)):
            draw.text((x, y + CELL + 1 + n * LINE), line, fill="black", font=font)
    return sheet


def save_sheet(pictures: list[np.ndarray], labels: list[str], path: Path) -> None:
    """A PNG of 256 colours, or whatever else the file's name says."""
    sheet = contact_sheet(pictures, labels)
    if path.suffix == ".png":
        sheet.quantize(256).save(path, optimize=True)
    else:
        sheet.save(path, quality=85)
