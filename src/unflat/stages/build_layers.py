"""depth + picture -> what stands behind the outlines, and the soft seams in front of it.

depth ─ cuts ─┬─ grow behind ──► where something is hidden, and about how deep
              └─ seam ─► pixels of two surfaces
seen surfaces beside it (the clean ring) ──► continued in depth and colour ──► hidden layer
picture = a·near + (1-a)·hidden along the seam ─► a ──► soft layer
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from unflat.errors import InputError
from unflat.geometry.edges import find_cuts
from unflat.stages.build_surface import FAINT, inverse_depth
from unflat.types.arrays import F32, U8
from unflat.types.camera import Intrinsics
from unflat.types.depth import DepthMap
from unflat.types.image import Image, Size
from unflat.types.layers import Layer, Layers

NEAR = 0.98
"""This share of the surface is farther than what counts as very near."""
STRETCH_PX = 4.0
"""Neighbouring pixels that move apart by more than this at the full reach are cut apart, whatever their slope."""
OPAQUE = 127
"""Pixels of a picture with at most this alpha are no surface."""
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

    def __post_init__(self) -> None:
        if not 0 < self.reach <= 1:
            raise InputError(f"--reach {self.reach:g} is out of range", hint="Give a share between 0 and 1.")
        if not self.parallax > 0:
            raise InputError(f"the largest parallax must be positive, not {self.parallax:g}")
        if not self.edge > 0:
            raise InputError(f"the relative depth jump of an edge must be positive, not {self.edge:g}")
        if not 0 <= self.seam <= 16:
            raise InputError(f"--seam {self.seam} is out of range", hint="Give 0 to 16 pixels.")


def build_layers(depth: DepthMap, picture: Image, options: LayerOptions | None = None) -> Layers:
    """Continue every surface behind the nearer ones that cover it.

    Args:
        depth: METRIC or SCALE, with intrinsics; of the picture's shape, possibly smaller.
        picture: The upright picture.
        options: How far.

    Raises:
        UnitError: The depth has an unknown offset.
        InputError: There is no camera, or no surface.
    """
    from unflat.geometry.hidden import clean_ring, grow_behind, seam
    from unflat.geometry.matte import unmix

    options = options or LayerOptions()
    camera = depth.intrinsics
    if camera is None:
        raise InputError("a depth map needs a camera before it becomes layers", hint="Calibrate it first.")
    colour = resampled(picture, depth.size)
    depth = _completed(depth, picture, colour)
    inverse, on, _, _ = inverse_depth(depth)
    middle = float(np.median(inverse[on]))
    reach = _reach(inverse[on], camera, options)
    steepest = STRETCH_PX / (camera.fx * reach)
    cuts = find_cuts(inverse, on, options.edge, FAINT * middle, steepest)
    behind = grow_behind(inverse, on, cuts, camera.fx * reach)
    seen = seam(inverse, on, cuts, options.seam, options.edge)
    wanted = (behind > 0) | seen.mixed
    ring = clean_ring(inverse, on, np.where(seen.mixed, inverse, behind), wanted, seen, RING)
    looks = colour.astype(np.float32)
    back = _continued(inverse, behind, looks, wanted, seen.mixed, ring)
    matte = unmix(looks, back[1], inverse, seen, behind > 0, options.seam, ring)
    hidden_inverse = np.where(wanted | ring, back[0], np.float32(0))
    invented = behind > 0
    around = [
        np.where(some[..., None], new, looks)
        for some, new in ((wanted | ring, matte.behind), (matte.alpha > 0, matte.colour))
    ]
    hidden = Layer(hidden_inverse, _bytes(around[0]), invented)
    soft = Layer(matte.inverse, _bytes(around[1]), np.zeros_like(on), matte.alpha)
    return Layers(picture, depth, on & ~seen.mixed, hidden, soft, reach, steepest)


def _reach(inverse: F32, camera: Intrinsics, options: LayerOptions) -> float:
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


def _continued(inverse: F32, behind: F32, colour: F32, wanted, mixed, ring) -> tuple[F32, F32]:
    """Inverse depth and colour over the wanted pixels, as they go on from the ring; on the ring as they are."""
    from unflat.geometry.hidden import BEHIND
    from unflat.geometry.membrane import membrane

    known = ring | (mixed & (behind == 0))
    deep, lost = membrane(inverse[..., None], known, wanted & ~known)
    deep = np.where(lost, behind, deep[..., 0])
    deep = np.where(known, inverse, deep)
    deep = np.where(behind > 0, np.minimum(deep, np.float32(BEHIND) * inverse), deep)
    looks, lost = membrane(colour, ring, wanted, np.where(behind > 0, behind, inverse))
    if lost.any():
        rest = lost & ~mixed
        looks = np.where(lost[..., None], membrane(colour, lost & mixed, rest)[0], looks)
    looks = np.where(ring[..., None], colour, looks)
    return deep, looks


def _bytes(colour: F32) -> U8:
    return np.clip(np.rint(colour), 0, 255).astype(np.uint8)
