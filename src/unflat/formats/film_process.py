"""Our side of ``film_child``: start it, hear it, end it when it hangs, turn what it says into errors of the house."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from unflat.errors import InputError, MemoryLimitError, OutputError, UnflatError
from unflat.formats import film_child
from unflat.formats.atomic import FULL

_PATIENCE_S = 300
"""Without a sign of life for so long, the child is taken to hang."""
_PIPE = 1 << 20
_HINT = "The film is damaged; copy it again, or convert it to MP4 with another program."
_SOUND_HINT = "The source may be damaged where only its sound or its subtitles are; convert it to MP4 first."


class Child:
    """A running ``film_child``."""

    def __init__(self, process: subprocess.Popen[bytes], word: str, name: str) -> None:
        self._process, self._name, self._word = process, name, word
        self._out: Any = process.stdout
        self._asked: float | None = None
        self._late, self._done = False, threading.Event()
        threading.Thread(target=self._watch, name="unflat film watch", daemon=True).start()

    def hand(self, task: dict[str, Any]) -> None:
        """Give it its task: as its input, for a long film has more segments than fit into an argument."""
        self._asked = time.monotonic()
        stdin: Any = self._process.stdin
        with suppress(BrokenPipeError), stdin:  # where it has died, what it said, or did not say, tells of that
            stdin.write(json.dumps(task).encode())
        self._asked = None

    def words(self) -> dict[str, Any]:
        """The next line.

        Raises:
            UnflatError: It says that something is wrong, or broke off.
        """
        self._asked = time.monotonic()
        line = self._out.readline()
        self._asked = None
        try:
            words: dict[str, Any] = json.loads(line)
        except ValueError:
            raise self._broken() from None
        if "error" in words:
            raise _told(words, self._name)
        return words

    def bytes(self, count: int) -> bytearray:
        """So many bytes.

        Raises:
            InputError: It broke off.
        """
        data = bytearray(count)
        left = memoryview(data)
        self._asked = time.monotonic()
        while left:
            got: int = self._out.readinto(left)
            if not got:
                raise self._broken()
            left = left[got:]
        self._asked = None
        return data

    def end(self) -> None:
        """Kill it if it runs."""
        self._done.set()
        self._process.kill()
        self._process.wait()
        self._out.close()

    def _broken(self) -> InputError:
        if self._word == "join":
            why = "took too long" if self._late else "broke off"
            return InputError(f"the parts of {self._name} cannot be joined: FFmpeg {why}", hint=_SOUND_HINT)
        if self._late:
            return InputError(f"{self._name} takes too long to read", hint=_HINT)
        return InputError(f"{self._name} cannot be read as a film: its decoder broke off", hint=_HINT)

    def _watch(self) -> None:
        """In a thread of its own: end the child when it is asked for something and says nothing."""
        while not self._done.wait(min(1.0, _PATIENCE_S / 4)):
            asked = self._asked
            if asked is not None and time.monotonic() - asked > _PATIENCE_S:
                self._late = True
                self._process.kill()
                return


@contextmanager
def child(word: str, task: dict[str, Any], name: str) -> Generator[Child]:
    """A child at work; it is ended with the block.

    Args:
        word: What it does.
        task: As JSON can carry it.
        name: Of the film, for messages.
    """
    command, pipe = [sys.executable, "-P", film_child.__file__, word], subprocess.PIPE
    process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, bufsize=_PIPE)
    _widen(process.stdout)
    one = Child(process, word, name)
    try:
        one.hand(task)
        yield one
    finally:
        one.end()


def _widen(pipe: Any) -> None:
    """Let more of a frame fit into the pipe, where the system can (Linux): fewer turns between the two processes."""
    if sys.platform == "linux":
        import fcntl

        with suppress(OSError):  # a user may hold only so much
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE)


def _told(words: dict[str, Any], name: str) -> UnflatError:
    """The child's failure, as ours."""
    message, hint = str(words["error"]), words.get("hint")
    if words.get("errno") in FULL:
        return OutputError("no room left on the disk", hint="Make room, or choose another disk with -o.")
    kinds: dict[int, type[UnflatError]] = {2: InputError, 6: MemoryLimitError, 9: OutputError, 70: UnflatError}
    kind = kinds.get(int(words.get("code", 2)), InputError)
    return kind(message if name in message else f"{name}: {message}", hint=hint)


def resolved(path: Path) -> str:
    """A path that another process finds, as JSON can carry it."""
    return os.fspath(path.resolve())
