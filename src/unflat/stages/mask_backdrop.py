"""Pictures of one thing -> where in each of them the thing is, if what is behind it tells.

Two backdrops do. One stands still while the thing turns before it, as on a turntable: its pixels are the same in most
pictures, whatever is on it, and left alone it would win the search for cameras, for it is the place that most pictures
agree on. The other is even, and is taken off picture by picture (``stages.cut_out``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from unflat.errors import InputError
from unflat.stages.cut_out import cut_out
from unflat.types.arrays import F32, U8, Bool
from unflat.types.image import Image, Size
from unflat.types.views import Still, Stills

Backdrop = Literal["still", "even", "none"]
_SIDE = 480
"""Long side of the pictures that are compared."""
_ASKED = 20
"""So many pictures, spread over the set, say what stands still."""
_FEWEST = 5
"""Of fewer, chance alone makes pixels alike."""
_ALIKE = 9.0
"""Colours nearer than this, in CIE Lab, may be one; noise, and what a camera does to the light of a set, is less."""
_NOISE, _LEAST_NOISE = 4.0, 3.0
"""What stands still is known within so many times its own noise, and not better than within this, in Lab."""
_EDGE = 1.5
"""A pixel whose brightness changes faster than this, in Lab from pixel to pixel, shows a pattern."""
_MOSTLY = 0.6
"""What so many pictures agree on stands still."""
_STANDS = 0.12
"""So much of the pattern of the pictures stays where it is, or the backdrop does not stand still."""
_OPEN = 0.2
"""The backdrop is known where so many pictures show it beyond the convex hull of all that moves in them."""
_GOES_ON = 0.3
"""Within that hull (beside the neck of a vase) it goes on from where it is known as long as so many agree on it."""
_THROUGH, _PATTERNED = 0.7, 0.15
"""It is seen through the thing (between legs) where so many agree on it and so much of a patch shows a pattern: what
has one colour looks the same all around, too."""
_SPECK = 3e-4
"""Smaller shares of a picture are noise: what moves there, and holes of a thing."""
_LEAST = 2e-3
"""A thing takes at least this share of a picture."""
_SPARE = 0.8
"""An even backdrop is believed if so many of the pictures have one."""
_ASKED_EVEN = 4


@dataclass(frozen=True, slots=True, eq=False)
class Masked:
    """What of each picture is the thing.

    Attributes:
        how: "still": it turned before what stood still, "even": it was cut off an even backdrop, "none": neither.
        masks: For each still (h, w) bool of its size; None where the thing could not be told in it. Empty for "none".
    """

    how: Backdrop
    masks: tuple[Bool | None, ...] = ()


def mask_backdrop(stills: Stills, progress: Callable[[str], None] | None = None) -> Masked:
    """Find the thing in the pictures of a set by what is behind it.

    Args:
        stills: Of one thing.
        progress: Told what is going on.
    """
    tell = progress or (lambda _told: None)
    items = stills.items
    ground = _standing(items)
    if ground is not None:
        masks: list[Bool | None] = []
        for number, still in enumerate(items):
            masks.append(ground.thing_in(still))
            tell(f"mask {number + 1} of {len(items)}")
        return Masked("still", tuple(masks))
    some = items[:: max(1, len(items) // _ASKED_EVEN)]
    if sum(_off_even(still) is not None for still in some) < _SPARE * len(some):
        return Masked("none")
    cut: list[Bool | None] = []
    for number, still in enumerate(items):
        cut.append(_off_even(still))
        tell(f"mask {number + 1} of {len(items)}")
    if sum(mask is not None for mask in cut) < _SPARE * len(cut):
        return Masked("none")
    return Masked("even", tuple(cut))


def _off_even(still: Still) -> Bool | None:
    """(h, w) bool; None where the backdrop is not even."""
    try:
        return cut_out(Image(still.read(), source=still.source)).inside
    except InputError:
        return None  # the caller counts these: a set needs an even backdrop in most of its pictures


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """What stands still in a set.

    Attributes:
        lab: (h, w, 3) float32, its colour as far as it is known.
        support: (h, w) float32, the share of the pictures that agree on it.
        known: (h, w) bool, seen beyond all that moves in some pictures, or going on from there.
        within: How far a colour of it may be off, in Lab.
    """

    lab: F32
    support: F32
    known: Bool
    within: float

    @property
    def size(self) -> Size:
        """Of the pictures that are compared."""
        return Size(self.support.shape[1], self.support.shape[0])

    def thing_in(self, still: Still) -> Bool | None:
        """(h, w) bool of the still's size: what is not the ground; None where nothing is before it."""
        import cv2

        other = self.differs(_lit_as(_lab(still, self.size), self))
        hidden = np.where(self.known, other, ~self._seen_through(~other))
        found = _large(_without_lines(hidden & _around(other)), _SPECK)
        found = ~_large(~found, _SPECK)  # small holes
        _, label, facts, _ = cv2.connectedComponentsWithStats(found.astype(np.uint8), connectivity=8)
        area = np.asarray(facts)[:, cv2.CC_STAT_AREA].astype(np.float64)
        area[0] = 0.0
        if area.max(initial=0) < _LEAST * found.size:
            return None
        kept = (area >= 0.02 * area.max())[np.asarray(label, np.int64)]
        wide = (still.size.width, still.size.height)
        large = cv2.resize(kept.astype(np.float32), wide, interpolation=cv2.INTER_LINEAR)
        return np.asarray(large, np.float32) >= 0.5

    def differs(self, look: F32) -> Bool:
        """(h, w), where a picture shows something else."""
        import cv2

        return np.asarray(cv2.blur(_apart(look, self.lab), (3, 3)) > self.within, np.bool_)

    def _seen_through(self, like: Bool) -> Bool:
        """(h, w): patches of the ground between parts of the thing."""
        import cv2

        count, found = cv2.connectedComponents((like & (self.support >= _THROUGH)).astype(np.uint8), connectivity=4)
        label = np.asarray(found, np.int64)
        area = np.bincount(label.ravel(), minlength=count).astype(np.float64)
        patterned = np.bincount(label.ravel(), _patterned(self.lab).ravel(), count) / np.maximum(area, 1)
        ground = (area > _SPECK * like.size) & (patterned > _PATTERNED)
        ground[0] = False
        return np.asarray(ground[label], np.bool_)


