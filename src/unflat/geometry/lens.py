"""Focal length in pixels from what the camera wrote about its lens."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeGuard

from unflat.types.camera import FocalBasis
from unflat.types.image import LensRecord, Size

FULL_FRAME_DIAGONAL_MM = math.hypot(36.0, 24.0)
NARROWEST_DEG = 5.0
WIDEST_DEG = 150.0
WIDEST_ASPECT = 3.0


@dataclass(frozen=True, slots=True)
class LensVerdict:
    """What a lens record says of the focal length, and why it was not believed.

    Attributes:
        focal_px: Focal length in pixels of the picture, or None.
        basis: How it is known, or None.
        note: In words for the user, where a record is there but implausible.
    """

    focal_px: float | None = None
    basis: FocalBasis | None = None
    note: str | None = None


def judge_lens(lens: LensRecord, size: Size) -> LensVerdict:
    """Judge the lens record of an upright picture.

    The 35 mm equivalent comes first. CIPA DCG-001 relates it to the *diagonal* of the frame (43.27 mm), and so
    does this; many phones write a number that relates to the width instead, which for a 4:3 picture makes
    the focal length here up to 4 % long. By the EXIF standard a digital zoom is already in it.

    Next is the true focal length over the length of sensor that the picture's long side covers, times the digital
    zoom. A record that gives an angle along the diagonal outside 5..150 degrees, or a picture stitched beyond an
    aspect of 3:1, is not believed.

    Args:
        lens: What the camera wrote.
        size: The picture, upright.
    """
    refused: str | None = None
    for focal_px, basis, said in _candidates(lens, size):
        if max(size.aspect, 1 / size.aspect) > WIDEST_ASPECT:
            return LensVerdict(note="the picture is a stitched or cropped strip; its EXIF focal length was not used")
        angle = math.degrees(2 * math.atan(math.hypot(size.width, size.height) / (2 * focal_px)))
        if NARROWEST_DEG <= angle <= WIDEST_DEG:
            return LensVerdict(focal_px, basis)
        refused = refused or f"EXIF says {said}, an angle of {angle:.3g} degrees; this was not believed"
    return LensVerdict(note=refused)


def _candidates(lens: LensRecord, size: Size) -> list[tuple[float, FocalBasis, str]]:
    found: list[tuple[float, FocalBasis, str]] = []
    if _usable(lens.focal_35mm):
        diagonal = math.hypot(size.width, size.height)
        px = lens.focal_35mm / FULL_FRAME_DIAGONAL_MM * diagonal
        found.append((px, "exif-35mm", f"a 35 mm equivalent of {lens.focal_35mm:g} mm"))
    if _usable(lens.focal_mm) and _usable(lens.sensor_width_mm):
        zoom = lens.digital_zoom if _usable(lens.digital_zoom) and lens.digital_zoom >= 1 else 1.0
        px = lens.focal_mm / lens.sensor_width_mm * size.long_side * zoom
        found.append((px, "exif-sensor", f"{lens.focal_mm:g} mm on a sensor of {lens.sensor_width_mm:.3g} mm"))
    return [c for c in found if math.isfinite(c[0]) and c[0] > 0]


def _usable(number: float | None) -> TypeGuard[float]:
    return number is not None and math.isfinite(number) and number > 0


def focal_px(lens: LensRecord, size: Size) -> tuple[float, FocalBasis] | None:
    """The focal length in pixels and how it is known; None where unknown or implausible. See :func:`judge_lens`."""
    verdict = judge_lens(lens, size)
    if verdict.focal_px is None or verdict.basis is None:
        return None
    return verdict.focal_px, verdict.basis
