"""depth + picture, or layers -> Gaussian splats: one flat ellipsoid per pixel or block of pixels."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from unflat.errors import InputError
from unflat.geometry.edges import find_cuts
from unflat.geometry.surfels import quaternions_from_axes, slopes, surfels
from unflat.stages.build_layers import resampled
from unflat.stages.build_surface import FAINT, RIM, dome_radius, inverse_depth
from unflat.types.arrays import F32, F64, Bool
from unflat.types.camera import Intrinsics
from unflat.types.depth import DepthMap
from unflat.types.image import Image, Size
from unflat.types.layers import Layer, Layers
from unflat.types.splats import Splats

SPREAD = 0.6
"""Standard deviation of a splat in steps to its neighbour: flat fields look even, and no holes show from the front."""


BEHIND = 1.005
"""Sky behind things is so many times as far as the seen one."""
OPAQUE = np.float32(0.98)
"""Opacity of a splat on a sure surface."""


@dataclass(frozen=True, slots=True)
class SplatOptions:
    """How a picture becomes splats."""

    count: int = 400_000
    """Most splats; never more than the depth map has pixels."""
    sky: Literal["dome", "none"] = "dome"
    """What stands where the sky is: splats on a far dome, or nothing."""
    edge: float = 0.06
    """Relative depth jump, beyond what a slanted plane explains, across which a splat never reaches."""
    longest: float = 4.0
    """Longest axis of a splat in footprints of a surface that faces the camera; keeps grazing surfaces from needles."""

    def __post_init__(self) -> None:
        if not 1 <= self.count <= 1_200_000:
            raise InputError(f"the number of splats is between 1 and 1200000, not {self.count}")
        if not self.edge > 0:
            raise InputError(f"the relative depth jump of an edge must be positive, not {self.edge:g}")
        if not self.longest >= 1:
            raise InputError(f"the longest axis is at least one footprint, not {self.longest:g}")


def make_splats(depth: DepthMap, picture: Image, options: SplatOptions | None = None) -> Splats:
    """Lay one surfel on the surface at each sample of the picture.

    Args:
        depth: METRIC or SCALE, with intrinsics; of the picture's shape, possibly smaller.
        picture: Gives the colours, averaged over each surfel's block of pixels.
        options: How.

    Returns:
        Splats in the camera's axes, in the unit of the depth.

    Raises:
        UnitError: The depth has an unknown offset.
        InputError: There is no camera, or nothing to build from.
    """
    options = options or SplatOptions()
    if depth.intrinsics is None:
        raise InputError("a depth map needs a camera before it becomes splats", hint="Calibrate it first.")
    inverse, on, far, _ = inverse_depth(depth)
    grid = _grid(depth.size, options.count)
    rows, columns, xy = _samples(depth.size, grid)
    colours = _colours(picture, grid)
    wanted = on[rows, columns]
    sky = np.zeros_like(wanted) if depth.sky is None or options.sky == "none" else np.asarray(depth.sky)[rows, columns]
    kept = wanted | sky
    rows, columns, xy, sky, colours = rows[kept], columns[kept], xy[kept], sky[kept], colours[kept]
    cuts = find_cuts(inverse, on, options.edge, FAINT * float(np.median(inverse[on])))
    plane = np.zeros((len(rows), 3))
    plane[:, 0] = inverse[rows, columns]
    plane[:, 1:] = slopes(inverse, cuts, rows, columns)
    at = np.stack([columns + 0.5, rows + 0.5], axis=1)
    plane[:, 0] = np.maximum(plane[:, 0] + ((xy - at) * plane[:, 1:]).sum(1), 1 / (RIM * far))
    _to_dome(plane, sky, xy, depth.intrinsics, dome_radius(depth.intrinsics, far))
    step = depth.size.width / grid.width
    centres, axes, extents = surfels(xy, plane, depth.intrinsics, step, options.longest)
    extents *= SPREAD
    extents[:, 2] = 0.1 * extents[:, 1]
    confidence = None if depth.confidence is None else depth.confidence[rows, columns]
    return Splats(
        centres.astype(np.float32),
        extents.astype(np.float32),
        quaternions_from_axes(axes).astype(np.float32),
        _opacities(cuts[rows, columns] != 0, confidence),
        colours,
        confidence=confidence,
        invented=None if depth.invented is None else depth.invented[rows, columns],
    )


def splats_of(layers: Layers, options: SplatOptions | None = None) -> Splats:
    """Lay surfels on every layer: what is seen, what goes on behind it, and the soft seams.

    Args:
        layers: A layered depth image.
        options: How; ``count`` is for all layers together.

    Returns:
        Splats in the camera's axes. Those of colours that nobody saw are marked as invented.
    """
    options = options or SplatOptions()
    depth, hidden, soft = layers.depth, layers.hidden, layers.soft
    front = layers.kept
    behind = hidden.on & (hidden.invented | ~layers.kept)
    sky = _sky_behind(layers) if options.sky == "dome" else None
    above = np.zeros_like(front) if sky is None else sky.on & (sky.invented | ~layers.kept)
    farther = [(layer, layer.invented, np.inf) for layer in layers.behind[1:]]
    other = (hidden, behind, np.inf), *farther, (sky or hidden, above, np.inf), (soft, soft.on, options.edge)
    each = _shared_out(options.count, depth.size, (front, *(some for _, some, _ in other)))
    parts = [make_splats(replace(depth, valid=front), layers.picture, replace(options, count=each))]
    rows, columns, _ = _samples(depth.size, _grid(depth.size, each))
    for layer, some, edge in other:
        chosen = some[rows, columns]
        if not 0 < chosen.sum() <= options.count - sum(len(part.means) for part in parts):
            continue  # nothing of it is met, or (with a handful of splats) there is no room
        z = np.divide(1, layer.inverse, out=np.zeros_like(layer.inverse), where=some)
        seen = DepthMap(z, depth.kind, some, None, depth.confidence, depth.intrinsics)
        made = make_splats(seen, Image(layer.colour), replace(options, count=each, sky="none", edge=edge))
        flags = layer.invented[rows, columns][chosen]
        share = np.float32(1) if layer.alpha is None else layer.alpha[rows, columns][chosen]
        confidence = None if made.confidence is None else np.where(flags, np.float32(0), made.confidence)
        opacities = np.full_like(made.opacities, OPAQUE) * share
        parts.append(replace(made, invented=flags, opacities=opacities, confidence=confidence))
    return together(parts)


def _sky_behind(layers: Layers) -> Layer | None:
    """The sky that goes on behind things, a little farther out than the dome of the seen one."""
    sky, camera = layers.sky, layers.depth.intrinsics
    if sky is None or camera is None:
        return None
    row, column = np.mgrid[: sky.size.height, : sky.size.width] + 0.5
    length = np.sqrt(((column - camera.cx) / camera.fx) ** 2 + ((row - camera.cy) / camera.fy) ** 2 + 1)
    radius = BEHIND * dome_radius(camera, inverse_depth(layers.depth)[2])
    return replace(sky, inverse=np.where(sky.on, length / radius, 0).astype(np.float32))


def _shared_out(count: int, size: Size, masks: tuple[Bool, ...]) -> int:
    """The ``count`` of a whole grid of which the samples inside all masks together are at most ``count``."""
    each = count
    while each > 1:
        rows, columns, _ = _samples(size, _grid(size, each))
        used = sum(int(mask[rows, columns].sum()) for mask in masks)
        if used <= count:
            break
        each = max(1, min(each - 1, int(0.99 * min(each, size.pixels) * count / used)))
    return each


def together(parts: list[Splats]) -> Splats:
    """All splats of several clouds, in their order."""
    invented = [np.zeros(len(p.means), np.bool_) if p.invented is None else p.invented for p in parts]
    told = all(p.confidence is not None for p in parts)
    return Splats(
        *(np.concatenate([getattr(p, name) for p in parts]) for name in ("means", "scales", "quaternions")),
        opacities=np.concatenate([p.opacities for p in parts]),
        colors=np.concatenate([p.colors for p in parts]),
        confidence=np.concatenate([np.asarray(p.confidence) for p in parts]) if told else None,
        invented=np.concatenate(invented) if any(flags.any() for flags in invented) else None,
    )


def _grid(size: Size, count: int) -> Size:
    """The finest grid of the picture's shape with at most ``count`` cells and no more than the depth has pixels."""
    factor = min(1.0, (count / size.pixels) ** 0.5)
    return Size(max(1, int(size.width * factor)), max(1, int(size.height * factor)))


