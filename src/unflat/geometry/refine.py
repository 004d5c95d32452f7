"""A soft, coarse depth map brought to the size of its picture, with outlines where the picture has them.

    coarse map ──► nearness ──► two surfaces at every blurred outline (sides)
                                    │
                 picture ──► for each size up to the full one: (votes)
                                 enlarge, find the outlines, let colour decide near or far beside them
                                    │
                                    ▼
                            nearness ──► fine map, every pixel on one surface

Smooth parts are only interpolated: the picture never touches them, so a printed cloth stays flat. What this
module does not do: cut a mesh at the outlines (tessellate), or fill holes larger than its window (align.merge_depths).

This module loads OpenCV and numba; import it where it is used.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import cv2
import numpy as np

from unflat.errors import ShapeError
from unflat.geometry import sides, votes
from unflat.geometry.crumbs import sweep, trim
from unflat.geometry.edges import raise_rims
from unflat.geometry.inverse import Nearness
from unflat.geometry.pyramid import guides, interpolated, ladder, resized
from unflat.types.arrays import F32, U8, Bool
from unflat.types.depth import DepthKind, DepthMap
from unflat.types.image import Size

_LEAST_RAMP = 8
"""Connected ramps of fewer coarse pixels than this are noise."""


_LEAST_STEPS = 8
"""How wide a ramp may be, in coarse pixels; maps larger than 256 take a 32nd of their long side."""
_CONTINUED = 3
"""How many coarse pixels a strong outline is continued where it was not recognised."""
_SURE_SKY = 0.7
"""A patch of sky that is nowhere more probable than this is not taken for sky."""
_RIM, _RIM_STEP = 3, 0.05
"""Things before the sky fall off beside it by so many coarse pixels, by more than this share of the nearness range."""
_TAPER = 4
"""Over how many coarse pixels a weak outline ends."""


@dataclass(frozen=True, slots=True)
class RefineOptions:
    """How outlines are found and placed."""

    reach: int = 4
    """How far an outline may move, in pixels of the coarse map; 0 makes outlines steep where they are."""
    colour_sigma: float = 14.0
    """Colours this far apart (sRGB units, 0..255) are no longer alike."""
    least_step: float = 0.02
    """Smallest step taken for an outline, as a share of the nearness range (0..1)."""
    least_ratio: float = 0.07
    """Smallest step taken for an outline, as a share of the nearer value (METRIC and SCALE only)."""
    hole: int = 2
    """Holes whose every pixel is this close to a known one (in coarse pixels) are filled; larger ones stay."""


@dataclass(slots=True)
class _Field:
    """A coarse field with two candidate values per pixel, and the places where the choice is open."""

    v: F32
    near: F32
    far: F32
    flags: U8


def refine_depth(
    depth: DepthMap,
    picture_rgb: U8,
    size: Size,
    sky_probability: F32 | None = None,
    options: RefineOptions | None = None,
) -> DepthMap:
    """Bring ``depth`` to ``size`` with steep outlines that lie on the outlines of the picture.

    Args:
        depth: Of any kind and size, usually smaller than ``size``; its frame is the whole picture.
        picture_rgb: (H, W, 3) uint8 of any size, the same view.
        size: Of the result.
        sky_probability: (h, w) float in 0..1 at the size of ``depth``; without it ``depth.sky`` is used.
            What ``depth`` says where it is sky is taken where the sky turns out to be none, so it should be finite.
        options: See :class:`RefineOptions`.

    Returns:
        The same kind of depth at ``size``; sky, valid and confidence brought along (those that were None stay
        None), intrinsics resized. Confidence is lowered beside outlines that no colour confirmed. A map that has
        ``size`` already comes back as it is if ``reach`` is 0.

    Raises:
        ShapeError: The picture or the probability has the wrong shape.
    """
    options = options or RefineOptions()
    if size == depth.size and options.reach == 0:
        return depth
    seen = depth.surface if sky_probability is None else np.asarray(depth.valid)
    known = seen & np.isfinite(depth.values)
    if depth.kind.is_depth:
        known &= depth.values > 0
    soft_sky = _soft_sky(depth, sky_probability)
    hard_sky = None if soft_sky is None else soft_sky >= 0.5
    sizes = ladder(depth.size, size)
    pictures = guides(picture_rgb, sizes)
    base = resized(pictures[0], depth.size)
    if hard_sky is not None:
        known &= ~hard_sky
    scale = Nearness.of(depth, known)
    valid = _close_small_holes(known if hard_sky is None else known | hard_sky, options.hole)
    surface = _surfaces(scale.from_depth(depth.values, known), known, hard_sky, depth.kind, options)
    values, outlines = _climb(surface, base, pictures, options)
    confidence = _confidence(depth, values, pictures[-1], outlines, options)
    scale.to_depth(values)
    sky = None if soft_sky is None else _place_sky(soft_sky, base, pictures, options)
    fine_valid = interpolated(valid.astype(np.float32), size) >= 0.5 if not valid.all() else np.ones(size.shape, bool)
    if sky is not None:
        values[sky] = np.min(values[~sky], initial=scale.offset) if depth.kind is DepthKind.DISPARITY else np.inf
        fine_valid |= sky
    camera = depth.intrinsics.resized(size) if depth.intrinsics else None
    made = None if depth.invented is None else interpolated(depth.invented.astype(np.float32), size) >= 0.5
    return replace(
        depth, values=values, valid=fine_valid, sky=sky, confidence=confidence, invented=made, intrinsics=camera
    )


def _soft_sky(depth: DepthMap, probability: F32 | None) -> F32 | None:
    """(h, w) float32 in 0..1, or None where nobody looked for sky."""
    if probability is not None:
        if probability.shape != depth.size.shape:
            raise ShapeError(f"the sky is {probability.shape[::-1]}, the depth map {depth.size}")
        soft = np.clip(np.nan_to_num(probability), 0, 1).astype(np.float32)
        count, found = cv2.connectedComponents((soft >= 0.5).astype(np.uint8), connectivity=8)
        label = np.asarray(found, dtype=np.int32)
        surest = np.zeros(count, np.float32)
        np.maximum.at(surest, label.ravel(), soft.ravel())
        return np.where((surest < _SURE_SKY)[label], np.minimum(soft, np.float32(0.4)), soft)
    if depth.sky is None:
        return None
    return np.asarray(cv2.blur(depth.sky.astype(np.float32), (3, 3)), dtype=np.float32)


def _close_small_holes(covered: Bool, reach: int) -> Bool:
    """What is valid once every hole no pixel of which is more than ``reach`` from its rim is closed; (h, w)."""
    if covered.all() or not covered.any():
        return covered
    open_ = (~covered).astype(np.uint8)
    count, found = cv2.connectedComponents(open_, connectivity=8)
    label = np.asarray(found, dtype=np.int32)
    deepest = np.zeros(count, np.float32)
    np.maximum.at(deepest, label.ravel(), cv2.distanceTransform(open_, cv2.DIST_C, 3).ravel())
    return covered | (deepest <= reach)[label]


def _surfaces(u: F32, known: Bool, sky: Bool | None, kind: DepthKind, options: RefineOptions) -> _Field:
    """Both surfaces at every pixel of the coarse map; what is unknown takes its nearest surface."""
    if not known.any():
        return _Field(u, u, u, np.zeros(u.shape, np.uint8))
    share = options.least_ratio if kind.is_depth else 0.0
    steps = max(_LEAST_STEPS, math.ceil(max(u.shape) / 32))
    readable = known if sky is None else known | sky
    if sky is not None:
        u = raise_rims(u, ~sky, _RIM, np.float32(_RIM_STEP))
    near, far, what = sides.find_sides(u, readable, steps, options.least_step, share)
    if sky is not None:
        beside = cv2.dilate(sky.astype(np.uint8), np.ones((2 * steps + 1,) * 2, np.uint8)) > 0
        open_air = beside & (what == sides.RAMP) & (far <= 0.5 * options.least_step)
        far[open_air] = near[open_air]
        u = np.where(open_air, near, u)
        what[open_air | sky] = sides.PLAIN
    _drop_crumbs(near, far, what, u)
    for _ in range(_CONTINUED):
        near, far, what = sides.continue_ramps(u, near, far, what, options.least_step, share)
    for _ in range(2):
        near, far = sides.smooth_sides(near, far, what)
    whole = cv2.distanceTransform(1 - sides.loose_ends(u, what), cv2.DIST_L2, 5) / np.float32(_TAPER)
    whole = np.minimum(whole, 1).astype(np.float32)
    sides.fade(u, near, far, what, whole, options.least_step, share)
    for field in (u, near, far):
        _fill_unknown(field, known)
    for _ in range(options.reach):
        near, far, what = sides.widen(u, near, far, what)
    return _Field(u, near, far, (what > 0).astype(np.uint8))


def _drop_crumbs(near: F32, far: F32, what: U8, u: F32) -> None:
    """Forget ramps of a few pixels: noise, not outlines. In place."""
    _, label, stats, _ = cv2.connectedComponentsWithStats(what, connectivity=8)
    crumbs = (stats[:, cv2.CC_STAT_AREA] < _LEAST_RAMP)[np.asarray(label, dtype=np.int32)] & (what > 0)
    near[crumbs], far[crumbs], what[crumbs] = u[crumbs], u[crumbs], 0


def _fill_unknown(field: F32, known: Bool) -> None:
    """Give every unknown pixel the value of the nearest known one, in place."""
    if known.all():
        return
    unknown = (~known).astype(np.uint8)
    _, nearest = cv2.distanceTransformWithLabels(unknown, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    label = np.asarray(nearest, dtype=np.int32)
    value_of = np.zeros(int(label.max()) + 1, np.float32)
    value_of[label[known]] = field[known]
    field[~known] = value_of[label[~known]]


@dataclass(slots=True)
class _Outlines:
    """The pixels of the finest map that lie beside an outline: columns and rows, near and far; (n, 2) each."""

    spots: votes.Spots
    ends: F32


def _climb(field: _Field, base: U8, pictures: list[U8], options: RefineOptions) -> tuple[F32, _Outlines]:
    """Decide the sides at the coarse size and again at every finer one; returns the finest values."""
    v, flags = field.v, field.flags
    steps = [(base, 6, 3)] if options.reach else []
    steps += [(picture, 3, 1) for picture in pictures]
    spots, ends = np.zeros((0, 2), np.int32), np.zeros((0, 2), np.float32)
    for at, (picture, radius, rounds) in enumerate(steps):
        height, width = picture.shape[:2]
        v = interpolated(v, Size(width, height))
        spots = votes.places(flags, height, width)
        ends = votes.sides_at(field.near, field.far, spots, height, width)
        space = votes.space_weights(radius) * np.float32(options.reach > 0)
        tables = votes.colour_weights(options.colour_sigma, 0.01), space
        last = at == len(steps) - 1
        for turn in range(rounds):
            side = votes.vote(v, picture, spots, ends, tables)
            gain = math.inf if last and turn == rounds - 1 else 2.0
            votes.settle_sides(v, spots, ends, side, gain)
        if not last:
            flags = votes.flag_edges(v, spots, ends)
    trim(v, spots, ends)
    sweep(v, spots, ends)
    return v, _Outlines(spots, ends)


def _place_sky(soft: F32, base: U8, pictures: list[U8], options: RefineOptions) -> Bool:
    """The sky at the finest size, its edge placed by colour like any outline: (H, W) bool."""
    hard = (soft >= 0.5).astype(np.uint8)
    rim = cv2.morphologyEx(hard, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    window = np.ones((2 * options.reach + 1,) * 2, np.uint8)
    flags = np.asarray(cv2.dilate(rim, window), dtype=np.uint8)
    field = _Field(soft, np.ones_like(soft), np.zeros_like(soft), flags)
    return _climb(field, base, pictures, options)[0] >= 0.5


def _confidence(depth: DepthMap, v: F32, picture: U8, listed: _Outlines, options: RefineOptions) -> F32 | None:
    """(H, W) float32 in 0..1: as given, less beside outlines whose sides look alike."""
    if depth.confidence is None:
        return None
    given = np.nan_to_num(np.asarray(depth.confidence), nan=0.0)
    fine = interpolated(given, Size(v.shape[1], v.shape[0]))
    apart = votes.colour_evidence(v, picture, listed.spots, listed.ends, 4)
    sure = np.minimum(apart / np.float32(2 * options.colour_sigma), 1)
    two_sided = listed.ends[:, 0] > listed.ends[:, 1]
    fine[listed.spots[:, 1], listed.spots[:, 0]] *= np.where(two_sided & (apart >= 0), 0.4 + 0.6 * sure, 1).astype(
        np.float32
    )
    return fine
