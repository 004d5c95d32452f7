"""A path of cameras bent so that it goes through better known places of some of them."""

from __future__ import annotations

import numpy as np

from unflat.geometry.turns import axis_angle, nearest_rotation, turn
from unflat.types.arrays import F64

_AROUND = 4
"""So many known cameras on either side tell how much larger a stretch becomes: one step alone may be too short."""


def carried(path: F64, known: np.ndarray, places: F64) -> F64:
    """Take the cameras between known ones along: each keeps its motion relative to the known ones on both sides.

    Drift grows slowly, so a stretch between two known cameras is right but for a turn, a factor and a shift, which
    change evenly over it. Beyond the first and the last known camera, those of that end hold.

    Args:
        path: (n, 4, 4) world from camera, as followed.
        known: (k,) rising numbers of the cameras that are known better; at least two.
        places: (k, 4, 4) world from camera of these, in another frame and unit.

    Returns:
        (n, 4, 4) world from camera in the frame of ``places``; the known ones as given.
    """
    centres, new = path[:, :3, 3], places[:, :3, 3]
    grown = _grown(centres[known], new)
    turns = np.stack([nearest_rotation(b[:3, :3] @ a[:3, :3].T) for a, b in zip(path[known], places, strict=True)])
    gone = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(centres, axis=0), axis=1) + 1e-12)])
    after = np.clip(np.searchsorted(known, np.arange(len(path)), side="right"), 1, len(known) - 1)
    moved = np.tile(np.eye(4), (len(path), 1, 1))
    for i, b in enumerate(after):
        a = b - 1
        share = float(np.clip((gone[i] - gone[known[a]]) / (gone[known[b]] - gone[known[a]]), 0.0, 1.0))
        ends = [new[k] + grown[k] * turns[k] @ (centres[i] - centres[known[k]]) for k in (a, b)]
        between = turn(share * axis_angle(turns[b] @ turns[a].T)) @ turns[a]
        moved[i, :3, :3] = nearest_rotation(between @ path[i, :3, :3])
        moved[i, :3, 3] = (1 - share) * ends[0] + share * ends[1]
    moved[known] = places
    return moved


def _grown(old: F64, new: F64) -> F64:
    """(k,) how much longer steps around each known camera have become."""
    steps = [np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(c, axis=0), axis=1))]) for c in (old, new)]
    k = np.arange(len(old))
    first, last = np.maximum(k - _AROUND, 0), np.minimum(k + _AROUND, len(old) - 1)
    was, now = (s[last] - s[first] for s in steps)
    whole = steps[1][-1] / max(steps[0][-1], 1e-12)
    return np.where(was > 1e-9 * max(steps[0][-1], 1e-12), now / np.maximum(was, 1e-300), whole)
