"""The stereo pair of a HEIF picture, as :mod:`unflat.formats.spatial_heic`, Apple's devices and others write it.

Read without trust; nothing is decoded. Source: ISO/IEC 23008-12 (``ster``, ``cmin``, ``cmex``, ``clap``, ``irot``).
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass

from unflat.errors import InputError
from unflat.formats.heif_read import HeifTable, heif_table
from unflat.formats.spatial_heic import DISPARITY, DISPARITY_UNIT, EXTRINSICS, FURTHEST_M, INTRINSICS, MICRO
from unflat.types.image import Size

_NARROWEST_DEG, _WIDEST_DEG = 1.0, 179.0


@dataclass(frozen=True, slots=True)
class HeifPair:
    """A stereo pair of a HEIF file; None where it does not say.

    Attributes:
        left: Size of the left view, as it is shown.
        right: Size of the right one.
        primary: "left" or "right": the one that is shown where only one is.
        fov_x_deg: Horizontal angle of view of the left camera.
        baseline_m: Between the cameras.
        disparity: By what share of the width the views are to be moved apart.
    """

    left: Size | None
    right: Size | None
    primary: str | None = None
    fov_x_deg: float | None = None
    baseline_m: float | None = None
    disparity: float | None = None

    @property
    def spatial(self) -> bool:
        """Whether all is there that makes a stereo pair a spatial photo to Apple."""
        return None not in (self.fov_x_deg, self.baseline_m, self.disparity)


def read_pair(data: bytes) -> HeifPair | None:
    """The first stereo pair of a HEIF file; None where there is none.

    Raises:
        InputError: Its table contradicts itself.
    """
    try:
        table = heif_table(data)
        pair = None if table is None else _pair(table)
    except (ValueError, struct.error) as error:
        raise InputError(f"its table of pictures is damaged: {error}", hint="Copy the file again.") from error
    return pair


def _pair(table: HeifTable) -> HeifPair | None:
    found = next(((number, members) for kind, number, members in table.groups if kind == b"ster"), None)
    if found is None or len(found[1]) < 2:
        return None
    group, (left, right, *_) = found
    eyes = [_picture(table, eye) for eye in (left, right)]
    if any(eye not in table.kinds for eye in eyes):
        return None
    first, second = eyes
    primary = {first: "left", second: "right"}.get(table.primary or 0)
    places = [_position(table.said(eye, b"cmex", EXTRINSICS)) for eye in eyes]
    told = next((t for one in (group, *eyes) if (t := table.said(one, DISPARITY)) is not None), None)
    return HeifPair(
        _shown_size(table, first),
        _shown_size(table, second),
        primary,
        _angle(table, first),
        _apart(places[0], places[1]),
        _disparity(told),
    )


def _picture(table: HeifTable, number: int) -> int:
    """The picture that a member stands for: itself, or the first of a group of alternatives."""
    if number in table.kinds:
        return number
    choices = (members for kind, own, members in table.groups if kind == b"altr" and own == number)
    return next((one for members in choices for one in members if one in table.kinds), number)


def _stored(table: HeifTable, number: int) -> tuple[float, float] | None:
    """Width and height before any turn, after any crop."""
    extent, crop = table.said(number, b"ispe"), table.said(number, b"clap")
    if extent is None or len(extent) < 12:
        return None
    width, height = struct.unpack_from(">II", extent, 4)
    if crop is not None and len(crop) >= 16:
        across, across_under, down, down_under = struct.unpack_from(">IIII", crop)
        if across and across_under and down and down_under:
            width, height = min(width, across / across_under), min(height, down / down_under)
    return (width, height) if width >= 1 and height >= 1 else None


def _turned(table: HeifTable, number: int) -> bool:
    turn = table.said(number, b"irot")
    return bool(turn and turn[0] & 1)


def _shown_size(table: HeifTable, number: int) -> Size | None:
    stored = _stored(table, number)
    if stored is None:
        return None
    width, height = (round(side) for side in stored)
    return Size(height, width) if _turned(table, number) else Size(width, height)


def _angle(table: HeifTable, number: int) -> float | None:
    """Across what is shown, from the focal length, which is told in shares of the stored width."""
    matrix, extent, stored = (
        table.said(number, b"cmin", INTRINSICS),
        table.said(number, b"ispe"),
        _stored(table, number),
    )
    if matrix is None or extent is None or stored is None or len(matrix) < 16:
        return None
    (flags,) = struct.unpack_from(">I", matrix)
    (share,) = struct.unpack_from(">i", matrix, 4)
    focal = share / (1 << (flags >> 8 & 0x1F)) * struct.unpack_from(">I", extent, 4)[0]
    across = stored[1] if _turned(table, number) else stored[0]
    degrees = math.degrees(2 * math.atan2(across / 2, focal))
    return degrees if _NARROWEST_DEG <= degrees <= _WIDEST_DEG else None


def _position(content: bytes | None) -> tuple[float, float, float] | None:
    """Where a camera stands, in metres; what is not told is 0."""
    if content is None or len(content) < 4:
        return None
    (flags,) = struct.unpack_from(">I", content)
    place, at = [0.0, 0.0, 0.0], 4
    for axis in range(3):
        if flags >> axis & 1:
            place[axis] = struct.unpack_from(">i", content, at)[0] / MICRO
            at += 4
    return place[0], place[1], place[2]


def _apart(one: tuple[float, float, float] | None, other: tuple[float, float, float] | None) -> float | None:
    if one is None or other is None:
        return None
    metres = math.dist(one, other)
    return metres if 0 < metres <= FURTHEST_M else None


def _disparity(content: bytes | None) -> float | None:
    if content is None or len(content) != 4:
        return None
    (value,) = struct.unpack(">i", content)
    return value / DISPARITY_UNIT if abs(value) <= DISPARITY_UNIT else None
