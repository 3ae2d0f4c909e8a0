"""Trains the transformer, and the text encoders unless they rest, one lesson of the configuration at a time.

A lesson (`[lessons.NAME]`) is rectified flow on pictures of some shapes, at times on a part of
their tokens only; with `guidance` it is the distillation of classifier-free guidance into the
guidance embedding. A run that was cut resumes from its checkpoint in --work. A finished lesson
leaves a pipeline folder in half precision, from which alone the next lesson starts (--from).
Hidden matrices are trained by Muon, the rest by AdamW.
"""

from __future__ import annotations

import argparse
import json
import random
import time
import tomllib
from dataclasses import astuple
from pathlib import Path

import torch
from diffusers import AutoencoderTiny
from PIL import Image

from attention import Attention, compile_for_cpu
from data import Source
from flow import flow_loss, guidance_loss, times
from folder import Pipeline, load, new_pipeline, save
from keeping import Keeping, Shape
from marking import Marker
from optimizing import Average, learning_rate_factor, optimizers, set_rates
from pool import Fresh, Pool
from sampling import sheet


SHEET_STEPS = 16


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("config", type=Path)
    parser.add_argument("lesson", help="a name under [lessons] in the configuration")
    parser.add_argument("--out", type=Path, required=True, help="pipeline folder to write; its vae/ is used for a new model")
    parser.add_argument("--work", type=Path, required=True, help="checkpoints, pools, samples and log")
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--from", dest="start", type=Path, help="pipeline folder to continue from")
    parser.add_argument("--seed", type=int, default=11, help="of the scenes; give each run another one")
    parser.add_argument("--workers", type=int, default=0, help="processes that draw new scenes all the while")
    return parser.parse_args()


def pools(pipeline: Pipeline, lesson: dict, training: dict, args: argparse.Namespace, device: str) -> tuple[list[Pool], list[float]]:
    source = Source(
        lesson["tier"], tuple(lesson["shares"]), captions=training["captions"], typos=training["typos"], lone=lesson.get("lone", 0)
    )
    shapes = [Shape(*shape) for shape in lesson["shapes"]]
    shares = lesson.get("shape_shares", [1.0] * len(shapes))
    pipeline.autoencoder.to(device, memory_format=torch.channels_last).eval().requires_grad_(False)
    made = [
        Pool(pipeline, shape, source, round(lesson["scenes"] * share / sum(shares)), args.seed + i, device, args.work)
        for i, (shape, share) in enumerate(zip(shapes, shares, strict=True))
    ]
    return made, shares


class Run:
    """All that a checkpoint holds: weights, optimizers, averages, steps and seconds."""

    def __init__(
        self, pipeline: Pipeline, marker: Marker | None, name: str, lesson: dict, training: dict, work: Path, device: str
    ) -> None:
        for part in pipeline.trained().values():
            part.to(device).requires_grad_(False)
        self.parts = {n: p for n, p in pipeline.trained().items() if n == "transformer" or not lesson.get("text_rests")}
        if marker:
            self.parts["marker"] = marker.to(device)
        for part in self.parts.values():
            part.train().requires_grad_(True)
        if "guidance" not in lesson:
            # Until it is distilled, guidance says the same whatever its scale.
            pipeline.transformer.time_text_embed.guidance_embedder.requires_grad_(False)
        self.optimizers = optimizers(self.parts.values(), training)
        self.average = Average(self.parts, training["ema"])
        self.file, self.step, self.elapsed, self.samples = work / f"{name}.pt", 0, 0.0, 0
        if self.file.exists():
            state = torch.load(self.file, weights_only=True, map_location=device)
            for name, part in self.parts.items():
                part.load_state_dict(state["parts"][name])
            for optimizer, kept in zip(self.optimizers, state["optimizers"], strict=True):
                optimizer.load_state_dict(kept)
            self.average.load(state["average"])
            self.step, self.elapsed, self.samples = state["step"], state["elapsed"], state["samples"]

    def keep(self) -> None:
        state = {
            "parts": {n: p.state_dict() for n, p in self.parts.items()},
            "optimizers": [o.state_dict() for o in self.optimizers],
            "average": self.average.values,
            "step": self.step,
            "elapsed": self.elapsed,
            "samples": self.samples,
        }
        torch.save(state, self.file.with_suffix(".new"))
        self.file.with_suffix(".new").rename(self.file)

    def update(self, loss: torch.Tensor, factor: float) -> torch.Tensor:
        """One step of all optimizers; the length of the gradient that each was given."""
        set_rates(self.optimizers, factor)
        for optimizer in self.optimizers:
            optimizer.zero_grad(set_to_none=True)
        loss.backward()
        norms = []
        for optimizer in self.optimizers:
            norms.append(torch.nn.utils.clip_grad_norm_([p for g in optimizer.param_groups for p in g["params"]], 1.0))
            optimizer.step()
        self.step += 1
        self.average.update(self.step)
        return torch.stack(norms)


