"""Does the model draw what was asked? Compositions that were never trained, seeds never used.

A classifier that knows rendered scenes alone (judge/) reads objects, colours, counts, places and
relations from the pictures. Beside each accuracy stands what it gets right on rendered scenes of the
same prompts: no model can be seen to do better. The Frechet distance is that of the classifier's
features to those of rendered scenes.

    evaluate.py FOLDER             make pictures with a pipeline folder and judge them
    evaluate.py --list FILE        only write the prompts, for `hicache generate --list` or `hicache bench`
    evaluate.py --pictures DIR     judge 0.png, 1.png and so on, made from that list
    evaluate.py --benchmark DIR    judge every folder that `hicache bench --pictures DIR` wrote

With a FOLDER and --pictures, pictures that are missing are made and kept there.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from judging.cases import Case, first_cases
from judging.network import Judge, load
from judging.report import accuracies, report
from judging.sheet import save_sheet
from world.concepts import known

SHEET = 64  # pictures on the sheet: the first of the list
MOST_CASES = 4096  # among which the prompts of a benchmark are looked for
BATCH = 16


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", help="pipeline folder, unless pictures are given")
    parser.add_argument("--judge", type=Path, default=Path(__file__).with_name("judge"), help="folder of the classifier")
    parser.add_argument("--tier", type=int, default=1, help="concepts up to this tier")
    parser.add_argument("--cases", type=int, default=256)
    parser.add_argument("--steps", type=int, default=28)
    parser.add_argument("--guidance", type=float, default=3.5)
    parser.add_argument("--undistilled", action="store_true", help="a folder from before the distillation: two passes a step")
    parser.add_argument("--guided-above", type=float, default=0, metavar="TIME", help="undistilled: one pass at flow times below")
    parser.add_argument("--list", type=Path, help="only write the prompts to this JSON file")
    parser.add_argument("--pictures", type=Path, help="folder of pictures")
    parser.add_argument("--benchmark", type=Path, help="judge the pictures of every method in this folder")
    parser.add_argument("--report", type=Path, help="JSON report")
    parser.add_argument("--sheet", type=Path, help=f"contact sheet of the first {SHEET}, PNG or WebP")
    args = parser.parse_args()
    if not (args.folder or args.pictures or args.list or args.benchmark):
        parser.error("a pipeline folder is needed to make pictures")
    return args


def read(path: Path) -> np.ndarray:
    image = Image.open(path)
    return np.asarray(image.convert("RGBA" if image.has_transparency_data else "RGB"))


def made(args: argparse.Namespace, todo: list[Case]) -> Iterator[np.ndarray]:
    """The pictures of the cases, by the pipeline in the folder."""
    from folder import load as load_pipeline
    from sampling import generate

    pipeline = load_pipeline(args.folder)
    for part in pipeline.trained().values():
        part.to("cuda" if torch.cuda.is_available() else "cpu")
    for start in range(0, len(todo), BATCH):
        part = todo[start : start + BATCH]
        prompts, seeds = [c.prompt for c in part], [c.seed for c in part]
        how = {"distilled": not args.undistilled, "guided_above": args.guided_above}
        yield from generate(pipeline, prompts, seeds, args.steps, args.guidance, **how)
        print(json.dumps({"pictures": start + len(part), "of": len(todo)}), flush=True)


def pictures_of(args: argparse.Namespace, todo: list[Case]) -> list[np.ndarray]:
    """Read from --pictures where they are there, else made, and kept there if it is given."""
    if not args.pictures:
        return list(made(args, todo))
    paths = [args.pictures / f"{i}.png" for i in range(len(todo))]
    missing = [i for i, path in enumerate(paths) if not path.exists()]
    if missing and not args.folder:
        raise SystemExit(f"{paths[missing[0]]} is not there; {len(missing)} of {len(todo)} pictures are missing")
    if missing:
        args.pictures.mkdir(parents=True, exist_ok=True)
        for i, picture in zip(missing, made(args, [todo[i] for i in missing]), strict=True):
            Image.fromarray(picture).save(paths[i])
    return [read(path) for path in paths]


def benchmark(folder: Path, judge: Judge, concepts: list[str]) -> dict:
    """Accuracies by method, for folder/METHOD/0.png and so on of the prompts in folder/prompts.json."""
    by_prompt = {(case.prompt, case.seed): case for case in first_cases(concepts, MOST_CASES)}
    prompts = json.loads((folder / "prompts.json").read_text())
    if strange := [one["prompt"] for one in prompts if (one["prompt"], one["seed"]) not in by_prompt]:
        raise SystemExit(f"cannot judge {strange[0]!r}: it is not one of the prompts of --list")
    todo = [by_prompt[one["prompt"], one["seed"]] for one in prompts]
    methods = {}
    for method in sorted(path for path in folder.iterdir() if path.is_dir()):
        found = accuracies(todo, judge.look([read(method / f"{i}.png") for i in range(len(todo))]), judge)
        methods[method.name] = {"object accuracy": found["object"]["right"], "background accuracy": found["ground"]["right"]}
        print(method.name, methods[method.name], flush=True)
    return {"pictures": len(todo), "methods": methods}


def main() -> None:
    args = parse_arguments()
    judge = load(args.judge)
    concepts = [key for key in known(args.tier) if key in judge.index]
    if args.benchmark:
        found = benchmark(args.benchmark, judge, concepts)
    else:
        todo = first_cases(concepts, args.cases)
        if args.list:
            args.list.write_text(json.dumps([{"prompt": c.prompt, "seed": c.seed} for c in todo], indent=1) + "\n")
            return
        pictures = pictures_of(args, todo)
        # What made the pictures of somebody else is for them to say.
        how = {"steps": args.steps, "guidance": args.guidance} if args.folder else {}
        found = how | report(todo, pictures, judge)
        print(json.dumps({"accuracy": found["accuracy"], "frechet distance": found["frechet distance"]}, indent=1))
        if args.sheet:
            save_sheet(pictures[:SHEET], [case.prompt for case in todo[:SHEET]], args.sheet)
    if args.report:
        args.report.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
