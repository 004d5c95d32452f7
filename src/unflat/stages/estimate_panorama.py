"""A panorama -> the six sides of a cube around the eye, with depth.

picture ─ tangent windows ─ network, each ─► distances that do not agree ─ fields (agree) ─► distances that do
      ─ blended over each side ─ refined on the side's own picture ─ sides faded into each other ─► sides
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from unflat.errors import InputError
from unflat.geometry.align import assume_scale
from unflat.geometry.cube import cube, largest_share, norms, read_cube, window_of
from unflat.geometry.nearest import nearest_true
from unflat.geometry.panorama import Window, inside, looked_up, panorama_rays, window_picture, window_rays
from unflat.stages.estimate_depth import DepthOptions, Estimate, estimate_depth, refine_to
from unflat.stages.look_around import Blend, Looked, blended, bring_together, looked, settle_sky, tangent_windows
from unflat.types.arrays import F32, F64, U8, Bool
from unflat.types.camera import Intrinsics
from unflat.types.cube import Side
from unflat.types.depth import DepthKind, DepthMap
from unflat.types.image import Image
from unflat.types.panorama import Panorama

COARSE = 3.0
"""Pixels a degree that windows are blended at: about what networks see."""
FINEST = 4096
"""Most pixels of depth all the way around."""


@dataclass(frozen=True, slots=True, eq=False)
class Around:
    """A panorama with depth.

    Attributes:
        sides: Of a cube; those that show nothing of the panorama are left out.
        distance: The same over the panorama's own pixels: distance along each ray, with the panorama as its camera.
        seen: What the network said of the first window, for the story; its depth is of the kind that all had.
        apart: Median disagreement of neighbouring windows before and after they were brought together (share of the
            distance); None where depth was given.
    """

    sides: tuple[Side, ...]
    distance: DepthMap
    seen: Estimate
    apart: tuple[float, float] | None


def estimate_panorama(
    picture: Image, panorama: Panorama, model: str, options: DepthOptions, kind: str | None = None
) -> Around:
    """See how far everything around is.

    Args:
        picture: The panorama's picture.
        panorama: Its camera.
        model: A name of the table, "auto", or a model from outside.
        options: How; ``detail`` is for all the way around (for the whole width of what does not go around).
        kind: What the numbers of a model from outside mean, where nothing else tells.

    Raises:
        InputError: There is nothing to see.
    """
    looks: list[Looked] = []
    pictures: list[U8] = []
    first: Estimate | None = None
    for window in tangent_windows(panorama):
        pictures.append(window_picture(picture.pixels, panorama, window))
        seen = estimate_depth(Image(pictures[-1]), model, options, kind)
        first = first or seen
        looks.append(looked(window, seen))
    if first is None:
        raise InputError("this panorama is too small a piece to be looked at as one", hint="Give --panorama no.")
    looks = settle_sky(looks, pictures)
    fields, apart = bring_together(looks, panorama)
    sides: list[Side] = []
    for rough, fine in zip(cube(_coarse()), cube(_inner(panorama, options)), strict=True):
        side = _side(rough, fine, looks, fields, picture, panorama, first)
        if side is not None:
            sides.append(side)
    return _together(tuple(sides), panorama, picture, options, first, apart)


def given_panorama(depth: DepthMap, picture: Image, panorama: Panorama, options: DepthOptions) -> Around:
    """The same from the user's own map: distances along the rays of the panorama's pixels.

    Raises:
        InputError: There is nothing in it.
    """
    seen = Estimate(depth)
    depth = assume_scale(depth)
    sides: list[Side] = []
    for window in cube(_inner(panorama, options)):
        rays, length = window_rays(window), norms(window)
        within = inside(panorama, window)
        if not within.any():
            continue
        sky = None if depth.sky is None else _at(depth.sky, panorama, rays) & within
        solid = depth.surface & np.isfinite(depth.values) & (depth.values > 0)
        known = _at(solid, panorama, rays) & within
        log = np.log(np.where(solid, depth.values, np.float32(1)))
        exact = looked_up(log, panorama, rays, nearest=True)
        smooth = looked_up(log, panorama, rays)
        log = np.where(abs(smooth - exact) > 0.02, exact, smooth)
        confidence = None if depth.confidence is None else looked_up(depth.confidence, panorama, rays)
        values = np.where(known, np.exp(log) / length, np.float32(1)).astype(np.float32)
        valid = known if sky is None else known | sky
        values = values if sky is None else np.where(sky, np.float32(np.inf), values)
        one = DepthMap(values, depth.kind, valid, sky, confidence, window.camera, depth.origin, depth.licence)
        sides.append(Side(window.name, window.scene_from_window, one, _picture(picture, panorama, window, within)))
    return _together(tuple(sides), panorama, picture, options, seen, None)


def _coarse() -> int:
    """Pixels across 90 degrees of what windows are blended at."""
    return 2 * round(math.degrees(1) * COARSE)


def _inner(panorama: Panorama, options: DepthOptions) -> int:
    """Pixels across 90 degrees of a side, even."""
    wide = math.radians(panorama.right_deg - panorama.left_deg)
    most = min(options.detail / wide, panorama.pixels_per_radian, FINEST / (2 * math.pi))
    return max(32, 2 * round(most))


def _side(
    rough: Window, fine: Window, looks: list[Looked], fields: F64, picture: Image, panorama: Panorama, seen: Estimate
) -> Side | None:
    """One side: the windows blended coarsely, refined on its own picture; None if it shows nothing."""
    within = inside(panorama, fine)
    if not within.any():
        return None
    blend = blended(looks, fields, rough)
    if not blend.known.any():
        return None
    if not blend.known.all():  # rims of a part that no window shows whole
        blend = _spread(blend)
    depth = replace(
        seen.depth,
        values=blend.distance / norms(rough),
        kind=DepthKind.METRIC if seen.depth.kind is DepthKind.METRIC else DepthKind.SCALE,
        valid=blend.known,
        sky=None,
        confidence=blend.confidence,
        intrinsics=rough.camera,
    )
    knows_sky = seen.sky_probability is not None
    coarse = Estimate(depth, sky_probability=blend.sky if knows_sky else None)
    shown = _picture(picture, panorama, fine, within)
    refined = refine_to(coarse, shown, fine.camera.size)
    return Side(fine.name, fine.scene_from_window, replace(refined, intrinsics=fine.camera), shown)


def _spread(blend: Blend) -> Blend:
    """What no window shows is as the nearest place that one does, and not believed."""
    nearest = nearest_true(blend.known)
    distance, sky = blend.distance.ravel()[nearest], blend.sky.ravel()[nearest]
    confidence = None if blend.confidence is None else np.where(blend.known, blend.confidence, np.float32(0))
    return Blend(distance, np.ones_like(blend.known), sky, confidence)


def _picture(picture: Image, panorama: Panorama, window: Window, within: Bool) -> Image:
    """What a side shows; transparent where the panorama shows nothing."""
    pixels = window_picture(picture.pixels, panorama, window)
    alpha = None if within.all() else np.where(within, np.uint8(255), np.uint8(0))
    if picture.alpha is not None:
        own = looked_up(picture.alpha, panorama, window_rays(window))
        alpha = own if alpha is None else np.minimum(alpha, own)
    return Image(pixels, alpha, picture.source)


def _at(plane: Bool, panorama: Panorama, rays: F32) -> Bool:
    return looked_up(plane.astype(np.uint8), panorama, rays, nearest=True) > 0


def _together(
    sides: tuple[Side, ...],
    panorama: Panorama,
    picture: Image,
    options: DepthOptions,
    seen: Estimate,
    apart: tuple[float, float] | None,
) -> Around:
    """The sides faded into each other, and what they say in the panorama's own pixels."""
    if not any(side.depth.surface.any() for side in sides):
        raise InputError(
            "there is no surface in this panorama: all of it is sky, transparent or without depth",
            hint="Give a depth map with --depth FILE.",
        )
    windows = tuple(map(window_of, sides))
    logs = [
        np.log(np.where(s.depth.surface, s.depth.z, np.float32(1))).astype(np.float32) + np.log(norms(w))
        for s, w in zip(sides, windows, strict=True)
    ]
    known = [side.depth.surface for side in sides]
    faded = []
    for side, window in zip(sides, windows, strict=True):
        log, valid, sky, confidence = _read_all(sides, windows, (logs, known), window_rays(window))
        z = (np.exp(log) / norms(window)).astype(np.float32)
        faded.append(replace(side, depth=_depth(side.depth, (z, valid, sky, confidence), window.camera)))
    small = panorama.resized(panorama.size.fitted(options.detail))
    log, valid, sky, confidence = _read_all(sides, windows, (logs, known), panorama_rays(small))
    distance = _depth(sides[0].depth, (np.exp(log).astype(np.float32), valid, sky, confidence), None)
    return Around(tuple(faded), replace(distance, panorama=small), seen, apart)


