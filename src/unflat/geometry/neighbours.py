"""Which views help to see another in depth: those that show the same places from a little aside."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unflat.types.arrays import F64
from unflat.types.views import Reconstruction, View

BEST_ANGLE = 10.0
"""Degrees between two lines of sight at which depth is told best: less is imprecise, more no longer looks alike."""
_NARROW, _WIDE = 4.0, 14.0
_FEWEST = 12
"""With fewer points of its own a view is helped by those that lie before it, and with fewer of these by made ones."""
_MOST = 400
_ALIKE = 2.0
"""Degrees: two sources that stand nearer to each other than this, as seen from the place, tell the same."""


@dataclass(frozen=True, slots=True)
class Company:
    """The sources of one view.

    Attributes:
        sources: Numbers of views, the best first; empty where none helps.
        nearest: Depth that nothing is expected to lie nearer than.
        farthest: Depth that nothing is expected to be told beyond.
    """

    sources: tuple[int, ...]
    nearest: float
    farthest: float


def companies(reconstruction: Reconstruction, most: int) -> list[Company]:
    """The sources of every view.

    A source is worth the sum over the view's points of how well it tells their depth: by the angle between both lines
    of sight (after Yao et al., "MVSNet", ECCV 2018), halved where nobody matched the point in it, and less where it
    sees the place much larger or smaller. Each source chosen lowers the worth of those that stand next to it.

    Args:
        reconstruction: Cameras and points.
        most: No more sources than this.
    """
    views, points = reconstruction.views, reconstruction.points
    seen = np.zeros((len(views), len(points.xyz)), bool)
    seen[points.view, points.point] = True
    middle = _middle(views)
    found: list[Company] = []
    for number, view in enumerate(views):
        chosen = _chosen(reconstruction, seen[number], view)
        xyz = points.xyz[chosen] if len(chosen) else _made(view, middle)
        if not len(xyz):
            found.append(Company((), 0.0, 0.0))
            continue
        also = seen[:, chosen] if len(chosen) else np.ones((len(views), len(xyz)), bool)
        z = _local(view, xyz)[:, 2]
        nearest, farthest = np.quantile(z, (0.01, 0.99))
        found.append(Company(_best(views, number, xyz, also, most), float(nearest) * 0.7, float(farthest) * 2))
    return found


def _local(view: View, xyz: F64) -> F64:
    pose = view.pose.world_from_camera
    return (xyz - pose[:3, 3]) @ pose[:3, :3]


def _inside(view: View, xyz: F64) -> tuple[NDArray[np.bool_], F64]:
    """Which points fall into the picture, and their depth."""
    local, lens = _local(view, xyz), view.lens.intrinsics
    z = local[:, 2]
    safe = np.where(z > 0, z, 1.0)
    u, v = lens.fx * local[:, 0] / safe + lens.cx, lens.fy * local[:, 1] / safe + lens.cy
    return (z > 0) & (u > 0) & (v > 0) & (u < lens.size.width) & (v < lens.size.height), z


def _middle(views: tuple[View, ...]) -> float:
    """A depth at which things may be expected where no point tells: where the axes meet, else ten times the spacing."""
    centres = np.array([view.pose.centre for view in views])
    axes = np.array([view.pose.world_from_camera[:3, 2] for view in views])
    across = np.eye(3) - axes[:, :, None] * axes[:, None, :]
    spread = float(np.linalg.norm(centres - centres.mean(0), axis=1).mean()) if len(views) else 0.0
    matrix = across.sum(0)
    if np.linalg.cond(matrix) < 1e3:
        at = np.asarray(np.linalg.solve(matrix, (across @ centres[:, :, None]).sum(0)[:, 0]), np.float64)
        depth = np.einsum("ij,ij->i", at - centres, axes)
        if np.median(depth) > 0:
            return float(np.median(depth))
    return 10 * spread


def _chosen(reconstruction: Reconstruction, own: NDArray[np.bool_], view: View) -> NDArray[np.intp]:
    """Numbers of the points by which to judge the sources of a view; none where there are too few to go by."""
    xyz = reconstruction.points.xyz
    chosen = np.flatnonzero(own)
    chosen = chosen[_local(view, xyz[chosen])[:, 2] > 0]
    if len(chosen) < _FEWEST:
        chosen = np.flatnonzero(_inside(view, xyz)[0])
    return chosen[:: max(1, len(chosen) // _MOST)] if len(chosen) >= _FEWEST else chosen[:0]


def _made(view: View, middle: float) -> F64:
    """Points spread over the picture about a depth; none where the depth is not known."""
    if middle <= 0:
        return np.zeros((0, 3))
    size, lens, pose = view.still.size, view.lens.intrinsics, view.pose.world_from_camera
    x, y, z = np.meshgrid(
        size.width * (np.arange(6) + 0.5) / 6,
        size.height * (np.arange(4) + 0.5) / 4,
        middle * np.array([0.6, 1.0, 1.6]),
    )
    local = np.stack([(x - lens.cx) / lens.fx * z, (y - lens.cy) / lens.fy * z, z], -1).reshape(-1, 3)
    return local @ pose[:3, :3].T + pose[:3, 3]


def _best(views: tuple[View, ...], number: int, xyz: F64, also: NDArray[np.bool_], most: int) -> tuple[int, ...]:
    """The sources of one view, by greedy choice."""
    view = views[number]
    here = view.pose.centre - xyz
    near = np.linalg.norm(here, axis=1)
    size = view.lens.intrinsics.fx / view.still.size.long_side / near
    worth = np.zeros(len(views))
    for other, candidate in enumerate(views):
        if other == number:
            continue
        inside, _ = _inside(candidate, xyz)
        if not inside.any():
            continue
        there = candidate.pose.centre - xyz
        far = np.linalg.norm(there, axis=1)
        cosine = (here * there).sum(1) / np.maximum(near * far, 1e-12)
        angle = np.degrees(np.arccos(np.clip(cosine, -1, 1)))
        told = np.exp(-((angle - BEST_ANGLE) ** 2) / (2 * np.where(angle < BEST_ANGLE, _NARROW, _WIDE) ** 2))
        told = np.where((angle > 0.3) & (angle < 60), told, 0)
        ratio = candidate.lens.intrinsics.fx / candidate.still.size.long_side / far / size
        alike = np.minimum(np.minimum(ratio, 1 / ratio) * 1.25, 1)
        worth[other] = (inside * told * alike * np.where(also[other], 1.0, 0.5)).sum() * candidate.sure
    chosen: list[int] = []
    centre = np.median(xyz, axis=0)
    lines = np.array([v.pose.centre for v in views]) - centre
    lines /= np.maximum(np.linalg.norm(lines, axis=1, keepdims=True), 1e-12)
    least = 0.02 * len(xyz)
    while len(chosen) < most and worth.max(initial=0) > least:
        best = int(worth.argmax())
        chosen.append(best)
        apart = np.degrees(np.arccos(np.clip(lines @ lines[best], -1, 1)))
        worth *= 1 - 0.7 * np.exp(-((apart / _ALIKE) ** 2))
        worth[best] = 0
    return tuple(chosen)
