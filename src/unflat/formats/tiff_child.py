"""Decodes a TIFF file in a process of its own, because libtiff prints about damaged files and may crash on them.

Run as a script with the word ``try``, ``pages`` or ``floats`` and the file on standard input. ``try`` only says whether
Pillow can decode it, ``pages`` whether it can decode all of its pages. ``floats`` answers with one line of JSON, then
the colours as native float32, RGB or RGBA, row by row.
It imports nothing of unflat.
"""

from __future__ import annotations

import io
import json
import struct
import sys
from collections.abc import Iterator
from typing import Any

_ROWS = 64
_FAULTS = (
    *(OSError, RuntimeError, ValueError, TypeError, KeyError, AttributeError, IndexError, SyntaxError),
    *(MemoryError, OverflowError, ArithmeticError, EOFError, struct.error),
)


def attempt(data: bytes, pages: bool = False) -> None:
    """Decode as the parent is going to, the first page or all; nothing is kept.

    Raises:
        OSError: Damaged, or any other of what Pillow raises.
    """
    from PIL import Image, TiffImagePlugin

    Image.MAX_IMAGE_PIXELS = None  # the parent has judged the size
    picture = TiffImagePlugin.TiffImageFile(io.BytesIO(data))
    for page in range(picture.n_frames if pages else 1):
        picture.seek(page)
        picture.load()


def floats(data: bytes) -> tuple[tuple[int, ...], Iterator[bytes]]:
    """The shape (h, w, 3 or 4) and the bytes of the colours, some rows at a time: they are large.

    Raises:
        ValueError: OpenCV cannot decode them.
    """
    import cv2
    import numpy as np

    def told(colours: Any, order: list[int]) -> Iterator[bytes]:
        for start in range(0, len(colours), _ROWS):
            with np.errstate(over="ignore"):
                yield colours[start : start + _ROWS, :, order].astype(np.float32).tobytes()

    try:
        colours = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error as error:
        raise ValueError("OpenCV cannot decode it") from error
    if colours is None or colours.ndim != 3 or colours.shape[2] not in (3, 4) or colours.dtype.kind != "f":
        raise ValueError("OpenCV cannot decode it")
    return colours.shape, told(colours, [2, 1, 0, 3][: colours.shape[2]])


def main() -> int:
    """Answer on standard output; 0, or 1 with a reason."""
    data = sys.stdin.buffer.read()
    body: Iterator[bytes] = iter(())
    try:
        if sys.argv[1] in ("try", "pages"):
            attempt(data, sys.argv[1] == "pages")
            words = {}
        else:
            shape, body = floats(data)
            words = {"shape": shape}
    except _FAULTS as error:
        words = {"error": " ".join(str(error).split())[:160] or type(error).__name__}
    sys.stdout.buffer.write(json.dumps(words).encode() + b"\n")
    for rows in body:
        sys.stdout.buffer.write(rows)
    return 1 if "error" in words else 0


if __name__ == "__main__":
    sys.exit(main())
