"""depth + picture -> a textured surface, and the sky behind it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from unflat.errors import InputError
from unflat.geometry.border import cut_along, outside, part_of
from unflat.geometry.cuts import Lattice
from unflat.geometry.dome import sky_sheet, sky_skirt
from unflat.geometry.edges import find_cuts
from unflat.geometry.normals import vertex_normals
from unflat.geometry.simplify_grid import error_pyramid, pad_to_lattice
from unflat.geometry.tessellate import Sheet, tessellate
from unflat.types.arrays import F32, U32, Bool
from unflat.types.camera import Intrinsics
from unflat.types.depth import DepthMap
from unflat.types.image import Image
from unflat.types.mesh import Mesh
from unflat.types.scene import Node, Role

TILE = 64
"""Side of the largest triangles, in pixels of the depth map."""
SLACK = 0.75
"""How far an outline may be from the cut between the pixels, in pixels; it grows if triangles are short."""
FAINT = 0.02
"""Jumps of inverse depth are never measured against less than this share of the middle one."""
DOME = 1.5
"""Radius of the sky in the farthest distance of the surface, its corners included."""
FAR = 4.0
"""Nothing is farther than this many times the depth that 99.5 % of the surface is nearer than: no spikes."""
RIM = 1.25
"""Rims, which continue a surface by half a pixel, reach at most this many times the farthest depth."""


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

    layers: Literal["behind", "none"] = "behind"
    """What stands behind outlines: the surfaces there, continued and marked as invented; or none: honest holes."""

    def __post_init__(self) -> None:
        if self.layers not in ("behind", "none"):
            raise InputError(f"there are no layers '{self.layers}'", hint="Choose behind or none.")
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


def build_surface(
    depth: DepthMap, picture: Image, options: SurfaceOptions | None = None, far: float | None = None
) -> Surface:
    """Turn every visible surface of a depth map into triangles with the picture on them.

    Args:
        depth: METRIC or SCALE, with intrinsics; of the picture's shape, possibly smaller.
        picture: The texture, whole.
        options: How.
        far: The farthest distance of all pictures from this place, where there are several.

    Raises:
        UnitError: The depth has an unknown offset.
        InputError: There is no camera, or nothing to build from.
    """
    options = options or SurfaceOptions()
    camera = depth.intrinsics
    if camera is None:
        raise InputError("a depth map needs a camera before it becomes a surface", hint="Calibrate it first.")
    inverse, on, farthest, notes = inverse_depth(depth, far)
    far = farthest if far is None else far
    has_sky = options.sky == "dome" and depth.sky is not None and bool(depth.sky.any())
    sky = sky_nodes(depth, picture, dome_radius(camera, far), options.triangles // 5) if has_sky else ()
    left = options.triangles - sum(len(node.item.faces) for node in sky if isinstance(node.item, Mesh))
    sheet, error, coarse = framed_sheet(inverse, on, options, left, depth)
    nodes = (*seen_and_beyond(sheet, far, depth, picture), *sky)
    return Surface(nodes, error, len(sheet.faces) + options.triangles - left, notes + coarse)


def framed_sheet(
    inverse: F32, on: Bool, options: SurfaceOptions, triangles: int, depth: DepthMap, steepest: float = np.inf
) -> tuple[Sheet, float, tuple[str, ...]]:
    """As :func:`sheet_of`; where ``depth`` goes on beyond a picture's border, cut along it."""
    goal = triangles
    while True:
        sheet, error, notes = sheet_of(inverse, on, options, goal, steepest)
        if depth.invented is None:
            return sheet, error, notes
        sheet = cut_along(sheet, depth.frame, depth.size.width)
        over = len(sheet.faces) - triangles
        if over <= 0:
            return sheet, error, notes
        goal -= over + over // 4
        if goal < 2:
            raise InputError(f"{triangles} triangles are too few for this picture", hint="Allow more triangles.")


def seen_and_beyond(sheet: Sheet, far: float, depth: DepthMap, picture: Image) -> tuple[Node, ...]:
    """The node "surface", and "beyond" with what was made up beyond the picture's border.

    Args:
        sheet: As :func:`framed_sheet` gives it.
        far: The farthest depth.
        depth: With a camera.
        picture: The texture, whole.
    """
    camera = depth.intrinsics
    assert camera is not None
    made_up = np.zeros(len(sheet.faces), np.bool_) if depth.invented is None else outside(sheet, depth.frame)
    nodes: list[Node] = []
    parts: tuple[tuple[Role, Bool], ...] = (("surface", ~made_up), ("beyond", made_up))
    for name, some in parts:
        if not some.any():
            continue
        part = sheet if some.all() else part_of(sheet, some)
        xy = part.points[:, 0], part.points[:, 1]
        z = (1 / np.maximum(part.points[:, 2], 1 / (RIM * far))).astype(np.float32)
        mesh = mesh_of((points_at(*xy, z, camera), part.faces), xy, part.source, depth, picture)
        if name == "beyond":
            sure = None if mesh.confidence is None else np.zeros_like(mesh.confidence)
            mesh = replace(mesh, invented=np.ones(len(mesh.vertices), np.bool_), confidence=sure)
        nodes.append(Node(name, mesh, name))
    return tuple(nodes)


