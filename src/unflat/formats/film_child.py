"""Reads films in a process of its own: a hostile film can crash, hang or swell FFmpeg, and that ends here.

Run as a script with a word; its task comes in JSON on standard input. It answers on standard output with one line of
JSON, and after it: for "look" two arrays of int64; for "frames" for every frame its time in ticks (int64) and its
pixels, then :data:`END` and another line of JSON. For "join" lines of JSON say how far it is, and what was not kept.
"""

from __future__ import annotations

import json
import os
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

END = -(1 << 62)
"""In the place of a frame's time: there are no more."""

MOST_BYTES = 12 << 30
"""Of memory asked for: what decoding 8K on sixteen cores takes, and far from what a made-up index could ask for."""

FAULTS = (ValueError, RuntimeError, ArithmeticError, LookupError, AttributeError, TypeError)


def _look(task: dict[str, Any], out: BinaryIO) -> None:
    from unflat.formats.film_look import look

    found = look(Path(task["path"]))
    words = found.words() | {"frames": len(found.shown), "keys": len(found.keys)}
    out.write(json.dumps(words).encode() + b"\n")
    out.write(found.shown.astype("<i8").tobytes())
    out.write(found.keys.astype("<i8").tobytes())


def _frames(task: dict[str, Any], out: BinaryIO) -> None:
    from unflat.formats.film_decode import Damage, Plan, frames

    damage = Damage()
    plan, key = Plan(**task["plan"]), task["key"]
    read = frames(
        Path(task["path"]), plan, None if key is None else (key[0], key[1]), task["first"], task["last"], damage
    )
    out.write(b"{}\n")
    try:
        for at, pixels in read:
            out.write(struct.pack("<q", at))
            out.write(pixels.data)
    finally:
        out.write(struct.pack("<q", END))
    out.write(json.dumps({"damaged": damage.packets, "said": damage.said}).encode() + b"\n")


def _join(task: dict[str, Any], out: BinaryIO) -> None:
    from unflat.formats.film_remux import remux

    for word in remux(task):
        told = {"note": word} if isinstance(word, str) else {"done": word}
        out.write(json.dumps(told).encode() + b"\n")
    out.write(b'{"end": true}\n')


_WAYS = {"look": _look, "frames": _frames, "join": _join}


def _out() -> BinaryIO:
    """Standard output for us alone: what libraries print goes nowhere."""
    mine = os.fdopen(os.dup(1), "wb", buffering=0)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    return _Whole(mine)  # pyright: ignore[reportReturnType]


class _Whole:
    """A pipe that takes all that it is given."""

    def __init__(self, raw: Any) -> None:
        self._raw, self.flush = raw, raw.flush

    def write(self, data: Any) -> int:
        for part in _parts(memoryview(data).cast("B")):
            left = part
            while left:
                left = left[self._raw.write(left) :]
        return len(data)


def _parts(data: memoryview) -> Iterator[memoryview]:
    for start in range(0, len(data), 1 << 20):
        yield data[start : start + (1 << 20)]


def _bounded() -> None:
    """Take no more memory than :data:`MOST_BYTES`, where the system can keep us to that."""
    try:
        import resource
    except ImportError:  # Windows
        return
    most = resource.getrlimit(resource.RLIMIT_AS)[1]
    most = MOST_BYTES if most == resource.RLIM_INFINITY else min(most, MOST_BYTES)
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


def main() -> int:
    """Answer; 0, or 1 with a reason."""
    out = _out()
    _bounded()
    from unflat.errors import UnflatError

    try:
        _WAYS[sys.argv[1]](json.load(sys.stdin.buffer), out)
    except UnflatError as error:
        words = {"error": str(error), "hint": error.hint, "code": error.exit_code}
    except MemoryError:
        words = {"error": "it does not fit in memory", "hint": None, "code": 6}
    except OSError as error:
        words = {"error": error.strerror or str(error), "hint": None, "code": 2, "errno": error.errno}
    except FAULTS as error:  # FFmpeg's, where a film has led it to what it does not do; any other is our own fault
        code = 2 if type(error).__module__.startswith("av.") else 70
        words = {"error": f"{type(error).__name__}: {error}"[:200], "hint": None, "code": code}
    else:
        return 0
    out.write(json.dumps(words).encode() + b"\n")
    return 1


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))
    sys.exit(main())