def _standing(items: tuple[Still, ...]) -> Ground | None:
    """What stands still in most pictures, if enough of their pattern does and something moves before it."""
    if len(items) < _FEWEST or len({still.size for still in items}) != 1:
        return None
    chosen = [items[k] for k in np.unique(np.linspace(0, len(items) - 1, min(_ASKED, len(items))).astype(int))]
    size = items[0].size.fitted(_SIDE)
    looks = [_lab(still, size) for still in chosen]
    first = _agreed(looks)
    if not (first.support >= _MOSTLY).any():
        return None
    looks = [_lit_as(look, first) for look in looks]
    ground = _agreed(looks)
    sure = ground.support >= _MOSTLY
    stays, every = 0, 0
    for look in looks:
        pattern = _patterned(look)
        stays += int((pattern & sure & _patterned(ground.lab) & (_apart(look, ground.lab) < _ALIKE)).sum())
        every += int(pattern.sum())
    if stays < _STANDS * max(every, 1) or (~sure).mean() < _LEAST:
        return None
    noise = float(np.median([_apart(look, ground.lab)[sure] for look in looks]))
    within = float(np.clip(_NOISE * noise, _LEAST_NOISE, _ALIKE))
    return _sharpened(_agreed(looks, within), looks)


def _agreed(looks: list[F32], within: float = _ALIKE) -> Ground:
    """For every pixel the colour that has the most others near it: the mean of these, and how many they are."""
    stack = np.stack(looks)
    best = np.zeros(stack.shape[1:3], np.float32)
    lab = stack[0].copy()
    for look in stack:
        near = np.stack([_apart(look, other) < within for other in stack])
        support = near.mean(axis=0, dtype=np.float32)
        better = support > best
        if better.any():
            mean = np.einsum("nk,nkc->kc", near[:, better].astype(np.float32), stack[:, better])
            lab[better] = mean / near[:, better].sum(axis=0)[:, None]
            best[better] = support[better]
    return Ground(lab, best, np.ones(best.shape, np.bool_), within)


