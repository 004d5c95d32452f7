"""layers -> textured surfaces: the seen one, what goes on behind it, and the soft seams before it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import partial

import numpy as np

from unflat.errors import InputError
from unflat.geometry.normals import vertex_normals
from unflat.stages.build_surface import (
    Surface,
    SurfaceOptions,
    dome_radius,
    framed_sheet,
    inverse_depth,
    mesh_of,
    points_at,
    seen_and_beyond,
    sheet_of,
    sky_nodes,
)
from unflat.types.arrays import F32, U8
from unflat.types.image import Image
from unflat.types.layers import Layer, Layers
from unflat.types.mesh import Mesh
from unflat.types.scene import Node, Role

BEHIND = np.float32(0.995)
"""The hidden surface stands this much farther off where it overlaps a seen one, so that the seen one is seen."""
BEFORE = np.float32(1.002)
"""The soft seam stands this much nearer than the surface it belongs to."""
TEAR = 0.3
"""Where what is hidden jumps by this share of its inverse depth from pixel to pixel, it is torn, not stretched."""
NEAREST = 0.998
"""The sky goes on as far behind outlines as something moves that is nearer than this share of the surface."""
HIDDEN_SHARE, SOFT_SHARE = 0.25, 0.1
"""Of the triangles, at most."""


def build_layered(layers: Layers, options: SurfaceOptions | None = None, far: float | None = None) -> Surface:
    """Turn a layered depth image into triangles.

    Args:
        layers: What was seen and what was continued.
        options: How.
        far: The farthest distance of all pictures from this place, where there are several.

    Returns:
        Nodes "surface", "beyond" (the picture's border), "hidden", "deeper", "deepest" (of the role "hidden"), "soft",
        "farthest" (of the role "sky": what goes on of it behind things) as far as there are any, and "sky".

    Raises:
        InputError: There is nothing to build from, or the triangles are too few.
    """
    options = options or SurfaceOptions()
    depth, picture = layers.depth, layers.picture
    camera = depth.intrinsics
    if camera is None:
        raise InputError("a depth map needs a camera before it becomes a surface", hint="Calibrate it first.")
    inverse, on, farthest, notes = inverse_depth(depth, far)
    far = farthest if far is None else far
    radius = dome_radius(camera, far) if options.sky == "dome" and depth.sky is not None and depth.sky.any() else 0.0
    aside = camera.fx * layers.reach * float(np.quantile(inverse[on], NEAREST))
    sky_of = partial(sky_nodes, depth, picture, radius, options.triangles // 5, aside)
    sky = sky_of(layers.kept) if radius else ()
    left = options.triangles - _triangles(sky)
    try:
        extra = _behind_and_before(layers, options, left, radius)
        front = left - _triangles(extra)
        kept = on & layers.kept
        seen = np.where(kept, inverse, np.float32(0))
        sheet, error, coarse = framed_sheet(seen, kept, options, front, depth, layers.steepest)
    except InputError:
        extra, sky = [], sky_of(None) if radius else ()
        sheet, error, coarse = framed_sheet(inverse, on, options, options.triangles - _triangles(sky), depth)
        notes += ("the triangles were too few for what stands behind outlines; it was left out",)
    nodes = (*seen_and_beyond(sheet, far, depth, picture), *extra, *sky)
    return Surface(nodes, error, _triangles(nodes), notes + coarse)


def _triangles(nodes: Iterable[Node]) -> int:
    return sum(len(node.item.faces) for node in nodes if isinstance(node.item, Mesh))


def _behind_and_before(layers: Layers, options: SurfaceOptions, triangles: int, radius: float) -> list[Node]:
    """The nodes of the hidden and of the soft layer, and of the sky behind, as far as there is anything in them.

    Args:
        layers: What was seen and what was continued.
        options: How.
        triangles: Most for all of what is seen and not sky, and for these.
        radius: Of the sky's dome in metres; 0 for none.

    Raises:
        InputError: Their shares of the triangles are too few.
    """
    nodes: list[Node] = []
    names = ("hidden", "deeper", "deepest")
    turns = (BEHIND, BEHIND * BEHIND, BEHIND * BEHIND * BEHIND)
    behind: list[tuple[str, Layer, np.float32]] = list(zip(names, layers.behind, turns, strict=False))
    if radius and layers.sky is not None:
        behind.append(("farthest", layers.sky, BEHIND))
    pixels = sum(int(layer.on.sum()) for _, layer, _ in behind)
    for name, layer, turn in behind:
        if layer.on.any():
            torn, most = replace(options, edge=TEAR), int(HIDDEN_SHARE * layer.on.sum() / pixels * triangles)
            made = _node("hidden", layer, torn, most, turn, layers)
            nodes.append(replace(made, name=name) if name != "farthest" else _on_dome(made, radius / float(turn)))
    if layers.soft.on.any():
        nodes.append(_node("soft", layers.soft, options, int(SOFT_SHARE * triangles), BEFORE, layers))
    return nodes


def _node(name: Role, layer: Layer, options: SurfaceOptions, most: int, turn: np.float32, layers: Layers) -> Node:
    """One layer as a surface of at most so many triangles, its distance divided by ``turn``."""
    camera = layers.depth.intrinsics
    assert camera is not None
    sheet, _, _ = sheet_of(layer.inverse, layer.on, options, most)
    x, y = sheet.points[:, 0], sheet.points[:, 1]
    floor = np.float32(0.5) * layer.inverse[layer.on].min()
    z = (1 / (np.maximum(sheet.points[:, 2], floor) * turn)).astype(np.float32)
    texture = _texture(layer, layers.picture)
    mesh = mesh_of((points_at(x, y, z, camera), sheet.faces), (x, y), sheet.source, layers.depth, texture)
    made_up = layer.invented.reshape(-1)[sheet.source]
    made_up[sheet.faces[made_up[sheet.faces].any(axis=1)]] = True  # a triangle that is made up in part is all of it
    confidence = None if mesh.confidence is None else np.where(made_up, np.float32(0), mesh.confidence)
    invented = made_up if made_up.any() else None
    return Node(name, replace(mesh, invented=invented, confidence=confidence), name)


def _on_dome(node: Node, radius: float) -> Node:
    """A surface around the eye, at this distance in every direction: the sky that goes on behind things."""
    mesh = node.item
    assert isinstance(mesh, Mesh)
    away = np.float32(radius) / np.linalg.norm(mesh.vertices, axis=1, keepdims=True)
    vertices = (mesh.vertices * away).astype(np.float32)
    return Node("farthest", replace(mesh, vertices=vertices, normals=vertex_normals(vertices, mesh.faces)), "sky")


def _texture(layer: Layer, picture: Image) -> Image:
    """The layer's colours, and those close beside it, so that no border bleeds; black elsewhere is small."""
    import cv2

    on = layer.on
    beside = np.asarray(cv2.dilate(on.astype(np.uint8), np.ones((9, 9), np.uint8)))[..., None] > 0
    alpha = None if layer.alpha is None else _bytes(layer.alpha)
    return Image(np.where(beside, layer.colour, np.uint8(0)), alpha, source=picture.source)


def _bytes(share: F32) -> U8:
    return np.clip(np.rint(share * 255), 0, 255).astype(np.uint8)
