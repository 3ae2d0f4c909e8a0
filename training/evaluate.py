"""Does the model draw what was asked? Every object on several backgrounds, unseen seeds.

Object: the glyph of the font that is nearest in pixels, over small shifts and scales.
Background: the named colour nearest to the median of the picture's border.
Writes a JSON report and a contact sheet. With --pictures DIR it judges pictures that
somebody else made: DIR/prompts.json (from --list) names them 0.png, 1.png and so on.
With --benchmark DIR it judges every folder of pictures that `hicache bench --pictures DIR` wrote.
"""

from __future__ import annotations

import argparse
import json
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from scenes import BACKGROUNDS, COLOURS, OBJECTS, SIZES, _article, _scaled

REACH = 20  # pixels that an object may be off the centre
SCALES = (-6, -3, 0, 3, 6)  # pixels that it may be larger or smaller


@dataclass(frozen=True)
class Case:
    prompt: str
    object: str
    background: str
    size: str
    seed: int


def cases(per_object: int) -> list[Case]:
    """Backgrounds rotate so that every object meets different ones; seeds are never trained on."""
    out = []
    for i, name in enumerate(OBJECTS):
        for j in range(per_object):
            background = BACKGROUNDS[(3 * i + 4 * j) % len(BACKGROUNDS)]
            size = ("big", "medium", "small")[j % 3]
            words = " ".join(w for w in ("" if size == "medium" else size, name) if w)
            prompt = f"{_article(words)} on {_article(background)} background"
            out.append(Case(prompt, name, background, size, 1_000_000 + 97 * i + j))
    return out


def nearest_colour(picture: np.ndarray) -> str:
    edge = np.concatenate([picture[:3].reshape(-1, 3), picture[-3:].reshape(-1, 3)])
    edge = np.concatenate([edge, picture[:, :3].reshape(-1, 3), picture[:, -3:].reshape(-1, 3)])
    median = np.median(edge, 0)
    return min(COLOURS, key=lambda c: float(((median - COLOURS[c]) ** 2).sum()))


@dataclass(frozen=True)
class Templates:
    """Every glyph at every scale, centred: spectra of colours times alpha, and of alpha, and their sums of products."""

    names: list[str]
    colours: np.ndarray  # [glyphs, 3, side, side // 2 + 1]
    alphas: np.ndarray  # [glyphs, side, side // 2 + 1]
    colour_energy: np.ndarray  # [glyphs]: colours with themselves,
    cross_energy: np.ndarray  # [glyphs, 3]: colours with alpha,
    alpha_energy: np.ndarray  # [glyphs]: alpha with itself


