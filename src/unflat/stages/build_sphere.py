"""The sides of a cube around the eye -> one scene: surfaces, what goes on behind them, soft seams, sky.

Each side is made as a picture of its own is, of a little more than its 90 degrees, with the same reach and the same
farthest distance as the others. So neighbours overlap in a strip where both say the same, and nothing opens between
them; the poles are the middles of two sides like the others.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from unflat.errors import InputError
from unflat.geometry.cube import inner_pixels, norms, window_of
from unflat.geometry.panorama import Window, window_picture
from unflat.geometry.transform import quaternion_from_rotation, quaternion_product, turned
from unflat.stages.build_layered import build_layered
from unflat.stages.build_layers import LayerOptions, Shared, build_layers, reach_of
from unflat.stages.build_surface import FAR, Surface, SurfaceOptions, build_surface, dome_radius, sky_nodes
from unflat.stages.make_points import PointOptions, make_points
from unflat.stages.make_splats import SplatOptions, make_splats, splats_of, together
from unflat.stages.safe_orbit import SafeOptions, safe_orbit
from unflat.types.arrays import F64, U8, Bool
from unflat.types.camera import Intrinsics
from unflat.types.cube import Side
from unflat.types.depth import DepthMap
from unflat.types.image import Image, Size
from unflat.types.layers import Layer, Layers
from unflat.types.mesh import Mesh
from unflat.types.panorama import Panorama
from unflat.types.points import PointCloud
from unflat.types.safe_view import SafeView
from unflat.types.scene import Node, Role
from unflat.types.splats import Splats

STRIP = 2
"""How many pixels of depth a side goes on beyond its 90 degrees."""
LARGEST_TEXTURE = 8192
"""Longest side of the texture of all sides together, in pixels."""
_COLUMNS = 3
_PADDING = 8
"""Pixels between the pictures of two sides in a texture, so that neither runs into the other."""


@dataclass(frozen=True, slots=True, eq=False)
class Sphere:
    """The sides in layers.

    Attributes:
        sides: The sides, no farther than ``shared.far``.
        layers: Of each side; None for one that shows nothing but sky.
        shared: What all have in common.
    """

    sides: tuple[Side, ...]
    layers: tuple[Layers | None, ...]
    shared: Shared


def layer_sphere(sides: tuple[Side, ...], options: LayerOptions) -> Sphere:
    """Continue every surface around behind the nearer ones that cover it."""
    shared = _shared(sides, options)
    near = tuple(replace(side, depth=_no_farther(side, shared.far)) for side in sides)
    layers = tuple(
        build_layers(side.depth, side.picture, options, shared) if side.depth.surface.any() else None for side in near
    )
    return Sphere(near, layers, shared)


def build_sphere(sphere: Sphere, panorama: Panorama, picture: Image, options: SurfaceOptions) -> Surface:
    """Turn the sides into textured triangles, one node for each layer.

    Args:
        sphere: The sides in layers.
        panorama: The camera of the picture.
        picture: The panorama's picture, which the texture is made of.
        options: How; ``triangles`` is for all sides together.

    Raises:
        InputError: The triangles are too few.
    """
    each = replace(options, triangles=max(16, options.triangles // len(sphere.sides)))
    parts: dict[tuple[str, Role], list[tuple[int, Mesh]]] = {}
    error, notes = 0.0, []
    for number, (side, layers) in enumerate(zip(sphere.sides, sphere.layers, strict=True)):
        built = _side_surface(side, layers, each, sphere.shared)
        error, notes = max(error, built.max_error), notes + list(built.notes)
        for node in built.nodes:
            assert isinstance(node.item, Mesh)
            parts.setdefault((node.name, node.role), []).append((number, _turned_mesh(node.item, side.scene_from_side)))
    atlas = _atlas(sphere.sides, panorama, picture)
    nodes = [
        Node(name, _joined(some, len(sphere.sides), atlas if name in ("surface", "sky") else None), role)
        for (name, role), some in parts.items()
    ]
    total = sum(len(node.item.faces) for node in nodes if isinstance(node.item, Mesh))
    return Surface(tuple(nodes), error, total, tuple(dict.fromkeys(notes)))


def safe_sphere(sphere: Sphere, options: SafeOptions) -> SafeView:
    """How far the eye may go in each direction of the scene: as far as the side allows that allows least."""
    views = [(s, safe_orbit(each, options)) for s, each in zip(sphere.sides, sphere.layers, strict=True) if each]
    ways = {"left": (-1, 0, 0), "right": (1, 0, 0), "up": (0, -1, 0), "down": (0, 1, 0), "nearer": (0, 0, 1)}
    farthest: dict[str, float] = {}
    for name, way in ways.items():
        limits = [sphere.shared.reach]
        for side, view in views:
            x, y, z = np.rint(np.array(way) @ side.scene_from_side)
            told = {(1, 0, 0): view.right, (-1, 0, 0): view.left, (0, 1, 0): view.down, (0, -1, 0): view.up}
            limits.append(told.get((x, y, z), view.nearer if z > 0 else np.inf))
        farthest[name] = min(limits)
    return SafeView(pivot=float(np.median([view.pivot for _, view in views])), **farthest, share=options.safe_share)


def splat_sphere(sphere: Sphere, options: SplatOptions, *, layered: bool) -> Splats:
    """Surfels on every side, within its own 90 degrees."""
    each = replace(options, count=max(1, options.count // len(sphere.sides)))
    parts: list[Splats] = []
    for side, layers in zip(sphere.sides, sphere.layers, strict=True):
        whole = _cropped_side(side, 0)
        if layers is not None and layered and _cropped_layers(layers, 0).depth.surface.any():
            made = splats_of(_cropped_layers(layers, 0), each)
        elif whole.depth.surface.any():
            made = make_splats(whole.depth, whole.picture, each)
        elif each.sky == "dome" and whole.depth.sky is not None and whole.depth.sky.any():
            made = make_splats(_as_dome(whole, sphere.shared.far), whole.picture, each)
        else:
            continue
        turn = quaternion_from_rotation(side.scene_from_side)
        quaternions = quaternion_product(turn, made.quaternions.astype(np.float64)).astype(np.float32)
        parts.append(replace(made, means=turned(side.scene_from_side, made.means), quaternions=quaternions))
    if not parts:
        raise InputError("there is nothing in this panorama to lay splats on")
    return together(parts)


def point_sphere(sphere: Sphere, options: PointOptions) -> PointCloud:
    """A coloured point for the pixels of every side, within its own 90 degrees."""
    each = replace(options, points=max(1, options.points // len(sphere.sides)))
    parts: list[PointCloud] = []
    for side in sphere.sides:
        whole = _cropped_side(side, 0)
        if whole.depth.surface.any():
            made = make_points(whole.depth, whole.picture, each)
            parts.append(replace(made, xyz=turned(side.scene_from_side, made.xyz)))
    told = [part.confidence for part in parts if part.confidence is not None]
    return PointCloud(
        np.concatenate([part.xyz for part in parts]),
        colors=np.concatenate([part.colors for part in parts if part.colors is not None]),
        confidence=np.concatenate(told) if len(told) == len(parts) else None,
    )


def _shared(sides: tuple[Side, ...], options: LayerOptions) -> Shared:
    """One reach and one farthest distance for all sides, from the directions that each has for itself."""
    distances = []
    for side in sides:
        window = window_of(side)
        own = inner_pixels(window) & side.depth.surface & np.isfinite(side.depth.z)
        distances.append((side.depth.z * norms(window))[own])
    distance = np.concatenate(distances)
    camera = sides[0].camera
    inner = Intrinsics.from_fov(90, Size(round(2 * camera.fx), round(2 * camera.fx)))
    far = min(FAR * float(np.quantile(distance, 0.995)), float(distance.max()))
    return Shared(reach_of((1 / np.minimum(distance, far)).astype(np.float32), inner, options), far)


def _no_farther(side: Side, far: float) -> DepthMap:
    """A side's depth with no distance beyond ``far``."""
    depth = side.depth
    values = np.where(depth.surface, np.minimum(depth.z, np.float32(far) / norms(window_of(side))), depth.z)
    return replace(depth, values=values.astype(np.float32))


