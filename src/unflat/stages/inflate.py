"""One cut-out -> a closed solid: what the network sees of its front, and a back that nobody saw.

How thick is a thing that is seen from one side only? Three things tell, and the least of them counts:

* its outline: nothing is thicker than the largest balls that fit into the outline there (a leg is as thick as it is
  wide, a ball is a ball);
* its front: what comes forward from the plane of its outline goes back as far (a round thing turns away from us
  everywhere at its outline, so that plane is its middle; the back is the mirrored front);
* what is seen far behind: a part that lies at the back already is thin.

A network's depth of a thing without surroundings is right in the large and in the small but invents steps: its gross
shape is taken calm, so that a thing of one piece stays one piece, and its details are laid on top.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from unflat.errors import InputError
from unflat.geometry.closed_surface import Closed
from unflat.geometry.columns import Columns, surface_of_columns
from unflat.geometry.nearest import nearest_true
from unflat.geometry.silhouette import ball_squares, signed_distance
from unflat.types.arrays import F32, U8, Bool
from unflat.types.depth import DepthMap
from unflat.types.image import Size

_FRAME = 3
_CALM, _FINE = 0.045, 0.008
"""Share of the long side over which the gross shape of the front is taken, and over which its details are."""
_DEEPEST, _DETAIL = 0.35, 0.015
"""Gross shape and details are held softly within these shares of the long side, either way."""
_THIN = 0.06
"""What lies at the back already is this share of the long side thick, unless its outline says less."""
_BACK = 0.7
"""The middle plane lies where this share of the outline is nearer."""


@dataclass(frozen=True, slots=True)
class InflateOptions:
    """How a thing that is seen from one side becomes a solid."""

    thickness: float = 1.0
    """How thick a thing is whose back nobody saw: 1 is as thick as its outline and front let expect, 0.5 half of it."""
    cells: int = 256
    """Samples along the object's long side in the volume that its surface is taken from."""

    def __post_init__(self) -> None:
        if not 0.05 <= self.thickness <= 5:
            raise InputError(f"--thickness {self.thickness:g} is out of range", hint="Give 0.05 to 5.")
        if not 32 <= self.cells <= 512:
            raise InputError(f"--cells {self.cells} is out of range", hint="Give 32 to 512.")


class Window(NamedTuple):
    """The part of a picture that an object takes, in cells.

    Attributes:
        left: Of the first cell, in pixels of the picture.
        top: Of the first cell.
        cell: Pixels a cell.
        alpha: (h, w) cover of each cell.
    """

    left: float
    top: float
    cell: float
    alpha: U8

    def resampled(self, values: F32, size: Size) -> F32:
        """A map of the whole picture, at any size, in cells.

        Args:
            values: (h, w) over the whole picture.
            size: Of the picture.
        """
        import cv2

        h, w = values.shape
        sx, sy = w / size.width, h / size.height
        x = ((np.arange(self.alpha.shape[1]) + 0.5) * self.cell + self.left) * sx - 0.5
        y = ((np.arange(self.alpha.shape[0]) + 0.5) * self.cell + self.top) * sy - 0.5
        mx, my = np.meshgrid(x.astype(np.float32), y.astype(np.float32))
        return np.asarray(cv2.remap(values, mx, my, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32)

    def in_pixels(self, cells: Closed) -> Closed:
        """Vertices in cells as pixels of the picture; their depth, too."""
        shift = np.array([self.left, self.top, 0.0])
        return Closed(cells.vertices * self.cell + shift, cells.faces)


def window_on(alpha: U8, cells: int) -> Window:
    """Cells over the box of what is inside, with a little frame around.

    Raises:
        InputError: Nothing is inside.
    """
    import cv2

    inside = alpha >= 128
    if not inside.any():
        raise InputError("the picture is transparent everywhere", hint="Give a picture with something in it.")
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    left, top, right, bottom = float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1)
    cell = max(right - left, bottom - top) / cells
    w, h = (int(np.ceil(length / cell)) + 2 * _FRAME for length in (right - left, bottom - top))
    left, top = left - _FRAME * cell, top - _FRAME * cell
    blurred = cv2.GaussianBlur(alpha, (0, 0), 0.4 * cell) if cell > 1 else alpha
    frame = Window(left, top, cell, np.zeros((h, w), np.uint8))
    x, y = ((np.arange(n) + 0.5) * cell + o - 0.5 for n, o in ((w, left), (h, top)))
    mx, my = np.meshgrid(x.astype(np.float32), y.astype(np.float32))
    small = cv2.remap(blurred, mx, my, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=0)
    return frame._replace(alpha=np.asarray(small, np.uint8))


