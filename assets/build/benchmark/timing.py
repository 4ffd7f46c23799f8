"""Timers of the benchmark."""

from __future__ import annotations

import os
import time
from collections.abc import Callable


def seconds(work: Callable[[], object]) -> float:
    """How long ``work`` takes, once."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def repeated(work: Callable[[], object], at_least: float = 0.3) -> float:
    """How long ``work`` takes, as the mean over as many repetitions as fill ``at_least`` seconds."""
    started, times = time.perf_counter(), 0
    while time.perf_counter() - started < at_least:
        work()
        times += 1
    return (time.perf_counter() - started) / times


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
