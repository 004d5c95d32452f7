"""depth -> a closed, printable bas-relief."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unflat.errors import InputError
from unflat.geometry.nearest import nearest_true
from unflat.geometry.relief import close, compress, height_sheet
from unflat.stages.build_surface import inverse_depth
from unflat.types.arrays import F32, F64, Bool
from unflat.types.depth import DepthMap
from unflat.types.image import Size
from unflat.types.mesh import Mesh


@dataclass(frozen=True, slots=True)
class ReliefOptions:
    """How depth becomes a relief."""

    width_mm: float = 100.0
    """Longest side of the relief in millimetres."""
    relief_mm: float = 12.0
    """Height from the lowest to the highest point of the picture, in millimetres."""
    base_mm: float = 2.0
    """Thickness of the plate below the lowest point, in millimetres."""
    evenness: float = 0.5
    """0 keeps the proportions of depth, 1 spreads the height evenly over the picture: empty space is flattened."""
    triangles: int = 200_000
    """Most triangles of the whole solid."""
    max_error_mm: float = 0.02
    """Largest error of the surface in millimetres; grows until the triangles are enough."""

    def __post_init__(self) -> None:
        for name in ("width_mm", "relief_mm", "base_mm", "max_error_mm"):
            if not 0 < getattr(self, name) < 1e5:
                raise InputError(f"{name} of a relief must be a positive length, not {getattr(self, name):g}")
        if not 0 <= self.evenness <= 1:
            raise InputError(f"the evenness of a relief is between 0 and 1, not {self.evenness:g}")


def build_relief(depth: DepthMap, options: ReliefOptions | None = None) -> Mesh:
    """Turn a depth map into a solid with a flat base that a slicer takes as it is.

    Args:
        depth: METRIC or SCALE; only ratios of depth matter. Sky and holes surrounded by sky are lowest.
        options: How.

    Returns:
        A closed mesh in metres, lying on the floor of a world with x right, y down, z forward: the picture's up
        is +z, its height is −y, the base is at y = 0, centred in x and z.

    Raises:
        UnitError: The depth has an unknown offset.
        InputError: There is no surface in it.
    """
    options = options or ReliefOptions()
    if options.triangles < 1000:
        raise InputError(f"a relief needs at least 1000 triangles, not {options.triangles}")
    inverse, on, _, _ = inverse_depth(depth)
    height = compress(_filled(inverse, depth), on | ~_sky(depth), options.evenness)
    height = _fitted(height * np.float32(options.relief_mm), options.triangles)
    share = options.triangles
    while True:
        sheet, _ = height_sheet(height, share, options.max_error_mm)
        top = _standing(sheet.points, height.shape, depth.size, options)
        vertices, faces = close(top, sheet.faces, top * (1.0, 0.0, 1.0))
        if len(faces) <= options.triangles:
            return Mesh(vertices, faces)
        share = min(share, len(sheet.faces)) * 7 // 8


def _standing(points: F32, shape: tuple[int, ...], size: Size, options: ReliefOptions) -> F64:
    """Points of the sheet (columns, rows, mm) -> (n, 3) metres on the floor."""
    unit = options.width_mm / size.long_side * 1e-3
    top = np.empty(points.shape, np.float64)
    top[:, 0] = (points[:, 0] / shape[1] - 0.5) * size.width * unit
    top[:, 1] = -(np.clip(points[:, 2], 0, options.relief_mm) + options.base_mm) * 1e-3
    top[:, 2] = (0.5 - points[:, 1] / shape[0]) * size.height * unit
    return top


def _sky(depth: DepthMap) -> Bool:
    """(h, w) bool."""
    return np.zeros(depth.size.shape, np.bool_) if depth.sky is None else np.asarray(depth.sky)


def _filled(inverse: F32, depth: DepthMap) -> F32:
    """Holes take the nearest surface; the sky stays 0."""
    on = inverse > 0
    holes = ~on & ~_sky(depth)
    return np.where(holes, inverse.ravel()[nearest_true(on)], inverse) if holes.any() else inverse


def _fitted(height: F32, triangles: int) -> F32:
    """No more samples than the triangles can show."""
    import cv2

    rows, columns = height.shape
    factor = min(1.0, (4.0 * triangles / height.size) ** 0.5)
    if factor > 0.9:
        return height
    size = max(2, round(columns * factor)), max(2, round(rows * factor))
    return cv2.resize(height, size, interpolation=cv2.INTER_AREA).astype(np.float32)
