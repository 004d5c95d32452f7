"""Depth along the optical axis, and what kind of depth it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unflat.errors import ShapeError, UnitError
from unflat.types.arrays import F32, Bool, settle
from unflat.types.camera import Intrinsics
from unflat.types.image import Size
from unflat.types.panorama import Panorama
from unflat.types.provenance import Provenance
from unflat.types.scale import Scale


class DepthKind(Enum):
    """What the numbers of a depth map mean. The value is the word used in files and options."""

    METRIC = "metric"
    """z in metres."""
    SCALE = "scale"
    """z up to one unknown factor: planes stay planes."""
    AFFINE = "affine"
    """z up to an unknown factor and offset."""
    DISPARITY = "disparity"
    """Inverse depth up to an unknown factor and offset; near is large."""

    @property
    def is_depth(self) -> bool:
        """True if the numbers are z itself, up to at most a factor: they can be lifted as they are."""
        return self in (DepthKind.METRIC, DepthKind.SCALE)


PLANES = ("values", "valid", "sky", "confidence", "invented")
"""The fields of a depth map that have an entry for every pixel."""


@dataclass(frozen=True, slots=True, eq=False)
class DepthMap:
    """One depth per pixel, along +z; distance along the ray where the map is a panorama's.

    Attributes:
        values: (h, w) float32. METRIC, SCALE and AFFINE: z, and +inf in the sky. DISPARITY: inverse depth,
            and its smallest value in the sky. Whatever stands where ``valid`` is False means nothing.
        kind: What the numbers mean.
        valid: (h, w) bool. The sky is valid.
        sky: (h, w) bool, infinitely far; None means that nobody looked for sky.
        confidence: (h, w) float32 in 0..1, or None where the source gives none.
        intrinsics: The camera, or None while it is unknown.
        panorama: The camera of a map that looks around: its values are then distances along its rays (or their
            inverse), not z.
        origin: Which model or file it comes from.
        licence: The licence of that model or file, or None where unknown.
        provenance: The whole story, where a recipe made the map; None for a bare one.
        scale: How well its metres, written or assumed, are known; None where nobody settled that.
        invented: (h, w) bool, made up beyond the border of what was seen, which is a rectangle; None: nothing is.
    """

    values: F32
    kind: DepthKind
    valid: Bool | None = None
    sky: Bool | None = None
    confidence: F32 | None = field(default=None)
    intrinsics: Intrinsics | None = None
    origin: str = "array"
    licence: str | None = None
    provenance: Provenance | None = None
    scale: Scale | None = None
    panorama: Panorama | None = None
    invented: Bool | None = None

    def __post_init__(self) -> None:
        settle(self, "values", "float32", (None, None))
        shape = self.size.shape
        settle(self, "sky", "bool", shape)
        if self.valid is None:
            object.__setattr__(self, "valid", self._plausible())
        settle(self, "valid", "bool", shape)
        settle(self, "confidence", "float32", shape)
        settle(self, "invented", "bool", shape)
        if self.intrinsics is not None and self.intrinsics.size != self.size:
            raise ShapeError(f"intrinsics are for {self.intrinsics.size}, the depth map is {self.size}")
        if self.panorama is not None and (self.panorama.size != self.size or self.intrinsics is not None):
            raise ShapeError("the depth map of a panorama has its size, and no other camera")

    def _plausible(self) -> Bool:
        """Finite, and in front of the camera where the kind has a front."""
        ok = np.isfinite(self.values)
        if self.kind.is_depth:
            ok &= self.values > 0
        return ok if self.sky is None else ok | self.sky

    def moved(self, way: Callable[[NDArray[Any]], NDArray[Any]], intrinsics: Intrinsics | None) -> DepthMap:
        """The map with all of its planes cropped, turned or resampled alike.

        Args:
            way: What is done to each (h, w) plane; it may mix no values, for some are masks.
            intrinsics: The camera of the result.
        """
        there = {name: getattr(self, name) for name in PLANES}
        made = {name: None if plane is None else way(plane) for name, plane in there.items()}
        return replace(self, intrinsics=intrinsics, **made)

    @property
    def size(self) -> Size:
        """Width and height in pixels."""
        return Size(self.values.shape[1], self.values.shape[0])

    @property
    def surface(self) -> Bool:
        """(h, w) bool: valid and not sky."""
        valid = np.asarray(self.valid)
        return valid if self.sky is None else valid & ~self.sky

    @property
    def seen(self) -> Bool:
        """(h, w) bool: a surface that was seen rather than made up."""
        return self.surface if self.invented is None else self.surface & ~self.invented

    @property
    def frame(self) -> tuple[int, int, int, int]:
        """Left, top, right and bottom, in pixels, of what was seen; all of it if nothing is invented."""
        if self.invented is None or self.invented.all():
            return 0, 0, self.size.width, self.size.height
        columns, rows = (np.flatnonzero(~self.invented.all(axis=axis)) for axis in (0, 1))
        return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1

    @property
    def z(self) -> F32:
        """(h, w) z along the axis, in metres (METRIC) or up to a factor (SCALE).

        Raises:
            UnitError: The kind has an unknown offset, or these are distances along rays: no z that could be lifted.
        """
        if self.panorama is not None:
            raise UnitError(
                "the depth map of a panorama holds distances along its rays, not z",
                hint="unflat photo makes a scene of a panorama.",
            )
        if not self.kind.is_depth:
            raise UnitError(
                f"a depth map of kind '{self.kind.value}' has an unknown offset and cannot be lifted as it is",
                hint="Turn it into kind 'scale' first: unflat.geometry.align.assume_scale.",
            )
        return self.values

    def __repr__(self) -> str:
        return f"DepthMap({self.size}, {self.kind.value}, from {self.origin})"
