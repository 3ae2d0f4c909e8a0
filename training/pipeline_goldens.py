"""Reference values for the pipeline's tests: forecast weights, schedules, token ids.

    python training/pipeline_goldens.py FOLDER

FOLDER is a pipeline folder in diffusers' layout; its tokenizers become the tests' fixtures.
Writes tests/golden/{weights,sigmas,tokens}.json and tests/golden/tokenizers/.
"""

from __future__ import annotations

import json
import shutil
import sys
from fractions import Fraction
from math import factorial
from pathlib import Path

import numpy as np
from diffusers import FlowMatchEulerDiscreteScheduler
from diffusers.pipelines.flux.pipeline_flux import calculate_shift
from numpy.polynomial import hermite as numpy_hermite
from transformers import PreTrainedTokenizerFast

GOLDEN = Path(__file__).resolve().parent.parent / "tests" / "golden"

PROMPTS = [
    "a big fox on a blue background",
    "A Big FOX on a Blue Background.",
    "",
    "   a   red\tapple \n and a ball  ",
    "a fox,a cat,and a ball",
    "a fox, a dog; (two balls) \"quoted\" it's don't we'll",
    "a zebra playing the saxophone",
    "a 🦊 on a blue background",
    "👩‍👩‍👧‍👦 family",
    "naïve café Ångström ﬁne",
    "狐 と 青い 背景",
    "Привет мир",
    "ΣΊΣΥΦΟΣ İstanbul straße",
    "a\u00a0fox\u3000on\u2009a blue background",
    "１２３ ｆｏｘ ①",
    "50% off!!! #1 @home a_b c-d e—f …",
    "zero\u200bwidth \ufeffmark",
    "a " * 40,
    "a fox and a ball and a cat and a dog and an apple and a banana and a car and a boat on a blue background",
    "supercalifragilisticexpialidocious antidisestablishmentarianism",
    "a fox </s> on a <unk> blue <pad> background",
    "a fox <|endoftext|> on a blue background",
    "▁a▁fox",
    "\u0000\u0007 control",
]


def hermite(n: int, x: float) -> float:
    return float(numpy_hermite.hermval(x, [0] * n + [1]))


def literal_forecast(basis, order, sigma, differences, positions, target) -> list[float]:
    """Weights, newest first, by running the published recursion on unit vectors."""
    features = [np.eye(len(positions))[j] for j in range(len(positions))]
    if differences == "paper":
        old: list[np.ndarray] = []
        previous = None
        for position, feature in zip(positions, features, strict=True):
            new = [feature]
            for i in range(order):
                if i >= len(old):
                    break
                new.append((new[i] - old[i]) / (position - previous))
            old, previous = new, position
        deltas = old
    else:
        deltas = []
        for i in range(min(order, len(positions) - 1) + 1):
            newest = range(len(positions) - 1 - i, len(positions))
            delta = np.zeros(len(positions))
            for j in newest:
                product = Fraction(1)
                for other in newest:
                    if other != j:
                        product *= positions[j] - positions[other]
                delta[j] = float(factorial(i) / product)
            deltas.append(delta)
    k = target - positions[-1]
    forecast = deltas[0].copy()
    for i, delta in enumerate(deltas[1:], start=1):
        if basis == "hermite":
            term = sigma**i * hermite(i, sigma * k)
        elif basis == "taylor":
            term = k**i
        elif basis == "taylor-scaled":
            term = sigma ** (2 * i) * k**i
        else:
            break
        forecast += delta * term / factorial(i)
    return forecast[::-1].tolist()


def weights() -> list[dict]:
    cases = []
    for basis in ("reuse", "taylor", "taylor-scaled", "hermite"):
        for order in range(5):
            for differences in ("paper", "divided"):
                for positions in ([0], [0, 1], [0, 1, 2], [1, 2, 9], [0, 1, 2, 9, 16], [2, 9, 13, 20, 23]):
                    for sigma, ahead in ((0.5, 1), (0.5, 6), (0.9, 3)):
                        target = positions[-1] + ahead
                        cases.append(
                            {
                                "settings": {
                                    "basis": basis,
                                    "order": order,
                                    "sigma": sigma,
                                    "differences": differences,
                                },
                                "anchors": positions[::-1],
                                "target": target,
                                "weights": literal_forecast(
                                    basis, order, sigma, differences, positions, target
                                ),
                            }
                        )
    return cases


def sigmas() -> list[dict]:
    cases = []
    for steps in (1, 2, 4, 28, 50):
        for config in (
            {"shift": 1.0, "use_dynamic_shifting": False},
            {"shift": 3.0, "use_dynamic_shifting": False},
            {"shift": 3.0, "use_dynamic_shifting": True},
        ):
            for image_tokens in (64, 4096) if config["use_dynamic_shifting"] else (64,):
                scheduler = FlowMatchEulerDiscreteScheduler(**config)
                mu = calculate_shift(
                    image_tokens,
                    scheduler.config.base_image_seq_len,
                    scheduler.config.max_image_seq_len,
                    scheduler.config.base_shift,
                    scheduler.config.max_shift,
                )
                scheduler.set_timesteps(sigmas=np.linspace(1.0, 1 / steps, steps), mu=mu)
                cases.append(
                    {
                        "steps": steps,
                        "imageTokens": image_tokens,
                        "scheduler": {
                            "shift": config["shift"],
                            "useDynamicShifting": config["use_dynamic_shifting"],
                            "baseShift": scheduler.config.base_shift,
                            "maxShift": scheduler.config.max_shift,
                            "baseImageTokens": scheduler.config.base_image_seq_len,
                            "maxImageTokens": scheduler.config.max_image_seq_len,
                        },
                        "sigmas": scheduler.sigmas.tolist(),
                    }
                )
    return cases


def tokens(folder: Path) -> list[dict]:
    t5 = PreTrainedTokenizerFast.from_pretrained(folder / "tokenizer_2")
    clip = PreTrainedTokenizerFast.from_pretrained(folder / "tokenizer")
    target = GOLDEN / "tokenizers"
    target.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(folder / "tokenizer_2" / "tokenizer.json", target / "t5.json")
    shutil.copyfile(folder / "tokenizer" / "tokenizer.json", target / "clip.json")

    def ids(tokenizer, prompt: str) -> list[int]:
        return tokenizer(
            prompt, padding="max_length", truncation=True, max_length=24
        ).input_ids

    return [{"prompt": p, "t5": ids(t5, p), "clip": ids(clip, p)} for p in PROMPTS]


def write(name: str, how: str, cases: list[dict]) -> None:
    rows = ",\n".join(json.dumps(case, ensure_ascii=False) for case in cases)
    (GOLDEN / name).write_text(f'{{"made": {json.dumps(how)}, "cases": [\n{rows}\n]}}\n')


if __name__ == "__main__":
    GOLDEN.mkdir(parents=True, exist_ok=True)
    by = "training/pipeline_goldens.py with"
    write("weights.json", f"{by} numpy.polynomial.hermite", weights())
    write("sigmas.json", f"{by} diffusers' FlowMatchEulerDiscreteScheduler", sigmas())
    write("tokens.json", f"{by} transformers' fast tokenizers", tokens(Path(sys.argv[1])))
