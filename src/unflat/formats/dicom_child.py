"""Decodes packed DICOM frames in a process of its own, because damaged ones can crash or hang their decoders.

Run as a script. For every line of JSON on its standard input (what the file says of its pixels, and ``bytes``, the
length of the frame that follows) it answers with one line of JSON, then the decoded rows. It imports nothing of unflat.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import warnings
from typing import Any

_FAULTS = (
    *(OSError, RuntimeError, ValueError, TypeError, KeyError, AttributeError, IndexError, ArithmeticError),
    *(MemoryError, EOFError, AssertionError, UnicodeError),
)
_ROOM = 1 << 30
"""Bytes beyond what the decoders themselves and the frame take."""


def decoded(words: dict[str, Any], frame: bytes) -> Any:
    """(rows, columns) of the numbers as they were packed.

    Raises:
        ValueError: Damaged, and the many other things that decoders raise.
    """
    sys.modules.setdefault("requests", None)  # type: ignore[arg-type]  # it would look for sockets: see dicom_late
    encaps: Any = importlib.import_module("pydicom.encaps")
    decoders: Any = importlib.import_module("pydicom.pixels")
    decoder = decoders.get_decoder(words["syntax"])
    array, _ = decoder.as_array(
        encaps.encapsulate([frame], has_bot=False),
        raw=True,
        index=0,
        rows=words["rows"],
        columns=words["columns"],
        number_of_frames=1,
        samples_per_pixel=1,
        photometric_interpretation="MONOCHROME2",
        bits_allocated=words["allocated"],
        bits_stored=words["stored"],
        pixel_representation=int(words["signed"]),
        pixel_keyword="PixelData",
    )
    if array.shape != (words["rows"], words["columns"]):
        raise ValueError(f"its shape is {array.shape}")
    return array


def answer(words: dict[str, Any], frame: bytes) -> tuple[dict[str, Any], bytes]:
    """What is told of one frame, and its rows."""
    try:
        array = decoded(words, frame)
    except _FAULTS as error:
        return {"error": type(error).__name__}, b""
    data = array.astype(array.dtype.newbyteorder("<")).tobytes()
    return {"dtype": array.dtype.newbyteorder("<").str, "bytes": len(data)}, data


def _bounded() -> None:
    """Where the system can, let no frame take more memory than any frame needs."""
    if sys.platform == "linux":
        import resource

        with open("/proc/self/statm", encoding="ascii") as told:  # noqa: PTH123 (this process starts as light as it can)
            mapped = int(told.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (mapped + 2 * _ROOM, mapped + 2 * _ROOM))


def main() -> int:
    """Answer until the input ends."""
    warnings.simplefilter("ignore")
    source = sys.stdin.buffer
    answers = os.fdopen(os.dup(1), "wb")
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)  # decoders print
    os.dup2(quiet, 2)
    _bounded()
    while line := source.readline():
        words = json.loads(line)
        told, data = answer(words, source.read(words["bytes"]))
        answers.write(json.dumps(told).encode() + b"\n" + data)
        answers.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
