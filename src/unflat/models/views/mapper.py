"""Who places the pictures: pycolmap in a process of its own, or our own geometry where it is missing or ends."""

from __future__ import annotations

import importlib.util
import os
import pickle
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import unflat
from unflat.models.views.placement import Material, Placed

_MISSING = (
    "pycolmap is not installed, so the cameras were placed by OpenCV and our own adjustment: slower, and weaker where "
    'overlaps are thin; pip install "unflat[scan]" brings it, but not to ARM under Linux or Windows nor to Intel Macs'
)
_PATIENCE_S = 5.0


class Mapper:
    """Places pictures; pycolmap is loaded beside what else is done until it is asked. A context manager.

    Attributes:
        notes: What the user should know about how it was done.
    """

    def __init__(self) -> None:
        self.notes: tuple[str, ...] = ()
        self._process: subprocess.Popen[bytes] | None = None
        self._said: IO[bytes] | None = None

    def __enter__(self) -> Mapper:
        if importlib.util.find_spec("pycolmap") is None:
            self.notes = (_MISSING,)
            return self
        ours = str(Path(unflat.__file__).parents[1])
        paths = os.pathsep.join([ours, *filter(None, [os.environ.get("PYTHONPATH")])])
        self._said = tempfile.TemporaryFile()
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "unflat.models.views.mapping_child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            env={**os.environ, "PYTHONPATH": paths},
        )
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._end(kill=kind is not None)
        if self._said is not None:
            self._said.close()

    def models(self, material: Material, told: Callable[[int], None]) -> list[Placed]:
        """All models that come of the matches, the one of most pictures first.

        Args:
            material: Pictures and matches.
            told: Called with the number of pictures of the model that grows.
        """
        if self._process is not None:
            try:
                return self._ask(self._process, material, told)
            except (EOFError, OSError, pickle.UnpicklingError, RuntimeError) as error:
                self._end(kill=True)
                self.notes += (
                    f"pycolmap ended with a fault ({self._fault(error)}); the cameras were placed without it",
                )
        from unflat.models.views.plain_mapping import models_of

        return models_of(material, told)

    @staticmethod
    def _ask(process: subprocess.Popen[bytes], material: Material, told: Callable[[int], None]) -> list[Placed]:
        assert process.stdin is not None and process.stdout is not None
        pickle.dump(material, process.stdin)
        process.stdin.flush()
        while True:
            kind, what = pickle.load(process.stdout)
            if kind == "models":
                return what
            if kind == "failed":
                raise RuntimeError(what)
            told(what)

    def _fault(self, error: BaseException) -> str:
        """What the library said last of all of itself, in a few words."""
        assert self._said is not None
        self._said.seek(0)
        lines = [line.strip() for line in self._said.read().decode("utf-8", "replace").splitlines() if line.strip()]
        failed = [line[line.index("Check failed") :] for line in lines if "Check failed" in line]
        return (failed or lines[-1:] or [str(error) or type(error).__name__])[0][:120]

    def _end(self, *, kill: bool) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if kill:
            process.kill()
        pipes: list[Any] = [process.stdin, process.stdout]
        for pipe in pipes:
            with suppress(OSError):  # what was not written any more
                pipe.close()
        try:
            process.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
