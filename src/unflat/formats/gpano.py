"""What a file says of a picture that looks around: the GPano properties of its XMP packet.

Source: Google's "Photo Sphere XMP metadata" (namespace below). Numbers that make no sense are not believed.
"""

from __future__ import annotations

import math

from unflat.formats import xmp
from unflat.types.image import PanoramaRecord

GPANO = "http://ns.google.com/photos/1.0/panorama/"
_LARGEST = 1e6


_NUMBERS = (
    *("FullPanoWidthPixels", "FullPanoHeightPixels", "CroppedAreaImageWidthPixels", "CroppedAreaImageHeightPixels"),
    *("CroppedAreaLeftPixels", "CroppedAreaTopPixels", "PosePitchDegrees", "PoseRollDegrees"),
    *("InitialViewHeadingDegrees", "PoseHeadingDegrees"),
)
_CONTRADICTION = "what it says of its panorama (GPano) contradicts itself and was ignored"


def read_panorama(packet: bytes | str | None) -> tuple[PanoramaRecord | None, tuple[str, ...]]:
    """The record of a panorama, and notes on what of it was not believed.

    The record is None where the packet holds none, or one that contradicts itself.
    """
    if packet is None:
        return None, ()
    try:
        said = xmp.properties(xmp.parse(packet), GPANO)
    except xmp.XmpError:
        return None, ()
    projection = said.get("ProjectionType")
    if not projection:
        return None, ()
    odd = [name for name in _NUMBERS if said.get(name) and _number(said.get(name)) is None]
    full = _lengths(said, "FullPanoWidthPixels", "FullPanoHeightPixels")
    cropped = _lengths(said, "CroppedAreaImageWidthPixels", "CroppedAreaImageHeightPixels")
    odd += [name for name in _NUMBERS[:4] if name not in odd and said.get(name) and not (_number(said[name]) or 0) > 0]
    notes = (f"its GPano numbers make no sense and were not used: {', '.join(odd)}",) if odd else ()
    left, top = (_number(said.get(f"CroppedArea{side}Pixels")) or 0.0 for side in ("Left", "Top"))
    area = None
    if full is not None and cropped is not None:
        if not (0 <= left < full[0] and 0 <= top < full[1] and cropped[0] <= full[0] and cropped[1] <= full[1]):
            return None, (*notes, _CONTRADICTION)
        area = left, top, *cropped
    pitch, roll = (_number(said.get(f"Pose{turn}Degrees")) or 0.0 for turn in ("Pitch", "Roll"))
    if abs(pitch) > 90 or abs(roll) > 180:
        return None, (*notes, _CONTRADICTION)
    view, heading = _number(said.get("InitialViewHeadingDegrees")), _number(said.get("PoseHeadingDegrees"))
    return PanoramaRecord(projection, full if area else None, area, pitch, roll, view, heading), notes


def _lengths(said: dict[str, str], *names: str) -> tuple[float, float] | None:
    width, height = (_number(said.get(name)) for name in names)
    return (width, height) if width and height and width > 0 and height > 0 else None


def _number(text: str | None) -> float | None:
    """A finite number of a sensible size, or None."""
    try:
        value = float(text) if text else math.nan
    except ValueError:
        return None
    return value if abs(value) < _LARGEST else None
