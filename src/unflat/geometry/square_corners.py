"""The corners of a dark square on white, finer than a pixel: where the lines through its four sides meet."""

from __future__ import annotations

import cv2
import numpy as np

from unflat.types.arrays import F32, F64, U8

_ALONG = np.linspace(0.12, 0.88, 25)
"""Where each side is crossed, as shares of it."""
_REACH = 0.07
"""How far in and out a side is crossed, as a share of it: less than the rim, which is a sixth to a ninth."""
_LEAST_REACH_PX, _STEPS = 1.5, 33
_LEAST_CONTRAST = 0.05


def linear_grey(pixels: U8) -> F32:
    """(h, w) float32, the light 0..1 of sRGB pixels: where black meets white, a half-lit pixel has half of it."""
    code = np.arange(256) / 255
    table = np.where(code <= 0.04045, code / 12.92, ((code + 0.055) / 1.055) ** 2.4).astype(np.float32)
    return table[np.asarray(cv2.cvtColor(np.asarray(pixels), cv2.COLOR_RGB2GRAY), np.uint8)]


def square_corners(light: F32, corners: F64) -> F64:
    """Corners of a dark square, refined.

    Across each side the light rises from dark to bright; however blurred, the area below it tells where it would step.

    Args:
        light: (h, w) linear.
        corners: (4, 2) pixels, in order, right within a pixel or two.

    Returns:
        (4, 2); the given ones where the sides are not dark within and bright without.
    """
    middle = corners.mean(0)
    lines: list[F64] = []
    for k in range(4):
        a, b = corners[k], corners[(k + 1) % 4]
        length = float(np.linalg.norm(b - a))
        out = np.array([b[1] - a[1], a[0] - b[0]]) / max(length, 1e-9)
        out = out if out @ ((a + b) / 2 - middle) > 0 else -out
        reach = max(_REACH * length, _LEAST_REACH_PX)
        steps = np.linspace(-reach, reach, _STEPS)
        spots = (a + _ALONG[:, None] * (b - a))[:, None] + steps[None, :, None] * out
        at = (spots - 0.5).astype(np.float32)
        seen = np.asarray(cv2.remap(light, at[..., 0], at[..., 1], cv2.INTER_LINEAR), np.float64)
        dark, bright = seen[:, :3].mean(1), seen[:, -3:].mean(1)
        good = bright - dark > max(_LEAST_CONTRAST, 0.5 * float(np.median(bright - dark)))
        if good.sum() < len(_ALONG) // 2:
            return corners
        share = np.clip((bright[:, None] - seen) / np.maximum(bright - dark, 1e-6)[:, None], 0, 1).mean(1)
        step = (2 * share - 1) * reach
        good &= np.abs(step) < 0.9 * reach
        edge = (a + _ALONG[:, None] * (b - a)) + step[:, None] * out
        line = _line(edge[good])
        if line is None:
            return corners
        lines.append(line)
    found = np.stack([_meet(lines[k - 1], lines[k]) for k in range(4)])
    return found if np.abs(found - corners).max() < 4 else corners


def _line(points: F64) -> F64 | None:
    """(3,) a, b, c of a x + b y = c through points; twice, the second time without those that are far off."""
    line = np.zeros(3)
    for _ in range(2):
        if len(points) < 6:
            return None
        middle = points.mean(0)
        normal = np.linalg.svd(points - middle)[2][1]
        off = np.abs((points - middle) @ normal)
        line = np.array([*normal, float(middle @ normal)])
        points = points[off <= 3 * max(float(np.median(off)), 0.02)]
    return line


def _meet(one: F64, other: F64) -> F64:
    rows = np.stack([one[:2], other[:2]])
    if abs(np.linalg.det(rows)) < 0.05:
        return np.full(2, np.inf)
    return np.asarray(np.linalg.solve(rows, np.array([one[2], other[2]])), np.float64)
