"""The first pixels of the farther surface along the outlines of a row, unmixed before it is moved.

As in :mod:`unflat.geometry.matte`: a pixel C beside an outline is a·F + (1 - a)·B (Porter and Duff, 1984), F and B
being what the two surfaces look like a little farther in. It goes with the nearer surface, as opaque as a says, so that
no halo stays behind; an outline of depth that lies a pixel or two inside that of the picture moves there by the same
rule. What is not near the line from B to F is no mixture: where it is a thin line along the outline, with B behind it
(the light on the edge of a pole), it goes with the nearer surface as it is; otherwise it stays.
"""

# pyright: standard

from __future__ import annotations

import numpy as np

from unflat.geometry.jit import inner

LEAST_APART = 24.0
"""Surfaces whose colours differ by less (sRGB units) are not told apart."""
OFF_LINE = 0.2
"""A mixture is no farther from the line between the two colours than this share of its length."""
OPAQUE, CLEAR = 0.92, 0.08
"""Shares that are as good as all and nothing."""


@inner
def _clean(row, first, step, count, rim):
    """The mean colour of two of ``count`` pixels, ``rim`` pixels on from ``first``; of the last if there are fewer."""
    a = first + step * min(rim, count - 1)
    b = first + step * min(rim + 1, count - 1)
    half = np.float32(0.5)
    return (
        half * (np.float32(row[3 * a]) + row[3 * b]),
        half * (np.float32(row[3 * a + 1]) + row[3 * b + 1]),
        half * (np.float32(row[3 * a + 2]) + row[3 * b + 2]),
    )


@inner
def _share(row, x, near, far, length):
    """How much of pixel x is the nearer surface; negative if it is no mixture of the two."""
    one = np.float32(1)
    total = np.float32(0)
    for k in range(3):
        total += (row[3 * x + k] - far[k]) * (near[k] - far[k])
    share = min(max(total / length, np.float32(0)), one)
    off = np.float32(0)
    for k in range(3):
        miss = row[3 * x + k] - far[k] - share * (near[k] - far[k])
        off += miss * miss
    return share if off <= np.float32(OFF_LINE * OFF_LINE) * length else -one


@inner
def _reach(cut, x, step, most):
    """How many pixels the surface at x has in one direction, x with them, counted to ``most``."""
    count = 1
    while count < most and not cut[x + 1 if step > 0 else x]:
        x += step
        count += 1
    return count


@inner
def _settled(share, most):
    """A share that is no larger than the one farther in, and nearly nothing or nearly all made so."""
    share = min(share, most)
    if share > np.float32(OPAQUE):
        return np.float32(1)
    return np.float32(0) if share < np.float32(CLEAR) else share


@inner
def _light_on_edge(row, first, step, most, near, far, length):
    """How many pixels beside an outline are a line along it that looks like neither surface; 0 if there is none."""
    odd = False
    for i in range(most + 1):
        x = first + step * i
        apart = np.float32(0)
        for k in range(3):
            apart += (row[3 * x + k] - far[k]) * (row[3 * x + k] - far[k])
        if apart < np.float32(LEAST_APART * LEAST_APART):
            return i if odd else 0
        odd |= _share(row, x, near, far, length) < 0
    return 0


@inner
def unmix_rim(line, cut, x, rim):
    """Unmix the outline between x and x + 1, in place; pixels of the farther side may become the nearer surface's rim.

    Args:
        line: (w,) places in the view, (3 w,) uint8 colours, (w,) alpha and (w,) disparity of a row.
        cut: (w + 3,), 1 at ``x + 1`` where x and x + 1 are not one surface.
        x: The pixel left of the outline.
        rim: So many pixels on either side of it may be mixtures.
    """
    at, row, alpha, depth = line
    inner_, outer = (x, x + 1) if depth[x] > depth[x + 1] else (x + 1, x)
    out = outer - inner_
    wide, open_ = _reach(cut, inner_, -out, 2 * rim), _reach(cut, outer, out, 2 * rim)
    near, far = _clean(row, inner_, -out, wide, rim), _clean(row, outer, out, open_, rim)
    length = np.float32(0)
    for k in range(3):
        length += (near[k] - far[k]) * (near[k] - far[k])
    if length < np.float32(LEAST_APART * LEAST_APART):
        return
    most, doubtful = np.float32(1), min(rim, open_ // 2)
    opaque = _light_on_edge(row, outer, out, doubtful, near, far, length)
    for i in range(doubtful):
        f = outer + out * i
        share = np.float32(1) if i < opaque else _share(row, f, near, far, length)
        most = _settled(max(share, np.float32(0)), most)
        if most <= 0:
            return
        at[f], alpha[f], depth[f] = at[inner_] + out * (i + 1), most, depth[inner_]
        if most < 1:
            for k in range(3):
                row[3 * f + k] = np.uint8(near[k])
        cut[max(f, f - out)] = 0
        cut[max(f + out, f)] = 1
