"""depth + picture -> a textured surface, and the sky behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from unflat.errors import InputError
from unflat.geometry.cuts import Lattice
from unflat.geometry.edges import find_cuts
from unflat.geometry.normals import vertex_normals
from unflat.geometry.simplify_grid import error_pyramid, pad_to_lattice
from unflat.geometry.tessellate import Sheet, tessellate
from unflat.types.arrays import F32, Bool
from unflat.types.camera import Intrinsics
from unflat.types.depth import DepthMap
from unflat.types.image import Image
from unflat.types.mesh import Mesh
from unflat.types.scene import Node

TILE = 64
"""Side of the largest triangles, in pixels of the depth map."""
SLACK = 0.75
"""How far an outline may be from the cut between the pixels, in pixels; it grows if triangles are short."""
FAR = 4.0
"""Nothing stands farther than this many times the depth that 99.5 % of the surface is nearer than."""


@dataclass(frozen=True, slots=True)
class SurfaceOptions:
    """How a picture becomes a surface."""

    triangles: int = 200_000
    """Most triangles of the surface; the allowed error grows until they are enough."""
    max_error: float = 0.002
    """Largest error of the depth, as a fraction of it; beyond the middle distance, of the inverse depth there."""
    sky: Literal["dome", "none"] = "dome"
    """What stands where the sky is: a far dome with the picture's sky on it, or nothing."""
    edge: float = 0.06
    """Relative depth jump, beyond what a slanted plane explains, from which two neighbouring pixels are cut apart."""

    def __post_init__(self) -> None:
        if self.triangles < 16:
            raise InputError(f"a surface needs at least 16 triangles, not {self.triangles}")
        if not 0 < self.max_error < 1:
            raise InputError(f"the largest error is a fraction between 0 and 1, not {self.max_error:g}")
        if not self.edge > 0:
            raise InputError(f"the relative depth jump of an edge must be positive, not {self.edge:g}")


@dataclass(frozen=True, slots=True)
class Surface:
    """What was built, and how true it is.

    Attributes:
        nodes: "surface", and "sky" where there is one.
        max_error: Bound of the depth error of every triangle, in the unit of ``SurfaceOptions.max_error``.
        triangles: How many triangles all nodes have together.
        notes: What had to be decided, in words for the user.
    """

    nodes: tuple[Node, ...]
    max_error: float
    triangles: int
    notes: tuple[str, ...] = ()


def build_surface(depth: DepthMap, picture: Image, options: SurfaceOptions | None = None) -> Surface:
    """Turn every visible surface of a depth map into triangles with the picture on them.

    Args:
        depth: METRIC or SCALE, with intrinsics; of the picture's shape, possibly smaller.
        picture: The texture, whole.
        options: How.

    Raises:
        UnitError: The depth has an unknown offset.
        InputError: There is no camera, or nothing to build from.
    """
    options = options or SurfaceOptions()
    camera = depth.intrinsics
    if camera is None:
        raise InputError("a depth map needs a camera before it becomes a surface", hint="Calibrate it first.")
    inverse, on, far, notes = inverse_depth(depth)
    middle = float(np.median(inverse[on][::7]))
    cuts = find_cuts(inverse, on, options.edge, 0.02 * middle)
    lattice = pad_to_lattice(inverse, on, cuts, TILE)
    sheet, error = _fit(lattice, middle, options)
    mesh = _lift(sheet, camera, depth, picture, far)
    return Surface((Node("surface", mesh),), error, len(mesh.faces), notes)


def inverse_depth(depth: DepthMap) -> tuple[F32, Bool, float, tuple[str, ...]]:
    """Inverse depth (0 without surface), where there is a surface, the farthest depth, and what was decided."""
    z, on = depth.z, depth.surface & np.isfinite(depth.z)
    if min(depth.size.shape) < 2 or not on.any():
        raise InputError("there is no surface in this depth map", hint="It is all sky, invalid, or a single pixel.")
    on &= z > 0
    far = FAR * float(np.quantile(z[on][:: max(1, on.sum() // 200_000)], 0.995))
    with np.errstate(divide="ignore", invalid="ignore"):
        inverse = np.where(on, 1 / np.minimum(z, np.float32(far)), np.float32(0)).astype(np.float32)
    beyond = int((z[on] > far).sum())
    notes = (f"{beyond} pixels farther than {far:.3g} m were brought to that distance",) if beyond else ()
    return inverse, on, far, notes


def _fit(lattice: Lattice, middle: float, options: SurfaceOptions) -> tuple[Sheet, float]:
    """The finest sheet within the number of triangles, and its error bound."""
    limit, slack = options.max_error, SLACK
    for _ in range(6):
        worst = error_pyramid(lattice, middle, TILE, slack, 64 * options.max_error)
        errors = np.sort(worst[np.isfinite(worst) & (worst > limit)])[::-1]
        goal = options.triangles // 2
        for _ in range(12):
            if goal < len(errors):
                limit = max(limit, float(errors[goal]))
            sheet = tessellate(lattice, worst, limit, TILE, options.triangles)
            if sheet is not None:
                return sheet, limit
            goal = int(min(goal, len(errors)) * 0.8)
        slack *= 2
    raise InputError(f"{options.triangles} triangles are too few for the outlines of this picture")


def _lift(sheet: Sheet, camera: Intrinsics, depth: DepthMap, picture: Image, far: float) -> Mesh:
    """Points over the picture -> a mesh in the camera's axes."""
    x, y = sheet.points[:, 0], sheet.points[:, 1]
    z: F32 = np.float32(1) / np.maximum(sheet.points[:, 2], np.float32(1 / far))
    size = depth.size
    vertices = np.stack(
        [
            (x - np.float32(camera.cx)) / np.float32(camera.fx) * z,
            (y - np.float32(camera.cy)) / np.float32(camera.fy) * z,
            z,
        ],
        axis=1,
    ).astype(np.float32, copy=False)
    uv = np.stack([x / np.float32(size.width), y / np.float32(size.height)], axis=1)
    confidence = None if depth.confidence is None else depth.confidence.reshape(-1)[sheet.source]
    return Mesh(
        vertices,
        sheet.faces,
        normals=vertex_normals(vertices, sheet.faces),
        uv=uv,
        confidence=confidence,
        texture=picture,
    )