def _sharpened(ground: Ground, looks: list[F32]) -> Ground:
    """The ground as those pictures show it in which a place lies beyond the convex hull of all that moves."""
    beyond = np.stack([~_around(ground.differs(look)) for look in looks])
    open_ = beyond.sum(axis=0)
    known = open_ >= max(2, _OPEN * len(looks))
    total = np.einsum("nhw,nhwc->hwc", beyond.astype(np.float32), np.stack(looks))
    lab = np.where(known[..., None], total / np.maximum(open_, 1)[..., None], ground.lab).astype(np.float32)
    better = replace(ground, lab=lab, known=known)
    agree = np.sum([~better.differs(look) for look in looks], axis=0)
    support = np.asarray(agree / np.float32(len(looks)), np.float32)
    return replace(better, support=support, known=_gone_on(known, support))


def _gone_on(known: Bool, support: F32) -> Bool:
    """(h, w): the known ground, and what is connected with it and seen often."""
    import cv2

    often = known | _without_lines(support >= _GOES_ON)
    _, found = cv2.connectedComponents(often.astype(np.uint8), connectivity=4)
    label = np.asarray(found, np.int64)
    return np.isin(label, np.unique(label[known]))


def _around(moves: Bool) -> Bool:
    """(h, w): the convex hull of all that moves, but for specks, with a little around."""
    import cv2

    hull = np.zeros(moves.shape, np.uint8)
    rows, columns = np.nonzero(_large(_without_lines(moves), _SPECK))
    if len(rows):
        points = cv2.convexHull(np.stack([columns, rows], axis=1).astype(np.int32))
        cv2.fillConvexPoly(hull, points, 1)
    return np.asarray(cv2.dilate(hull, np.ones((5, 5), np.uint8))) > 0


def _without_lines(mask: Bool) -> Bool:
    """Without what is narrower than three pixels."""
    import cv2

    return np.asarray(cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))) > 0


def _large(mask: Bool, share: float) -> Bool:
    """Without patches of less than this share of the picture."""
    import cv2

    _, label, facts, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    keep = np.asarray(facts)[:, cv2.CC_STAT_AREA] >= share * mask.size
    keep[0] = False
    return np.asarray(keep[np.asarray(label, np.int64)], np.bool_)


def _lit_as(look: F32, ground: Ground) -> F32:
    """A picture as if it had been exposed as the ground was: its colours, where both show the same, are shifted."""
    sure = ground.support >= _MOSTLY
    if not sure.any():
        return look
    shift = np.median(look[sure] - ground.lab[sure], axis=0).astype(np.float32)
    return look - np.clip(shift, -15, 15)


def _patterned(lab: F32) -> Bool:
    """(h, w), where lightness changes quickly."""
    import cv2

    light = np.ascontiguousarray(lab[..., 0])
    dx, dy = (cv2.Sobel(light, cv2.CV_32F, *way, ksize=3) / 8 for way in ((1, 0), (0, 1)))
    return np.asarray(np.hypot(dx, dy) > _EDGE, np.bool_)


def _apart(one: F32, other: F32) -> F32:
    """(h, w) distance of colours."""
    return np.asarray(np.sqrt(((one - other) ** 2).sum(axis=-1)), np.float32)


def _lab(still: Still, size: Size) -> F32:
    """(h, w, 3) float32 CIE Lab of a still, calmed."""
    import cv2

    pixels: U8 = still.read()
    if size != still.size:
        pixels = np.asarray(cv2.resize(pixels, (size.width, size.height), interpolation=cv2.INTER_AREA), np.uint8)
    calm = cv2.GaussianBlur(pixels.astype(np.float32) / np.float32(255), (0, 0), 0.7)
    return np.asarray(cv2.cvtColor(calm, cv2.COLOR_RGB2Lab), np.float32)
