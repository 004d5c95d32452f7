"""A scan all around one thing -> the thing alone, closed, upright, in its size, ready for a shop.

Reconstruction + fused Mesh ─ isolate ─► the thing without its table ─ close ─┐
Reconstruction of cut-outs ─ hull ─ dense_depth ─ witness_outlines ─ hull ────┴─ stand ─► bake_texture ─► Scene
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unflat.errors import InputError
from unflat.geometry.close import closed as with_holes_closed
from unflat.geometry.closed_surface import Closed, compact, cut_flat, is_closed, smoothed, without_crumbs
from unflat.geometry.normals import vertex_normals
from unflat.geometry.upright import off_their_side
from unflat.pipelines.report import Clock, Progress, silent
from unflat.pipelines.scan_object import ObjectOptions, image_of, stood
from unflat.stages.agree_outlines import agree_outlines
from unflat.stages.bake_texture import TextureOptions, bake_texture
from unflat.stages.cut_out import CutOut, cut_out
from unflat.stages.dense_depth import DenseOptions, dense_depth
from unflat.stages.hull import hull
from unflat.stages.isolate import isolate
from unflat.stages.stand import Known
from unflat.stages.witness_outlines import witness_outlines
from unflat.stages.wrap import look
from unflat.trust.lineage import Lineage
from unflat.types.arrays import F64, Bool
from unflat.types.mesh import Mesh
from unflat.types.scene import Frame, Node, Scene
from unflat.types.sight import Sight
from unflat.types.views import Reconstruction, Similarity, SparsePoints, View, ViewDepth

_ROUGH, _DEPTH_SIDE, _POINTS = 96, 400, 3000
_NAMED = 4
_BASE = 0.998
"""A thing stands on the lowest of what was seen of it, but for this share."""


def object_from_scan(
    reconstruction: Reconstruction,
    frames: Sequence[ViewDepth],
    mesh: Mesh,
    options: ObjectOptions | None = None,
    progress: Progress = silent,
    lineage: Lineage | None = None,
) -> Scene:
    """Take one thing out of a scan.

    Args:
        reconstruction: The cameras; if its size is known it is believed, unless the options tell one.
        frames: What they see, for the texture; masks of their stills vote on what is the thing.
        mesh: Fused from them, in their frame.
        options: How.
        progress: Told the name of each stage as it begins.
        lineage: What was read and done so far; it is sealed here. None: a new one.

    Raises:
        InputError: Nothing stands where the cameras look, or it cannot be closed.
    """
    options, clock = options or ObjectOptions(), Clock(progress)
    lineage = lineage or _begun(reconstruction)
    views = [frame.view for frame in frames]
    with clock.stage("isolate"):
        masks = [_mask(view) for view in views]
        alone = isolate(mesh, [view.camera for view in views], masks, level=reconstruction.level)
    lineage.did("isolate", table=round(alone.table, 3), triangles=len(alone.mesh.faces))
    up = alone.up
    if alone.hangs:
        lineage.warn("No table was found below the object, but a wall behind it: it is taken off that.")
    elif up is None:
        lineage.warn("No table was found below the object; all that stands where the cameras look is kept.")
    if up is None and reconstruction.level:
        up = np.array([0.0, -1.0, 0.0])
    with clock.stage("close"):
        body, made_up = _closed(alone.mesh)
    lineage.invented = True
    lineage.warn("What no picture shows of the object (its base at least) is closed, and marked as made up.")
    return _delivered(_Body(body, made_up, up), reconstruction, frames, options, clock, lineage)


def object_from_views(
    reconstruction: Reconstruction,
    options: ObjectOptions | None = None,
    progress: Progress = silent,
    lineage: Lineage | None = None,
) -> Scene:
    """One thing of a few cut-outs whose cameras are known: their hull, and in it the hollows that two of them see.

    Args:
        reconstruction: Pinhole views (see ``stages.undistort_views``); stills without a mask are cut out of their
            backdrop.
        options: How.
        progress: Told the name of each stage as it begins.
        lineage: What was read and done so far; it is sealed here. None: a new one.

    Raises:
        InputError: No place lies inside all outlines, or a picture holds no object.
    """
    options, clock = options or ObjectOptions(), Clock(progress)
    lineage = lineage or _begun(reconstruction)
    body, frames, sights, mended = carved(reconstruction, options.inflate.cells, clock)
    body = smoothed(body, 3)
    if mended:
        lineage.warn(_short_of(mended))
    lineage.did("hull", pictures=len(sights), triangles=len(body.faces))
    lineage.invented = True
    lineage.warn("Where no two pictures show a place of the object, its shape is made up of the outlines.")
    normals = vertex_normals(body.vertices.astype(np.float32), body.faces)
    seen = np.any([look(body, normals, sight).clear for sight in sights], axis=0)
    up = np.array([0.0, -1.0, 0.0]) if reconstruction.level else None
    return _delivered(_Body(body, ~seen, up), reconstruction, frames, options, clock, lineage)


def _short_of(mended: Sequence[str]) -> str:
    """What the user is told of cut-outs that lacked something."""
    named = ", ".join(mended[:_NAMED]) + (" …" if len(mended) > _NAMED else "")
    return f"{len(mended)} cut-outs ({named}) lack parts of the object that other pictures show: these are believed."


class Carved(NamedTuple):
    """The hull of a few views, hollowed out by the depth that they agree on.

    Attributes:
        body: In the frame of the scan.
        frames: That depth.
        sights: The cut-outs as they came.
        mended: Names of those that leave out what others show.
    """

    body: Closed
    frames: list[ViewDepth]
    sights: list[Sight]
    mended: list[str]


def carved(reconstruction: Reconstruction, cells: int, clock: Clock | None = None) -> Carved:
    """Carve the thing of a few views by their outlines, then by the depth that they agree on.

    Args:
        reconstruction: Pinhole views.
        cells: Samples along the thing's longest side.
        clock: Times the stages.

    Raises:
        InputError: No place lies inside all outlines, or a picture holds no object.
    """
    clock = clock or Clock()
    with clock.stage("cut out"):
        cuts = [cut_out(image_of(view.still)) for view in reconstruction.views]
        sights = [Sight(cut.image, view.camera) for cut, view in zip(cuts, reconstruction.views, strict=True)]
    with clock.stage("hull"):
        agreed = agree_outlines(sights)
        outer = hull(agreed.sights, _ROUGH)
    views = tuple(map(_alone, reconstruction.views, cuts))
    placed = replace(reconstruction, views=views, points=_points(outer, sights))
    with clock.stage("dense"):
        frames = list(dense_depth(placed, DenseOptions(depth_size=_DEPTH_SIDE, flat=False)))
    with clock.stage("hull"):
        witnessed = witness_outlines(agreed.sights, frames)
        body = hull(witnessed.sights, cells, [frame.depth for frame in frames])
    mended = sorted({*agreed.mended, *witnessed.mended})
    return Carved(body, frames, sights, [views[number].still.name for number in mended])


def _alone(view: View, cut: CutOut) -> View:
    """The view with a mask, and black where the thing is not: a backdrop must not be matched."""
    pixels = np.where(cut.inside[..., None], cut.image.pixels, np.uint8(0))
    return replace(view, still=replace(view.still, read=lambda: pixels, mask=lambda: cut.inside))


def _points(body: Closed, sights: Sequence[Sight]) -> SparsePoints:
    """Points of a hull as if they had been triangulated: they say which views show the same, and how far off it is."""
    chosen = np.random.default_rng(0).choice(len(body.vertices), min(_POINTS, len(body.vertices)), replace=False)
    normals = vertex_normals(body.vertices.astype(np.float32), body.faces)
    seen = [look(body, normals, sight) for sight in sights]
    pairs = [(n, np.flatnonzero(one.clear[chosen])) for n, one in enumerate(seen)]
    pixel = np.concatenate([seen[n].pixel[chosen[who]] for n, who in pairs])
    view = np.concatenate([np.full(len(who), n, np.int32) for n, who in pairs])
    point = np.concatenate([who for _, who in pairs]).astype(np.int32)
    count = len(chosen)
    return SparsePoints(
        body.vertices[chosen],
        np.zeros((count, 3), np.uint8),
        np.zeros(count, np.float32),
        view,
        point,
        pixel.astype(np.float32),
    )


class _Body(NamedTuple):
    """A closed thing in the frame of its scan, which vertices are made up, and which way is up (None: unknown)."""

    closed: Closed
    made_up: Bool
    up: F64 | None


def _delivered(
    body: _Body,
    reconstruction: Reconstruction,
    frames: Sequence[ViewDepth],
    options: ObjectOptions,
    clock: Clock,
    lineage: Lineage,
) -> Scene:
    """On the floor, in metres, with its texture; the lineage is sealed."""
    views = [frame.view for frame in frames]
    turn = upright(body.up, views)
    told = reconstruction.scale
    known = None if told is None or told.assumed else Known(1.0, told)
    with clock.stage("stand"):
        level = _based(Closed(body.closed.vertices @ turn.T, body.closed.faces), ~body.made_up)
        standing, move, scale = stood(level, options, known)
    lineage.did("stand", basis=scale.basis, detail=scale.detail, low=scale.low, high=scale.high)
    whole = Similarity(move.factor, move.rotation @ turn, move.shift)
    back = (standing.vertices - whole.shift) @ whole.rotation / whole.factor
    invented = _nearest(body.closed.vertices, back, body.made_up) | (standing.vertices[:, 1] == 0)
    with clock.stage("texture"):
        plain = Mesh(back.astype(np.float32), standing.faces, invented=invented)
        painted = bake_texture(plain, frames, TextureOptions(options.wrap.texture_side))
    who = _nearest_of(back, np.asarray(painted.vertices, np.float64))  # doubled along the cuts of the texture
    final = replace(painted, vertices=standing.vertices[who].astype(np.float32), normals=None)
    cameras = tuple(replace(view.camera, pose=whole.pose(view.pose)) for view in views)
    return Scene((Node("object", final),), cameras, Frame.LEVEL_RDF, scale, lineage.seal())


def _based(level: Closed, seen: Bool) -> Closed:
    """Cut off below what was seen: the outlines of cameras that all look down close to a point under the thing.

    Args:
        level: With y down.
        seen: (n,) which of its vertices some picture shows.
    """
    if not seen.any():
        return level
    floor = float(np.quantile(level.vertices[seen, 1], _BASE))
    return cut_flat(level, floor) if floor < float(level.vertices[:, 1].max()) else level


def _begun(reconstruction: Reconstruction) -> Lineage:
    lineage = Lineage()
    for source in {view.still.source.name: view.still.source for view in reconstruction.views}.values():
        lineage.read(source)
    return lineage


def _mask(view: View) -> Bool | None:
    return None if view.still.mask is None else view.still.mask()


def _closed(mesh: Mesh) -> tuple[Closed, Bool]:
    """The body, and which of its vertices are made up.

    Raises:
        InputError: It cannot be closed.
    """
    whole = with_holes_closed(mesh)
    if not is_closed(whole.faces):
        raise InputError(
            "the surface of the object has holes that cannot be closed",
            hint="Take more pictures all around it, or scan with --subject scene.",
        )
    body = without_crumbs(compact(np.asarray(whole.vertices, np.float64), whole.faces))
    invented = np.zeros(len(whole.vertices), np.bool_) if whole.invented is None else np.asarray(whole.invented)
    return body, _nearest(np.asarray(whole.vertices, np.float64), body.vertices, invented)


def _nearest(points: F64, asked: F64, marks: Bool) -> Bool:
    """The marks of the nearest points."""
    return marks[_nearest_of(points, asked)]


def _nearest_of(points: F64, asked: F64) -> NDArray[np.int64]:
    """(n,) the number of the nearest point."""
    from scipy.spatial import KDTree

    return np.asarray(KDTree(points).query(asked)[1], np.int64)


def upright(up: F64 | None, views: Sequence[View]) -> F64:
    """(3, 3) level_from_scan: y away from ``up``, and the first view looks at the front, along +z.

    Args:
        up: (3,) of length 1; None: against the mean of the cameras' own down, if all lie on their side turned upright.
        views: At least one.
    """
    turned = off_their_side(np.stack([v.pose.world_from_camera[:3, :3] for v in views]))
    down = -up if up is not None else turned[:, :, 1].mean(0)
    down = down / np.linalg.norm(down)
    ahead = views[0].pose.world_from_camera[:3, 2]
    ahead = ahead - (ahead @ down) * down
    if np.linalg.norm(ahead) < 1e-6:  # it looks straight down: what is up in the picture is behind
        ahead = -turned[0, :, 1]
        ahead = ahead - (ahead @ down) * down
    ahead = ahead / np.linalg.norm(ahead)
    return np.stack([np.cross(down, ahead), down, ahead])
