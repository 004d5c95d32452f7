"""What a run says of itself: seconds by stage, memory, warnings. Printed by ``--json``."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

Progress = Callable[[str], None]
"""Told the name of each stage as it begins."""


def silent(_stage: str) -> None:
    """The progress nobody watches."""


@dataclass(slots=True)
class Clock:
    """Seconds by stage; what a stage within another takes is the inner one's."""

    progress: Progress = silent
    seconds: dict[str, float] = field(default_factory=dict[str, float])
    _within: list[float] = field(default_factory=list[float])

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time one stage; the same name twice adds up."""
        self.progress(name)
        start = time.perf_counter()
        self._within.append(0.0)
        try:
            yield
        finally:
            took = time.perf_counter() - start
            self.seconds[name] = self.seconds.get(name, 0.0) + took - self._within.pop()
            if self._within:
                self._within[-1] += took


def peak_memory_mb() -> float | None:
    """The most memory this process ever held, in MB; None where the system does not tell (Windows)."""
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1e6 if sys.platform == "darwin" else 1e3)