def main() -> None:
    args = parse_arguments()
    config = tomllib.loads(args.config.read_text())
    training, lesson = config["training"], config["lessons"][args.lesson]
    args.work.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(args.seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cuda":
        torch.set_float32_matmul_precision("high")
    # The tokenizers of a saved folder are kept, for merges are learnt anew in another order each time.
    saved = args.start or (args.out if (args.out / "model_index.json").exists() else None)
    if saved:
        pipeline = load(saved)
    else:
        pipeline = new_pipeline(config, AutoencoderTiny.from_pretrained(args.out / "vae", torch_dtype=torch.float32))
        save(pipeline, args.out, half=True)
    pipeline.config = {k: v for k, v in config.items() if k not in ("training", "lessons")}
    began = time.time()
    all_pools, shares = pools(pipeline, lesson, training, args, device)
    print(json.dumps({"lesson": args.lesson, "scenes": sum(len(p.latents) for p in all_pools), "drawn in s": round(time.time() - began)}), flush=True)
    fresh = Fresh(all_pools, args.workers) if args.workers else None
    teacher = load(saved or args.out) if "guidance" in lesson else None
    if teacher:
        for part in teacher.trained().values():
            part.to(device).eval().requires_grad_(False)

    marker = Marker(pipeline.transformer, lesson["tier"]) if lesson.get("marks") else None
    if marker and saved:
        marker.recall(saved)
    run = Run(pipeline, marker, args.lesson, lesson, training, args.work, device)
    if run.step:
        # Another noise than before the run was cut: pictures met again with the same one are learnt by heart.
        torch.manual_seed(hash((args.seed, run.step)))
    empty = tuple(ids.to(device) for ids in pipeline.tokenize([""]))
    loss_of = flow_loss if not teacher else guidance_loss
    for p in (pipeline, teacher) if teacher else (pipeline,):
        p.transformer.set_attn_processor(Attention(written_out=device == "cpu"))
        if device == "cpu":
            compile_for_cpu(p.transformer)
    if device == "cuda":
        loss_of = torch.compile(loss_of)

    keeping = Keeping(**lesson.get("keep", {}))

    def losses() -> tuple[torch.Tensor, torch.Tensor | None, torch.Tensor | None]:
        """Of the flow; of the marks, and the share of right ones, where the lesson asks for them."""
        pool = random.choices(all_pools, shares)[0]
        batch = pool.draw(lesson["batch"], keeping, training["dropout"], empty)
        at = times(lesson["batch"], training["time_mean"], device)
        if not teacher:
            return loss_of(pipeline, batch, at), *(marker(batch.marks) if marker else (None, None))
        low, high = lesson["guidance"]
        scale = low + (high - low) * torch.rand(lesson["batch"], device=device)
        return loss_of(pipeline, teacher, batch, empty, at, scale), None, None

    def export() -> None:
        """Saves the averaged weights as the pipeline folder, looks at them, and goes on with the raw ones."""
        with run.average.shown(), torch.compiler.set_stance("force_eager"):
            save(pipeline, args.out, half=True)
            if marker:
                marker.save(args.out)
            picture = sheet(pipeline, SHEET_STEPS, *astuple(all_pools[0].shape), distilled=teacher is not None)
            Image.fromarray(picture).save(args.work / f"{args.lesson}-{run.step:06d}.png")

    limit = args.minutes * 60
    started, mark, looked = time.time() - run.elapsed, time.time(), time.time()
    recent, named, norms, drawn = [], [], [], 0
    while (now := time.time()) - started < limit:
        run.elapsed = now - started
        if fresh:
            drawn += fresh.refresh()
        value, marking, right = losses()
        total = value if marking is None else value + lesson["marks"] * marking
        norms.append(run.update(total, learning_rate_factor(run.step, run.elapsed / limit, training["warmup_steps"], lesson["cooling"])))
        run.samples += lesson["batch"]
        recent.append(value.detach())
        if right is not None:
            named.append(right)
        if run.step % training["log_steps"] == 0:
            line = {"step": run.step, "samples": run.samples, "seconds": round(run.elapsed), "loss": round(torch.stack(recent).mean().item(), 4)}
            line |= {"rate": round(len(recent) * lesson["batch"] / (time.time() - mark), 1), "new scenes": drawn}
            line["gradients"] = [round(n, 2) for n in torch.stack(norms).mean(0).tolist()]
            if named:
                line["named"] = round(torch.stack(named).mean().item(), 3)
            print(json.dumps(line), flush=True)
            mark, recent, named, norms = time.time(), [], [], []
        if time.time() - looked > training["sample_minutes"] * 60:
            run.keep()
            export()
            mark = looked = time.time()
    run.keep()
    export()
    print(json.dumps({"lesson": args.lesson, "step": run.step, "samples": run.samples, "seconds": round(run.elapsed)}), flush=True)


if __name__ == "__main__":
    main()
