"""Which of some planes each pixel shows, if any: what the pictures say of it, and what is around it.

Labels settle along paths from eight sides (Hirschmüller's semi-global matching, PAMI 2008), over planes of the place
in the manner of Sinha, Steedly & Szeliski ("Piecewise planar stereo for image-based rendering", ICCV 2009): it costs
little to change from one plane to another where both meet, or at an edge of the picture, and much anywhere else.
"""

# pyright: standard

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unflat.geometry.bands import in_bands
from unflat.geometry.jit import kernel
from unflat.types.arrays import F32

_CHANGE, _MEET = 0.8, 0.06
"""What it costs to change to another plane; and what at least, where they meet."""
_EDGE = 6.0
"""Grey values from one pixel to the next at which a change costs half."""


@kernel
def _paths(costs, apart, grey, total, back):
    """Add what the paths from the left and above (``back``: from the right and below) say.

    costs, total: (h, w, n); apart: (h, w, n) how far each label lies away, in its own measure.
    """
    h, w, n = costs.shape
    rows = np.zeros((2, w + 2, 3, n), np.float32)
    side = np.zeros((2, n), np.float32)
    for j in range(h):
        y = h - 1 - j if back else j
        now, before = rows[j & 1], rows[(j & 1) ^ 1]
        side[:] = 0
        for i in range(w):
            x = w - 1 - i if back else i
            for way in range(4):
                du = 0 if way == 1 else (-1 if way in (0, 3) else 1)
                dv = 0 if way == 3 else -1
                u, v = (x - du, y - dv) if back else (x + du, y + dv)
                if way == 3:
                    u = x + 1 if back else x - 1
                came = side[i & 1] if way == 3 else before[i + 1 + du, way]
                edge = np.float32(1)
                if 0 <= u < w and 0 <= v < h:
                    step = abs(grey[y, x] - grey[v, u]) / np.float32(_EDGE)
                    edge = np.float32(1) / (np.float32(1) + step * step)
                least = came[0]
                for q in range(1, n):
                    least = min(least, came[q])
                for p in range(n):
                    best = came[p]
                    for q in range(n):
                        if q != p:
                            gap = min(abs(apart[y, x, p] - apart[y, x, q]), np.float32(1))
                            best = min(best, came[q] + np.float32(_MEET) + np.float32(_CHANGE) * edge * gap)
                    here = best - least + costs[y, x, p]
                    total[y, x, p] += here
                    if way == 3:
                        side[(i + 1) & 1, p] = here
                    else:
                        now[i + 1, way, p] = here


def labelled(costs: F32, apart: F32, grey: F32) -> NDArray[np.int64]:
    """(h, w) the label of each pixel.

    Args:
        costs: (h, w, n) what each label costs by itself, about 0 to 1.
        apart: (h, w, n) where each label lies; labels that differ by 1 or more are a full step apart.
        grey: (h, w) 0..255.
    """
    totals = [np.zeros(costs.shape, np.float32) for _ in range(2)]

    def work(first: int, last: int) -> None:
        for k in range(first, last):
            _paths(costs, apart, grey, totals[k], bool(k))

    in_bands(work, 2, 1)
    return np.asarray((totals[0] + totals[1]).argmin(2), np.int64)
