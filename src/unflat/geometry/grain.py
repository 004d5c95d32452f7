"""Grain and dirt: a frame as most of the frames around it show it, each followed along the motion.

What does not look like the frame itself, patch by patch and pixel by pixel, is left out: grain is averaged away, a
thing that moves as no flow says leaves no ghost. Dirt is what is in one frame only: brighter, or darker, than
everything nearby in both neighbours, which agree (a rank order detector, Nadenau and Mitra, 1997).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from unflat.geometry.deflicker import VEIL, lit
from unflat.geometry.flow import places, sampled
from unflat.geometry.steady import Step
from unflat.types.arrays import F32, U8, Bool

_QUIET = 1.0
"""Grey levels of grain that any film has."""
_DIRT = 44.0
"""Grey levels that dirt stands out by, at least."""
_DIRT_GRAINS = 5.0
_LARGEST = 0.004
"""Dirt is no larger than this share of the frame."""
_CALM = 0.2
"""Around dirt the frame is like its neighbours, but for this share of what dirt stands out by."""
_NEARBY, _PASSING = 4, 24
"""Pixels of 320 within which neighbours show nothing so bright; and within which what flies past may have gone."""
_LIKE = 0.6
"""A patch nearby in both neighbours that differs by less than this share of the contrast is the same thing."""


@dataclass(frozen=True, slots=True, eq=False)
class Neighbour:
    """A frame near another, and the way there.

    Attributes:
        pixels: (h, w, 3) its picture.
        grey: (h', w') its small grey picture.
        way: From the small pixels of the other to its own, and 0..1 how far that is believed.
        distance: Frames from the other to it.
        gain: (h, w) what its light is multiplied by to be that of the other (see deflicker.lit); None: nothing.
    """

    pixels: U8
    grey: U8
    way: tuple[F32, F32]
    distance: int
    gain: F32 | None = None


def ways(steps: Sequence[Step]) -> Iterator[tuple[F32, F32]]:
    """The ways from a frame to its first neighbour, its second and so on.

    Args:
        steps: From the frame to its neighbour, from that to the next, and so on.

    Yields:
        (h, w, 2) the motion on the frame's pixels, and (h, w) 0..1 how far it is believed.
    """
    if not steps:
        return
    height, width = steps[0].ok.shape
    start = places(height, width)
    at, alive = start, np.ones((height, width), np.float32)
    for k, step in enumerate(steps):
        way = sampled(step.way, at) if k else step.way
        at = at + way[..., :2]
        alive = alive * np.maximum(2 * way[..., 2] - 1, 0)
        yield at - start, alive


def noise_of(grey: U8) -> float:
    """Standard deviation of the grain, grey levels: Immerkaer's mask (CVIU 1996), but the median over the picture.

    Args:
        grey: (h, w).
    """
    import cv2

    mask = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32) / np.float32(6)
    out = np.abs(np.asarray(cv2.filter2D(grey, cv2.CV_32F, mask), np.float32))
    return 1.4826 * float(np.median(out[1:-1:2, 1:-1:2]))


def grain_between(then: F32, now: F32, known: Bool) -> float:
    """Standard deviation of what two frames do not share, for each of them; 0 where nothing can be told.

    Args:
        then: (h, w) grey of the frame before, followed.
        now: (h, w) grey.
        known: (h, w), where the motion is believed.
    """
    if known.mean() < 0.05:
        return 0.0
    off = (now - then)[known]
    return 1.4826 / 2**0.5 * float(np.median(np.abs(off - np.median(off))))


def cleaned(pixels: U8, grey: U8, around: Sequence[Neighbour], noise: tuple[float, float], harm: Bool | None) -> F32:
    """A frame without grain and dirt.

    Args:
        pixels: (h, w, 3) the picture.
        grey: (h', w') its small grey picture.
        around: Frames near it.
        noise: Standard deviation of the grain in grey levels, of the picture and of the small one.
        harm: (h, w) pixels that are taken from the frames before and after, or None.

    Returns:
        (h, w, 3) float32, 0 to 255.
    """
    import cv2

    height, width = pixels.shape[:2]
    coarse, fine = max(noise[0], _QUIET), max(noise[1], _QUIET)
    base = places(height, width)
    total = np.ones((height, width), np.float32)
    if harm is not None:
        total[harm] = 0.02
    mean = cv2.multiply(pixels.astype(np.float32), cv2.merge([total] * 3))
    own = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    for one in around:
        flow, alive = one.way
        at = base + _grown(flow, height, width)
        there = _followed(one.pixels, at)
        seen = there if one.gain is None else lit(there, one.gain)
        weight = cv2.resize(_alike(grey, one, fine) * alive, (width, height), interpolation=cv2.INTER_LINEAR)
        off = np.asarray(cv2.cvtColor(seen, cv2.COLOR_RGB2GRAY), np.float32) - own
        agree = np.clip(3.0 - np.abs(off) / np.float32(1.5 * coarse), 0, 1)
        weight = np.asarray(weight, np.float32) * agree
        if harm is not None:
            weight[harm] = float(one.distance == 1)
        mean += cv2.multiply(seen, cv2.merge([weight] * 3))
        total += weight
    return np.asarray(cv2.divide(mean, cv2.merge([total] * 3)), np.float32)


def _grown(flow: F32, height: int, width: int) -> F32:
    """Motion of a smaller picture, in pixels of one of another size."""
    import cv2

    if flow.shape[:2] == (height, width):
        return flow
    factor = np.array([width / flow.shape[1], height / flow.shape[0]], np.float32)
    return np.asarray(cv2.resize(flow, (width, height), interpolation=cv2.INTER_LINEAR), np.float32) * factor


def _alike(grey: U8, one: Neighbour, noise: float) -> F32:
    """(h', w') 0..1: how much the patches around each pixel look the same in a neighbour, but for the grain."""
    import cv2

    off = np.asarray(cv2.blur((_in_this_light(grey, one) - grey) ** 2, (5, 5)), np.float32)
    return np.exp(-np.maximum(off / np.float32(2 * noise**2) - 1, 0)).astype(np.float32)


def _followed(pixels: U8, at: F32) -> F32:
    """A picture at other places; beyond its border it goes on as it ends."""
    import cv2

    there = cv2.remap(pixels, at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)  # type: ignore[call-overload]
    return np.asarray(there, np.float32)


def _in_this_light(grey: U8, one: Neighbour) -> F32:
    """(h', w') the small grey picture of a neighbour, followed to this one's pixels and in its light."""
    import cv2

    height, width = grey.shape
    at = places(height, width) + one.way[0]
    seen = _followed(one.grey, at)
    if one.gain is None:
        return seen
    gain = np.asarray(cv2.resize(one.gain, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
    return np.asarray(seen * gain + (gain - 1) * np.float32(VEIL), np.float32)


def dirt(grey: U8, around: tuple[Neighbour, Neighbour], noise: float) -> Bool:
    """(h', w'): what is in this frame only.

    Args:
        grey: (h', w') the small grey picture of the frame.
        around: The frames before and after it.
        noise: Standard deviation of the grain in grey levels.
    """
    import cv2

    least = max(_DIRT, _DIRT_GRAINS * noise)
    unit = grey.shape[1] / 320
    before, after = (_in_this_light(grey, one) for one in around)
    near = _disc(_NEARBY * unit)
    high = np.maximum(cv2.dilate(before, near), cv2.dilate(after, near))
    low = np.minimum(cv2.erode(before, near), cv2.erode(after, near))
    now, middle = grey.astype(np.float32), (before + after) / 2
    core = ((now > high + least / 2) | (now < low - least / 2)) & (np.abs(before - after) < least)
    if not core.any():
        return core
    off = (np.abs(now - middle) > least / 3) & _spread(core, 5 * unit)
    found = cv2.connectedComponentsWithStats((off | core).astype(np.uint8), connectivity=8)
    count, labels, stats = found[0], np.asarray(found[1], np.int32), np.asarray(found[2], np.int32)
    good = np.zeros(count, np.bool_)
    for label in range(1, count):
        x, y, w, h, area = (int(v) for v in stats[label])
        box = slice(max(0, y - 4), y + h + 4), slice(max(0, x - 4), x + w + 4)
        mine = labels[box] == label
        ring = _spread(mine, 4 * unit) & ~_spread(mine, 2.0)
        calm = not ring.any() or float(np.abs(now - middle)[box][ring].mean()) < _CALM * least
        if calm and area <= _LARGEST * grey.size and (core[box] & mine).any():
            contrast = float(((now - middle)[box] ** 2).mean())
            good[label] = not all(_seen_near(now, box, one.grey, _LIKE**2 * contrast) for one in around)
    return _spread(good[labels], 1.5)


def _seen_near(now: F32, box: tuple[slice, slice], other: U8, least: float) -> bool:
    """Whether a patch is also in another frame, not far away: then it flies past, and is no dirt.

    Args:
        now: (h, w) grey.
        box: The rows and columns of the patch.
        other: (h, w) grey of the other frame, as it is.
        least: Mean square of the difference up to which it is the same.
    """
    import cv2

    far = round(_PASSING * now.shape[1] / 320)
    window = other[tuple(slice(max(0, side.start - far), side.stop + far) for side in box)]
    patch = now[box].astype(np.float32)
    off = cv2.matchTemplate(window.astype(np.float32), patch, cv2.TM_SQDIFF)
    return float(off.min()) < least * patch.size


def _disc(radius: float) -> U8:
    import cv2

    side = 2 * round(radius) + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)), np.uint8)


def _spread(mask: Bool, radius: float) -> Bool:
    import cv2

    return np.asarray(cv2.dilate(mask.astype(np.uint8), _disc(radius)), np.uint8) > 0
