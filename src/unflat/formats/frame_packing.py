"""The message in H.264 (and H.265) streams by which a 3D television knows that two views share a frame.

It is the frame packing arrangement, a supplemental enhancement information (SEI) message of type 45; kind 3 is side by
side, 4 is top and bottom. A set that obeys it stretches each half of the frame to the whole screen, so it is only true
of half-size views. libx264 writes it when asked (``frame-packing`` in its parameters); for other encoders
:func:`message` is put in front of the pictures.

Source: ITU-T H.264, 7.3.2.3.1, D.1.26 and D.2.26; ITU-T H.265, D.2.16, whose first fields are the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from unflat.formats.nal_units import Bits, BitWriter, EndOfBits, with_prevention, without_prevention
from unflat.types.stereo import Layout

KINDS = {0: "checkerboard", 1: "columns", 2: "rows", 3: "side by side", 4: "top and bottom", 5: "in turn"}
_PACKED = {Layout.HALF_SBS: 3, Layout.HALF_TB: 4}
_MESSAGE = 45
_LEFT_FIRST, _RIGHT_FIRST = 1, 2
_H264_SEI, _H264_PICTURES = 6, (1, 2, 5)
_H265_SEI = (39, 40)


@dataclass(frozen=True, slots=True)
class FramePacking:
    """What a message says.

    Attributes:
        kind: One of :data:`KINDS`.
        right_first: The right view is the one on the left, above, or first.
    """

    kind: int
    right_first: bool

    def to_plain(self) -> dict[str, str]:
        """Plain values for a report."""
        return {"packing": KINDS.get(self.kind, str(self.kind)), "first": "right" if self.right_first else "left"}


def message(layout: Layout) -> bytes | None:
    """The message as one unit of an H.264 stream, to stand in front of the first slice; None where it is not true.

    It holds until the next sequence begins, so every picture that can be entered at needs one.
    """
    kind = _PACKED.get(layout)
    if kind is None:
        return None
    bits = BitWriter()
    bits.ue(0)  # its number
    bits.u(0, 1)  # not cancelled
    bits.u(kind, 7)
    bits.u(0, 1)  # not quincunx
    bits.u(_LEFT_FIRST, 6)
    bits.u(0, 6)  # nothing flipped, no fields, no alternation, neither view decodes alone
    bits.u(0, 16)  # both grids begin in the corner
    bits.u(0, 8)  # reserved
    bits.ue(1)  # until the next sequence
    bits.u(0, 1)  # no extension
    payload = bits.ended()
    return with_prevention(bytes([_H264_SEI, _MESSAGE, len(payload)]) + payload + b"\x80")


def packing_in(units: Iterable[bytes], coding: str) -> FramePacking | None:
    """The first message among the units of a picture.

    Args:
        units: NAL units without start codes.
        coding: ``h264`` or ``hevc``.
    """
    for unit in units:
        for kind, payload in _messages(unit, coding):
            if kind == _MESSAGE:
                found = _packing(payload)
                if found is not None:
                    return found
    return None


def is_slice(unit: bytes) -> bool:
    """Whether a unit of an H.264 stream holds a part of a picture."""
    return unit[0] & 31 in _H264_PICTURES


def _messages(unit: bytes, coding: str) -> Iterator[tuple[int, bytes]]:
    """Kind and content of every message in a unit; ends where lengths lie."""
    if coding == "h264":
        head = 1 if unit[:1] and unit[0] & 31 == _H264_SEI else 0
    else:
        head = 2 if len(unit) > 1 and unit[0] >> 1 & 63 in _H265_SEI else 0
    if not head:
        return
    content = without_prevention(unit)
    at = head
    while at + 2 < len(content):
        numbers: list[int] = []
        for _ in range(2):
            value = 0
            while at < len(content) and content[at] == 0xFF:
                value, at = value + 255, at + 1
            if at >= len(content):
                return
            numbers.append(value + content[at])
            at += 1
        kind, size = numbers
        if size > len(content) - at:
            return
        yield kind, content[at : at + size]
        at += size


def _packing(payload: bytes) -> FramePacking | None:
    bits = Bits(payload)
    try:
        bits.ue()
        if bits.u(1):
            return None
        kind = bits.u(7)
        bits.u(1)
        return FramePacking(kind, bits.u(6) == _RIGHT_FIRST)
    except EndOfBits:
        return None
