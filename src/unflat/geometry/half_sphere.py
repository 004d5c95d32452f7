"""A flat view in half a sphere, as VR180 keeps each eye's: columns even in longitude, rows in latitude.

What a pinhole camera sees at the angle θ from its axis lies at the angle θ from the middle of the half sphere, so a
headset shows everything as large as it was. Beyond the picture there is black; the picture fades into it over a narrow
border, for a hard rim of light in the dark draws the eye.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import cv2
import numpy as np

from unflat.errors import ShapeError
from unflat.types.arrays import F32, U8
from unflat.types.image import Size

SOFT = 0.02
"""The border that fades, as a share of the shorter side of the picture."""
LARGEST, SMALLEST = 4096, 512
"""Sides of a half sphere that is as fine as its picture, at most and at least: headsets decode up to 8192×4096."""
_WIDEST_DEG = 170.0
FARTHEST_MOVED = 0.1
"""By how much of its width a view may lie aside of where a camera that looks ahead sees it."""


def fitting_side(width: int, fov_x_deg: float) -> int:
    """The side, even, of a half sphere that is as fine in its middle as the picture is."""
    focal = width / (2 * math.tan(math.radians(fov_x_deg) / 2))
    return min(LARGEST, max(SMALLEST, round(focal * math.pi / 2) * 2))


@dataclass(frozen=True, slots=True, eq=False)
class HalfSphere:
    """The way from a view to half a sphere; made once for all views of one camera.

    Attributes:
        size: Of the views.
        fov_x_deg: Angle across their width in degrees; the optical axis meets their middle.
        side: Of the square that half a sphere becomes, in pixels.
        soft: The border that fades to black, as a share of the shorter side; 0 is a hard edge.
    """

    size: Size
    fov_x_deg: float
    side: int
    soft: float = SOFT
    _corner: tuple[int, int] = field(init=False, repr=False)
    _shrunk: Size = field(init=False, repr=False)
    _x: F32 = field(init=False, repr=False)
    _y: F32 = field(init=False, repr=False)
    _down: F32 = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if not 1 <= self.fov_x_deg <= _WIDEST_DEG:
            raise ShapeError(f"a flat view of {self.fov_x_deg:g}° is not put into half a sphere")
        if self.side < 2 or not 0 <= self.soft <= 0.5:
            raise ShapeError(f"half a sphere cannot have the side {self.side} and a border of {self.soft:g}")
        made = _maps(self)
        for name, value in zip(("_corner", "_shrunk", "_x", "_y", "_down"), made, strict=True):
            object.__setattr__(self, name, value)

    def __call__(self, view: U8, moved: float = 0.0) -> U8:
        """A view in the dark half sphere.

        Args:
            view: (h, w, 3) uint8 of :attr:`size`.
            moved: By how much of its width the view lies farther right than a camera that looks ahead sees it: views
                for a screen are shifted onto each other, and here they look in parallel again.

        Returns:
            (side, side, 3) uint8.

        Raises:
            ShapeError: The view has another size, or was moved by more than a tenth of its width.
        """
        if not abs(moved) <= FARTHEST_MOVED:
            raise ShapeError(f"a view that lies {moved:.0%} of its width aside is not put into half a sphere")
        if view.shape[:2] != self.size.shape:
            raise ShapeError(f"the half sphere is made for views of {self.size}, not {view.shape[1]}×{view.shape[0]}")
        if self._shrunk != self.size:
            small = (self._shrunk.width, self._shrunk.height)
            view = np.asarray(cv2.resize(view, small, interpolation=cv2.INTER_AREA), np.uint8)
        x = self._x + np.float32(moved * self._shrunk.width) if moved else self._x
        seen = cv2.remap(view, x, self._y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        cover = _ramp(x[0] + np.float32(0.5), self._shrunk.width, self._border) * self._down
        left, top = self._corner
        h, w = cover.shape
        out = np.zeros((self.side, self.side, 3), np.uint8)
        out[top : top + h, left : left + w] = np.rint(seen * cover[..., None])
        return out

    @property
    def scale(self) -> float:
        """How many pixels of the shrunk view one of the view becomes, at most 1."""
        return self._shrunk.width / self.size.width

    @property
    def _border(self) -> float:
        """How wide the border is that fades, in pixels of the shrunk view."""
        return max(self.soft * min(self._shrunk.width, self._shrunk.height), 0.5)


def _maps(sphere: HalfSphere) -> tuple[tuple[int, int], Size, F32, F32, F32]:
    """Where the picture lies in the square, and whence each pixel there comes.

    Returns:
        Left and top; the size that the picture is shrunk to first; x and y in it (as OpenCV counts: the first pixel's
        centre is 0); how much of each pixel the picture covers as far as its upper and lower side are concerned.
    """
    size, side = sphere.size, sphere.side
    focal = size.width / (2 * math.tan(math.radians(sphere.fov_x_deg) / 2))
    factor = min(1.0, side / math.pi / focal)
    shrunk = Size(max(1, round(size.width * factor)), max(1, round(size.height * factor)))
    lon = math.atan((0.5 + FARTHEST_MOVED) * size.width / focal)
    lat = math.atan(size.height / 2 / focal)
    across, down = (min(side, 2 * math.ceil(angle / math.pi * side) + 2 + side % 2) for angle in (lon, lat))
    left, top = (side - across) // 2, (side - down) // 2
    angle_x = (((np.arange(left, left + across) + 0.5) / side - 0.5) * math.pi).astype(np.float32)
    angle_y = (((np.arange(top, top + down) + 0.5) / side - 0.5) * math.pi).astype(np.float32)
    x = np.asarray(np.tile(np.tan(angle_x) * focal + size.width / 2, (down, 1)), np.float32)
    y = np.asarray(np.tan(angle_y)[:, None] / np.cos(angle_x) * focal + size.height / 2, np.float32)
    x, y = x * (shrunk.width / size.width) - 0.5, y * (shrunk.height / size.height) - 0.5
    x, y = np.asarray(x, np.float32), np.asarray(y, np.float32)
    border = max(sphere.soft * min(shrunk.width, shrunk.height), 0.5)
    return (left, top), shrunk, x, y, _ramp(y + np.float32(0.5), shrunk.height, border)


def _ramp(at: F32, length: int, border: float) -> F32:
    """0 outside of 0..length, 1 deeper inside than ``border``, smooth between."""
    t = np.clip(np.minimum(at, length - at) / np.float32(border), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)
