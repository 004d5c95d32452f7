"""Work on all cores: on a list in bands that run side by side, on the items of a stream, or on its next ones ahead."""

from __future__ import annotations

import os
import queue
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import closing, suppress
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")
_LOOKING_S = 0.05
"""How often a thread with nowhere to put its item looks whether anybody still wants it."""
LEAST = 4096
"""A band is worth a thread from this many entries on."""


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class _Helpers:
    """Threads that stay: new ones often begin on the core of the thread that made them, and wait for it."""

    def __init__(self) -> None:
        self._pool: ThreadPoolExecutor | None = None
        self._lock = threading.Lock()

    def pool(self) -> ThreadPoolExecutor:
        """One thread less than there are cores, made when they are first asked for."""
        with self._lock:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(max(1, cores() - 1), thread_name_prefix="unflat band")
            return self._pool

    def forget(self) -> None:
        """In a forked child, where the parent's threads do not run."""
        self._pool, self._lock = None, threading.Lock()


_HELPERS = _Helpers()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_HELPERS.forget)


def in_bands(work: Callable[[int, int], object], length: int, least: int = LEAST, most: int | None = None) -> None:
    """Call ``work(start, stop)`` for bands that cover ``range(length)`` once.

    The result does not depend on how many bands there are if ``work`` reads and writes what belongs to its own
    entries only. It must let go of the interpreter's lock to gain anything, and must not come back here itself.

    Args:
        work: What is done to one band; called from several threads at once.
        length: How many entries there are.
        least: How many of them are worth a thread.
        most: No more bands than this; None: as many as there are cores.
    """
    bands = max(1, min(cores() if most is None else most, length // least))
    if bands == 1:
        if length:
            work(0, length)
        return
    ends = [length * i // bands for i in range(bands + 1)]
    others = [_HELPERS.pool().submit(work, ends[i], ends[i + 1]) for i in range(1, bands)]
    try:
        work(ends[0], ends[1])
    finally:
        wait(others)
    for other in others:
        other.result()


def side_by_side(work: Callable[[Item], Result], items: Iterable[Item], most: int | None = None) -> Generator[Result]:
    """Yield ``work(item)`` of each item, in their order, working on as many at once as there are cores.

    Items are taken, and results kept, no further ahead than that, however long the stream is.

    Args:
        work: Called from several threads at once; it may use :func:`in_bands`.
        items: The stream; read in the caller's thread.
        most: No more at once than this; None: as many as there are cores.
    """
    at_once = cores() if most is None else max(1, min(most, cores()))
    with ThreadPoolExecutor(at_once, thread_name_prefix="unflat") as pool:
        under_way: deque[Future[Result]] = deque()
        try:
            for item in items:
                under_way.append(pool.submit(work, item))
                if len(under_way) > at_once:
                    yield under_way.popleft().result()
            while under_way:
                yield under_way.popleft().result()
        finally:
            for future in under_way:
                future.cancel()


def ahead(items: Generator[Item], most: int = 2) -> Generator[Item]:
    """Yield what a generator yields, in its order, while a thread of its own makes the next ones.

    A chain of these is a production line: every station works on a frame of its own, and whichever is slowest sets
    the pace. Nothing is made further ahead than ``most`` items (and the one in the making).

    Args:
        items: Runs in the other thread from the first item on, and is closed there, also when the stream is left early.
        most: How many finished items may wait.
    """
    line: queue.Queue[list[Item]] = queue.Queue(max(1, most))
    left, failed = threading.Event(), list[BaseException]()

    def hand_over(made: list[Item]) -> bool:
        while not left.is_set():
            with suppress(queue.Full):
                line.put(made, timeout=_LOOKING_S)
                return True
        return False

    def make() -> None:
        try:
            with closing(items):
                for item in items:
                    if not hand_over([item]):
                        return
        except BaseException as error:  # noqa: BLE001  (raised again where the stream is read)
            failed.append(error)
        finally:
            hand_over([])

    maker = threading.Thread(target=make, name="unflat ahead", daemon=True)
    maker.start()
    try:
        while made := line.get():
            yield made[0]
        if failed:
            raise failed[0]
    finally:
        left.set()
        maker.join()
