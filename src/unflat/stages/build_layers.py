"""depth + picture -> what stands behind the outlines, and the soft seams in front of it.

depth ─ cuts ─┬─ grow behind ──► where something is hidden, and about how deep
              └─ seam ─► pixels of two surfaces
seen surfaces beside it (the clean ring) ──► continued in depth and colour ──► hidden layer
picture = a·near + (1-a)·hidden along the seam ─► a ──► soft layer
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from unflat.errors import InputError
from unflat.geometry.edges import find_cuts, land_flying
from unflat.models.devices import check_threads
from unflat.stages.build_surface import FAINT, inverse_depth
from unflat.types.arrays import F32, U8, Bool
from unflat.types.camera import Intrinsics
from unflat.types.depth import DepthMap
from unflat.types.image import Image, Size
from unflat.types.layers import Layer, Layers

if TYPE_CHECKING:
    from unflat.geometry.hidden import Seam

NEAR = 0.98
"""This share of the surface is farther than what counts as very near."""
STRETCH_PX = 4.0
"""Neighbouring pixels that move apart by more than this at the full reach are cut apart, whatever their slope."""
OPAQUE = 127
"""Pixels of a picture with at most this alpha are no surface."""
_BAND = 256
"""Rows that are rounded at once."""
SKY = 0.2
"""The inverse depth at which sky is thought while layers are made, as a share of that of the farthest surface."""
RING = 2
"""How wide the ring of seen surface is that hidden surface is continued from, in pixels."""


@dataclass(frozen=True, slots=True)
class LayerOptions:
    """What stands behind the outlines of a picture."""

    reach: float = 0.1
    """How far the eye may move aside and still see what was continued behind outlines, as a share of the middle
    distance of the scene: 0.1 is a head movement of 20 cm before something 2 m away."""
    parallax: float = 0.08
    """Where things are very near, the eye moves less: so far that they shift by this share of the picture's width."""
    edge: float = 0.06
    """Relative depth jump, beyond what a slanted plane explains, from which two neighbouring pixels are cut apart."""
    seam: int = 3
    """So many pixels of depth along an outline may show both surfaces: 3 for estimated depth, 1 where it is exact."""
    threads: int = 0
    """Threads that each network may use; 0 takes all cores. All other work keeps to the cores that the process has."""

    def __post_init__(self) -> None:
        if not 0 < self.reach <= 1:
            raise InputError(f"--reach {self.reach:g} is out of range", hint="Give a share between 0 and 1.")
        if not self.parallax > 0:
            raise InputError(f"the largest parallax must be positive, not {self.parallax:g}")
        if not self.edge > 0:
            raise InputError(f"the relative depth jump of an edge must be positive, not {self.edge:g}")
        if not 0 <= self.seam <= 16:
            raise InputError(f"--seam {self.seam} is out of range", hint="Give 0 to 16 pixels.")
        check_threads(self.threads)


@dataclass(frozen=True, slots=True)
class Shared:
    """What several pictures from one place have in common, so that nothing opens where they meet.

    Attributes:
        reach: How far the eye may move aside, in metres.
        far: The farthest distance of all, in metres.
    """

    reach: float
    far: float


def build_layers(
    depth: DepthMap, picture: Image, options: LayerOptions | None = None, shared: Shared | None = None
) -> Layers:
    """Continue every surface behind the nearer ones that cover it.

    Args:
        depth: METRIC or SCALE, with intrinsics; of the picture's shape, possibly smaller.
        picture: The upright picture.
        options: How far.
        shared: Told where this is one of several pictures from one place; else both are measured here.

    Raises:
        UnitError: The depth has an unknown offset.
        InputError: There is no camera, or no surface.
    """
    options = options or LayerOptions()
    camera = depth.intrinsics
    if camera is None:
        raise InputError("a depth map needs a camera before it becomes layers", hint="Calibrate it first.")
    colour = resampled(picture, depth.size)
    depth = _completed(depth, picture, colour)
    inverse, on, far, _ = inverse_depth(depth, None if shared is None else shared.far)
    seen, (left, top, right, bottom) = on & depth.seen, depth.frame  # what lies beyond the border does not decide
    middle = float(np.median(inverse[seen]))
    own = camera.cropped(left, top, Size(right - left, bottom - top))
    reach = reach_of(inverse[seen], own, options) if shared is None else shared.reach
    steepest = STRETCH_PX / (camera.fx * reach)
    apart = _Apart(options.edge, FAINT * middle, steepest, camera.fx * reach, (1 + SKY) / 2 / far)
    landed = land_flying(inverse, on, *apart[:3])
    depth, inverse = _deepened(depth, landed != inverse, landed), landed
    if depth.sky is not None:  # the sky goes on behind things as surfaces do
        inverse, on = np.where(depth.sky & ~on, np.float32(SKY / far), inverse), on | depth.sky
    hidden, soft, mixed = _unmixed(inverse, on, colour, apart, options)
    deeper = _behind(hidden.inverse, hidden.on, hidden.colour, apart, 0, ~on, None).layer(None)
    deepest = _behind(deeper.inverse, deeper.on, deeper.colour, apart, 0, ~on, None).layer(None)
    hidden, deeper, deepest, soft = (_marked(layer, depth) for layer in (hidden, deeper, deepest, soft))
    sky = None
    if depth.sky is not None:
        (hidden, deeper, deepest), sky = _sky_apart((hidden, deeper, deepest), apart.sky, 1 / far)
    return Layers(picture, depth, on & ~mixed, hidden, deeper, soft, reach, steepest, sky, deepest)


