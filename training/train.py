"""Trains the transformer, and the text encoders unless they rest, by lessons of the configuration.

A lesson (`[lessons.NAME]`) is rectified flow on images of some shapes, at times on a part of
their tokens only; with `guidance` it is the distillation of classifier-free guidance into the
guidance embedding, and with `self_guidance` guidance is learnt along the way. A run that was cut,
or ended by SIGTERM, which it answers with a checkpoint, resumes from that in --work. A finished lesson
leaves a pipeline folder in half precision, from which alone the next lesson starts (--from);
several lessons of one call share what they can. Hidden matrices are trained by Muon, the rest by AdamW.
"""

from __future__ import annotations

import argparse
import json
import signal
import threading
import time
import tomllib
from dataclasses import astuple
from pathlib import Path

import torch
from diffusers import AutoencoderTiny
from PIL import Image

from attention import Attention, compile_blocks
from flow import PLAIN, early, flow_loss, guidance_loss, high_times, self_guided_loss
from folder import Pipeline, load, new_pipeline, save
from keeping import Keeping
from marking import Marker
from optimizing import learning_rate_factor
from pool import OF_SCENES, Scenes
from profiling import profiled
from run import Log, Run
from sampling import sheet
from watching import Watch


SHEET_STEPS = 16


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("config", type=Path)
    parser.add_argument("lessons", nargs="+", help="names under [lessons] in the configuration")
    parser.add_argument("--out", type=Path, required=True, help="pipeline folder to write; its vae/ is used for a new model")
    parser.add_argument("--work", type=Path, required=True, help="checkpoints, pools, samples and log")
    parser.add_argument("--minutes", type=float, nargs="+", required=True, help="for each of the lessons")
    parser.add_argument("--from", dest="start", type=Path, help="pipeline folder to continue from")
    parser.add_argument("--seed", type=int, default=11, help="of the scenes; give each run another one")
    parser.add_argument("--workers", type=int, default=0, help="processes that draw new scenes all the while")
    parser.add_argument("--judge", type=Path, help="folder of a judge, whose figures are logged with each sheet")
    parser.add_argument("--judged", type=int, default=48, help="cases that it judges")
    parser.add_argument("--profile", type=int, default=0, metavar="STEPS", help="tell where the time goes, after the first log line")
    args = parser.parse_args()
    if len(args.minutes) != len(args.lessons):
        parser.error(f"--minutes wants a number for each of the {len(args.lessons)} lessons")
    return args


class Schoolroom:
    """What all lessons of a call have in common."""

    def __init__(self, args: argparse.Namespace, config: dict, pipeline: Pipeline, device: str) -> None:
        self.args, self.config, self.pipeline, self.device = args, config, pipeline, device
        pipeline.config = {k: v for k, v in config.items() if k not in ("training", "lessons")}
        pipeline.autoencoder.to(device, memory_format=torch.channels_last).eval().requires_grad_(False)
        self.prepare(pipeline)
        self.empty = tuple(ids.to(device) for ids in pipeline.tokenize([""]))
        self.watch = Watch(args.judge, 1, args.judged) if args.judge else None
        self.scenes: Scenes | None = None
        self.of: dict = {}

    def prepare(self, pipeline: Pipeline) -> None:
        """To be fast on the device; nothing is trained unless a lesson says so."""
        for part in pipeline.trained().values():
            part.to(self.device).requires_grad_(False)
        self.make_fast(pipeline.transformer)

    def make_fast(self, transformer: torch.nn.Module) -> None:
        transformer.set_attn_processor(Attention(written_out=self.device == "cpu"))
        compile_blocks(transformer)

    def scenes_for(self, lesson: dict, folder: Path) -> Scenes:
        """Those of the lesson before, if it wanted the same. `folder` is that of the pipeline."""
        wanted = {key: lesson.get(key) for key in OF_SCENES}
        if self.scenes and self.of == wanted:
            return self.scenes
        self.close()
        began = time.time()
        self.of = wanted
        training, args = self.config["training"], self.args
        self.scenes = Scenes(self.pipeline, folder, lesson, training, args.seed, args.workers, self.device, args.work)
        print(json.dumps({"scenes": self.scenes.filled, "drawn in s": round(time.time() - began)}), flush=True)
        return self.scenes

    def close(self) -> None:
        if self.scenes:
            self.scenes.stop()


def _averaged(room: Schoolroom, run: Run) -> torch.nn.Module:
    """A transformer whose weights are those that the run averages, as they are at any time."""
    trained = room.pipeline.transformer
    transformer = type(trained).from_config(trained.config)
    transformer.load_state_dict(run.average.values["transformer"], assign=True)
    room.make_fast(transformer.eval().requires_grad_(False))
    return transformer


_ended = threading.Event()  # by SIGTERM


