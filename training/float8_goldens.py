"""Writes tests/golden/float8.json: what every byte means to PyTorch in its two 8-bit types.

    python float8_goldens.py ../tests/golden/float8.json
"""

import json
import math
import sys
from pathlib import Path

import torch


def meanings(dtype: torch.dtype) -> list[float | str]:
    """By byte; what is no finite number by its JavaScript name."""
    values = torch.arange(256).to(torch.uint8).view(dtype).float().tolist()
    names = {math.inf: "Infinity", -math.inf: "-Infinity"}
    return [v if math.isfinite(v) else names.get(v, "NaN") for v in values]


if __name__ == "__main__":
    golden = {
        "madeBy": f"training/float8_goldens.py, torch {torch.__version__}",
        "e4m3fn": meanings(torch.float8_e4m3fn),
        "e5m2": meanings(torch.float8_e5m2),
    }
    Path(sys.argv[1]).write_text(json.dumps(golden) + "\n")