def _samples(size: Size, grid: Size) -> tuple[NDArray[np.int64], NDArray[np.int64], F64]:
    """Rows and columns of the pixels under the middles of the grid's cells, and these middles in pixels."""
    x = (np.arange(grid.width) + 0.5) * (size.width / grid.width)
    y = (np.arange(grid.height) + 0.5) * (size.height / grid.height)
    xx, yy = np.meshgrid(x, y)
    xy = np.stack([xx.ravel(), yy.ravel()], axis=1).astype(np.float64)
    return xy[:, 1].astype(np.int64), xy[:, 0].astype(np.int64), xy


def _colours(picture: Image, grid: Size) -> F32:
    """(n, 3) sRGB in 0..1, averaged over the cells."""
    return resampled(picture, grid).reshape(-1, 3).astype(np.float32) / np.float32(255)


def _to_dome(plane: F64, sky: Bool, xy: F64, camera: Intrinsics, radius: float) -> None:
    """Give the samples of the sky the inverse depth, and the slope, of a sphere around the camera; in place."""
    rx, ry = (xy[sky, 0] - camera.cx) / camera.fx, (xy[sky, 1] - camera.cy) / camera.fy
    length = np.sqrt(rx**2 + ry**2 + 1)
    plane[sky, 0] = length / radius
    plane[sky, 1] = rx / (length * radius * camera.fx)
    plane[sky, 2] = ry / (length * radius * camera.fy)


def _opacities(beside_cut: Bool, confidence: F32 | None) -> F32:
    """Nearly opaque; less beside an outline, whose place is known to a pixel, and where the depth is doubtful."""
    opacity = np.where(beside_cut, np.float32(0.85), OPAQUE)
    return opacity if confidence is None else opacity * (np.float32(0.4) + np.float32(0.6) * confidence)
