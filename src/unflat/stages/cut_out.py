"""A photograph of one thing -> the thing alone, with its cover (alpha), without a network.

A picture that has alpha is cut out already. Else the backdrop must be even (a studio's white, black or grey, also with
a shadow that fades): what is connected with the border and changes slowly is backdrop, and GrabCut (Rother et al.,
2004) settles the rest by colour.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from unflat.errors import InputError
from unflat.types.arrays import F32, U8, Bool
from unflat.types.image import Image, Size

LEAST_SHARE = 5e-4
"""An object takes at least this share of the picture, and a loose part of it this share of the object."""
_WORK_SIDE = 512
_MOST_SPREAD = 14.0
"""Half of the border's pixels are within this distance (CIE Lab) of its smooth middle, else it is no backdrop."""
_STEP, _REACH = 2.2, 26.0
"""A backdrop changes by no more than this from pixel to pixel, and by this altogether, in Lab."""
_ALIKE = 7.0
_HINT = "Give a PNG with alpha, or photograph the object on an even background with some of it all around."


@dataclass(frozen=True, slots=True)
class CutOut:
    """One thing, cut out.

    Attributes:
        image: With alpha, of the picture's size.
        sure: 0..1, how well the outline is known: 1 where the file had it.
        how: "alpha" or "backdrop".
    """

    image: Image
    sure: float
    how: str

    @property
    def inside(self) -> Bool:
        """(h, w) bool, rather object than not."""
        assert self.image.alpha is not None
        return np.asarray(self.image.alpha) >= 128


def cut_out(picture: Image) -> CutOut:
    """Find the one thing of a picture.

    Args:
        picture: Upright.

    Raises:
        InputError: Its alpha is empty or leaves only crumbs; or it has none, and its background is not even, or takes
            up all of it.
    """
    name = picture.source.name
    if picture.alpha is not None:
        alpha = _without_crumbs(np.asarray(picture.alpha))
        if (alpha >= 128).mean() < LEAST_SHARE:
            raise InputError(f"{name} is transparent (almost) everywhere: there is no object in it", hint=_HINT)
        return CutOut(replace(picture, alpha=alpha, jpeg=None), 1.0, "alpha")
    if min(picture.size.width, picture.size.height) < 16:
        raise InputError(f"{name} is only {picture.size} pixels", hint="Give at least 64×64.")
    alpha, sure = _off_backdrop(picture)
    return CutOut(replace(picture, alpha=alpha, jpeg=None), sure, "backdrop")


def _off_backdrop(picture: Image) -> tuple[U8, float]:
    """Alpha of what stands before an even backdrop, and how sure that is."""
    import cv2

    size = picture.size.fitted(_WORK_SIDE)
    small = _area(picture.pixels, size)
    lab = _lab(small)
    backdrop, spread = _smooth_backdrop(lab)
    name = picture.source.name
    if spread > _MOST_SPREAD:
        raise InputError(f"the background of {name} is not even, so its object cannot be told from it", hint=_HINT)
    apart = np.linalg.norm(lab - backdrop, axis=2)
    outside = _flooded(lab, apart)
    if outside.mean() > 1 - LEAST_SHARE:
        raise InputError(f"{name} shows nothing but its background", hint=_HINT)
    cuts = np.where(outside, cv2.GC_BGD, cv2.GC_PR_FGD).astype(np.uint8)
    cuts[~outside & (apart < _ALIKE)] = cv2.GC_PR_BGD  # seen through a handle
    deep = np.asarray(cv2.erode((~outside & (apart > 3 * _ALIKE)).astype(np.uint8), np.ones((5, 5), np.uint8)))
    cuts[deep > 0] = cv2.GC_FGD
    found = _grab(small, cuts)
    if found.mean() < LEAST_SHARE:
        raise InputError(f"the object of {name} cannot be told from its background", hint=_HINT)
    rim = found & (np.asarray(cv2.erode(found.astype(np.uint8), np.ones((3, 3), np.uint8))) == 0)
    sure = float(np.clip(np.median(apart[rim]) / (4 * _ALIKE), 0.1, 0.95))
    edge = np.asarray(found, np.float32)
    large = cv2.resize(edge, (picture.size.width, picture.size.height), interpolation=cv2.INTER_CUBIC)
    soft = cv2.GaussianBlur(large, (0, 0), 0.5 * max(1.0, picture.size.long_side / size.long_side))
    return _without_crumbs(np.clip(255 * (2.0 * (soft - 0.5) + 0.5), 0, 255).astype(np.uint8)), sure


