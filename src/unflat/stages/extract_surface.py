"""Tissue -> its closed surface, in the patient's metres: sub-voxel, smoothed with its volume kept, fewer triangles."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from unflat.errors import InputError
from unflat.geometry.bits import size_of
from unflat.geometry.closed_surface import Closed
from unflat.geometry.marching import Limits, surface_of
from unflat.geometry.normals import vertex_normals
from unflat.geometry.pieces import used
from unflat.geometry.simplify_solid import fewer, trimmed
from unflat.geometry.smooth import smoothed, volume_and_area, with_volume
from unflat.stages.tissues import Tissue
from unflat.types.arrays import F32, F64, U32
from unflat.types.mesh import Mesh

Smooth = Literal["auto", "none", "light", "strong"]
Cut = Literal["sagittal", "coronal", "axial"]

_FLAT = 2.0
"""Voxels so many times taller than wide leave terraces, as drawn labels do."""
_FILTERS: dict[Smooth, tuple[int, float]] = {"none": (0, 1.0), "light": (10, 0.5), "strong": (20, 0.1)}
"""Rounds and band of the windowed sinc."""
_GENTLER: dict[Smooth, tuple[Smooth, ...]] = {
    "strong": ("strong", "light", "none"),
    "light": ("light", "none"),
    "none": ("none",),
}
_KEPT = 0.002
"""A share of the volume that may be missing after it was brought back."""
_ON_M = 1e-6
"""What is nearer to a plane than this lies on it."""
_REACH = 0.5
"""Voxels that smoothing may move a vertex along any axis: the width of what one voxel cannot tell."""
_AXES: dict[Cut, int] = {"sagittal": 0, "coronal": 1, "axial": 2}


@dataclass(frozen=True, slots=True)
class SurfaceOptions:
    """How the surface of a tissue is made."""

    smooth: Smooth = "auto"
    """How much of the voxels' steps is smoothed away, the volume kept: none, light, strong; auto is strong for labels
    and for slices far apart, else light, and less where thin parts would lose volume. No vertex moves by more than
    half a voxel, and by no more than that again to bring the volume back."""
    simplify_mm: float | None = None
    """Leave out triangles as long as the surface moves by no more than this, and keeps its shape."""
    triangles: int | None = None
    """No more triangles a tissue than this, as long as it keeps its shape; how far the surface moved is reported."""
    cut: Cut | None = None
    """Cut the model open by a plane and close the cut: sagittal, coronal or axial; through its middle, or --cut-at."""
    cut_at: float | None = None
    """Where --cut cuts, in the scan's own millimetres towards the patient's left, back or head."""

    def __post_init__(self) -> None:
        if self.simplify_mm is not None and not 0 < self.simplify_mm <= 100:
            raise InputError(f"--simplify-mm {self.simplify_mm:g} is out of range", hint="Give 0.001 to 100 mm.")
        if self.triangles is not None and not 100 <= self.triangles <= 100_000_000:
            raise InputError(f"--triangles {self.triangles} is out of range", hint="Give 100 or more.")
        if self.cut_at is not None and (self.cut is None or not math.isfinite(self.cut_at)):
            raise InputError("--cut-at needs --cut", hint="--cut axial --cut-at -120")


class Solid(NamedTuple):
    """A tissue as a surface.

    Attributes:
        mesh: In LPS metres.
        volume_ml: Millilitres inside the mesh.
        voxels_ml: Millilitres of the tissue's voxels.
        moved_mm: How far simplification may have moved the surface; 0 where nothing was simplified.
    """

    mesh: Mesh
    volume_ml: float
    voxels_ml: float
    moved_mm: float


def extract_surface(tissue: Tissue, options: SurfaceOptions | None = None) -> Solid:
    """Make the surface of a tissue.

    Args:
        tissue: What is inside, and the values that tell where between two voxels its border is.
        options: How.

    Returns:
        A closed manifold, its volume that of the unsmoothed surface (for labels: of their voxels).

    Raises:
        InputError: A cut leaves nothing.
        MissingExtraError: Simplifying or cutting was asked for and manifold3d is not installed.
    """
    options = options or SurfaceOptions()
    grid = tissue.grid
    surface = surface_of(tissue.bits, tissue.values, tissue.limits or Limits(-math.inf, math.inf), grid.lps_from_voxel)
    inside = size_of(tissue.bits) * grid.voxel_m3
    vertices, faces = _smooth(surface.vertices, surface.faces, tissue, inside, options), surface.faces
    moved = 0.0
    if options.simplify_mm is not None or options.triangles is not None:
        error = None if options.simplify_mm is None else options.simplify_mm / 1000
        less = fewer(Closed(vertices.astype(np.float64), faces), error, options.triangles)
        vertices, faces, moved = less.closed.vertices.astype(np.float32), less.closed.faces, 1000 * less.error
    mesh = Mesh(vertices, faces, vertex_normals(vertices, faces))
    return Solid(mesh, 1e6 * volume_and_area(vertices, faces)[0], 1e6 * inside, moved)


def _smooth(vertices: F32, faces: U32, tissue: Tissue, inside: float, options: SurfaceOptions) -> F32:
    """Smooth, and bring the volume back: as much as is wanted, but less where a thin part would not keep its volume."""
    spacing = tissue.grid.spacing
    drawn = tissue.limits is None
    how = options.smooth
    if how == "auto":
        how = "strong" if drawn or max(spacing) > _FLAT * min(spacing) else "light"
    if not len(faces) or (how == "none" and not drawn):
        return vertices
    wanted = inside if drawn else volume_and_area(vertices, faces)[0]
    back = np.linalg.inv(tissue.grid.lps_from_voxel[:3, :3]).astype(np.float64)
    moved = vertices
    for less in _GENTLER[how]:
        smooth = smoothed(vertices, faces, *_FILTERS[less], back, _REACH)
        moved = with_volume(smooth, faces, wanted, _REACH * min(spacing))
        if abs(volume_and_area(moved, faces)[0] / wanted - 1) < _KEPT:
            break
    return moved


def cut_open(solids: Sequence[Solid], options: SurfaceOptions) -> tuple[Solid, ...]:
    """Cut all solids of a model by one plane, and close the cuts.

    The half nearer to the one who looks goes: of a sagittal cut the left, of a coronal one the front, of an axial one
    the head's side.

    Args:
        solids: In LPS metres.
        options: Which plane; without a place it goes through the middle of all.

    Returns:
        One a solid; one that lay wholly on the side that goes has no face.

    Raises:
        InputError: The plane leaves nothing.
        MissingExtraError: manifold3d is not installed.
    """
    if options.cut is None:
        return tuple(solids)
    axis, normal = _AXES[options.cut], np.zeros(3)
    normal[axis] = 1.0 if options.cut == "coronal" else -1.0
    if options.cut_at is not None:
        at = options.cut_at / 1000
    else:
        some = [solid.mesh.vertices[:, axis] for solid in solids if len(solid.mesh.vertices)]
        ends = [edge for along in some for edge in (along.min(), along.max())]
        at = float(min(ends) + max(ends)) / 2
    cut = tuple(_cut_one(solid, normal, normal[axis] * at) for solid in solids)
    if not any(len(solid.mesh.faces) for solid in cut):
        raise InputError("the cut leaves nothing of the model", hint="Choose another --cut-at.")
    return cut


def _cut_one(solid: Solid, normal: F64, offset: float) -> Solid:
    """One solid, without what lies before the plane; the corners of the cut are its own, so that it is shaded flat."""
    mesh = solid.mesh
    closed = trimmed(Closed(mesh.vertices.astype(np.float64), mesh.faces), normal, offset)
    vertices = closed.vertices.astype(np.float32)
    volume = 1e6 * volume_and_area(vertices, closed.faces)[0]
    on = np.abs(vertices @ normal.astype(np.float32) - np.float32(offset)) < _ON_M
    corners = vertices[closed.faces]
    turned = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]) @ normal
    flat = on[closed.faces].all(axis=1) & (turned < 0)
    named, caps = used(len(vertices), closed.faces[flat])
    sides = closed.faces[~flat]
    normals = np.concatenate([vertex_normals(vertices, sides), np.tile(-normal, (len(named), 1))]).astype(np.float32)
    faces = np.concatenate([sides, caps + np.uint32(len(vertices))])
    return solid._replace(mesh=Mesh(np.concatenate([vertices, vertices[named]]), faces, normals), volume_ml=volume)


def unmet(tissues: Sequence[Tissue], solids: Sequence[Solid], options: SurfaceOptions) -> Iterator[str]:
    """What was asked of the surfaces of tissues and could not be had, in words for the user."""
    pairs = list(zip(tissues, solids, strict=True))
    gone = [tissue.name for tissue, solid in pairs if not len(solid.mesh.faces)]
    if gone:
        yield f"cut away as a whole: {', '.join(gone)}"
    stiff = [tissue.name for tissue, solid in pairs if len(solid.mesh.faces) and _finer(solid, options)]
    if stiff:
        yield f"simplified less than was asked for, for it would have lost its shape: {', '.join(stiff)}"


def _finer(solid: Solid, options: SurfaceOptions) -> bool:
    """Whether a surface has more triangles, or moved less, than was asked for; caps of a cut are not counted on."""
    more = options.cut is None and options.triangles is not None and len(solid.mesh.faces) > options.triangles
    return more or (options.simplify_mm is not None and solid.moved_mm < options.simplify_mm)
