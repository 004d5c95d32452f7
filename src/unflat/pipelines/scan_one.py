"""A scan all around one thing -> the thing alone, closed, upright, in its size, ready for a shop.

Reconstruction + fused Mesh ─ isolate ─► the thing without its table ─ close ─► body ─ stand ─► bake_texture ─► Scene
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from unflat.errors import InputError
from unflat.geometry.close import closed as with_holes_closed
from unflat.geometry.closed_surface import Closed, compact, is_closed, without_crumbs
from unflat.pipelines.report import Clock, Progress, silent
from unflat.pipelines.scan_object import ObjectOptions, stood
from unflat.stages.bake_texture import TextureOptions, bake_texture
from unflat.stages.isolate import isolate
from unflat.trust.lineage import Lineage
from unflat.types.arrays import F64, Bool
from unflat.types.mesh import Mesh
from unflat.types.scene import Frame, Node, Scene
from unflat.types.views import Reconstruction, Similarity, View, ViewDepth

_HOLE_TURNS = 1e-6


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
    if alone.up is None:
        lineage.warn("No table was found below the object; all that stands where the cameras look is kept.")
    with clock.stage("close"):
        body, made_up = _closed(alone.mesh)
    lineage.invented = True
    lineage.warn("What no picture shows of the object (its base at least) is closed, and marked as made up.")
    turn = upright(alone.up, views)
    known = reconstruction.scale is not None and not reconstruction.scale.assumed
    with clock.stage("stand"):
        standing, move, scale = stood(Closed(body.vertices @ turn.T, body.faces), options, 1.0 if known else None)
    asked = options.stand != type(options.stand)()
    if known and not asked and reconstruction.scale is not None:
        scale = reconstruction.scale
    lineage.did("stand", basis=scale.basis, detail=scale.detail, low=scale.low, high=scale.high)
    whole = Similarity(move.factor, move.rotation @ turn, move.shift)
    back = (standing.vertices - whole.shift) @ whole.rotation / whole.factor
    invented = _nearest(body.vertices, back, made_up) | (standing.vertices[:, 1] == 0)
    with clock.stage("texture"):
        plain = Mesh(back.astype(np.float32), standing.faces, invented=invented)
        painted = bake_texture(plain, frames, TextureOptions(options.wrap.texture_side))
    placed = whole.points(np.asarray(painted.vertices, np.float64))
    placed[np.abs(placed[:, 1]) < _HOLE_TURNS * float(np.ptp(placed[:, 1])) + 1e-6 * whole.factor, 1] = 0.0
    final = replace(painted, vertices=placed.astype(np.float32), normals=None)
    cameras = tuple(replace(view.camera, pose=whole.pose(view.pose)) for view in views)
    return Scene((Node("object", final),), cameras, Frame.LEVEL_RDF, scale, lineage.seal())


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
    from scipy.spatial import KDTree

    return marks[np.asarray(KDTree(points).query(asked)[1], np.int64)]


def upright(up: F64 | None, views: Sequence[View]) -> F64:
    """(3, 3) level_from_scan: y away from ``up``, and the first view looks at the front, along +z.

    Args:
        up: (3,) of length 1; None: against the mean of the cameras' own down.
        views: At least one.
    """
    down = -up if up is not None else np.mean([v.pose.world_from_camera[:3, 1] for v in views], axis=0)
    down = down / np.linalg.norm(down)
    ahead = views[0].pose.world_from_camera[:3, 2]
    ahead = ahead - (ahead @ down) * down
    if np.linalg.norm(ahead) < 1e-6:  # it looks straight down: what is up in the picture is behind
        ahead = -views[0].pose.world_from_camera[:3, 1]
        ahead = ahead - (ahead @ down) * down
    ahead = ahead / np.linalg.norm(ahead)
    return np.stack([np.cross(down, ahead), down, ahead])