def teach(room: Schoolroom, name: str, minutes: float, start: Path) -> None:
    """One lesson, which leaves the averaged weights in the modules and in the folder. `start`: the folder they came from."""
    args, pipeline, device = room.args, room.pipeline, room.device
    training, lesson = room.config["training"], room.config["lessons"][name]
    scenes = room.scenes_for(lesson, start)
    teacher = load(start) if "guidance" in lesson else None
    if teacher:
        room.prepare(teacher)
    marker = Marker(pipeline.transformer, lesson["tier"]) if lesson.get("marks") else None
    if marker:
        marker.recall(start)
    # Of this seed alone: the same lesson with another one begins anew, from other weights.
    run = Run(pipeline, marker, args.work / f"{name}-{args.seed}.pt", lesson, training, device)
    # When a run goes on, another noise than before: pictures met again with the same one are learnt by heart.
    torch.manual_seed(args.seed * 1_000_003 + run.step)
    keeping = Keeping(**lesson.get("keep", {}))
    average = _averaged(room, run) if "self_guidance" in lesson else None

    def losses() -> tuple[torch.Tensor, torch.Tensor | None, torch.Tensor | None]:
        """Of the flow; of the marks, and the share of right ones, where the lesson asks for them."""
        batch = scenes.draw(lesson["batch"], keeping, training["dropout"], room.empty)
        mean = lesson.get("time_mean", training["time_mean"])
        at = high_times(lesson["batch"], mean, lesson.get("high", 1.0), lesson.get("high_share", 0.0), device)
        if average:
            low, high, share = lesson["self_guidance"]
            scale = low + (high - low) * torch.rand(lesson["batch"], device=device)
            scale[torch.rand(lesson["batch"], device=device) >= share] = PLAIN
            value = self_guided_loss(pipeline, average, batch, room.empty, at, scale)
            return value, *(marker(batch.marks) if marker else (None, None))
        if not teacher:
            value = flow_loss(pipeline, batch, at, lesson.get("contrast", 0.0), lesson.get("noises", 1))
            return value, *(marker(batch.marks) if marker else (None, None))
        low, high = lesson["guidance"]
        scale = low + (high - low) * torch.rand(lesson["batch"], device=device)
        unguided = early(lesson["batch"], mean, lesson.get("guided_above", 0))
        return guidance_loss(pipeline, teacher, batch, room.empty, at, scale, unguided), None, None

    def export() -> None:
        """Saves the averaged weights as the pipeline folder, looks at them, and goes on with the raw ones."""
        with run.average.shown(), torch.compiler.set_stance("force_eager"):
            save(pipeline, args.out, half=True)
            if marker:
                marker.save(args.out)
            picture = sheet(pipeline, SHEET_STEPS, *astuple(scenes.shapes[0]), distilled=bool(teacher or average))
            Image.fromarray(picture).save(args.work / f"{name}-{run.step:06d}.png")
            if room.watch:
                found = room.watch.look(pipeline, distilled=bool(teacher or average))
                print(json.dumps({"lesson": name, "step": run.step, "samples": run.samples, "judged": found}), flush=True)

    limit = minutes * 60
    started, kept, looked = time.time() - run.elapsed, time.time(), time.time()
    drawn, before = 0, run.samples  # new scenes of this call, and samples before it
    log = Log(name)

    def step() -> None:
        nonlocal drawn
        drawn += scenes.refresh(lesson.get("fresh", float("inf")) * (run.samples - before) - drawn)
        value, marking, right = losses()
        total = value if marking is None else value + lesson["marks"] * marking
        factor = learning_rate_factor(run.step, run.elapsed / limit, training["warmup_steps"], lesson["cooling"])
        norms = run.update(total, factor * lesson.get("rate", 1))
        run.samples += lesson["batch"]
        log.add(value, right, norms, lesson["batch"])

    while (now := time.time()) - started < limit and not _ended.is_set():
        run.elapsed = now - started
        step()
        if args.profile and run.step == training["log_steps"]:
            print(profiled(step, args.profile), flush=True)
        if run.step % training["log_steps"] == 0:
            log.print(run, drawn)
        if time.time() - kept > training["keep_minutes"] * 60:
            run.keep()
            kept = time.time()
        if time.time() - looked > training["sample_minutes"] * 60:
            export()
            looked = time.time()
            log.begin()
    run.keep()
    if _ended.is_set():
        return
    export()
    run.average.give()
    if marker:
        marker.leave()
    log.print(run, drawn)


def main() -> None:
    args = parse_arguments()
    config = tomllib.loads(args.config.read_text())
    args.work.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(args.seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cuda":
        torch.set_float32_matmul_precision("high")
        # cuDNN's attention was seen to read outside its memory in the backward pass of 109 tokens (PyTorch 2.11, H200).
        torch.backends.cuda.enable_cudnn_sdp(False)
    # The tokenizers of a saved folder are kept, for merges are learnt anew in another order each time.
    start = args.start or (args.out if (args.out / "model_index.json").exists() else None)
    if start:
        pipeline = load(start)
    else:
        pipeline = new_pipeline(config, AutoencoderTiny.from_pretrained(args.out / "vae", torch_dtype=torch.float32))
        save(pipeline, args.out, half=True)
        start = args.out
    room = Schoolroom(args, config, pipeline, device)
    signal.signal(signal.SIGTERM, lambda number, frame: _ended.set())
    for name, minutes in zip(args.lessons, args.minutes, strict=True):
        teach(room, name, minutes, start)
        start = args.out
        if _ended.is_set():
            break
    room.close()


if __name__ == "__main__":
    main()
