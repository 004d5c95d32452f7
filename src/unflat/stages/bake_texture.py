"""A surface and the pictures of it -> the surface with a texture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from unflat.errors import InputError
from unflat.geometry.atlas import Atlas, build_atlas
from unflat.geometry.bake import Aim, Canvas, Share, paint
from unflat.geometry.best_view import choose_views, costs
from unflat.geometry.blend import Zones, agreed, shifts_of, vertex_colours, zones_of
from unflat.geometry.exposure import (
    brightened,
    curves,
    falloff_of,
    gains_of,
    levelled,
    sharpness_of,
    suspects,
    unshaded,
)
from unflat.geometry.face_links import Split, face_links, split_faces
from unflat.geometry.local_light import local_light
from unflat.geometry.projection import pixel_centres
from unflat.geometry.seen_faces import Picture, Sightings, detail_of, look, seen_by
from unflat.geometry.settle import settled
from unflat.types.arrays import F32, F64, U8, U32, Bool
from unflat.types.camera import Camera, Intrinsics
from unflat.types.image import Image, Size
from unflat.types.mesh import Mesh
from unflat.types.provenance import Source
from unflat.types.views import ViewDepth

PATCHES = 150_000
"""Faces larger than the surface's area over this are cut up while pictures are chosen; the mesh keeps its faces."""
PATCH_PX = 100
"""Fewer patches do where all pictures together have not so many pixels for each."""
DRAWN = 1280
"""Long side of the z-buffers in pixels."""
RINGS = 2
"""Pictures fade into each other over so many rings of faces on either side of a border."""
COMPANY = 2.0
"""Pictures count by this power of how well they show a place where several of them are blended."""
FINEST = 1.2
"""So many texels are spent on a pixel of the best picture, if there is room."""


@dataclass(frozen=True, slots=True)
class TextureOptions:
    """How pictures become the texture of a surface."""

    texture_size: int = 4096
    """Longest side of the texture in pixels; it is smaller where the pictures show no more."""

    def __post_init__(self) -> None:
        if not 64 <= self.texture_size <= 16384:
            raise InputError(f"a texture has a side of 64 to 16384 pixels, not {self.texture_size}")


def bake_texture(mesh: Mesh, frames: Sequence[ViewDepth], options: TextureOptions | None = None) -> Mesh:
    """Paint a surface with its pictures.

    Args:
        mesh: In the frame of the views.
        frames: The views and what depth they see; read twice, one after the other, and not kept.
        options: How.

    Returns:
        The same triangles in their order, with texture; vertices are doubled along the cuts. The texture's notes say
        what no picture shows.

    Raises:
        InputError: There is no surface, or no picture shows any of it.
    """
    options = options or TextureOptions()
    if not len(mesh.faces) or not len(frames):
        raise InputError("a texture needs a surface and pictures of it")
    sightings, split, slack = _sighted(mesh, frames)
    surface = split.vertices, split.faces
    plan = _planned(split, sightings, len(frames))
    atlas = build_atlas(mesh.vertices, mesh.faces, _density(mesh, split, sightings), options.texture_size)
    corners = np.einsum("mij,mjk->mik", split.share, atlas.texel[atlas.faces][split.parent])
    canvas = Canvas.of(corners.astype(np.float32), atlas.side)
    for number, frame in enumerate(frames):
        share = plan.share(number)
        if share.trust.any():
            paint(canvas, surface, _aim(surface, frame, slack, (plan.curves[number], plan.fall)), share)
    own = None if mesh.colors is None else _on_split(mesh, split)
    fallback, told = vertex_colours(split.faces, plan.common, own, len(split.vertices))
    kept = np.zeros((len(told), 1), np.bool_) if own is None else ~told[:, None]
    fallback = np.where(kept, fallback, brightened(fallback, plan.light))
    pixels, unseen = settled(canvas, split.faces, fallback, plan.light)
    return _finished(mesh, atlas, pixels, float(unseen.sum() / max(1, (canvas.owner >= 0).sum())))