def _sky_apart(layers: tuple[Layer, ...], limit: float, farthest: float) -> tuple[list[Layer], Layer]:
    """The surfaces of layers, and the sky of all of them.

    Args:
        layers: From the nearest to the farthest.
        limit: Inverse depth below which they are sky.
        farthest: Of surfaces, the least inverse depth.
    """
    rest: list[Layer] = []
    all_, invented, colour = np.zeros_like(layers[0].on), np.zeros_like(layers[0].on), layers[0].colour.copy()
    for layer in layers:
        sky = layer.on & (layer.inverse < limit)
        inverse = np.where(layer.on & ~sky, np.maximum(layer.inverse, np.float32(farthest)), np.float32(0))
        rest.append(replace(layer, inverse=inverse, invented=layer.invented & ~sky))
        new = sky & ~all_
        colour[new], invented[new] = layer.colour[new], layer.invented[new]
        all_ |= sky
    return rest, Layer(all_ * np.float32(SKY * farthest), colour, invented)


def _unmixed(inverse: F32, on: Bool, looks: U8, apart: _Apart, options: LayerOptions) -> tuple[Layer, Layer, Bool]:
    """What goes on behind the outlines, the soft seam before it, and the pixels that show both; as :func:`_behind`."""
    from unflat.geometry.matte import unmix

    found = _behind(inverse, on, looks, apart, options.seam, ~on, options.threads)
    matte = unmix(looks, found.looks, inverse, found.seam, found.invented, options.seam, found.ring)
    colour, some = looks.copy(), matte.alpha > 0
    colour[some] = _bytes(matte.colour[some])
    soft = Layer(matte.inverse, colour, np.zeros_like(on), matte.alpha)
    return found.layer(matte.behind), soft, found.seam.mixed


def _marked(layer: Layer, depth: DepthMap) -> Layer:
    """A layer with all of it marked that lies beyond the picture's border."""
    return layer if depth.invented is None else replace(layer, invented=layer.invented | (depth.invented & layer.on))


def _deepened(depth: DepthMap, changed: Bool, inverse: F32) -> DepthMap:
    """Other depth where it changed."""
    if not changed.any():
        return depth
    return replace(depth, values=np.where(changed, 1 / np.where(changed, inverse, np.float32(1)), depth.values))


def reach_of(inverse: F32, camera: Intrinsics, options: LayerOptions) -> float:
    """How far the eye may move aside, in metres, before surfaces of these inverse depths."""
    middle, near = float(np.median(inverse)), float(np.quantile(inverse, NEAR))
    most = options.parallax * camera.size.width / camera.fx / max(near - middle, 1e-9 * middle)
    return min(options.reach / middle, most)


def _completed(depth: DepthMap, picture: Image, colour: U8) -> DepthMap:
    """Pixels of the picture without depth take that of what they look like beside them; their confidence is 0."""
    import cv2

    from unflat.geometry.complete import nearest_alike

    known = np.asarray(depth.surface) & np.isfinite(depth.values)
    open_ = ~np.asarray(depth.valid)
    if picture.alpha is not None:
        alpha = cv2.resize(picture.alpha, (depth.size.width, depth.size.height), interpolation=cv2.INTER_AREA)
        open_ &= np.asarray(alpha) > OPAQUE
    if not open_.any() or not known.any():
        return depth
    source = nearest_alike(known, open_, colour)
    open_ &= source >= 0
    values = np.where(known | open_, depth.values.ravel()[np.maximum(source, 0)], depth.values)
    settled = np.asarray(cv2.medianBlur(np.where(known | open_, values, np.float32(0)), 5))
    values = np.where(open_ & (settled > 0), settled, values)
    confidence = None if depth.confidence is None else np.where(open_, np.float32(0), depth.confidence)
    return replace(depth, values=values, valid=np.asarray(depth.valid) | open_, confidence=confidence)


def resampled(picture: Image, size: Size) -> U8:
    """(h, w, 3) the picture's colours at another size."""
    import cv2

    if picture.size == size:
        return picture.pixels
    smaller = size.width < picture.size.width
    how = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(picture.pixels, (size.width, size.height), interpolation=how), np.uint8)


