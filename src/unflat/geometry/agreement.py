"""Depth maps of several views held against each other: what they agree on, and what stands in another's line of sight.

The test is that of forward and backward reprojection (Schönberger et al., "Pixelwise view selection for unstructured
multi-view stereo", ECCV 2016); a point that a source looks through counts against it (Merrell et al., "Real-time
visibility-based fusion of depth maps", ICCV 2007).
"""

# pyright: standard

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from unflat.geometry.bands import in_bands
from unflat.geometry.jit import kernel
from unflat.types.arrays import F32, U8, Bool

WITHIN_PX = 1.0
"""Two views agree on a point if it comes back to its pixel this nearly, in pixels of the depth maps ..."""
WITHIN = 0.01
"""... and their depths differ by no more than this share."""
_THROUGH = 0.02
"""A source looks through a point if what it sees lies farther off by more than this share."""


@dataclass(frozen=True, slots=True, eq=False)
class Verdict:
    """What the other views say of one.

    Attributes:
        inverse: (h, w) float32, the mean of what agrees; 0 where nothing is known.
        agree: (h, w) uint8, how many sources agree.
        against: (h, w) uint8, how many look through the point.
    """

    inverse: F32
    agree: U8
    against: U8


@kernel
def _judge(planes, others, there, back, out, start, stop):
    """planes: (3, h, w) inverse depth and gradient; others: (n, 3, H, W) likewise; there, back: (n, 14) ways."""
    n, tall, wide = others.shape[0], others.shape[2], others.shape[3]
    for y in range(start, stop):
        for x in range(planes.shape[2]):
            w = planes[0, y, x]
            if w <= 0:
                continue
            px, py = x + 0.5, y + 0.5
            total, agree, against = w, 0, 0
            for s in range(n):
                a, b = there[s], back[s]
                z = a[6] * px + a[7] * py + a[8] + a[11] * w
                if z <= 0:
                    continue
                u = (a[0] * px + a[1] * py + a[2] + a[9] * w) / z
                v = (a[3] * px + a[4] * py + a[5] + a[10] * w) / z
                if not (0 <= u < min(a[12], wide) and 0 <= v < min(a[13], tall)):
                    continue
                i, j = int(u), int(v)
                seen = others[s, 0, j, i]
                if seen <= 0:
                    continue
                seen += others[s, 1, j, i] * (u - i - 0.5) + others[s, 2, j, i] * (v - j - 0.5)
                meant = w / z
                if seen < meant * (1 - _THROUGH):
                    against += 1
                    continue
                zb = b[6] * u + b[7] * v + b[8] + b[11] * seen
                if zb <= 0 or seen <= 0:
                    continue
                ub = (b[0] * u + b[1] * v + b[2] + b[9] * seen) / zb - px
                vb = (b[3] * u + b[4] * v + b[5] + b[10] * seen) / zb - py
                back_here = seen / zb - planes[1, y, x] * ub - planes[2, y, x] * vb
                if ub * ub + vb * vb < WITHIN_PX**2 and abs(back_here - w) < WITHIN * w:
                    agree += 1
                    total += back_here
            out[0, y, x] = total / (1 + agree)
            out[1, y, x], out[2, y, x] = agree, against


def verdict(planes: F32, others: F32, there: F32, back: F32) -> Verdict:
    """Hold one view against others.

    Args:
        planes: (3, h, w) float32 inverse depth (0: unknown) and its gradient for one pixel right and down.
        others: (n, 3, H, W) float32, those of the sources, padded with zeros to one size.
        there: (n, 14) float32, the ways from the view to each source (see ``patch_match.Rig``).
        back: (n, 14) float32, the ways from each source to the view.
    """
    out = np.zeros((3, *planes.shape[1:]), np.float32)
    if len(others):
        in_bands(lambda a, b: _judge(planes, others, there, back, out, a, b), planes.shape[1], 32)
    else:
        out[0] = planes[0]
    return Verdict(out[0], out[1].astype(np.uint8), out[2].astype(np.uint8))


def without_specks(inverse: F32, pixels_per_inverse: float, smallest: int) -> Bool:
    """(h, w) bool, True where what is known hangs together with at least ``smallest`` pixels of about its depth."""
    known = inverse > 0
    step = 4.0  # a neighbour's match differs by less than so many quarters of a pixel
    scaled = inverse * pixels_per_inverse
    top = float(scaled.max(initial=0))
    fine = min(4.0, 32000 / max(top, 1e-9))
    codes = np.where(known, np.clip(scaled * fine + 1, 1, 32760), 0).astype(np.int16)
    kept, _ = cv2.filterSpeckles(codes, 0, smallest, max(1.0, step * fine / 4))
    return np.asarray(kept > 0) & known


def normals_of(inverse: F32, gradient: F32, camera: NDArray[np.float64]) -> F32:
    """Normals of planes of inverse depth.

    Args:
        inverse: (h, w) inverse depth; 0 where nothing is known.
        gradient: (2, h, w) its change for one pixel right and down.
        camera: (3, 3) pixel_from_camera.

    Returns:
        (h, w, 3) float32 of length 1 in camera axes, towards the camera; NaN where nothing is known.
    """
    h, w = inverse.shape
    x = np.arange(w, dtype=np.float32) + np.float32(0.5 - camera[0, 2])
    y = np.arange(h, dtype=np.float32)[:, None] + np.float32(0.5 - camera[1, 2])
    gx, gy = gradient
    normal = -np.stack([camera[0, 0] * gx, camera[1, 1] * gy, inverse - gx * x - gy * y], -1)
    length = np.linalg.norm(normal, axis=-1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where((inverse > 0)[..., None], normal / length, np.nan).astype(np.float32)