def _sighted(mesh: Mesh, frames: Sequence[ViewDepth]) -> tuple[Sightings, Split, float]:
    """Look at a mesh, its large faces cut up, from every view.

    Returns:
        What was seen, of which faces, and how far apart surfaces must be to be two.
    """
    pixels = len(frames) * frames[0].view.still.size.pixels
    split, slack = _cut_up(mesh, min(PATCHES, 1 + pixels // PATCH_PX))
    surface = split.vertices, split.faces
    sightings = Sightings.none(len(split.faces))
    for number, frame in enumerate(frames):
        seen = seen_by(*surface, _drawn(frame), slack)
        look(surface, frame.view.pose.centre, seen, _picture(frame), number, sightings)
    if sightings.view.max() < 0:
        raise InputError("no picture shows any of the surface", hint="Check the cameras: do they look at it?")
    return sightings, split, slack


def _cut_up(mesh: Mesh, patches: int) -> tuple[Split, float]:
    """Large faces cut into smaller ones, and how far apart surfaces must be to be two: half an edge."""
    a, b, c = (mesh.vertices[mesh.faces[:, k]].astype(np.float64) for k in range(3))
    area = float(np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2)
    split = split_faces(mesh.vertices, mesh.faces, 2 * float(np.sqrt(area / patches)))
    a, b = (split.vertices[split.faces[:, k]] for k in range(2))
    return split, 0.5 * float(np.median(np.linalg.norm(b - a, axis=1)))


def _drawn(frame: ViewDepth) -> Camera:
    """The view's camera, as large as its z-buffer is."""
    camera = frame.view.camera
    return replace(camera, intrinsics=camera.intrinsics.resized(camera.intrinsics.size.fitted(DRAWN)))


def _between(one: Intrinsics, other: Intrinsics) -> F64:
    """(4,) factors and offsets that take a pixel of one camera to the same ray's pixel of another."""
    fx, fy = other.fx / one.fx, other.fy / one.fy
    return np.array([fx, fy, other.cx - fx * one.cx, other.cy - fy * one.cy])


def _picture(frame: ViewDepth) -> Picture:
    """Read what a view shows."""
    still, drawn = frame.view.still, _drawn(frame).intrinsics
    pixels = still.read()
    depth = frame.depth
    there = cv2.erode(depth.surface.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    known = np.where(there, depth.z, np.float32(0)) if there.any() else np.zeros((0, 0), np.float32)
    return Picture(
        np.ascontiguousarray(pixels),
        detail_of(pixels),
        _usable(frame),
        np.ascontiguousarray(known, np.float32),
        _between(drawn, frame.view.lens.intrinsics),
        _between(drawn, depth.intrinsics or drawn),
    )


def _usable(frame: ViewDepth) -> Bool:
    """(h, w) which pixels of a view may be used."""
    still = frame.view.still
    return np.ones(still.size.shape, np.bool_) if still.mask is None else np.ascontiguousarray(still.mask(), np.bool_)


def _aim(surface: tuple[F32, U32], frame: ViewDepth, slack: float, light: tuple[F32, F64]) -> Aim:
    """A picture with its exposure levelled and its corners as bright as its middle, ready to be painted from."""
    camera, still = _drawn(frame), frame.view.still
    lens = camera.intrinsics
    levels = np.ascontiguousarray(light[0].T.reshape(256, 1, 3))
    pixels = np.asarray(cv2.LUT(still.read(), levels), np.float32)
    return Aim(
        np.linalg.inv(camera.pose.world_from_camera).astype(np.float64),
        np.array([lens.fx, lens.fy, lens.cx, lens.cy]),
        seen_by(*surface, camera, slack),
        unshaded(pixels, _rim(still.size), light[1]),
        _usable(frame),
        _between(lens, frame.view.lens.intrinsics),
    )


def _rim(size: Size) -> F32:
    """(h, w) squared distance of pixels from the middle of their picture, 1 in the corners."""
    x, y = (pixel_centres(size)[axis] - n / 2 for axis, n in ((0, size.width), (1, size.height)))
    return (4 * (x[None] ** 2 + y[:, None] ** 2) / (size.width**2 + size.height**2)).astype(np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class _Plan:
    """Which picture paints what, and how its colours are brought to agree with the others."""

    sightings: Sightings
    suspect: F32
    curves: F32
    fall: F64
    light: F32
    common: F32
    zones: Zones
    shifts: F32
    worth: F32
    faces: U32
    count: F64

    @property
    def vertices(self) -> int:
        """How many there are."""
        return len(self.count)

    def share(self, number: int) -> Share:
        """What one picture gives."""
        at = slice(self.zones.first[number], self.zones.first[number + 1])
        chosen, shift = np.zeros(self.vertices, np.float32), np.zeros((self.vertices, 3), np.float32)
        chosen[self.zones.vertex[at]] = self.zones.share[at]
        shift[self.zones.vertex[at]] = self.shifts[at]
        face, entry = np.nonzero(self.sightings.view == number)
        trust, worth = np.zeros((2, len(self.faces)), np.float32)
        trust[face] = 1 - self.suspect[face, entry]
        worth[face] = self.worth[face, entry] * trust[face]
        return Share(chosen, shift, self._around(worth), trust)

    def _around(self, values: F32) -> F32:
        """(n,) the mean of a value of the faces around each vertex."""
        return (np.bincount(self.faces.ravel(), np.repeat(values, 3), self.vertices) / self.count).astype(np.float32)


def _planned(split: Split, sightings: Sightings, count: int) -> _Plan:
    """Level exposures, leave out what stands before the surface, choose a picture for each face, level the borders."""
    links = face_links(split.faces)
    fall = falloff_of(sightings, count)
    sightings = sightings._replace(colour=unshaded(sightings.colour, sightings.rim, fall))
    gains = gains_of(sightings, count)
    colour = levelled(sightings, gains)
    suspect = suspects(sightings, colour, links)
    sharp = np.clip(sharpness_of(sightings, count), 0.2, 1.5) ** 2
    sightings = sightings._replace(worth=sightings.worth * sharp[sightings.view].astype(np.float32))
    corners = split.vertices[split.faces]
    lengths = np.linalg.norm(corners - np.roll(corners, -1, axis=1), axis=2).astype(np.float32)
    entry = choose_views(sightings, links, lengths, costs(sightings, suspect))
    label = np.where(entry >= 0, np.take_along_axis(sightings.view, np.maximum(entry, 0)[:, None], 1)[:, 0], -1)
    zones = zones_of(split.faces, label.astype(np.int32), count, len(split.vertices), RINGS)
    common = agreed(sightings, colour, suspect)
    shifts = shifts_of(split.faces, sightings, colour, common, zones)
    worth = (sightings.worth / np.maximum(sightings.worth.max(axis=1, keepdims=True), 1e-20)) ** COMPANY
    light = local_light(split.vertices, split.faces, sightings, gains)
    around = np.maximum(np.bincount(split.faces.ravel(), minlength=len(split.vertices)), 1).astype(np.float64)
    return _Plan(sightings, suspect, curves(gains), fall, light, common, zones, shifts, worth, split.faces, around)


def _density(mesh: Mesh, split: Split, sightings: Sightings) -> F64:
    """(m,) texels per unit of length that the best pictures of each face are worth."""
    a, b, c = (split.vertices[split.faces[:, k]].astype(np.float64) for k in range(3))
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2
    best = sightings.worth.max(axis=1).astype(np.float64)
    pixels = np.bincount(split.parent, best, len(mesh.faces))
    whole = np.bincount(split.parent, np.where(best > 0, area, 0), len(mesh.faces))
    seen = whole > 0
    density = np.sqrt(pixels / np.maximum(whole, 1e-30))
    middle = float(np.median(density[seen]))
    return FINEST * np.where(seen, np.clip(density, middle / 4, middle * 4), middle / 4)


def _on_split(mesh: Mesh, split: Split) -> F32:
    """The colours of a mesh at the corners of its cut up faces."""
    assert mesh.colors is not None
    corners = np.einsum("mij,mjk->mik", split.share, mesh.colors[mesh.faces[split.parent]].astype(np.float32))
    out = np.zeros((len(split.vertices), 3), np.float32)
    out[split.faces] = corners
    return out


def _finished(mesh: Mesh, atlas: Atlas, pixels: U8, unseen: float) -> Mesh:
    """The mesh cut along its pieces, with its texture."""
    note = (
        ()
        if unseen < 5e-4
        else (f"{100 * unseen:.1f} % of the surface is seen by no picture; its colours go on from its neighbours",)
    )
    texture = Image(pixels, source=Source.array("texture"), notes=note)

    def of(values):
        return None if values is None else values[atlas.vertex]

    return Mesh(
        mesh.vertices[atlas.vertex],
        atlas.faces,
        of(mesh.normals),
        atlas.uv,
        None,
        of(mesh.confidence),
        of(mesh.invented),
        texture,
    )
