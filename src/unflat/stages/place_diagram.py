"""Solids in pixels of a drawing -> a scene in metres before a camera that sees them as they were drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from unflat.errors import InputError
from unflat.geometry.closed_surface import Closed, told_apart
from unflat.geometry.normals import vertex_normals
from unflat.geometry.raster import Canvas, placed
from unflat.stages.inflate_diagram import Solid
from unflat.stages.scale_to_metres import KnownLength
from unflat.types.arrays import F64
from unflat.types.camera import Camera, Intrinsics, Pose
from unflat.types.depth import DepthKind, DepthMap
from unflat.types.diagram import Diagram
from unflat.types.image import Size
from unflat.types.mesh import Mesh
from unflat.types.scale import Scale
from unflat.types.scene import Finish, Node

ASSUMED_M = 0.2
"""The longest side of a drawing's solids, seen from the front, where nothing tells its size: a model for the table."""
_ANYWHERE = 1e-6, 10.0
"""What was drawn may be a bacterium or a tree."""
_POINTED = 1.0
"""Pixels by which the ends of a known length may be off together."""
_FOCAL = 1.6
"""Focal length of the eye before a drawing, for the picture's long side."""
_BEHIND = 0.02
_DEPTH_PX = 1024


class Placing(NamedTuple):
    """How a drawing stands in the scene.

    Attributes:
        camera: That sees the paper fill its picture.
        metres: For a pixel of the picture, in the plane of the paper.
        per_cell: Pixels of the picture for one of the diagram's map.
        scale: How well the metres are known.
    """

    camera: Camera
    metres: float
    per_cell: float
    scale: Scale

    @property
    def far(self) -> float:
        """Metres from the eye to the paper."""
        return self.camera.intrinsics.fx * self.metres

    def points(self, xyz: F64) -> F64:
        """(n, 3) places of the map (pixels; z away from the eye, 0 on the paper) in metres of the scene."""
        lens = self.camera.intrinsics
        pixels = xyz * self.per_cell - np.array([lens.cx, lens.cy, 0.0])
        return pixels * self.metres + np.array([0.0, 0.0, self.far])


def placing_of(diagram: Diagram, known: KnownLength | None) -> Placing:
    """Put a drawing before an eye.

    Args:
        diagram: Taken apart.
        known: A true length in the plane of the paper, in pixels of the picture.
    """
    size = diagram.picture
    camera = Camera(Intrinsics.from_focal(_FOCAL * size.long_side, size, "assumed"), Pose.identity(), "drawing")
    if known is not None:
        pixels = float(np.hypot(known.x2 - known.x1, known.y2 - known.y1))
        off = 1 + _POINTED / pixels
        scale = Scale("known-length", 1 / off, off, 0.9, f"{known.metres:g} m between two points of the drawing")
        return Placing(camera, known.metres / pixels, diagram.per_cell, scale)
    drawn = diagram.numbers > 0
    rows, columns = np.flatnonzero(drawn.any(axis=1)), np.flatnonzero(drawn.any(axis=0))
    longest = max(int(np.ptp(rows)), int(np.ptp(columns))) + 1
    detail = f"a drawing does not tell its size: the longest side of what is drawn is taken to be {ASSUMED_M:g} m"
    scale = Scale("assumed", *_ANYWHERE, 0.9, detail)
    return Placing(camera, ASSUMED_M / (longest * diagram.per_cell), diagram.per_cell, scale)


def nodes_of(solids: Sequence[Solid], placing: Placing) -> tuple[Node, ...]:
    """The solids as nodes in metres, each in its region's colour; what turns away from the eye is marked invented."""
    return tuple(
        Node(solid.region.name, _mesh(solid.closed, placing), finish=Finish(solid.region.color)) for solid in solids
    )


def _mesh(closed: Closed, placing: Placing) -> Mesh:
    """A surface in metres, no two of whose corners are one in single precision."""
    closed = told_apart(Closed(placing.points(closed.vertices), closed.faces))
    vertices = closed.vertices.astype(np.float32)
    normals = vertex_normals(vertices, closed.faces)
    return Mesh(vertices, closed.faces, normals, invented=normals[:, 2] > _BEHIND)


def depth_of(nodes: Sequence[Node], camera: Camera) -> DepthMap:
    """What the eye before the drawing sees of its solids.

    Args:
        nodes: In metres.
        camera: The eye.

    Raises:
        InputError: It sees nothing.
    """
    size: Size = camera.intrinsics.size.fitted(_DEPTH_PX)
    lens = camera.intrinsics.resized(size)
    canvas = Canvas(*size.shape)
    for node in nodes:
        assert isinstance(node.item, Mesh)
        nowhere = np.zeros((len(node.item.vertices), 2), np.float32)
        canvas.draw(placed(node.item.vertices, node.item.faces, nowhere, Camera(lens, camera.pose)))
    seen = canvas.inverse > 0
    if not seen.any():
        raise InputError("nothing of this drawing became a solid")
    z = np.divide(1, canvas.inverse, out=np.full(seen.shape, np.nan, np.float32), where=seen)
    return DepthMap(z, DepthKind.SCALE, seen, intrinsics=lens, origin="diagram")
