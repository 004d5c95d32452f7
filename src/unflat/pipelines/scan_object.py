"""Cut-outs of one thing, or a scan of it -> the thing alone, closed, upright, in its size, ready for a shop.

stills ─ cut_out ─► cut-outs ─┬─ one: estimate_depth ─ inflate ─────────┐
                              └─ more: hull ────────────────────────────┴─► stand ─ wrap ─► Scene
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple, get_args

import numpy as np

from unflat.errors import InputError
from unflat.geometry.closed_surface import Closed, simplified, smoothed, told_apart
from unflat.pipelines.people import LeaveOptions, free, meet
from unflat.pipelines.report import Clock, Progress, silent
from unflat.stages.cut_out import CutOut, cut_out
from unflat.stages.estimate_depth import DepthOptions
from unflat.stages.hull import hull
from unflat.stages.inflate import InflateOptions, inflate, relief_of, window_on
from unflat.stages.marked_length import MarkedLength
from unflat.stages.measure_thing import measure_thing
from unflat.stages.mirror import SURE, mirror_across, symmetry_of, with_mirrors
from unflat.stages.name_views import FOV_DEG, NameOptions, Side, sides_of, sights_of
from unflat.stages.revolve import judge_turned, revolve
from unflat.stages.stand import Known, Standing, StandOptions, pitch_of_rest, stand
from unflat.stages.wrap import WrapOptions, wrap
from unflat.trust.lineage import Lineage
from unflat.types.arrays import F64
from unflat.types.camera import Camera, Intrinsics, Pose
from unflat.types.depth import DepthMap
from unflat.types.image import Image
from unflat.types.scene import Frame, Node, Scene
from unflat.types.sight import Sight
from unflat.types.views import Similarity, Still, Stills

BEHIND = mirror_across(np.array([0.0, 0.0, 1.0]), np.zeros(3))
"""Front and back are alike."""
Shape = Literal["auto", "round", "relief"]


@dataclass(frozen=True, slots=True)
class ObjectOptions:
    """How cut-outs become a thing."""

    front: str = "auto"
    """The model that sees the front of a thing of which there is one picture only; none: round by its outline alone."""
    shape: Shape = "auto"
    """What a thing of which there is one picture is: round (about an upright axis, like a vase), relief (what the front
    shows, and a back like it), auto (round where outline and front speak for it)."""
    object_triangles: int = 100_000
    """Most triangles of the object."""
    estimate: DepthOptions = field(default_factory=DepthOptions)
    names: NameOptions = field(default_factory=NameOptions)
    inflate: InflateOptions = field(default_factory=InflateOptions)
    stand: StandOptions = field(default_factory=StandOptions)
    wrap: WrapOptions = field(default_factory=WrapOptions)
    leave: LeaveOptions = field(default_factory=LeaveOptions)

    def __post_init__(self) -> None:
        if self.shape not in get_args(Shape):
            raise InputError(f"there is no shape '{self.shape}'", hint=f"Known: {' '.join(get_args(Shape))}.")
        if self.object_triangles < 500:
            raise InputError(f"an object needs at least 500 triangles, not {self.object_triangles}")


def object_from_cutouts(
    stills: Stills,
    options: ObjectOptions | None = None,
    progress: Progress = silent,
    length: MarkedLength | None = None,
) -> Scene:
    """Make one closed thing of the pictures that a shop has of it.

    Args:
        stills: Cut-outs with masks, or pictures before an even backdrop.
        options: How.
        progress: Told the name of each stage as it begins.
        length: A true length that is marked in one of the pictures, or in two.

    Raises:
        InputError: There is no picture, or one of them holds no object that can be cut out, or the length is not on it.
    """
    return object_from_images([image_of(still) for still in stills.items], options, progress, length)


def object_from_images(
    images: Sequence[Image],
    options: ObjectOptions | None = None,
    progress: Progress = silent,
    length: MarkedLength | None = None,
) -> Scene:
    """The same of pictures in memory; see :func:`object_from_cutouts`.

    Args:
        images: Each with alpha, or before an even backdrop; the names of their sources may tell which side they show.
        options: How.
        progress: Told the name of each stage as it begins.
        length: A true length that is marked in one of the pictures, or in two.
    """
    options, clock = options or ObjectOptions(), Clock(progress)
    if not images:
        raise InputError("there is no picture of the object")
    lineage = Lineage.begin(images[0].source)
    for image in images[1:]:
        lineage.read(image.source)
    free(lineage.sources, options.leave, lineage, commercial_only=options.estimate.commercial_only)
    with clock.stage("people"):
        images = [meet(image, options.leave, lineage).image for image in images]
    with clock.stage("cut out"):
        cuts = [cut_out(image) for image in images]
    for cut in cuts:
        lineage.did("cut_out", picture=cut.image.source.name, how=cut.how, sure=round(cut.sure, 2))
    found = sides_of([cut.image.source.name for cut in cuts], options.names)
    named = [(cut, side) for cut, side in zip(cuts, found, strict=True) if side is not None]
    if len(named) > 1:
        for cut, side in zip(cuts, found, strict=True):
            if side is None:
                lineage.warn(f"{cut.image.source.name} is not used: nothing tells which side it shows (--sides).")
        made = _from_sides([cut for cut, _ in named], [side for _, side in named], options, clock, lineage)
        return _finished(made, options, length, clock, lineage)
    for cut in cuts[1:]:
        lineage.warn(f"{cut.image.source.name} is not used: nothing tells which side it shows (--sides).")
    return _finished(_from_one(cuts[0], options, clock, lineage), options, length, clock, lineage)


def image_of(still: Still) -> Image:
    """The picture of a still with its mask as alpha."""
    mask = None if still.mask is None else still.mask()
    alpha = None if mask is None or mask.all() else mask.astype(np.uint8) * np.uint8(255)
    return Image(still.read(), alpha, source=replace(still.source, name=still.name))


class _Shaped(NamedTuple):
    """A closed thing and its pictures.

    Attributes:
        placed: Upright, in any unit.
        sights: In the same frame.
        mirrors: Of the thing around the origin, the likeliest first: what no picture sees is taken from them.
    """

    placed: Closed
    sights: Sequence[Sight]
    mirrors: Sequence[F64]


def _from_one(cut: CutOut, options: ObjectOptions, clock: Clock, lineage: Lineage) -> _Shaped:
    """A thing of which there is one picture."""
    image = cut.image
    assert image.alpha is not None
    depth = None
    if options.front != "none":
        with clock.stage("depth"):
            depth = depth_of(image, options, lineage)
    with clock.stage("shape"):
        closed, pitch = shape_of(image, depth, options, lineage)
    lineage.invented = True
    lineage.warn("Only one side of the object was seen: its back and its thickness are made up, and marked so.")
    intrinsics = Intrinsics.from_fov(FOV_DEG, image.size, "assumed")
    placed, pose = _levelled(*_seen_from(smoothed(closed, 3), intrinsics), pitch)
    sight = Sight(image, Camera(intrinsics, pose, "photograph"))
    return _Shaped(placed, [sight], (BEHIND,))


def _from_sides(
    cuts: Sequence[CutOut], sides: Sequence[Side], options: ObjectOptions, clock: Clock, lineage: Lineage
) -> _Shaped:
    """A thing of which there are pictures of named sides."""
    sights = sights_of([cut.image for cut in cuts], sides)
    front = min(range(len(sides)), key=lambda n: (abs(sides[n].pitch), abs((sides[n].yaw + 180) % 360 - 180)))
    with clock.stage("shape"):
        turned = judge_turned(window_on(sights[front].alpha, options.inflate.cells).alpha, None)
        if _one_way(sides) or (options.shape != "relief" and turned.round):
            depth = None if options.front == "none" else depth_of(sights[front].image, options, lineage)
            closed, _ = shape_of(sights[front].image, depth, options, lineage)
            camera = sights[front].camera
            placed, _ = _seen_from(smoothed(closed, 3), camera.intrinsics)
            turn = camera.pose.world_from_camera[:3, :3]
            placed = Closed(placed.vertices @ turn.T, placed.faces)
        else:
            placed = smoothed(hull(sights, options.inflate.cells), 3)
            lineage.did("hull", pictures=len(sights), triangles=len(placed.faces))
    symmetric = symmetry_of(sights[front].image) if abs(sides[front].pitch) < 45 else 0.0
    lineage.did("mirror", sure=round(symmetric, 2), used=symmetric >= SURE)
    lineage.invented = True
    lineage.warn("Between the sides that were seen the object's shape is made up of their outlines, and marked so.")
    forward = sights[front].camera.pose.world_from_camera[:3, :3]
    across = mirror_across(forward[:, 0], np.zeros(3))
    mirrors = (*([across] if symmetric >= SURE else []), mirror_across(forward[:, 2], np.zeros(3)))
    return _Shaped(placed, sights, mirrors)


def _one_way(sides: Sequence[Side]) -> bool:
    """Whether all sides are seen along one line, so that outlines tell nothing of the depth."""
    looks = [
        np.array([math.sin(a) * math.cos(b), math.sin(b), math.cos(a) * math.cos(b)])
        for a, b in ((math.radians(side.yaw), math.radians(side.pitch)) for side in sides)
    ]
    return all(abs(float(look @ looks[0])) > math.cos(math.radians(15)) for look in looks)


def _finished(
    made: _Shaped, options: ObjectOptions, length: MarkedLength | None, clock: Clock, lineage: Lineage
) -> Scene:
    """A closed thing and its pictures, on the floor in metres, with its texture; the lineage is sealed."""
    placed, sights, mirrors = made
    with clock.stage("stand"):
        known = None if length is None else measure_thing(placed, sights, length)
        standing, move, scale = stood(placed, options, known)
    lineage.did("stand", basis=scale.basis, detail=scale.detail, low=scale.low, high=scale.high)
    moved = [Sight(s.image, replace(s.camera, pose=move.pose(s.camera.pose))) for s in sights]
    middle = move.points(np.zeros((1, 3)))[0]
    there, back = np.eye(4), np.eye(4)
    there[:3, 3], back[:3, 3] = middle, -middle
    with clock.stage("texture"):
        mesh = wrap(standing, with_mirrors(moved, [there @ mirror @ back for mirror in mirrors]), options.wrap)
    return Scene((Node("object", mesh),), tuple(s.camera for s in moved), Frame.LEVEL_RDF, scale, lineage.seal())


def shape_of(image: Image, depth: DepthMap | None, options: ObjectOptions, lineage: Lineage) -> tuple[Closed, float]:
    """The solid of a cut-out in its pixels, and by how much the eye looks down on it, in radians."""
    alpha = np.asarray(image.alpha)
    window = window_on(alpha, options.inflate.cells)
    relief = None if depth is None else relief_of(depth, window, alpha)
    turned = judge_turned(window.alpha, relief)
    if options.shape == "round" or (options.shape == "auto" and turned.round):
        lineage.did("revolve", sure=round(turned.sure, 2), pitch_deg=round(math.degrees(turned.pitch), 1))
        lineage.warn("The object is taken for round about an upright axis; --shape relief says otherwise.")
        return window.in_pixels(revolve(window.alpha, turned)), turned.pitch
    lineage.did("inflate", thickness=options.inflate.thickness, round=round(turned.sure, 2))
    closed = window.in_pixels(inflate(window, relief, options.inflate))
    return closed, 0.0 if relief is None else pitch_of_rest(closed)


def _levelled(closed: Closed, pose: Pose, pitch: float) -> tuple[Closed, Pose]:
    """A thing that the eye looked down on by ``pitch``, upright, with its camera."""
    c, s = math.cos(pitch), math.sin(pitch)
    level = np.array([[1, 0, 0], [0, c, s], [0, -s, c]])
    turned = Similarity(1.0, level, np.zeros(3))
    return Closed(turned.points(closed.vertices), closed.faces), turned.pose(pose)


def stood(closed: Closed, options: ObjectOptions, known: Known | None = None) -> Standing:
    """A thing on its base, with no more triangles than wanted; the cut of the base takes some, too."""
    error = 0.1 * float(np.ptp(closed.vertices, axis=0).max()) / options.inflate.cells
    standing = stand(closed, options.stand, known)
    share = 0.98
    while len(standing.closed.faces) > options.object_triangles:
        standing = stand(simplified(closed, int(share * options.object_triangles), error), options.stand, known)
        share *= 0.9
    return standing._replace(closed=told_apart(standing.closed))


def _seen_from(closed: Closed, intrinsics: Intrinsics) -> tuple[Closed, Pose]:
    """Points in pixels, spread along the rays of a camera whose distance is its focal length; and where it stands."""
    x, y, z = closed.vertices.T
    far = 1 + np.maximum(z, -0.9 * intrinsics.fx) / intrinsics.fx
    points = np.stack([(x - intrinsics.cx) * far, (y - intrinsics.cy) * far, z], axis=1)
    stands = np.eye(4)
    stands[2, 3] = -intrinsics.fx
    return Closed(points, closed.faces), Pose(stands)


def depth_of(image: Image, options: ObjectOptions, lineage: Lineage) -> DepthMap:
    """What the network sees of a cut-out, with a camera."""
    from unflat.geometry.align import assume_scale
    from unflat.stages.calibrate import CameraOptions, calibrate
    from unflat.stages.estimate_depth import estimate_depth, refine_to

    seen = estimate_depth(image, options.front, options.estimate)
    depth = assume_scale(refine_to(seen, image, image.size.fitted(640)))
    lens = calibrate(image, CameraOptions(), measured=seen.depth.intrinsics, model_focal=seen.focal_over_long_side)
    lineage.did("depth", model=seen.depth.origin, licence=seen.depth.licence)
    return replace(depth, intrinsics=lens.resized(depth.size))
