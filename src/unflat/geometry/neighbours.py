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
_CELLS = 12, 9
"""A picture is looked at in so many places, across and down."""
_AGREEING = 3
"""The depth of a place is the middle one of so many points next to it."""
_ENOUGH = 1.5
"""What a source tells of a place counts less the nearer what others tell of it comes to that of so many of the best."""
_LEAST = 0.005
"""A source is left out that tells of less than this share of the picture what nobody told before."""
_ALIKE = 2.0
"""Degrees: two sources that stand nearer to each other than this, as seen from the place, tell the same."""
_BEFORE, _BEHIND = 0.6, 2.0
"""Depth is looked for from so many times the nearest point's to so many times the farthest one's."""


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

    A picture is looked at in places spread evenly over it, whose depth is that of the points nearby. A source is worth
    the sum over the places of how well it tells their depth: by the angle between both lines of sight (after Yao et
    al., "MVSNet", ECCV 2018), halved where nobody matched those points in it, and less where it sees the place much
    larger or smaller. Each source chosen lowers the worth of what others tell of the same places, so that all parts of
    a picture get their sources, and that of those that stand next to it.

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
        xyz, near = _places(view, points.xyz[chosen]) if len(chosen) else (_made(view, middle), None)
        if not len(xyz):
            found.append(Company((), 0.0, 0.0))
            continue
        also = np.ones((len(views), len(xyz)), bool)
        if near is not None:
            also = np.asarray(seen[:, chosen[near]].any(axis=2), np.bool_)
        nearest, farthest = _range(view, xyz, points.xyz[chosen], points.xyz)
        found.append(Company(_best(views, number, xyz, also, most), nearest, farthest))
    return found


def _range(view: View, places: F64, own: F64, points: F64) -> tuple[float, float]:
    """Depths between which a view is searched: of what it saw, and of what lies before that."""
    z = _local(view, own if len(own) else places)[:, 2]
    nearest, farthest = np.quantile(z, (0.01, 0.99))
    inside, depth = _inside(view, points)
    if int(inside.sum()) >= _FEWEST:
        nearest = min(nearest, float(np.quantile(depth[inside], 0.01)))
    return float(nearest) * _BEFORE, float(farthest) * _BEHIND


def _places(view: View, xyz: F64) -> tuple[F64, NDArray[np.intp]]:
    """(n, 3) places spread evenly over a picture, at the depth of the points next to them; and which points those are.

    Args:
        view: The view.
        xyz: (m, 3) points before it.
    """
    size, lens, pose = view.still.size, view.lens.intrinsics, view.pose.world_from_camera
    local = _local(view, xyz)
    at = np.stack([lens.fx * local[:, 0] / local[:, 2] + lens.cx, lens.fy * local[:, 1] / local[:, 2] + lens.cy], 1)
    x, y = np.meshgrid(
        *(side * (np.arange(n) + 0.5) / n for side, n in zip((size.width, size.height), _CELLS, strict=True))
    )
    cells = np.stack([x.ravel(), y.ravel()], 1)
    apart = ((cells[:, None] - at[None]) ** 2).sum(2)
    near = np.argsort(apart, axis=1)[:, :_AGREEING]
    z = 1 / np.median(1 / local[near, 2], axis=1)
    rays = np.stack([(cells[:, 0] - lens.cx) / lens.fx, (cells[:, 1] - lens.cy) / lens.fy, np.ones(len(cells))], 1)
    return (rays * z[:, None]) @ pose[:3, :3].T + pose[:3, 3], near


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
    return chosen if len(chosen) >= _FEWEST else chosen[:0]


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
    told_of = np.zeros((len(views), len(xyz)))
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
        told_of[other] = inside * told * alike * np.where(also[other], 1.0, 0.5) * candidate.sure
    chosen: list[int] = []
    centre = np.median(xyz, axis=0)
    lines = np.array([v.pose.centre for v in views]) - centre
    lines /= np.maximum(np.linalg.norm(lines, axis=1, keepdims=True), 1e-12)
    covered, apart_from = np.zeros(len(xyz)), np.ones(len(views))
    while len(chosen) < most:
        worth = (told_of * np.exp(-((covered / _ENOUGH) ** 2))).sum(1) * apart_from
        best = int(worth.argmax())
        if worth[best] <= _LEAST * len(xyz):
            break
        chosen.append(best)
        covered += told_of[best]
        apart = np.degrees(np.arccos(np.clip(lines @ lines[best], -1, 1)))
        apart_from *= 1 - 0.7 * np.exp(-((apart / _ALIKE) ** 2))
        apart_from[best] = 0
    return tuple(chosen)
