"""Does this picture look around? Its file's word, its shape and its borders, or the user's."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from unflat.errors import InputError, ShapeError
from unflat.geometry.panorama import roll_deg, turn_deg
from unflat.types.arrays import F32
from unflat.types.image import Image, PanoramaRecord, Size
from unflat.types.panorama import STEEPEST_DEG, Panorama, Projection

EYE_HEIGHT_M = 1.6
"""Assumed height of a panorama's camera above the floor."""
CLOSES = 0.35
"""The two borders of a panorama differ by at most this share of what columns half a turn apart do."""
PLAIN = 8.0
"""A border whose colours are within so many grey levels of their mean says nothing: a thing before a plain ground."""
POLE, POLES = 0.35, 0.8
"""The outermost rows of a sphere show one direction each: their colours scatter by at most these shares of what those
of rows in the middle do, the better row and the worse one (things hang and stand there, tripods too). Of 26 panoramas
24 are known by this, of 136 pieces of photographs cut to 2:1 two are taken for panoramas (benchmarks/panorama.py)."""


@dataclass(frozen=True, slots=True)
class PanoramaOptions:
    """Pictures that look around."""

    panorama: Literal["auto", "yes", "no"] = "auto"
    """Whether the picture is a panorama: auto asks its file (GPano), then whether it is 2:1 and closes. With yes,
    one that is not 2:1 needs --fov, the angle across it: up to 360 degrees."""
    eye_height: float | None = None
    """Height in metres of a panorama's camera above the floor; unless known, 1.6 is assumed. It gives the scene its
    size."""

    def __post_init__(self) -> None:
        if self.panorama not in ("auto", "yes", "no"):
            raise InputError(f"--panorama cannot be '{self.panorama}'", hint="Choose auto, yes or no.")
        if self.eye_height is not None and not 0.01 <= self.eye_height <= 1000:
            raise InputError(f"an eye height of {self.eye_height:g} m is impossible here", hint="Give 0.01 to 1000.")


def recognise_panorama(picture: Image, options: PanoramaOptions, fov_deg: float | None = None) -> Panorama | None:
    """The camera of a picture that looks around, or None if it is an ordinary one.

    Args:
        picture: The upright picture with what its file said.
        options: The user's word.
        fov_deg: The user's angle across the picture; it makes a panorama only together with ``panorama="yes"``.

    Raises:
        InputError: The user says that it is one, and nobody says how far it goes around.
    """
    if options.panorama == "no":
        return None
    if options.panorama == "yes" and fov_deg is not None:
        return _swept(picture.size, fov_deg)
    if picture.panorama is not None:
        told = _of_record(picture.panorama, picture.size)
        if told is not None:
            return told
    double = abs(picture.size.width - 2 * picture.size.height) <= 2
    if options.panorama == "yes":
        if double:
            return Panorama(picture.size)
        raise InputError(
            f"a panorama of {picture.size} pixels is not 2:1, and its file does not say how far it goes around",
            hint="Give the angle across it: --panorama yes --fov 270.",
        )
    return Panorama(picture.size, basis="shape") if double and goes_around(picture) else None


def goes_around(picture: Image) -> bool:
    """Whether a 2:1 picture closes at its left and right borders, and shows one direction along its outermost rows."""
    if picture.size.height < 32 or picture.alpha is not None:
        return False
    pixels = picture.pixels.astype(np.float32)
    columns = pixels[:, :: max(1, picture.size.width // 64)]
    left, right = (_softened(pixels[:, at]) for at in (0, -1))
    half = columns.shape[1] // 2
    turned = float(np.abs(_softened(columns[:, :half]) - _softened(columns[:, half : 2 * half])).mean())
    border = (left + right) / 2
    if float(np.abs(border - border.mean(axis=0)).mean()) < PLAIN:
        return False
    third = picture.size.height // 3
    middle = max(1.0, float(pixels[third:-third].std(axis=1).mean()))
    ends = sorted(float(pixels[row].std(axis=0).mean()) / middle for row in (0, -1))
    return float(np.abs(left - right).mean()) <= CLOSES * turned and ends[0] <= POLE and ends[1] <= POLES


def _softened(columns: F32) -> F32:
    """Means of five pixels down every column: grain is no difference."""
    total = np.cumsum(np.concatenate([np.zeros_like(columns[:1]), columns]), axis=0, dtype=np.float64)
    return ((total[5:] - total[:-5]) / 5).astype(np.float32)


def _swept(size: Size, fov_deg: float) -> Panorama:
    """A panorama of so many degrees across, its horizon in the middle; a cylinder unless it is as high as a sphere."""
    if fov_deg > 360:
        raise InputError(f"a panorama of {fov_deg:g} degrees is impossible", hint="Give at most 360.")
    across = math.radians(fov_deg)
    even = math.degrees(across * size.height / size.width)
    if even >= 2 * STEEPEST_DEG:
        up = min(90.0, even / 2)
        return Panorama(size, -fov_deg / 2, fov_deg / 2, up, -up)
    up = math.degrees(math.atan(across * size.height / size.width / 2))
    return Panorama(size, -fov_deg / 2, fov_deg / 2, up, -up, "cylindrical")


def _of_record(record: PanoramaRecord, size: Size) -> Panorama | None:
    """The camera that a file tells of; None if what it says is no panorama."""
    known: dict[str, Projection] = {"equirectangular": "equirectangular", "cylindrical": "cylindrical"}
    projection = known.get(record.projection.lower())
    if projection is None:
        return None
    full = record.full or (float(size.width), float(size.height))
    area = record.area or (0.0, 0.0, *full)
    left, right = (360 * (at / full[0]) - 180 for at in (area[0], area[0] + area[2]))
    right = min(right, left + 360)
    if projection == "equirectangular":
        top, bottom = (max(-90.0, min(90.0, 90 - 180 * (at / full[1]))) for at in (area[1], area[1] + area[3]))
    else:
        per_radian = full[0] / (2 * math.pi)
        top, bottom = (math.degrees(math.atan((full[1] / 2 - at) / per_radian)) for at in (area[1], area[1] + area[3]))
    ahead = 0.0
    if record.view_deg is not None:
        ahead = record.view_deg - (record.heading_deg or 0.0)
    turn = turn_deg(-ahead) @ turn_deg(0, record.pitch_deg) @ roll_deg(record.roll_deg)
    try:
        return Panorama(size, left, right, top, bottom, projection, turn, "file")
    except ShapeError:
        return None
