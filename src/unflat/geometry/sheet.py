"""A drawing as its scanner saw it -> the drawing: even paper, no grain, and where its lines are."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from unflat.types.arrays import F32, U8, Bool

_RIM = 0.04
"""Share of the long side that the rim of a sheet takes, where its paper is looked for."""
_ALIKE = 14.0
"""Colours of the rim within this distance (Lab) of its most frequent one are paper."""
_DARK = 45.0
"""Paper that is darker than this lightness, 0..100, has lines that are lighter than it."""
_WIDEST = 0.022
"""Lines are thinner than this share of the long side."""
_FAINTEST = 9.0
"""Ink differs from what is around it by at least so much lightness."""
_BESIDE = 0.35
"""What is less dark than this share of the ink beside it is the blur of a line."""
_TIMES = 8.0
"""Lines are at most so many times half as wide as usual."""
_FINEST, _BROADEST = 1.2, 0.004
"""Half the width of lines is at least so many pixels, and at most this share of the long side."""


class Sheet(NamedTuple):
    """A drawing on even paper.

    Attributes:
        rgb: (h, w, 3) uint8, its colours as on white (or black) paper.
        lab: (h, w, 3) float32, the same without grain, L in 0..100.
        paper: (3,) Lab of the paper.
        noise: Standard deviation of the grain, in lightness, before it was taken out.
    """

    rgb: U8
    lab: F32
    paper: F32
    noise: float


class Ink(NamedTuple):
    """The lines of a drawing.

    Attributes:
        mask: (h, w) bool, lines, letters and dots; nothing that is as wide as it is long.
        dark: (h, w) bool, the same with blobs: dots, letters that are filled with ink.
        half: Half the usual width of its lines, in pixels.
    """

    mask: Bool
    dark: Bool
    half: float


def lab_of(rgb: U8) -> F32:
    """(h, w, 3) float32 CIE Lab, L in 0..100."""
    return np.asarray(cv2.cvtColor(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2LAB), np.float32)


def even_sheet(rgb: U8) -> Sheet:
    """Take the light of the scanner and the grain of the paper out.

    The light is a quadratic surface through what is paper; where that is light, colours are divided by it.

    Args:
        rgb: (h, w, 3) uint8 sRGB.
    """
    flat = _evenly_lit(rgb)
    lab = lab_of(flat)
    light = np.ascontiguousarray(lab[..., 0])
    rough = np.abs(light - cv2.GaussianBlur(light, (0, 0), 1.5))
    noise = float(np.median(rough[::3, ::3])) / 0.6745
    if noise > 0.4:
        calm = np.stack([cv2.medianBlur(np.ascontiguousarray(lab[..., k]), 3) for k in range(3)], axis=-1)
        lab = np.asarray(cv2.bilateralFilter(calm, 7, 4 * noise + 2, 2.5), np.float32)
    paper = _frequent(lab[_rim_of(rgb.shape[:2])])
    return Sheet(flat, lab, paper, noise)


def _rim_of(shape: tuple[int, ...]) -> Bool:
    """(h, w) bool, the rim of a sheet."""
    h, w = shape[0], shape[1]
    width = max(2, round(_RIM * max(h, w)))
    rim = np.ones((h, w), bool)
    rim[width : h - width, width : w - width] = False
    return rim


def _frequent(lab: F32) -> F32:
    """The most frequent of (n, 3) colours: the mean of those near the fullest cell of a coarse histogram."""
    cells = np.floor(lab / 8).astype(np.int64)
    _, number, count = np.unique(cells @ np.array([1, 1000, 1000_000]), return_inverse=True, return_counts=True)
    middle = lab[number.reshape(-1) == int(count.argmax())].mean(axis=0)
    near = np.linalg.norm(lab - middle, axis=1) < _ALIKE
    return lab[near].mean(axis=0).astype(np.float32)


def _evenly_lit(rgb: U8) -> U8:
    """The same without the falling off of its light."""
    h, w = rgb.shape[:2]
    small = cv2.resize(rgb, (max(16, w // 8), max(16, h // 8)), interpolation=cv2.INTER_AREA)
    lab = lab_of(np.asarray(small, np.uint8))
    rows, columns = lab.shape[:2]
    y, x = np.mgrid[0:rows, 0:columns].astype(np.float64)
    x, y = 2 * x / columns - 1, 2 * y / rows - 1
    terms = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=-1)
    rim = _rim_of((rows, columns))
    paper = rim & (np.linalg.norm(lab - _frequent(lab[rim]), axis=-1) < 2 * _ALIKE)
    values = np.asarray(small, np.float64)
    weights = np.zeros((6, 3))
    for _ in range(3):
        if paper.sum() < 40:
            return rgb
        weights = np.linalg.lstsq(terms[paper], values[paper], rcond=None)[0]
        fitted = terms @ weights
        paper = np.abs(values - fitted).max(axis=-1) < _ALIKE
    if float((terms @ weights).min()) < 100:  # dark paper, or a fit that ran away
        return rgb
    whole = np.asarray(cv2.resize((terms @ weights).astype(np.float32), (w, h), interpolation=cv2.INTER_CUBIC))
    return np.clip(np.rint(rgb.astype(np.float32) * (255 / whole)), 0, 255).astype(np.uint8)


def ink_of_sheet(sheet: Sheet) -> Ink:
    """Find thin strokes that are darker than what is around them (on dark paper: lighter).

    They are looked for twice: for all that may be a line, which tells how wide lines are here, and for such lines.

    Args:
        sheet: The drawing.
    """
    light = np.ascontiguousarray(sheet.lab[..., 0])
    if sheet.paper[0] < _DARK:
        light = 100 - light
    long_side = max(light.shape)
    half = _thinner(light, _WIDEST * long_side, sheet.noise).half
    return _thinner(light, min(_WIDEST * long_side, _TIMES * half + 3), sheet.noise)


def _thinner(light: F32, width: float, noise: float) -> Ink:
    """What is dark and thinner than ``width``, and half the usual width of its lines."""
    side = max(5, 2 * (int(width) // 2) + 1)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    depth = np.asarray(cv2.morphologyEx(light, cv2.MORPH_CLOSE, disc), np.float32) - light
    mask = depth > max(_FAINTEST, 5 * min(noise, 4.0))
    mask &= depth > _BESIDE * np.asarray(cv2.dilate(depth, np.ones((7, 7), np.uint8)))
    within = np.asarray(cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 5), np.float32)
    ridge = (within > 0) & (within >= np.asarray(cv2.dilate(within, np.ones((3, 3), np.uint8))))
    ridge &= within <= max(2.0, _BROADEST * max(light.shape))
    half = max(_FINEST, float(np.median(within[ridge]))) if ridge.any() else _FINEST
    return Ink(mask & ~_blobs(mask, within, half), mask, half)


def _blobs(mask: Bool, within: F32, half: float) -> Bool:
    """Filled places among the ink, far wider than lines: regions of their own colour."""
    core = (within > 2.5 * half + 1.5).astype(np.uint8)
    reach = 2 * int(np.ceil(2.5 * half + 1.5)) + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))
    return np.asarray(cv2.dilate(core, disc)).astype(bool) & mask


def filled_from(values: NDArray[np.generic], known: Bool) -> NDArray[np.generic]:
    """Values with those that are not known taken from the nearest that are.

    Args:
        values: (h, w) or (h, w, c).
        known: (h, w) bool, true somewhere.
    """
    holes = (~known).astype(np.uint8)
    _, found = cv2.distanceTransformWithLabels(holes, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    label = np.asarray(found, np.int64)
    ys, xs = np.nonzero(known)
    table = np.zeros(int(label.max()) + 1, np.int64)
    table[label[ys, xs]] = ys * known.shape[1] + xs
    return values.reshape(known.size, *values.shape[2:])[table[label]]
