"""Where the time of training steps goes, and whether a GPU waits for the rest of the machine."""

from __future__ import annotations

import time
from collections.abc import Callable

import torch
from torch.profiler import ProfilerActivity, profile


def profiled(step: Callable[[], object], steps: int) -> str:
    """A table of what took longest, and how long a GPU worked. The steps are taken as any others."""
    cuda = torch.cuda.is_available()
    began = time.time()
    with profile(activities=[ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if cuda else [])]) as seen:
        for _ in range(steps):
            step()
        if cuda:
            torch.cuda.synchronize()
    took = (time.time() - began) / steps
    events = seen.key_averages()
    ordinary = events.table(sort_by="self_cpu_time_total", row_limit=12, max_name_column_width=60)
    if not cuda:
        return f"{1000 * took:.0f} ms a step\n{ordinary}"
    busy = sum(event.self_device_time_total for event in events) / 1e6 / steps
    kernels = events.table(sort_by="self_device_time_total", row_limit=16, max_name_column_width=60)
    return f"{1000 * took:.0f} ms a step, of which the GPU worked {1000 * busy:.0f} ms\n{kernels}\n{ordinary}"
