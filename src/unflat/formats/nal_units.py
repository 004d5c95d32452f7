"""The packets inside H.264 and H.265 streams (NAL units), and the bits in them.

Source: ITU-T H.264 and H.265: 7.3.1 (NAL units, emulation prevention), 7.2 and 9.1/9.2 (Exp-Golomb codes), annex B
(start codes); ISO/IEC 14496-15 (lengths instead of start codes).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import BinaryIO

from unflat.errors import InputError

_PIECE = 1 << 20
_LARGEST = 1 << 28


class EndOfBits(ValueError):
    """More bits were asked for than there are."""


def without_prevention(nal: bytes) -> bytes:
    """The content of a unit without the bytes 3 that keep start codes out of it."""
    return nal.replace(b"\0\0\3", b"\0\0") if b"\0\0\3" in nal else nal


def with_prevention(content: bytes) -> bytes:
    """The other way: a byte 3 after two zeros wherever a start code could be seen, and after a zero at the end."""
    guarded = re.sub(rb"\0\0(?=[\0-\3])", b"\0\0\3", content)
    return guarded + b"\3" if guarded.endswith(b"\0") else guarded


def by_start_codes(stream: bytes) -> Iterator[bytes]:
    """The units of a stream with start codes (annex B)."""
    places = [found.start() for found in re.finditer(b"\0\0\1", stream)]
    for start, stop in pairwise([*places, len(stream)]):
        unit = stream[start + 3 : stop].rstrip(b"\0")
        if unit:
            yield unit


def units_of(file: BinaryIO) -> Iterator[bytes]:
    """The units of a stream with start codes, of any length: no more than two of them are in memory.

    Raises:
        InputError: A unit is larger than any.
    """
    held = b""
    while piece := file.read(_PIECE):
        held += piece
        cut = held.rfind(b"\0\0\1")
        if cut > 0:
            yield from by_start_codes(held[:cut])
            held = held[cut:]
        if len(held) > _LARGEST:
            raise InputError("the stream is damaged: it holds no start codes", hint="Encode it again.")
    yield from by_start_codes(held)


def by_lengths(sample: bytes, width: int) -> Iterator[bytes]:
    """The units of a sample in which each has its length before it, in ``width`` bytes; ends where lengths lie."""
    at = 0
    while at + width <= len(sample):
        size = int.from_bytes(sample[at : at + width], "big")
        at += width
        if not 0 < size <= len(sample) - at:
            return
        yield sample[at : at + size]
        at += size


class Bits:
    """Reads bits from the front.

    Args:
        content: A unit's content, without prevention bytes.
    """

    def __init__(self, content: bytes) -> None:
        self._bits = int.from_bytes(content, "big")
        self._left = 8 * len(content)

    def u(self, count: int) -> int:
        """The next ``count`` bits as a number.

        Raises:
            EndOfBits: There are fewer.
        """
        if count > self._left:
            raise EndOfBits
        self._left -= count
        return self._bits >> self._left & (1 << count) - 1

    def ue(self) -> int:
        """An unsigned Exp-Golomb code.

        Raises:
            EndOfBits: It does not end, or is longer than any that is used.
        """
        zeros = 0
        while not self.u(1):
            zeros += 1
            if zeros > 32:
                raise EndOfBits
        return (1 << zeros) - 1 + self.u(zeros)


class BitWriter:
    """Collects bits."""

    def __init__(self) -> None:
        self._text: list[str] = []

    def u(self, value: int, count: int) -> None:
        """Add a number of ``count`` bits."""
        self._text.append(format(value, f"0{count}b"))

    def ue(self, value: int) -> None:
        """Add an unsigned Exp-Golomb code."""
        code = format(value + 1, "b")
        self._text.append("0" * (len(code) - 1) + code)

    def ended(self) -> bytes:
        """The bits, with a one and zeros up to the next whole byte."""
        bits = "".join(self._text)
        if len(bits) % 8:
            bits += "1"
            bits += "0" * (-len(bits) % 8)
        return int(bits, 2).to_bytes(len(bits) // 8, "big") if bits else b""
