"""C libraries that print about damaged files, kept off the terminal; what they printed is handed back."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

_LONGEST = 2000


@dataclass(slots=True)
class Heard:
    """What was printed; filled when the quiet ends."""

    text: str = ""


class _Hush:
    """File descriptor 2, turned into a temporary file while anybody asks for quiet; safe for threads."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.askers = 0
        self.kept = -1
        self.paper: BinaryIO | None = None

    def begin(self) -> int:
        with self.lock:
            if self.askers == 0:
                self.paper = tempfile.TemporaryFile()  # noqa: SIM115
                self.kept = os.dup(2)
                os.dup2(self.paper.fileno(), 2)
            self.askers += 1
            return os.fstat(2).st_size

    def end(self, start: int) -> str:
        with self.lock:
            self.askers -= 1
            if self.paper is None:
                return ""
            text = os.pread(self.paper.fileno(), _LONGEST, start) if hasattr(os, "pread") else b""
            if self.askers == 0:
                os.dup2(self.kept, 2)
                os.close(self.kept)
                self.paper.close()
                self.paper = None
            return text.decode(errors="replace")


_hush = _Hush()


@contextmanager
def quiet() -> Iterator[Heard]:
    """Keep file descriptor 2 of this process silent; the sentences of other threads in the meantime are lost too."""
    heard = Heard()
    start = _hush.begin()
    try:
        yield heard
    finally:
        heard.text = _hush.end(start)