def _read_all(
    sides: tuple[Side, ...], windows: tuple[Window, ...], function: tuple[list[F32], list[Bool]], rays: F32
) -> tuple[F32, Bool, Bool | None, F32 | None]:
    """Logarithm of distance, where there is a surface, where sky, and confidence, in any directions."""
    log, solid = read_cube(windows, *function, rays)
    sky = confidence = None
    if any(side.depth.sky is not None for side in sides):
        planes = [np.zeros(s.depth.size.shape, np.float32) if s.depth.sky is None else s.depth.sky for s in sides]
        sky = largest_share(windows, [plane.astype(np.float32) for plane in planes], rays) > 0.5
    sure = [side.depth.confidence for side in sides]
    if all(one is not None for one in sure):
        confidence = largest_share(windows, [one for one in sure if one is not None], rays)
    return log, solid if sky is None else solid & ~sky, sky, confidence


def _depth(like: DepthMap, parts: tuple[F32, Bool, Bool | None, F32 | None], camera: Intrinsics | None) -> DepthMap:
    """A depth map of the kind and origin of another."""
    values, solid, sky, confidence = parts
    values = values if sky is None else np.where(sky, np.float32(np.inf), values)
    valid = solid if sky is None else solid | sky
    return DepthMap(values, like.kind, valid, sky, confidence, camera, like.origin, like.licence)