def _smooth_backdrop(lab: F32) -> tuple[F32, float]:
    """The backdrop as a plane per channel, fitted to the border, and half the border's distance from it."""
    h, w = lab.shape[:2]
    rim = max(2, round(0.02 * max(h, w)))
    border = np.ones((h, w), np.bool_)
    border[rim:-rim, rim:-rim] = False
    y, x = np.mgrid[:h, :w].astype(np.float32)
    basis = np.stack([np.ones_like(x), x / w - 0.5, y / h - 0.5], axis=-1)
    on = border.copy()
    fit, apart = np.zeros_like(lab), np.zeros((h, w), np.float32)
    for _ in range(4):  # what stands in the border is left out step by step
        weights, *_ = np.linalg.lstsq(basis[on], lab[on], rcond=None)
        fit = basis @ weights
        apart = np.linalg.norm(lab - fit, axis=2)
        on = border & (apart <= max(3.0, 1.5 * float(np.median(apart[border]))))
    return fit.astype(np.float32), float(np.median(apart[border]))


def _flooded(lab: F32, apart: F32) -> Bool:
    """What is connected with the border in small steps and never far from the backdrop."""
    import cv2

    calm = cv2.GaussianBlur(lab, (0, 0), 1.0)
    dx, dy = (cv2.Sobel(calm, cv2.CV_32F, *d, ksize=3) / 8 for d in ((1, 0), (0, 1)))
    slow = (np.sqrt((dx**2 + dy**2).sum(axis=2)) < _STEP) & (apart < _REACH) | (apart < 0.5 * _ALIKE)
    _, label = cv2.connectedComponents(slow.astype(np.uint8), connectivity=4)
    edge = np.concatenate([label[0], label[-1], label[:, 0], label[:, -1]])
    return np.isin(label, np.unique(edge[edge > 0]))


def _grab(small: U8, cuts: U8) -> Bool:
    """GrabCut from seeds; the seeds themselves where it has nothing to learn from."""
    import cv2

    object_seed, ground_seed = (cuts == cv2.GC_FGD) | (cuts == cv2.GC_PR_FGD), (cuts == cv2.GC_BGD)
    if object_seed.sum() < 32 or ground_seed.sum() < 32:
        return object_seed
    cv2.setRNGSeed(7)
    models = np.zeros((1, 65), np.float64), np.zeros((1, 65), np.float64)
    cut, *_ = cv2.grabCut(np.ascontiguousarray(small), cuts.copy(), None, *models, 3, cv2.GC_INIT_WITH_MASK)  # type: ignore[call-overload]
    return np.isin(np.asarray(cut), (cv2.GC_FGD, cv2.GC_PR_FGD))


def _without_crumbs(alpha: U8) -> U8:
    """Loose specks taken away: what is smaller than LEAST_SHARE of all of it."""
    import cv2

    _, label, facts, _ = cv2.connectedComponentsWithStats((alpha > 0).astype(np.uint8), connectivity=8)
    area = np.asarray(facts)[:, cv2.CC_STAT_AREA].astype(np.float64)
    area[0] = np.inf
    small = area < LEAST_SHARE * area[1:].sum()
    return np.where(small[np.asarray(label, np.int64)], 0, alpha).astype(np.uint8)


def _area(pixels: U8, size: Size) -> U8:
    import cv2

    return np.asarray(cv2.resize(pixels, (size.width, size.height), interpolation=cv2.INTER_AREA), np.uint8)


def _lab(pixels: U8) -> F32:
    import cv2

    return np.asarray(cv2.cvtColor(pixels.astype(np.float32) / np.float32(255), cv2.COLOR_RGB2Lab), np.float32)
