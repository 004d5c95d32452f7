"""Four corners in a photograph <-> the flat picture between them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar, cast

import cv2
import numpy as np

from unflat.errors import ShapeError
from unflat.types.arrays import F32, F64, U8
from unflat.types.image import Size

Pixels = TypeVar("Pixels", U8, F32)


@dataclass(frozen=True, eq=False)
class Straightening:
    """How the pixels of a whole photograph and of the picture that was cut out of it belong together.

    Attributes:
        corners: (4, 2) float64 in pixels of the whole: top left, top right, bottom right, bottom left of the picture.
        whole: Size of the whole photograph.
        size: Size of the picture.
    """

    corners: F64
    whole: Size
    size: Size

    @cached_property
    def picture_from_whole(self) -> F64:
        """(3, 3) homography, column vectors (x, y, 1) in pixels; first pixel's centre (0.5, 0.5) at both ends."""
        w, h = self.size.width, self.size.height
        return homography(self.corners, np.array([[0, 0], [w, 0], [w, h], [0, h]], float))

    @property
    def axis_aligned(self) -> bool:
        """Nothing was turned: the picture is a rectangle of whole pixels."""
        (x0, y0), (x1, y1), (x2, y2), (x3, y3) = self.corners.tolist()
        whole = all(float(v).is_integer() for v in self.corners.ravel())
        return whole and x0 == x3 and x1 == x2 and y0 == y1 and y2 == y3

    def points(self, xy: F64) -> F64:
        """Points of the whole, (n, 2) pixels, as points of the picture."""
        return moved(xy, self.picture_from_whole)

    def pixels(self, whole: Pixels, *, nearest: bool = False) -> Pixels:
        """What lies between the corners, straightened.

        Args:
            whole: (h, w) or (h, w, c), of the whole photograph in any size.
            nearest: Mix no values (depth, masks).

        Returns:
            The same kind of array: at the picture's size, scaled as ``whole`` was.
        """
        h, w = whole.shape[:2]
        sx, sy = w / self.whole.width, h / self.whole.height
        if self.axis_aligned and sx == sy == 1:
            (left, top), _, (right, bottom), _ = self.corners.astype(int).tolist()
            return cast(Pixels, np.ascontiguousarray(whole[top:bottom, left:right]))
        factor = max(sx, sy)
        size = Size(max(1, round(self.size.width * factor)), max(1, round(self.size.height * factor)))
        out = np.diag([size.width / self.size.width, size.height / self.size.height, 1])
        view = out @ self.picture_from_whole @ np.diag([1 / sx, 1 / sy, 1])
        half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1.0]])  # OpenCV's first pixel has its centre at (0, 0)
        way = cv2.INTER_NEAREST if nearest else cv2.INTER_CUBIC
        view = np.linalg.inv(half) @ view @ half
        extent = (size.width, size.height)
        made = cv2.warpPerspective(whole, view, extent, flags=way, borderMode=cv2.BORDER_REPLICATE)
        return cast(Pixels, np.asarray(made, whole.dtype))


def straightening(corners: F64, whole: Size, focal_px: float) -> Straightening:
    """Find the true shape of a flat rectangle from its four corners in a photograph.

    The two first columns of camera_from_pixels · homography are the sides of the rectangle in space, up to one factor
    (Zhang and He 2007, "Whiteboard scanning and image enhancement"), for a camera whose principal point is the
    middle of the photograph. A wrong focal length matters only as far as there is perspective.

    Args:
        corners: (4, 2) in pixels of the whole: top left, top right, bottom right, bottom left.
        whole: Size of the photograph.
        focal_px: Focal length of the camera that photographed it.

    Raises:
        ShapeError: The corners are not those of a convex quadrangle, in this order.
    """
    if not convex(corners):
        raise ShapeError("the corners of a picture must go around it clockwise, from the top left")
    unit = homography(np.array([[0, 0], [1, 0], [1, 1], [0, 1]], float), corners)
    camera = np.array([[focal_px, 0, whole.width / 2], [0, focal_px, whole.height / 2], [0, 0, 1]])
    sides = np.linalg.norm(np.linalg.inv(camera) @ unit[:, :2], axis=0)
    top, right, bottom, left = np.linalg.norm(np.roll(corners, -1, 0) - corners, axis=1)
    width, height = max(top, bottom), max(left, right)
    aspect = sides[0] / sides[1]
    if width / height > aspect:
        height = width / aspect
    else:
        width = height * aspect
    return Straightening(np.array(corners, float), whole, Size(max(1, round(width)), max(1, round(height))))


def homography(source: F64, target: F64) -> F64:
    """The (3, 3) map that takes four points (4, 2) to four others."""
    rows: list[tuple[float, ...]] = []
    for (x, y), (u, v) in zip(source.tolist(), target.tolist(), strict=True):
        rows += [(x, y, 1, 0, 0, 0, -u * x, -u * y), (0, 0, 0, x, y, 1, -v * x, -v * y)]
    found = np.linalg.solve(np.array(rows, float), np.asarray(target, float).ravel())
    return np.append(found, 1).reshape(3, 3)


def moved(xy: F64, view: F64) -> F64:
    """Points (n, 2) through a (3, 3) homography."""
    out = np.column_stack([xy, np.ones(len(xy))]) @ view.T
    return out[:, :2] / out[:, 2:]


def convex(corners: F64) -> bool:
    """Whether four corners go clockwise (y down) around a convex quadrangle."""
    side = np.roll(corners, -1, 0) - corners
    ahead = np.roll(side, -1, 0)
    return bool((side[:, 0] * ahead[:, 1] - side[:, 1] * ahead[:, 0] > 0).all())


def inset(corners: F64, by: float) -> F64:
    """The quadrangle whose sides lie ``by`` pixels further in."""
    side = np.roll(corners, -1, 0) - corners
    unit = side / np.linalg.norm(side, axis=1, keepdims=True)
    at = corners + by * np.column_stack([-unit[:, 1], unit[:, 0]])
    out = np.empty_like(corners)
    for i in range(4):
        j = i - 1
        along = np.asarray(np.linalg.solve(np.column_stack([unit[j], -unit[i]]), at[i] - at[j]), np.float64)
        out[i] = at[j] + along[0] * unit[j]
    return out
