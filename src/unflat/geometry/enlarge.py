"""A small depth map brought to the size of a film's frame, its outlines steep and on those of the picture, at once.

Smooth parts are interpolated. Where a small pixel's neighbourhood holds two surfaces, each has a mean colour and a mean
depth there, and every large pixel takes the side that its colour is more like; where colours do not tell, the side
that the interpolated depth is nearer to (joint upsampling: Kopf, Cohen, Lischinski and Uyttendaele, 2007, with two
candidates instead of a mean of all). :mod:`unflat.geometry.refine` does better for one picture, and takes its time.
"""

# pyright: standard

from __future__ import annotations

import cv2
import numpy as np

from unflat.geometry.bands import in_bands
from unflat.geometry.jit import kernel
from unflat.types.arrays import F32, U8

REACH = 2
"""How far around a small pixel both surfaces are looked for, in small pixels."""
LEAST_STEP = 0.03
"""Two surfaces differ by at least this share of the nearest inverse depth ..."""
LEAST_RATIO = 0.08
"""... and by this share of the nearer of the two."""
SIGMA = 16.0
"""Colours (sRGB units) this far from one side tell little."""
TRUST = 2.0
"""How much the interpolated depth counts, against squared differences of colour over SIGMA."""
MOST = 3.0
"""A pixel's colour says no more than this."""
TOGETHER = 1.2
"""Large pixels decide together with those around them, in a square of so many small pixels' width."""
LEAN = 0.3
"""What is unsure is taken for near: what is left of the near surface beside an outline is seen, what is lost is not."""
LEAST_ROWS = 32


@kernel
def _two_sides(inverse, picture, least, rows, sides):
    """Mean inverse depth and colour of the near and of the far surface around each small pixel; 0 where there is one.

    ``sides`` is (h, w, 8): near depth, far depth, near colour, far colour.
    """
    h, w = inverse.shape
    for y in range(rows[0], rows[1]):
        for x in range(w):
            top, bottom = max(y - REACH, 0), min(y + REACH, h - 1)
            left, right = max(x - REACH, 0), min(x + REACH, w - 1)
            near, far = inverse[y, x], inverse[y, x]
            for v in range(top, bottom + 1):
                for u in range(left, right + 1):
                    near, far = max(near, inverse[v, u]), min(far, inverse[v, u])
            sides[y, x, 0] = sides[y, x, 1] = 0
            if near - far <= least or near - far <= np.float32(LEAST_RATIO) * near:
                continue
            quarter = np.float32(0.25) * (near - far)
            counts = np.zeros(2, np.float32)
            total = np.zeros((2, 4), np.float32)
            for v in range(top, bottom + 1):
                for u in range(left, right + 1):
                    side = 0 if inverse[v, u] > near - quarter else (1 if inverse[v, u] < far + quarter else -1)
                    if side >= 0:
                        counts[side] += 1
                        total[side, 0] += inverse[v, u]
                        for k in range(3):
                            total[side, 1 + k] += picture[v, u, k]
            for side in range(2):
                sides[y, x, side] = total[side, 0] / counts[side]
                for k in range(3):
                    sides[y, x, 2 + 3 * side + k] = total[side, 1 + k] / counts[side]


@kernel
def _ask(picture, sides, fine, where, told):
    """Ask every large pixel near an outline which side it is of: ``told`` is above 0 for the near one, 0 elsewhere.

    ``where`` is the first row, that after the last, and the small column of each large one.
    """
    (h, w), small_h = fine.shape, sides.shape[0]
    start, stop, columns = where
    over = np.float32(1 / (2 * SIGMA * SIGMA))
    for y in range(start, stop):
        v = y * small_h // h
        for x in range(w):
            u = columns[x]
            told[y, x] = 0
            near, far = sides[v, u, 0], sides[v, u, 1]
            if near <= far:
                continue
            to_near, to_far = np.float32(0), np.float32(0)
            for k in range(3):
                a, b = picture[y, x, k] - sides[v, u, 2 + k], picture[y, x, k] - sides[v, u, 5 + k]
                to_near += a * a
                to_far += b * b
            place = min(max((fine[y, x] - far) / (near - far), np.float32(0)), np.float32(1))
            says = min(max((to_far - to_near) * over, np.float32(-MOST)), np.float32(MOST))
            told[y, x] = says + np.float32(TRUST) * (place + place - np.float32(1))


@kernel
def _settle(sides, told, where, fine):
    """Give every large pixel near an outline to one of the sides, in place."""
    (h, w), small_h = fine.shape, sides.shape[0]
    start, stop, columns = where
    for y in range(start, stop):
        v = y * small_h // h
        for x in range(w):
            u = columns[x]
            if sides[v, u, 0] > sides[v, u, 1]:
                fine[y, x] = sides[v, u, 0] if told[y, x] > np.float32(-LEAN) else sides[v, u, 1]


def enlarged(inverse: F32, picture: U8) -> F32:
    """Inverse depth at the size of its picture.

    Args:
        inverse: (h, w) float32 >= 0, of the picture's shape and mostly smaller.
        picture: (H, W, 3) uint8.

    Returns:
        (H, W) float32.
    """
    h, w = picture.shape[:2]
    if inverse.shape == (h, w):
        return inverse
    fine = np.asarray(cv2.resize(inverse, (w, h), interpolation=cv2.INTER_LINEAR), np.float32)
    small_h, small_w = inverse.shape
    small = np.asarray(cv2.resize(picture, (small_w, small_h), interpolation=cv2.INTER_AREA), np.uint8)
    sides = np.empty((small_h, small_w, 8), np.float32)
    inverse, least = np.ascontiguousarray(inverse), np.float32(LEAST_STEP * float(inverse.max()))
    in_bands(lambda a, b: _two_sides(inverse, small, least, (np.int64(a), np.int64(b)), sides), small_h, LEAST_ROWS)
    told, columns = np.empty((h, w), np.float32), np.arange(w) * small_w // w
    in_bands(lambda a, b: _ask(picture, sides, fine, (np.int64(a), np.int64(b), columns), told), h, LEAST_ROWS)
    together = max(1, round(w / small_w * TOGETHER)) | 1
    told = np.asarray(cv2.blur(told, (together, together)), np.float32)
    in_bands(lambda a, b: _settle(sides, told, (np.int64(a), np.int64(b), columns), fine), h, LEAST_ROWS)
    return fine
