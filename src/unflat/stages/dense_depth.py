"""Depth of every view of a reconstruction, from what the views around it show.

views around (geometry.neighbours) ─ plane sweep, small ─► planes, larger and larger ─► once more (match_views)
─ held against the depth of the sources (agreement) ─► what is agreed on
─ holes in floors, walls and ceilings (flat_places) ─ other holes by the network ─► ViewDepth
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from unflat.errors import InputError
from unflat.geometry.agreement import Verdict, normals_of, without_specks
from unflat.geometry.align import assume_scale, fit_scale_shift, merge_depths
from unflat.stages.flat_places import FlatPlaces
from unflat.stages.match_views import Matching, resized
from unflat.types.arrays import F32, U8, Bool
from unflat.types.depth import DepthKind, DepthMap
from unflat.types.views import Reconstruction, ViewDepth

Guess = Callable[[U8], DepthMap]
"""What the network sees in one picture, (h, w, 3) uint8 sRGB; of its size."""
_LEAST = 0.3
"""What is less sure than this is left out: half of it would be off by more than 5 %."""
_FLAT = 0.7
"""So sure is what was not matched but lies on a plane of the place: in the known room so much of it was right."""
_LEARNED = 0.1
"""How much less sure the network's depth is than it says of itself, for it speaks of 25 % and we of 1 %."""
_SKY = 0.5
"""A pixel of depth is sky if the network says so of so much of it."""
_CONTRADICTS = 0.2
"""A network that errs by more than this where something was measured is not believed elsewhere."""
_SPECK = 1 / 2000
"""Islands of a smaller share of the picture are left out."""


@dataclass(frozen=True, slots=True)
class DenseOptions:
    """How depth is found from several views."""

    depth_size: int = 800
    """Longest side of the depth maps in pixels; they are half as large as the pictures if that is less."""
    sources: int = 10
    """How many other views each view is compared with."""
    flat: bool = True
    """Whether floors, walls and ceilings go on where nothing in them can be matched."""

    def __post_init__(self) -> None:
        if not 64 <= self.depth_size <= 4096:
            raise InputError(f"--depth-size {self.depth_size} is out of range", hint="Give 64 to 4096 pixels.")
        if not 1 <= self.sources <= 16:
            raise InputError(f"--sources {self.sources} is out of range", hint="Give 1 to 16 views.")


_DEFAULT = DenseOptions()


def dense_depth(
    reconstruction: Reconstruction,
    options: DenseOptions = _DEFAULT,
    guess: Guess | None = None,
    numbers: Sequence[int] | None = None,
) -> Generator[ViewDepth]:
    """Find the depth of each view.

    Confidence estimates how likely the depth is right within 1 %; on known places with faint walls it says too much. It
    grows with the number of sources that agree and with how well the pictures match. What fewer than two sources
    confirm (one, where there is only one), what more look through than confirm, and what is less sure than 0.3 is not
    valid; but where planes of the place (floors, walls, ceilings) go on in holes these get their depth, 0.7 sure,
    and ``flat`` tells where.

    Args:
        reconstruction: Pinhole views (see ``stages.undistort_views``); its points guide the choice of sources and the
            range of depth.
        options: How.
        guess: The network, asked where nothing could be matched; None leaves such places empty.
        numbers: The views whose depth is wanted, ascending; None for all. A view's depth does not depend on which
            others are wanted.

    Yields:
        One for every view that is wanted, in their order; all invalid where no other view helps.

    Raises:
        InputError: A view is still distorted.
    """
    for view in reconstruction.views:
        if not view.lens.pinhole:
            raise InputError(f"the lens of {view.still.name} bends lines", hint="Call undistort_views first.")
    room = _Room(reconstruction, options, guess)
    for number in range(len(reconstruction.views)) if numbers is None else numbers:
        yield room.depth(number)