def inverse_depth(depth: DepthMap, limit: float | None = None) -> tuple[F32, Bool, float, tuple[str, ...]]:
    """Inverse depth (0 without surface), where there is a surface, the farthest depth, and what was decided.

    ``limit`` is the farthest depth that is let be; unless given, FAR tells it.
    """
    z, on = depth.z, depth.surface & np.isfinite(depth.z)
    if min(depth.size.shape) < 2 or not on.any():
        raise InputError("there is no surface in this depth map", hint="It is all sky, invalid, or a single pixel.")
    on &= z > 0
    if limit is None:
        limit = FAR * float(np.quantile(z[on][:: max(1, int(on.sum()) // 200_000)], 0.995))
    far = min(limit, float(z[on].max()))
    with np.errstate(divide="ignore", invalid="ignore"):
        inverse = np.where(on, 1 / np.minimum(z, np.float32(far)), np.float32(0)).astype(np.float32)
    beyond = int((z[on] > limit).sum())
    who = "1 pixel was" if beyond == 1 else f"{beyond} pixels were"
    place = f"{far:,.0f}" if far >= 100 else f"{far:.3g}"
    notes = (f"{who} farther than {place} m and brought to that distance",) if beyond else ()
    return inverse, on, far, notes


def dome_radius(camera: Intrinsics, far: float) -> float:
    """How far away the sky stands if the surface reaches to the depth ``far``, in the same unit."""
    x = max(camera.cx, camera.size.width - camera.cx) / camera.fx
    y = max(camera.cy, camera.size.height - camera.cy) / camera.fy
    return DOME * far * (1 + x * x + y * y) ** 0.5


HELPS = 1.1
"""Outlines alone may take so many times the triangles that there are; more slack does not save more."""


def _fit(lattice: Lattice, middle: float, options: SurfaceOptions, triangles: int) -> tuple[Sheet, float] | None:
    """The finest sheet within the number of triangles, and its error bound; None if the outlines take too many."""
    h, w = lattice.size
    for slack in (SLACK, 2 * SLACK, 4 * SLACK):
        worst = error_pyramid(lattice, middle, TILE, slack, options.edge)
        inside = worst[: h + 2, : w + 2]
        errors = np.sort(inside[np.isfinite(inside) & (inside > options.max_error)])[::-1]
        coarsest = max(options.max_error, float(errors[0])) if len(errors) else options.max_error
        if tessellate(lattice, worst, coarsest, TILE, int(HELPS * triangles)) is None:
            return None
        goal, best = triangles // 2, None
        for _ in range(6):
            goal = min(goal, len(errors))
            limit = options.max_error if goal == len(errors) else max(options.max_error, float(errors[goal]))
            sheet = tessellate(lattice, worst, limit, TILE, 2 * triangles + 1000)
            count = 4 * triangles if sheet is None else len(sheet.faces)
            if sheet is not None and count <= triangles and (best is None or limit < best[1]):
                best = sheet, limit
            if count <= triangles and (goal == len(errors) or count > 0.9 * triangles):
                break
            if goal == 0 and count > triangles:
                break
            goal = int((goal + 1) * 0.96 * triangles / count) + (1 if count < triangles else 0)
        if best is not None:
            return best
    return None


def _coarser(inverse: F32, on: Bool, stride: int) -> tuple[F32, Bool]:
    """Every so many pixels, those nearest to the middles of the coarse ones."""
    h, w = inverse.shape
    rows = ((np.arange(max(2, h // stride)) + 0.5) * h / max(2, h // stride)).astype(np.int64)
    columns = ((np.arange(max(2, w // stride)) + 0.5) * w / max(2, w // stride)).astype(np.int64)
    at = np.ix_(rows, columns)
    return inverse[at], on[at]


def sheet_of(
    inverse: F32, on: Bool, options: SurfaceOptions, triangles: int, steepest: float = np.inf
) -> tuple[Sheet, float, tuple[str, ...]]:
    """Triangles over the picture; where outlines alone would take too many, over a coarser grid, and said so."""
    middle = float(np.median(inverse[on]))
    h, w = inverse.shape
    for stride in (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64):
        coarse, exists = (inverse, on) if stride == 1 else _coarser(inverse, on, stride)
        if not exists.any():
            continue
        cuts = find_cuts(coarse, exists, options.edge, FAINT * middle, steepest * stride)
        found = _fit(pad_to_lattice(coarse, exists, cuts, TILE), middle, options, triangles)
        if found is None:
            continue
        sheet, error = found
        if stride == 1:
            return sheet, error, ()
        ch, cw = coarse.shape
        points = sheet.points * np.array([w / cw, h / ch, 1], np.float32)
        rows = np.minimum(((sheet.source // cw + 0.5) * h / ch).astype(np.int64), h - 1)
        columns = np.minimum(((sheet.source % cw + 0.5) * w / cw).astype(np.int64), w - 1)
        note = f"outlines were taken from one pixel in {stride}, to fit into {triangles} triangles"
        return Sheet(points.astype(np.float32), rows * w + columns, sheet.faces), error, (note,)
    raise InputError(f"{triangles} triangles are too few for this picture", hint="Allow more triangles.")


def points_at(x: F32, y: F32, z: F32, camera: Intrinsics) -> F32:
    """Pixels and their z -> (n, 3) points in camera axes."""
    across = (x - np.float32(camera.cx)) / np.float32(camera.fx) * z
    down = (y - np.float32(camera.cy)) / np.float32(camera.fy) * z
    return np.stack([across, down, z], axis=1).astype(np.float32)


def mesh_of(
    placed: tuple[F32, U32], xy: tuple[F32, F32], source: NDArray[np.int64], depth: DepthMap, picture: Image
) -> Mesh:
    """A mesh with normals, the picture on it, and the confidence of the pixels it was made from."""
    vertices, faces = placed
    size = depth.size
    uv = np.stack([xy[0] / np.float32(size.width), xy[1] / np.float32(size.height)], axis=1)
    confidence = None if depth.confidence is None else depth.confidence.reshape(-1)[source]
    normals = vertex_normals(vertices, faces)
    return Mesh(vertices, faces, normals=normals, uv=uv, confidence=confidence, texture=picture)


def sky_nodes(
    depth: DepthMap, picture: Image, radius: float, triangles: int, reach: float = 0.0, kept: Bool | None = None
) -> tuple[Node, ...]:
    """The seen sky on a dome, and its continuation behind the outlines a little farther out.

    Args:
        depth: With a sky and a camera.
        picture: The texture, whole.
        radius: Of the dome, in metres.
        triangles: Most there may be.
        reach: How far it goes on behind outlines at least, in pixels.
        kept: (h, w), where the picture shows sky alone, if something else stands for the rest of the seen sky.
    """
    sky, camera = np.asarray(depth.sky), depth.intrinsics
    assert camera is not None
    seen = sky_sheet(sky if kept is None else sky & kept, triangles // 2)
    skirt = sky_skirt(sky, triangles // 2, seen is None, reach)
    points, faces, uv = skirt.points, skirt.faces, skirt.seen
    invented = np.any(skirt.points != skirt.seen, axis=1)
    distance = np.full(len(points), 1.02 * radius, np.float32)
    if seen is not None:
        points = np.concatenate([seen.points[:, :2], points])
        uv = np.concatenate([seen.points[:, :2], uv])
        faces = np.concatenate([seen.faces, faces + np.uint32(len(seen.points))])
        invented = np.concatenate([np.zeros(len(seen.points), np.bool_), invented])
        distance = np.concatenate([np.full(len(seen.points), radius, np.float32), distance])
    rays = points_at(points[:, 0], points[:, 1], np.ones(len(points), np.float32), camera)
    vertices = rays * (distance / np.linalg.norm(rays, axis=1))[:, None]
    rows = np.clip(uv[:, 1].astype(np.int64), 0, depth.size.height - 1)
    source = rows * depth.size.width + np.clip(uv[:, 0].astype(np.int64), 0, depth.size.width - 1)
    if depth.invented is not None:  # a triangle that is made up in part is all of it
        invented |= depth.invented.reshape(-1)[source]
        invented[faces[invented[faces].any(axis=1)]] = True
    mesh = mesh_of((vertices, faces), (uv[:, 0], uv[:, 1]), source, depth, picture)
    return (Node("sky", replace(mesh, invented=invented), "sky"),)
