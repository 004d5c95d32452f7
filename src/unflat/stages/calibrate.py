"""The camera behind the picture, from the best that is known."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from unflat.errors import InputError
from unflat.geometry.lens import focal_px
from unflat.types.camera import Intrinsics
from unflat.types.image import Image

FULL_FRAME_WIDTH_MM = 36.0
ASSUMED_FOV_DEG = 55.0
"""Across the long side, where nothing is known: about a 35 mm lens, between a phone and the human eye."""
WIDEST_DEG = 170.0
"""No pinhole picture is wider."""
_PLAUSIBLE_FOV_DEG = (8.0, 130.0)


@dataclass(frozen=True, slots=True)
class CameraOptions:
    """What the user knows of the camera."""

    fov: float | None = None
    """Angle of view across the width of the picture, in degrees; above 170 only for a panorama."""
    focal_mm: float | None = None
    """Focal length in millimetres on a 36 mm wide frame (35 mm equivalent), across the long side."""

    def __post_init__(self) -> None:
        if self.fov is not None and self.focal_mm is not None:
            raise InputError("--fov and --focal-mm say the same thing", hint="Give one of them.")
        if self.fov is not None and not 1 <= self.fov <= 360:
            raise InputError(
                f"a field of view of {self.fov:g} degrees is impossible here",
                hint="Give 1 to 170 degrees, for a panorama up to 360.",
            )
        if self.focal_mm is not None and not 1 <= self.focal_mm <= 5000:
            raise InputError(f"a focal length of {self.focal_mm:g} mm is impossible here", hint="Give 1 to 5000 mm.")


def calibrate(
    picture: Image,
    options: CameraOptions,
    *,
    measured: Intrinsics | None = None,
    model_focal: float | None = None,
) -> Intrinsics:
    """Choose the focal length: the user's word, a depth file's camera, EXIF, the model's guess, an assumption.

    Args:
        picture: The upright picture, with what its lens said.
        options: The user's word.
        measured: A camera that came with a depth map, for any size of the same picture.
        model_focal: Focal length over the long side as the depth model sees it, or None.

    Returns:
        Intrinsics for the picture's full size; ``basis`` says which of the five it was.

    Raises:
        InputError: The user's angle is that of a panorama.
    """
    size = picture.size
    if options.fov is not None:
        if options.fov > WIDEST_DEG:
            raise InputError(
                f"no ordinary picture is {options.fov:g} degrees wide", hint="For a panorama add --panorama yes."
            )
        return Intrinsics.from_fov(options.fov, size, "given")
    if options.focal_mm is not None:
        return Intrinsics.from_focal(options.focal_mm / FULL_FRAME_WIDTH_MM * size.long_side, size, "given")
    if measured is not None:
        return measured.resized(size)
    from_exif = focal_px(picture.lens, size)
    if from_exif is not None:
        lens = Intrinsics.from_focal(from_exif[0], size, from_exif[1])
        axis = picture.lens.axis_px
        return lens if axis is None else replace(lens, cx=axis[0], cy=axis[1])
    if model_focal is not None and math.isfinite(model_focal):
        narrowest, widest = (0.5 / math.tan(math.radians(f) / 2) for f in _PLAUSIBLE_FOV_DEG)
        return Intrinsics.from_focal(min(max(model_focal, widest), narrowest) * size.long_side, size, "model")
    focal = size.long_side / (2 * math.tan(math.radians(ASSUMED_FOV_DEG) / 2))
    return Intrinsics.from_focal(focal, size, "assumed")