class _Apart(NamedTuple):
    """Where surfaces are cut apart, and how far the eye looks behind them."""

    edge: float
    """Relative jump of inverse depth."""
    faint: float
    """Inverse depth in 1/m below which jumps do not count."""
    steepest: float
    """Jump of inverse depth in 1/m."""
    shift: float
    """Pixels that a point at one metre moves by at the full reach."""
    sky: float
    """Inverse depth in 1/m of which all that is less is sky."""


class _Behind(NamedTuple):
    """What goes on behind a surface. Shapes are (h, w), of colours (h, w, 3) float32 sRGB units.

    Attributes:
        inverse: Inverse depth of it and of the farther surfaces that it goes on from; 0 elsewhere.
        looks: Its colours; elsewhere those of the surface before it.
        invented: Where it is made up.
        seam: The pixels along the outlines.
        ring: The seen pixels it goes on from.
    """

    inverse: F32
    looks: F32
    invented: Bool
    seam: Seam
    ring: Bool

    def layer(self, looks: F32 | None) -> Layer:
        """It as a layer, in its own colours or in others."""
        return Layer(self.inverse, _bytes(self.looks if looks is None else looks), self.invented)


def _behind(
    inverse: F32, on: Bool, looks: U8, apart: _Apart, width: int, nothing: Bool, threads: int | None
) -> _Behind:
    """Continue the farther surface of every outline behind the nearer one.

    Args:
        inverse: (h, w) inverse depth of the surfaces before it.
        on: (h, w), where there are any.
        looks: (h, w, 3) uint8, their colours.
        apart: Where outlines are.
        width: Of the seam in pixels.
        nothing: (h, w), where the picture is known to show nothing.
        threads: Of the network by which lines of the picture go on behind, too; None: all goes on smoothly.
    """
    from unflat.geometry.hidden import clean_ring, grow_behind, nothing_nearer, seam

    cuts = find_cuts(inverse, on, apart.edge, apart.faint, apart.steepest)
    seen = seam(inverse, on, cuts, width, apart.edge)
    behind = grow_behind(inverse, on & ~nothing_nearer(nothing, seen), cuts, apart.shift)
    ring = clean_ring(inverse, on, np.where(seen.mixed, inverse, behind), (behind > 0) | seen.mixed, seen, RING)
    behind = np.where(ring | seen.mixed, np.float32(0), behind)  # what these hide in their turn is a deeper layer's
    wanted = (behind > 0) | seen.mixed
    deep, around = _continued(inverse, behind, looks, wanted, seen.mixed, ring)
    deep = np.where((behind > 0) & (behind < apart.sky), behind, deep)
    if threads is not None:
        _better(around, looks, on & ~wanted, wanted, np.where(behind > 0, behind, inverse), threads)
    some = wanted | ring
    np.copyto(around, looks, where=~some[..., None])
    return _Behind(np.where(some, deep, np.float32(0)), around, behind > 0, seen, ring)


def _continued(inverse: F32, behind: F32, colour: U8, wanted, mixed, ring) -> tuple[F32, F32]:
    """Inverse depth and colour over the wanted pixels, as they go on from the ring; on the ring as they are."""
    from unflat.geometry.hidden import BEHIND
    from unflat.geometry.membrane import membrane

    known = ring | (mixed & (behind == 0))
    guide = np.where(behind > 0, behind, inverse)
    deep, lost = membrane(inverse[..., None], known, wanted & ~known, guide)
    deep = np.where(lost, behind, deep[..., 0])
    deep = np.where(known, inverse, deep)
    deep = np.where(behind > 0, np.minimum(deep, np.float32(BEHIND) * inverse), deep)
    looks, lost = membrane(colour, ring, wanted, guide)
    seen = lost & mixed
    if seen.any():
        np.copyto(looks, membrane(colour, seen, lost & ~mixed)[0], where=lost[..., None])
    return deep, looks


def _better(smooth: F32, looks: U8, told: Bool, wanted: Bool, guide: F32, threads: int) -> None:
    """Let lines that run from what is told into the wanted pixels go on there, in place; so far all is smooth."""
    from unflat.models.behind import bettered

    if not wanted.any() or not told.any():
        return
    colour = np.where(told[..., None], looks, smooth).astype(np.float32, copy=False)
    colour /= np.float32(255)
    near = np.quantile(guide[told | wanted], NEAR)
    new = bettered(colour, told, wanted, (guide / near).astype(np.float32), threads)
    smooth[wanted] = new[wanted] * np.float32(255)


def _bytes(colour: F32) -> U8:
    out = np.empty(colour.shape, np.uint8)
    for first in range(0, len(out), _BAND):
        rows = slice(first, first + _BAND)
        out[rows] = np.clip(np.rint(colour[rows]), 0, 255)
    return out
