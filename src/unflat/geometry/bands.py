"""Work on a long list, in bands that run side by side on all cores."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

LEAST = 4096
"""A band is worth a thread from this many entries on."""


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def in_bands(work: Callable[[int, int], object], length: int) -> None:
    """Call ``work(start, stop)`` for bands that cover ``range(length)`` once.

    The result does not depend on how many bands there are if ``work`` reads and writes what belongs to its own
    entries only. It must let go of the interpreter's lock to gain anything.

    Args:
        work: What is done to one band; called from several threads at once.
        length: How many entries there are.
    """
    bands = max(1, min(cores(), length // LEAST))
    if bands == 1:
        if length:
            work(0, length)
        return
    ends = [length * i // bands for i in range(bands + 1)]
    with ThreadPoolExecutor(bands - 1) as pool:
        others = [pool.submit(work, ends[i], ends[i + 1]) for i in range(1, bands)]
        work(ends[0], ends[1])
        for other in others:
            other.result()
