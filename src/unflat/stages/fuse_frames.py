"""depth of many views -> one surface, or one cloud of points.

The frames are gone through twice and never held: once to see how large the place is, how fine its pixels are and how
well neighbours agree, and once to fuse them. Small copies of their depth (about 20 thousand pixels each) stay.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from unflat.errors import InputError
from unflat.geometry.blocks import Blocks
from unflat.geometry.close import closed
from unflat.geometry.isosurface import Surface, extract
from unflat.geometry.normals import vertex_normals
from unflat.geometry.pieces import in_large_pieces, spread, used
from unflat.geometry.simplify import simplified
from unflat.geometry.thin import thinned_to
from unflat.geometry.tsdf import BYTES_PER_BLOCK, Reach, Volume, reserve
from unflat.stages.survey_frames import Survey, look_over, sighting_of
from unflat.types.mesh import Mesh
from unflat.types.points import PointCloud
from unflat.types.views import ViewDepth

FINEST = 1.5
"""A voxel is at least this many pixels of the middle depth wide."""
FARTHEST = 8.0
"""What is so far that one of its pixels covers more than this many voxels is left out."""
REACH = 2.5
"""Distances are cut off at so many voxels, or standard deviations of the depth, whichever is more."""


SCARCE = 1 / 25
"""Share of the usual support from which on a surface is believed, where the usual is little."""
TRIES = 4
"""How often the number of triangles is aimed at, where closing adds some."""
DETAIL = 6.0
"""A surface is fused with up to so many times the triangles that are left of it in the end."""
TRIANGLES_OF_A_BLOCK = 80
"""About so many triangles come from each block near a surface."""
RINGS = 3
"""Surface that no view saw from near is kept by so many rings of triangles around what one saw."""
CRUMB = 60.0
"""Pieces of a smaller area than this, in squares of the voxel, are left out."""


def _silent(_: str) -> None:
    """Nobody listens."""


@dataclass(frozen=True, slots=True)
class FuseOptions:
    """How depth of many views becomes a surface."""

    voxel: float | None = None
    """Finest detail of the fused surface, in metres (or the scene's own unit); unless said, 1.5 pixels of the pictures
    at their middle depth, or coarser where memory or the number of triangles asks for it."""
    volume_mb: int = 1000
    """Most memory for the volume in which views are fused, in megabytes; a larger place is fused more coarsely."""
    support: float = 1.0
    """How many views' worth of agreement a piece of surface needs; less in places where most has less."""

    triangles: int = 300_000
    """Most triangles of the surface; flat places give theirs up first, and outlines are kept."""

    points: int = 1_000_000
    """Most points of a fused cloud; thinned evenly."""
    watertight: bool = False
    """Close all holes, so that the surface can be printed and cut; what closes them is marked as invented."""

    def __post_init__(self) -> None:
        if self.voxel is not None and not (math.isfinite(self.voxel) and self.voxel > 0):
            raise InputError(f"--voxel must be greater than 0, not {self.voxel}")
        if self.volume_mb < 16:
            raise InputError(f"--volume-mb must be at least 16, not {self.volume_mb}")
        if not (math.isfinite(self.support) and self.support > 0):
            raise InputError(f"--support must be greater than 0, not {self.support}")
        for name in ("triangles", "points"):
            if getattr(self, name) < 100:
                raise InputError(f"--{name} must be at least 100, not {getattr(self, name)}")


def fuse_frames(
    frames: Sequence[ViewDepth], options: FuseOptions | None = None, tell: Callable[[str], object] = _silent
) -> Mesh:
    """Fuse what many views see into one surface with colours, normals and confidence at its vertices.

    Args:
        frames: Depth of views in one frame; asked for twice, one after the other, and not kept.
        options: How.
        tell: Told in words what the user should know: a coarser volume than the pictures allow, what simplifying cost.

    Returns:
        Triangles in the frame of the views. What nobody saw well enough is a hole, or closed and marked. The
        confidence of a vertex that w views' worth of depth agree on is w / (w + 1).

    Raises:
        InputError: There is no depth to fuse.
        MissingExtraError: There are too many triangles, and fast-simplification is not installed.
    """
    options = options or FuseOptions()
    return _lessened(_fused(frames, options, DETAIL * options.triangles, tell)[0], options, tell)


def fuse_points(
    frames: Sequence[ViewDepth], options: FuseOptions | None = None, tell: Callable[[str], object] = _silent
) -> PointCloud:
    """Fuse what many views see into one cloud of points on its surface, evenly spaced.

    The points are those of the fused surface, so what one view alone made up is gone and noise is averaged.

    Args:
        frames: As for :func:`fuse_frames`.
        options: How; at most ``points`` are left.
        tell: As for :func:`fuse_frames`.

    Returns:
        Points with normals, colours and confidence.

    Raises:
        InputError: There is no depth to fuse.
    """
    options = options or FuseOptions()
    mesh, voxel = _fused(frames, options, DETAIL * options.points, tell)
    cloud = PointCloud(mesh.vertices, mesh.colors, mesh.normals, mesh.confidence)
    return thinned_to(cloud, options.points, voxel)


def _fused(
    frames: Sequence[ViewDepth], options: FuseOptions, detail: float, tell: Callable[[str], object]
) -> tuple[Mesh, float]:
    """The whole surface, of about ``detail`` triangles at most, and the size of a voxel."""
    survey = look_over(frames)
    volume = _volume(survey, options, detail, tell)
    for frame in frames:
        volume.add(sighting_of(frame, survey.typical, FARTHEST * volume.voxel))
    surface = _finished(extract(volume, _least(volume, options.support)), volume.voxel)
    if surface is None:
        raise _nothing(survey, options.voxel)
    return surface, volume.voxel


def _nothing(survey: Survey, asked: float | None) -> InputError:
    """Why there is no surface."""
    if asked is None:
        return InputError("the views agree on no surface", hint="Take more pictures that overlap, of a textured place.")
    return InputError(
        f"with a voxel of {asked:g} the views agree on no surface",
        hint=f"Their pixels cover about {survey.footprint:.2g} at their middle depth of {survey.typical:.2g}: "
        f"leave --voxel out, or give a little more than that pixel.",
    )


def _lessened(whole: Mesh, options: FuseOptions, tell: Callable[[str], object]) -> Mesh:
    """With no more triangles than asked for, closed if asked for; what closes it counts."""
    wanted, mesh, error = options.triangles, whole, 0.0
    for _ in range(TRIES):
        mesh, error, *_ = simplified(whole, wanted)
        mesh = closed(mesh) if options.watertight else mesh
        if len(mesh.faces) <= options.triangles:
            break
        wanted = int(0.97 * wanted * options.triangles / len(mesh.faces))
    if error:
        tell(f"{len(mesh.faces)} of {len(whole.faces)} triangles are left, {error:.2g} from the others on average")
    return mesh


def _volume(survey: Survey, options: FuseOptions, detail: float, tell: Callable[[str], object]) -> Volume:
    """An empty volume, as fine as the frames are, as memory allows and as what is left in the end can show."""
    wanted = options.voxel or max(FINEST * survey.footprint, survey.spread * survey.typical)
    memory, shown = int(options.volume_mb * 1e6 / BYTES_PER_BLOCK), int(detail / TRIANGLES_OF_A_BLOCK)
    most = memory if options.voxel else min(memory, max(shown, 64))
    voxel = wanted
    while True:
        reach: Reach = (REACH * voxel, REACH * survey.spread)
        blocks = _blocks(survey, voxel, reach, 4 * most)
        if blocks.count <= most:
            break
        voxel *= max(1.05, math.sqrt(blocks.count / most))
    if voxel > wanted and most == memory:
        tell(f"fused at {voxel:.3g} instead of {wanted:.3g}: a finer volume needs more than {options.volume_mb} MB")
    blocks.grow(blocks.count + blocks.count // 16 + 64)
    return Volume(voxel, reach, blocks)


def _blocks(survey: Survey, voxel: float, reach: Reach, enough: int) -> Blocks:
    """The blocks that small copies of the frames ask for; not all where they are more than ``enough``."""
    blocks = Blocks()
    for seen, focal in survey.thumbs:
        near = seen.planes[..., 0] * (FARTHEST * voxel * focal) > 1
        reserve(blocks, seen._replace(weights=np.where(near, seen.weights, np.float32(0))), voxel, reach)
        if blocks.count > enough:
            break
    return blocks


def _least(volume: Volume, support: float) -> float:
    """The weight from which on a voxel is known: ``support``, or a share of what is usual where that is less."""
    weight = volume.weight[: volume.blocks.count]
    some = weight[np.abs(volume.distance[: volume.blocks.count]) < volume.voxel]
    some = some[some > 0]
    return min(support, float(np.median(some)) * SCARCE) if len(some) else support


def _finished(surface: Surface, voxel: float) -> Mesh | None:
    """Without crumbs and what no view saw from near, with normals; None if nothing is left."""
    known, colors = spread(surface.faces, surface.weights > 0, surface.colors, RINGS)
    seen = surface.faces[known[surface.faces].all(axis=1)]
    kept = seen[in_large_pieces(surface.vertices, seen, CRUMB * voxel**2)]
    if not len(kept):
        return None
    named, faces = used(len(surface.vertices), kept)
    vertices, weights = surface.vertices[named], surface.weights[named]
    return Mesh(
        vertices,
        faces,
        vertex_normals(vertices, faces),
        colors=colors[named],
        confidence=weights / (weights + 1),
    )
