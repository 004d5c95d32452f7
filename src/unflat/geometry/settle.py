"""What texels become when all pictures were seen: sharp where pictures disagree, free of noise where they agree.

The mean of several pictures has less noise than one of them, but where cameras or surface are a little wrong it shows
everything twice. There the pictures differ by more than their noise, and the chosen one stands alone.
"""

# pyright: standard

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from unflat.geometry.bake import ROWS, Canvas, _within
from unflat.geometry.bands import in_bands
from unflat.geometry.exposure import FOOT, GAMMA
from unflat.geometry.jit import kernel
from unflat.types.arrays import F32, U8, U32, Bool

AGREE, DIFFER = 2.0, 5.0
"""Pictures whose variance is so many times that of noise agree, or differ."""
LEAST_NOISE = 1.0
"""Noise is at least this, in levels."""
_QUIET = 30.0
"""The noise is that of so many percent of the places that several pictures show."""
_WINDOW = 7
_FAINT = 0.003
"""A chosen picture that weighs so little, beside outlines, counts half."""


@kernel
def _variance(rows, company, out):
    """Variance of the brightness between the pictures of each texel, in levels²; -1 where it is not known."""
    for y in range(rows[0], rows[1]):
        for x in range(company.shape[1]):
            w = company[y, x, 3]
            out[y, x] = -1
            if w > 0:
                mean = (company[y, x, 0] + company[y, x, 1] + company[y, x, 2]) / w
                out[y, x] = max(np.float32(0), company[y, x, 4] / w - mean * mean) / np.float32(9)


def disagreement(canvas: Canvas) -> F32:
    """(side, side) float32 0..1: 0 where the pictures agree up to their noise, 1 where they differ.

    The place is a small window around each texel.
    """
    found = np.empty(canvas.owner.shape, np.float32)
    in_bands(lambda start, stop: _variance((np.int64(start), np.int64(stop)), canvas.company, found), len(found), ROWS)
    known = (found >= 0).astype(np.float32)
    window = (_WINDOW, _WINDOW)
    count = np.asarray(cv2.blur(known, window), np.float32)
    mean = np.asarray(cv2.blur(np.maximum(found, 0), window), np.float32) / np.maximum(count, 1e-6)
    told = mean[found > 0]
    noise = max(LEAST_NOISE**2, float(np.percentile(told[:: max(1, len(told) // 100_000)], _QUIET))) if len(told) else 1
    part = np.clip((mean / noise - AGREE) / (DIFFER - AGREE), 0, 1)
    return (part * part * (3 - 2 * part)).astype(np.float32)


@kernel
def _settle(rows, canvas, differ, faces, vertices, out, unseen):
    """Colours of some rows."""
    corners, owner, chosen, company = canvas
    fallback, more = vertices
    foot = np.float32(FOOT)
    for y in range(rows[0], rows[1]):
        for x in range(owner.shape[1]):
            f = owner[y, x]
            if f < 0:
                continue
            p, q, r = _within(corners, f, x + 0.5, y + 0.5)
            a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
            one, all_ = chosen[y, x, 3], company[y, x, 3]
            unseen[y, x] = one <= 0 and all_ <= 0
            part = differ[y, x] * one / (one + np.float32(_FAINT)) if all_ > 0 else np.float32(1)
            for k in range(3):
                if unseen[y, x]:
                    value = np.float32(p * fallback[a, k] + q * fallback[b, k] + r * fallback[c, k])
                else:
                    value = part * chosen[y, x, k] / one if part > 0 else np.float32(0)
                    if part < 1:
                        value += (1 - part) * company[y, x, k] / all_
                    value = (value + foot) * np.float32(p * more[a, k] + q * more[b, k] + r * more[c, k]) - foot
                out[y, x, k] = np.uint8(min(max(value, np.float32(0)), np.float32(255)) + np.float32(0.5))


def settled(canvas: Canvas, faces: U32, fallback: F32, light: F32) -> tuple[U8, Bool]:
    """The texture that was painted.

    Args:
        canvas: After all pictures.
        faces: (m, 3).
        fallback: (n, 3) 0..255, the colours of the vertices where no picture tells.
        light: (n, 3) logarithms of what the light of pictures is multiplied by around each vertex.

    Returns:
        (side, side, 3) uint8, and (side, side) bool: texels of the surface that no picture shows.
    """
    out, unseen = np.zeros((*canvas.owner.shape, 3), np.uint8), np.zeros(canvas.owner.shape, np.bool_)
    on: tuple[Any, ...] = canvas.corners, canvas.owner, canvas.chosen, canvas.company
    differ = disagreement(canvas)
    vertices = fallback, np.exp(light / GAMMA).astype(np.float32)
    in_bands(
        lambda start, stop: _settle((np.int64(start), np.int64(stop)), on, differ, faces, vertices, out, unseen),
        len(out),
        ROWS,
    )
    return filled(out, canvas.owner >= 0), unseen


def filled(pixels: U8, known: Bool) -> U8:
    """Empty texels take the mean of what is near, coarse to fine, so that no smaller copy mixes in black.

    Gortler, Grzeszczuk, Szeliski and Cohen, "The Lumigraph" (1996): pull and push.
    """
    h, w = known.shape
    if known.all() or min(h, w) < 2 or not known.any():
        return pixels
    weight = known.astype(np.float32)
    half = ((w + 1) // 2, (h + 1) // 2)
    share = cv2.resize(weight, half, interpolation=cv2.INTER_AREA)
    sums = cv2.resize(np.where(known[..., None], pixels, 0).astype(np.uint8), half, interpolation=cv2.INTER_AREA)
    small = np.clip(sums / np.maximum(share, 1e-3)[..., None], 0, 255)
    small = filled(np.rint(small).astype(np.uint8), share > 0)
    large = cv2.resize(small, (w, h), interpolation=cv2.INTER_LINEAR)
    return np.where(known[..., None], pixels, large)
