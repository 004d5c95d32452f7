"""Placed views -> those that depth is looked for in: they see the place from everywhere, and not twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from unflat.errors import InputError
from unflat.types.arrays import F64
from unflat.types.views import Reconstruction, SparsePoints

_NEAR = 0.04
"""Views that differ by less than this see the same: a step of so many times the distance of what is seen (2 degrees of
parallax), or a turn by as much of the angle of view."""
_FEW = 12
"""So few views are all taken, however alike."""
_SURE = 0.3
"""A view less sure of its place than this is not looked for depth in, where there are others."""


@dataclass(frozen=True, slots=True)
class ViewOptions:
    """How many views depth is looked for in."""

    most_views: int = 120
    """Depth is looked for in at most so many views; of more, those that see most of the place."""

    def __post_init__(self) -> None:
        if not 2 <= self.most_views <= 100_000:
            raise InputError(f"--most-views {self.most_views} is out of range", hint="Give 2 to 100000.")


def choose_views(made: Reconstruction, options: ViewOptions) -> Reconstruction:
    """The views that show the place from everywhere: each next one is the one most unlike those chosen.

    Farthest point sampling (Gonzalez 1985) over how views differ: the step between them in multiples of the distance
    of what they see, and the turn in multiples of their angle of view. Sharper views come sooner; those that see no
    point, or are not sure of their place, only where there are no others.

    Args:
        made: All views.
        options: See :class:`ViewOptions`.

    Returns:
        The chosen views in their old order, with the points that they see.
    """
    count = len(made.views)
    sure = np.array([view.sure for view in made.views])
    usable = (sure >= _SURE) & np.isin(np.arange(count), made.points.view)
    usable = usable if int(usable.sum()) >= 2 else np.ones(count, bool)
    if count <= min(options.most_views, _FEW) and usable.all():
        return made
    apart = _apart(made)
    sharp = np.array([view.still.sharpness or 0.0 for view in made.views])
    middle = float(np.median(sharp))
    worth = np.clip(sharp / middle, 0.25, 1.5) if middle > 0 else np.ones(count)
    worth = np.where(usable, worth, 0.0)
    chosen = [int(np.argmax(worth))]
    nearest = apart[chosen[0]].copy()
    while len(chosen) < min(options.most_views, int(usable.sum())):
        nearest[chosen] = 0
        best = int(np.argmax(nearest * worth))
        if nearest[best] * worth[best] <= 0 or (nearest[best] < _NEAR and len(chosen) >= _FEW):
            break
        chosen.append(best)
        nearest = np.minimum(nearest, apart[best])
    return only(made, sorted(chosen))


def only(made: Reconstruction, views: Sequence[int]) -> Reconstruction:
    """The same with only some of its views, in that order, and the points that two of them see."""
    number = np.full(len(made.views), -1, np.int32)
    number[np.asarray(views, int)] = np.arange(len(views), dtype=np.int32)
    points = made.points
    seen = number[points.view] >= 0
    times = np.bincount(points.point[seen], minlength=len(points.xyz))
    stays = times >= 2
    place = np.cumsum(stays) - 1
    rows = seen & stays[points.point] if len(points.point) else seen
    kept = SparsePoints(
        points.xyz[stays],
        points.colors[stays],
        points.error_px[stays],
        number[points.view[rows]],
        place[points.point[rows]].astype(np.int32),
        points.pixel[rows],
    )
    return replace(made, views=tuple(made.views[v] for v in views), points=kept)


def _apart(made: Reconstruction) -> F64:
    """(n, n): how differently two views see."""
    poses = np.array([view.pose.world_from_camera for view in made.views])
    centres, ahead = poses[:, :3, 3], poses[:, :3, 2]
    far = _distances(made, centres, ahead)
    step = np.linalg.norm(centres[:, None] - centres[None], axis=-1) / np.minimum(far[:, None], far[None])
    turn = np.arccos(np.clip(ahead @ ahead.T, -1, 1))
    wide = np.radians([view.lens.intrinsics.fov_x_deg for view in made.views])
    return np.asarray(step + turn / np.minimum(wide[:, None], wide[None]), np.float64)


def _distances(made: Reconstruction, centres: F64, ahead: F64) -> F64:
    """How far what each view sees lies from it, in the middle; the middle of all for a view without points."""
    points = made.points
    far = np.full(len(centres), np.nan)
    for view in range(len(centres)):
        mine = points.point[points.view == view]
        z = (points.xyz[mine] - centres[view]) @ ahead[view]
        if (z > 0).any():
            far[view] = np.median(z[z > 0])
    known = np.isfinite(far)
    spread = float(np.linalg.norm(centres - centres.mean(0), axis=1).max())
    usual = float(np.median(far[known])) if known.any() else max(spread, 1e-9)
    return np.where(known, far, usual)