def inflate(window: Window, relief: F32 | None, options: InflateOptions) -> Closed:
    """A closed solid whose outline, seen along z, is that of the cut-out.

    Args:
        window: The cut-out in cells.
        relief: (h, w) depth of its front in cells, see :func:`relief_of`; None: round by its outline alone.
        options: How.

    Returns:
        Vertices as (x, y, z) in cells; z grows away from the eye and is 0 in the middle of the object.
    """
    closed = surface_of_columns([columns_of(signed_distance(window.alpha), relief, options)])
    middle = (closed.vertices[:, 2].min() + closed.vertices[:, 2].max()) / 2
    return Closed(closed.vertices - np.array([0.0, 0.0, middle]), closed.faces)


def columns_of(outline: F32, relief: F32 | None, options: InflateOptions) -> Columns:
    """Near and far side of every cell.

    Args:
        outline: (h, w) signed distance in cells.
        relief: (h, w) depth of the front in cells; None: round by the outline alone.
        options: How.
    """
    thickness = np.float32(options.thickness**2)
    if relief is None:
        return Columns(np.zeros_like(outline), ball_squares(-outline) * thickness)
    inside = outline < 0
    size = float(max(outline.shape) - 2 * _FRAME)
    squares = ball_squares(-outline)
    height = np.sqrt(np.maximum(squares, 1e-3))
    front = calm_front(relief, inside, size)
    rim = inside & (outline > -1.5)
    middle = float(np.quantile(front[rim], _BACK))
    half = np.clip(middle - front, np.minimum(height, 0.5 * _THIN * size), height)
    nearest = nearest_true(inside)
    share = ((half / height) ** 2).ravel()[nearest]
    half = half.ravel()[nearest].astype(np.float32)
    return Columns(
        (front.ravel()[nearest] + half * options.thickness).astype(np.float32),
        (squares * share * thickness).astype(np.float32),
    )


def calm_front(relief: F32, inside: Bool, size: float) -> F32:
    """The gross shape of a front and its details, without the steps between.

    Args:
        relief: (h, w) depth of the front in cells.
        inside: (h, w), where the object is.
        size: Its long side in cells.
    """
    gross = _blurred(relief, inside, _CALM * size)
    detail = _blurred(relief, inside, _FINE * size) - gross
    deepest, finest = _DEEPEST * size, _DETAIL * size
    gross = gross - float(np.median(gross[inside]))
    return (deepest * np.tanh(gross / deepest) + finest * np.tanh(detail / finest)).astype(np.float32)


def _blurred(values: F32, inside: Bool, sigma: float) -> F32:
    """Weighted means of what is inside only."""
    import cv2

    weight = cv2.GaussianBlur(inside.astype(np.float32), (0, 0), sigma)
    total = cv2.GaussianBlur(np.where(inside, values, np.float32(0)), (0, 0), sigma)
    return np.asarray(total / np.maximum(weight, 1e-6), np.float32)


def relief_of(depth: DepthMap, window: Window, alpha: U8) -> F32:
    """The depth of the front in cells: as far behind the nearest of it as it is, at the width that it has there.

    Args:
        depth: SCALE or METRIC, of the whole picture.
        window: Where the object is.
        alpha: (h, w) of the picture.
    """
    import cv2

    assert depth.intrinsics is not None
    size = Size(alpha.shape[1], alpha.shape[0])
    good = np.asarray(depth.valid) & np.isfinite(depth.z)
    if not good.any():
        raise InputError("there is no depth where the object is")
    z = np.asarray(depth.z)[good] if good.all() else np.asarray(depth.z).ravel()[nearest_true(good)]
    z = window.resampled(np.ascontiguousarray(z.reshape(depth.z.shape), np.float32), size)
    inside = window.alpha >= 128
    middle = float(np.median(z[inside]))
    focal = depth.intrinsics.resized(size).fx / window.cell
    relief = np.clip((z / middle - 1) * focal, *(_fences((z[inside] / middle - 1) * focal)))
    return np.asarray(cv2.medianBlur(relief.astype(np.float32), 5), np.float32)


def _fences(values: F32) -> tuple[float, float]:
    """What lies far outside of the middle nine tenths is a mistake."""
    low, high = np.quantile(values, (0.02, 0.98))
    return float(low - 0.15 * (high - low)), float(high + 0.15 * (high - low))