def _side_surface(side: Side, layers: Layers | None, options: SurfaceOptions, shared: Shared) -> Surface:
    """One side as triangles in its own axes."""
    if layers is not None:
        cut = _cropped_layers(layers, STRIP)
        if (cut.depth.surface & cut.kept).any():
            if options.layers != "none":
                return build_layered(cut, options, shared.far)
            return build_surface(cut.depth, cut.picture, options, shared.far)
    whole = _cropped_side(side, STRIP)
    if options.sky == "none" or whole.depth.sky is None or not whole.depth.sky.any():
        return Surface((), 0.0, 0)
    radius = dome_radius(whole.camera, shared.far)
    nodes = sky_nodes(whole.depth, whole.picture, radius, options.triangles // 5)
    return Surface(nodes, 0.0, 0)


def _crop(camera: Intrinsics, beyond: int) -> slice:
    """The rows and columns of a side's own 90 degrees and ``beyond`` pixels more."""
    half = round(camera.fx)
    middle = camera.size.width // 2
    return slice(middle - half - beyond, middle + half + beyond)


def _cropped_depth(depth: DepthMap, at: slice) -> DepthMap:
    camera = depth.intrinsics
    assert camera is not None
    size = Size(at.stop - at.start, at.stop - at.start)
    return depth.moved(lambda plane: plane[at, at], camera.cropped(at.start, at.start, size))


def _cropped_picture(picture: Image, at: slice) -> Image:
    alpha = None if picture.alpha is None else picture.alpha[at, at]
    return Image(np.ascontiguousarray(picture.pixels[at, at]), alpha, picture.source)


def _cropped_side(side: Side, beyond: int) -> Side:
    at = _crop(side.camera, beyond)
    return replace(side, depth=_cropped_depth(side.depth, at), picture=_cropped_picture(side.picture, at))


def _cropped_layers(layers: Layers, beyond: int) -> Layers:
    """The layers of a side's own 90 degrees and ``beyond`` pixels more; no soft seam is there twice."""
    camera = layers.depth.intrinsics
    assert camera is not None
    at, own = _crop(camera, beyond), np.zeros(layers.depth.size.shape, np.bool_)
    own[_crop(camera, 0), _crop(camera, 0)] = True
    return replace(
        layers,
        picture=_cropped_picture(layers.picture, at),
        depth=_cropped_depth(layers.depth, at),
        kept=layers.kept[at, at],
        hidden=_cropped_layer(layers.hidden, at, np.ones_like(own)),
        deeper=_cropped_layer(layers.deeper, at, np.ones_like(own)),
        soft=_cropped_layer(layers.soft, at, own),
        deepest=None if layers.deepest is None else _cropped_layer(layers.deepest, at, np.ones_like(own)),
        sky=None if layers.sky is None else _cropped_layer(layers.sky, at, np.ones_like(own)),
    )


def _cropped_layer(layer: Layer, at: slice, own: Bool) -> Layer:
    inverse = np.where(own, layer.inverse, np.float32(0))[at, at]
    alpha = None if layer.alpha is None else layer.alpha[at, at]
    return Layer(inverse, layer.colour[at, at], layer.invented[at, at], alpha)


def _as_dome(side: Side, far: float) -> DepthMap:
    """A side that shows nothing but sky, with the sky as its surface."""
    window = window_of(side)
    z = (dome_radius(side.camera, far) / norms(window)).astype(np.float32)
    return replace(side.depth, values=z, valid=np.asarray(side.depth.sky), sky=None)


def _atlas(sides: tuple[Side, ...], panorama: Panorama, picture: Image) -> Image:
    """The panorama as the sides show it, as fine as the panorama is, in one texture."""
    fine = 2 * panorama.pixels_per_radian
    camera = _cropped_side(sides[0], STRIP).camera
    most = LARGEST_TEXTURE // min(_COLUMNS, len(sides)) - 2 * _PADDING
    cell = min(most, round(fine * camera.size.width / (2 * camera.fx)))
    size = Size(cell, cell)
    windows = [Window(s.name, _cropped_side(s, STRIP).camera.resized(size), s.scene_from_side) for s in sides]
    return Image(_tiled([window_picture(picture.pixels, panorama, w) for w in windows]), source=picture.source)


def _tiled(cells: list[U8]) -> U8:
    """Pictures of one size in rows of three, each continued a little beyond its border."""
    around = [cv2.copyMakeBorder(cell, _PADDING, _PADDING, _PADDING, _PADDING, cv2.BORDER_REPLICATE) for cell in cells]
    columns = min(_COLUMNS, len(around))
    around += [np.zeros_like(around[0])] * (-len(around) % columns)
    rows = [np.concatenate(around[i : i + columns], axis=1) for i in range(0, len(around), columns)]
    return np.ascontiguousarray(np.concatenate(rows), dtype=np.uint8)


def _joined(parts: list[tuple[int, Mesh]], sides: int, atlas: Image | None) -> Mesh:
    """Meshes of several sides as one; without an atlas their own textures are laid out in one."""
    if atlas is None:
        atlas = _own_atlas(parts)
        cells, sides = {number: i for i, (number, _) in enumerate(parts)}, len(parts)
    else:
        cells = {number: number for number, _ in parts}
    columns = min(_COLUMNS, sides)
    pitch = atlas.size.width // columns
    inner = np.float32(pitch - 2 * _PADDING)
    whole = np.array([atlas.size.width, atlas.size.height], np.float32)
    starts = np.cumsum([0, *(len(mesh.vertices) for _, mesh in parts)]).astype(np.uint32)
    uv = []
    for number, mesh in parts:
        assert mesh.uv is not None
        corner = np.array([cells[number] % columns, cells[number] // columns], np.float32) * pitch + _PADDING
        uv.append(((corner + mesh.uv * inner) / whole).astype(np.float32))
    meshes = [mesh for _, mesh in parts]
    told = [mesh.confidence for mesh in meshes if mesh.confidence is not None]
    marks = [np.zeros(len(m.vertices), np.bool_) if m.invented is None else m.invented for m in meshes]
    return Mesh(
        np.concatenate([mesh.vertices for mesh in meshes]),
        np.concatenate([mesh.faces + start for mesh, start in zip(meshes, starts, strict=False)]),
        normals=np.concatenate([mesh.normals for mesh in meshes if mesh.normals is not None]),
        uv=np.concatenate(uv),
        confidence=np.concatenate(told) if len(told) == len(meshes) else None,
        invented=np.concatenate(marks) if any(mark.any() for mark in marks) else None,
        texture=atlas,
    )


def _own_atlas(parts: list[tuple[int, Mesh]]) -> Image:
    """The textures of meshes laid out in one, with their transparency."""
    textures = [mesh.texture for _, mesh in parts if mesh.texture is not None]
    alpha = None
    if any(texture.alpha is not None for texture in textures):
        full = [np.full(t.size.shape, 255, np.uint8) if t.alpha is None else t.alpha for t in textures]
        alpha = _tiled(full)
    return Image(_tiled([texture.pixels for texture in textures]), alpha, textures[0].source)


def _turned_mesh(mesh: Mesh, turn: F64) -> Mesh:
    normals = None if mesh.normals is None else turned(turn, mesh.normals)
    return replace(mesh, vertices=turned(turn, mesh.vertices), normals=normals)