class _Room:
    """What is known of all views so far."""

    def __init__(self, reconstruction: Reconstruction, options: DenseOptions, guess: Guess | None) -> None:
        self._reconstruction = reconstruction
        self._guess = guess
        self._metric = reconstruction.scale is not None and not reconstruction.scale.assumed
        self._matching = Matching(reconstruction, options.depth_size, options.sources)
        self._flat = FlatPlaces(self._matching) if options.flat else None

    def depth(self, number: int) -> ViewDepth:
        """The depth of one view; numbers rise from call to call."""
        matching, view = self._matching, self._reconstruction.views[number]
        camera, sources = matching.cameras[number], matching.company(number).sources
        own, judged = matching.judged(number)
        needed = max(1, min(2, len(sources)))
        confidence = _confidence(judged, own.cost)
        sure = (judged.agree >= needed) & (judged.agree >= judged.against) & (confidence >= _LEAST)
        sure &= matching.wanted(number)
        inverse = np.where(sure, judged.inverse, np.float32(0))
        kept = without_specks(inverse, matching.pixels_per_inverse(number), int(_SPECK * inverse.size))
        inverse[~kept] = 0
        confidence = np.where(kept, confidence, np.float32(0))
        gradient, filled = own.gradient, None
        if self._flat is not None:
            flat = self._flat.completed(number, inverse)
            filled = flat.inverse > 0
            kept = (kept & ~flat.beyond) | filled
            inverse = np.where(filled, flat.inverse, np.where(kept, inverse, np.float32(0)))
            confidence = np.where(filled, np.float32(_FLAT), np.where(kept, confidence, np.float32(0)))
            gradient = np.where(filled, flat.gradient, gradient)
            self._flat.forget(number)
        with np.errstate(divide="ignore"):
            z = np.where(kept, 1 / inverse, np.float32(0))
        kind = DepthKind.METRIC if self._metric else DepthKind.SCALE
        depth = DepthMap(z, kind, kept, confidence=confidence, intrinsics=camera, origin="views")
        normals = normals_of(inverse, gradient, camera.matrix)
        learned = None
        if self._guess is not None:
            seen = self._guess(resized(view.still.read(), depth.size))
            depth, learned = self._filled(number, _without_sky(depth, seen), seen)
        matching.forget(number)
        return ViewDepth(view, depth, normals, learned, filled)

    def _filled(self, number: int, depth: DepthMap, seen: DepthMap) -> tuple[DepthMap, Bool]:
        """The depth with what the network says fitted into its holes, and where that is."""
        known = np.asarray(depth.valid)
        points = self._points(number, depth)
        measured = np.where(known, depth.values, points).astype(np.float32)
        sensor = DepthMap(measured, depth.kind, measured > 0, confidence=np.ones_like(measured))
        if not _fits(sensor, seen):
            return depth, np.zeros_like(known)
        merged = merge_depths(sensor, seen)
        learned = merged.surface & ~sensor.surface & self._matching.wanted(number)
        made = np.where(learned, 1 / np.maximum(merged.values, np.float32(1e-9)), np.float32(0))
        learned &= ~self._matching.contradicted(number, made)
        assert depth.confidence is not None and merged.confidence is not None
        values = np.where(learned, merged.values, depth.values)
        confidence = np.where(learned, _LEARNED * merged.confidence, depth.confidence)
        origin = f"{depth.origin} + {seen.origin}"
        sky = None if merged.sky is None else merged.sky & ~known & ~learned & self._matching.wanted(number)
        valid = known | learned
        if sky is not None:
            values, valid = np.where(sky, np.float32(np.inf), values), valid | sky
        done = replace(depth, values=values, valid=valid, sky=sky, confidence=confidence, origin=origin)
        return done, learned

    def _points(self, number: int, depth: DepthMap) -> F32:
        """(h, w) depth of the triangulated points that a view saw; 0 where there is none."""
        view, points = self._reconstruction.views[number], self._reconstruction.points
        mine = points.view == number
        out = np.zeros(depth.size.shape, np.float32)
        factor = depth.size.width / view.still.size.width
        x, y = np.clip((points.pixel[mine] * factor).astype(int), 0, np.array(out.shape)[::-1] - 1).T
        pose = view.pose.world_from_camera
        out[y, x] = np.maximum((points.xyz[points.point[mine]] - pose[:3, 3]) @ pose[:3, 2], 0)
        return out


def _without_sky(depth: DepthMap, seen: DepthMap) -> DepthMap:
    """The depth without what the network takes for sky: clouds and glare match, at the depth of what is before them."""
    if seen.sky is None or not seen.sky.any():
        return depth
    import cv2

    size = depth.size.width, depth.size.height
    sky = cv2.resize(np.asarray(seen.sky, np.float32), size, interpolation=cv2.INTER_LINEAR) > _SKY
    return replace(depth, valid=np.asarray(depth.valid) & ~sky)


def _fits(sensor: DepthMap, seen: DepthMap) -> bool:
    """Whether the network sees about what was measured; if not, nothing can be told from it."""
    guess = assume_scale(seen)
    both = sensor.surface & guess.surface & (guess.values > 0)
    measured, seen_there = (np.reciprocal(depth.values[both]) for depth in (sensor, guess))
    try:
        return fit_scale_shift(measured, seen_there).error < _CONTRADICTS
    except InputError:  # nothing in common, or one is the other upside down
        return False


def _confidence(judged: Verdict, cost: F32) -> F32:
    """How likely depth is right within 1 %, from how many agree, how well it matches, and who sees through: (h, w).

    A logistic curve whose slopes were fitted to known places (boxes, a room with faint walls, a statue; see
    ``tests/view_worlds``) and whose offset was set by hand between them: right for none of them exactly.
    """
    agree = np.maximum(judged.agree, 1).astype(np.float32)
    told = 1.6 + 0.55 * np.log2(agree) - 2.3 * np.clip(cost, 0, 2) - 4.1 * judged.against / agree
    return (1 / (1 + np.exp(-told))).astype(np.float32)
