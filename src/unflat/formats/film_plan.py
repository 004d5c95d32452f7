"""How the frames of a film are to be shown, by what the first one and its stream say: shape, turn, colours, fields.

Sources: ISO/IEC 14496-12, 8.3.2 (matrix), ITU-T H.273 (colour codes), SMPTE ST 2086 (brightness of the mastering
display). Runs in ``film_child``'s process.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from unflat.errors import InputError
from unflat.formats.film_decode import Plan
from unflat.formats.film_source import MOST_PIXELS, faults

_MATRICES = {1: "ITU709", 4: "FCC", 5: "ITU601", 6: "ITU601", 7: "SMPTE240M", 9: "BT2020", 10: "BT2020"}
_PRIMARIES = {1: "bt709", 9: "bt2020", 11: "p3", 12: "p3"}
_PQ, _HLG, _FULL = 16, 18, 2
_OBLONG = Fraction(8)
_WIDE, _TALL = 1280, 576
"""Frames wider or taller than standard television are taken for high definition where they do not say."""


def plan_of(stream: Any, frame: Any, *, counted: bool, interlaced: bool, notes: list[str]) -> Plan:
    """How the frames of a film are treated.

    Args:
        stream: It.
        frame: Its first one, decoded.
        counted: Its time stamps are of no use.
        interlaced: Some of its frames are woven of two fields.
        notes: Is told what had to be decided.

    Raises:
        InputError: Its frames are too large.
    """
    width, height = frame.width, frame.height
    shape = stream.sample_aspect_ratio
    if shape and shape != 1 and 1 / _OBLONG <= shape <= _OBLONG and abs(round(width * shape) - width) > 1:
        width = max(1, round(width * shape))
        notes.append(f"its pixels are not square ({shape.numerator}:{shape.denominator}): frames are {width} wide")
    if width * height > MOST_PIXELS:
        raise InputError(f"its frames have {width}×{height} pixels", hint="Make it smaller first.")
    turn = _turn(frame)
    if turn != 1:
        notes.append("its frames were turned upright")
    if interlaced:
        notes.append("its frames are woven of two fields: they were taken apart (bwdif), one frame of each")
    full = int(frame.color_range) == _FULL or str(frame.format.name).startswith("yuvj")
    matrix = _MATRICES.get(int(frame.colorspace))
    if matrix is None:
        matrix = "ITU709" if frame.width >= _WIDE or frame.height > _TALL else "ITU601"
    return Plan(stream.index, counted, width, height, turn, matrix, full, interlaced, _tone(frame, full, notes))


def upright_size(plan: Plan) -> tuple[int, int]:
    """Width and height of the frames that are handed out."""
    return (plan.height, plan.width) if plan.turn >= 5 else (plan.width, plan.height)


def _tone(frame: Any, full: bool, notes: list[str]) -> dict[str, Any] | None:
    """What is done about high dynamic range and wide colours; None is nothing."""
    transfer, primaries = int(frame.color_trc), _PRIMARIES.get(int(frame.color_primaries))
    curve = {_PQ: "pq", _HLG: "hlg"}.get(transfer, "srgb")
    if curve == "srgb" and primaries in (None, "bt709"):
        return None
    from unflat.geometry.hdr import Tone

    bits = max(8, min(16, frame.format.components[0].bits))
    white = 65535 if frame.format.is_rgb else ((1 << bits) - 1 if full else 255 << (bits - 8)) << (16 - bits)
    words: dict[str, Any] = {
        "curve": curve,
        "primaries": primaries or "bt2020",
        "peak_nits": _peak(frame) if curve == "pq" else 1000.0,
        "white": white,
    }
    notes.append(str(Tone(**words)))
    return words


def _side(frame: Any, name: str) -> bytes | None:
    """What stands beside a frame, or None."""
    import av

    try:
        data = frame.side_data.get(name)
    except faults(av):  # side data of a kind that PyAV does not know
        return None
    return None if data is None else bytes(data)


def _peak(frame: Any) -> float:
    """How bright the film gets, in cd/m²: its brightest pixel, or else the display that it was mastered on."""
    from unflat.geometry.hdr import USUAL_PEAK_NITS, WHITE_NITS

    light, display = _side(frame, "CONTENT_LIGHT_LEVEL"), _side(frame, "MASTERING_DISPLAY_METADATA")
    nits = USUAL_PEAK_NITS
    if light is not None and int.from_bytes(light[:4], "little") >= WHITE_NITS:
        nits = float(int.from_bytes(light[:4], "little"))
    elif display is not None and len(display) >= 88:
        numbers = np.frombuffer(display[:88], "<i4")
        if numbers[21] and numbers[19] > 0:
            nits = float(numbers[18] / numbers[19])
    return float(np.clip(nits, WHITE_NITS, 10_000))


def _turn(frame: Any) -> int:
    """How the frame is turned upright, as EXIF 0x0112 counts, by its display matrix."""
    data = _side(frame, "DISPLAYMATRIX")
    if data is None:
        return {0: 1, 90: 8, -90: 6, 180: 3, -180: 3, 270: 6, -270: 8}.get(round(frame.rotation / 90) * 90, 1)
    a, b, _, c, d, *_ = (int(v) for v in np.frombuffer(data, np.int32)[:9])
    if abs(a) + abs(d) >= abs(b) + abs(c):
        return {(True, True): 1, (False, True): 2, (False, False): 3, (True, False): 4}[(a >= 0, d >= 0)]
    return {(True, True): 5, (True, False): 6, (False, False): 7, (False, True): 8}[(b > 0, c > 0)]