@lru_cache(maxsize=None)
def templates(size: str, side: int) -> Templates:
    names, glyphs = [], []
    for name in OBJECTS:
        for extra in SCALES:
            sprite = _scaled(name, SIZES[size][0] * side // 128 + extra, None)
            h, w = sprite.shape[:2]
            glyph = np.zeros((side, side, 4), np.float32)
            top, left = (side - h) // 2, (side - w) // 2
            glyph[top : top + h, left : left + w] = sprite
            names.append(name)
            glyphs.append(glyph)
    planes = np.stack(glyphs).transpose(0, 3, 1, 2)
    spectra = np.conj(np.fft.rfft2(planes)).astype(np.complex64)
    colours, alphas = planes[:, :3], planes[:, 3]
    return Templates(
        names,
        spectra[:, :3],
        spectra[:, 3],
        (colours**2).sum((1, 2, 3)),
        (colours * alphas[:, None]).sum((2, 3)),
        (alphas**2).sum((1, 2)),
    )


def nearest_object(picture: np.ndarray, size: str) -> str:
    """
    Least squared pixel difference to any glyph, over all shifts at once: with the background taken
    off, |p - t|^2 = |p|^2 + |t|^2 - 2 p.t, where p.t over shifts is a correlation, and a template is
    linear in the background that its glyph hides.
    """
    side = picture.shape[0]
    edge = np.concatenate([picture[:3].reshape(-1, 3), picture[-3:].reshape(-1, 3)])
    ground = np.median(edge, 0)
    t = templates(size, side)
    shifted = (picture - ground).astype(np.float32).transpose(2, 0, 1)
    spectrum = np.fft.rfft2(shifted).astype(np.complex64)
    product = np.einsum("cij,gcij->gij", spectrum, t.colours) - np.tensordot(ground.astype(np.float32), spectrum, 1) * t.alphas
    correlation = np.fft.irfft2(product, (side, side))
    near = np.r_[0 : REACH + 1, side - REACH : side]
    best = correlation[:, near[:, None], near].max((1, 2))
    energy = t.colour_energy - 2 * t.cross_energy @ ground + t.alpha_energy * (ground**2).sum()
    return t.names[int((energy - 2 * best).argmin())]


def judge(path: Path, case: Case) -> tuple[bool, bool]:
    """Whether object and background are those asked for."""
    picture = np.asarray(Image.open(path).convert("RGB"))
    return nearest_object(picture, case.size) == case.object, nearest_colour(picture) == case.background


def benchmark(folder: Path, jobs: int) -> dict:
    """Accuracies by method, for folder/METHOD/0.png and so on of the prompts in folder/prompts.json."""
    # Objects, sizes and backgrounds come round after so many cases of an object.
    known = {case.prompt: case for case in cases(len(SIZES) * len(BACKGROUNDS))}
    prompts = json.loads((folder / "prompts.json").read_text())
    if strange := [one["prompt"] for one in prompts if one["prompt"] not in known]:
        raise SystemExit(f"cannot judge {strange[0]!r}: it is not one of the prompts of --list")
    todo = [known[one["prompt"]] for one in prompts]
    methods = {}
    with ProcessPoolExecutor(jobs) as pool:
        for method in sorted(path for path in folder.iterdir() if path.is_dir()):
            paths = [method / f"{i}.png" for i in range(len(todo))]
            objects, grounds = zip(*pool.map(judge, paths, todo, chunksize=8), strict=True)
            methods[method.name] = {
                "object accuracy": round(sum(objects) / len(todo), 4),
                "background accuracy": round(sum(grounds) / len(todo), 4),
            }
            print(method.name, methods[method.name], flush=True)
    return {"pictures": len(todo), "methods": methods}


def contact_sheet(pictures: list[np.ndarray], labels: list[str], columns: int = 8) -> Image.Image:
    cell, text = pictures[0].shape[0] + 6, 14
    rows = -(-len(pictures) // columns)
    sheet = Image.new("RGB", (columns * cell, rows * (cell + text)), "white")
    draw = ImageDraw.Draw(sheet)
    for i, (picture, label) in enumerate(zip(pictures, labels, strict=True)):
        x, y = i % columns * cell, i // columns * (cell + text)
        sheet.paste(Image.fromarray(picture), (x + 3, y + 3))
        draw.text((x + 4, y + cell - 2), label, fill="black")
    return sheet


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", help="pipeline folder, unless pictures are given")
    parser.add_argument("--per-object", type=int, default=4)
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--list", type=Path, help="only write the prompts to this JSON file")
    parser.add_argument("--pictures", type=Path, help="judge the pictures in this folder")
    parser.add_argument("--benchmark", type=Path, help="judge the pictures of every method in this folder")
    parser.add_argument("--jobs", type=int, default=1, help="processes, with --benchmark")
    parser.add_argument("--report", type=Path, help="JSON report")
    parser.add_argument("--sheet", type=Path, help="contact sheet, PNG")
    args = parser.parse_args()
    if args.benchmark:
        report = benchmark(args.benchmark, args.jobs)
        if args.report:
            args.report.write_text(json.dumps(report, indent=1) + "\n")
        return
    if not (args.folder or args.pictures or args.list):
        parser.error("a pipeline folder is needed to make pictures")
    todo = cases(args.per_object)
    if args.list:
        args.list.write_text(json.dumps([{"prompt": c.prompt, "seed": c.seed} for c in todo], indent=1))
        return
    pictures: list[np.ndarray] = []
    if args.pictures:
        pictures = [np.asarray(Image.open(args.pictures / f"{i}.png").convert("RGB")) for i in range(len(todo))]
    else:
        from folder import load
        from sampling import generate

        pipeline = load(args.folder)
        for start in range(0, len(todo), 32):
            part = todo[start : start + 32]
            pictures.extend(generate(pipeline, [c.prompt for c in part], [c.seed for c in part], args.steps))
    objects = [nearest_object(p, c.size) for p, c in zip(pictures, todo, strict=True)]
    grounds = [nearest_colour(p) for p in pictures]
    report = {
        "pictures": len(todo),
        "steps": args.steps,
        "object accuracy": round(np.mean([o == c.object for o, c in zip(objects, todo, strict=True)]).item(), 4),
        "background accuracy": round(np.mean([g == c.background for g, c in zip(grounds, todo, strict=True)]).item(), 4),
        "by size": {
            s: round(np.mean([o == c.object for o, c in zip(objects, todo, strict=True) if c.size == s]).item(), 4)
            for s in SIZES
        },
        "mistakes": [
            {"prompt": c.prompt, "seed": c.seed, "object": o, "background": g}
            for c, o, g in zip(todo, objects, grounds, strict=True)
            if (o, g) != (c.object, c.background)
        ],
    }
    print(json.dumps({k: v for k, v in report.items() if k != "mistakes"}))
    if args.report:
        args.report.write_text(json.dumps(report, indent=1) + "\n")
    if args.sheet:
        first = [i for i in range(len(todo)) if i % args.per_object == i // args.per_object % min(3, args.per_object)]
        sheet = contact_sheet([pictures[i] for i in first], [todo[i].prompt.removesuffix(" background")[:22] for i in first])
        sheet.quantize(256).save(args.sheet, optimize=True)


if __name__ == "__main__":
    main()
