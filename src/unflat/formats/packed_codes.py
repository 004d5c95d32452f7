"""The 16-bit codes of a depth map, packed for a page: about half as large as a PNG of them.

PNG predicts bytes and knows nothing of 16-bit steps. Here each code is predicted from its three elder neighbours by
the plane through them (left + above - corner), as depth is mostly smooth; what is left is folded so that small
numbers of either sign are small (0, -1, 1, -2 … become 0, 1, 2, 3 …); all high bytes stand before all low ones; zlib
does the rest. All arithmetic is modulo 65536, so every map comes back as it was. ``web/src/codes.ts`` unpacks it.
"""

from __future__ import annotations

import zlib

import numpy as np
from numpy.typing import NDArray

from unflat.errors import InputError
from unflat.types.image import Size

_LEVEL = 9


def packed(codes: NDArray[np.uint16]) -> bytes:
    """(h, w) uint16 -> bytes."""
    edged = np.pad(codes, ((1, 0), (1, 0)))
    left = edged[1:, 1:] - edged[1:, :-1] - edged[:-1, 1:] + edged[:-1, :-1]
    folded = (left << np.uint16(1)) ^ (left.view(np.int16) >> 15).view(np.uint16)
    high, low = (folded >> np.uint16(8)).astype(np.uint8), (folded & np.uint16(255)).astype(np.uint8)
    return zlib.compress(high.tobytes() + low.tobytes(), _LEVEL)


def unpacked(data: bytes, size: Size) -> NDArray[np.uint16]:
    """The inverse of :func:`packed`.

    Raises:
        InputError: The bytes are damaged, or hold more or fewer codes than ``size`` has pixels.
    """
    count = size.width * size.height
    reader = zlib.decompressobj()
    try:
        plain = reader.decompress(data, 2 * count + 1)
    except (zlib.error, OverflowError) as error:  # a size beyond all memory overflows
        raise InputError("the depth inside the page is damaged") from error
    if len(plain) != 2 * count:
        raise InputError(f"the depth inside the page does not fill {size} pixels")
    high, low = np.frombuffer(plain, np.uint8).reshape(2, *size.shape).astype(np.uint16)
    folded = (high << np.uint16(8)) | low
    left = (folded >> np.uint16(1)) ^ (np.uint16(0) - (folded & np.uint16(1)))
    rows = np.cumsum(left, axis=1, dtype=np.uint16)
    return np.cumsum(rows, axis=0, dtype=np.uint16)
