"""How right a scan is: its path, its surface, what it looks like from where no picture was taken."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.scan_draw import Solid, covered, rays_of

from unflat.types.arrays import F64, U8, Bool
from unflat.types.mesh import Mesh
from unflat.types.views import Similarity, View


def similarity(source: F64, target: F64) -> Similarity:
    """The similarity that takes points (n, 3) nearest to others, in the least squares (Umeyama, 1991)."""
    a, b = source.mean(0), target.mean(0)
    u, sigma, vt = np.linalg.svd((target - b).T @ (source - a) / len(source))
    flip = np.array([1.0, 1.0, np.sign(np.linalg.det(u) * np.linalg.det(vt))])
    rotation = (u * flip) @ vt
    factor = float((sigma * flip).sum() / ((source - a) ** 2).sum(1).mean())
    return Similarity(factor, rotation, b - factor * rotation @ a)


def path_error(found: F64, true: F64) -> float:
    """Root mean square distance of camera centres after the best similarity, as a share of the length of the path."""
    off = similarity(found, true).points(found) - true
    length = np.linalg.norm(np.diff(true, axis=0), axis=1).sum()
    return float(np.sqrt((off**2).sum(1).mean()) / length)


@dataclass(frozen=True)
class Surface:
    """How two surfaces agree.

    accuracy: share of the found points that lie near the truth. completeness: of the true ones near what was found.
    """

    accuracy: float
    completeness: float

    @property
    def f(self) -> float:
        """Harmonic mean."""
        total = self.accuracy + self.completeness
        return 2 * self.accuracy * self.completeness / total if total > 0 else 0.0


def compared(found: F64, true: F64, within: float) -> Surface:
    """Two surfaces as points (n, 3), near is nearer than ``within``."""
    from scipy.spatial import KDTree

    if not len(found) or not len(true):
        return Surface(0.0, 0.0)
    there = KDTree(true).query(found, distance_upper_bound=within)[0] <= within
    back = KDTree(found).query(true, distance_upper_bound=within)[0] <= within
    return Surface(float(there.mean()), float(back.mean()))


def sampled(mesh: Mesh, spacing: float, seen_only: bool = True) -> F64:
    """Points (n, 3) all over a surface, about one for each square of ``spacing``; what is invented is left out."""
    corners = mesh.vertices[mesh.faces].astype(np.float64)
    if seen_only and mesh.invented is not None:
        corners = corners[~mesh.invented[mesh.faces].any(1)]
    if not len(corners):
        return np.zeros((0, 3))
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1) / 2
    rng = np.random.default_rng(0)
    count = max(1, int(2 * area.sum() / spacing**2))
    which = rng.choice(len(corners), count, p=area / area.sum())
    u, v = rng.random((2, count, 1))
    over = u + v > 1
    u, v = np.where(over, 1 - u, u), np.where(over, 1 - v, v)
    a, b, c = (corners[which, k] for k in range(3))
    points = a + u * (b - a) + v * (c - a)
    cells = np.unique(np.floor(points / (spacing / 2)).astype(np.int64), axis=0, return_index=True)[1]
    return points[cells]


def pictured(mesh: Mesh, view: View) -> tuple[U8, Bool]:
    """What a view sees of a mesh: by its texture, or by the colours of its vertices where it has none.

    Returns:
        (h, w, 3) uint8 and (h, w) where there is a surface.
    """
    corners = mesh.vertices[mesh.faces].astype(np.float64)
    n = len(corners)
    solid = Solid(corners, np.zeros((n, 4, 3)), np.zeros((n, 10)), np.zeros(n, np.int32))
    _, owner = covered(solid, view.pose, view.lens)
    seen = owner >= 0
    m = view.pose.world_from_camera
    mine = owner[seen]
    there = ((corners[mine] - m[:3, 3]) @ m[:3, :3]).transpose(0, 2, 1)
    x, y = rays_of(view.lens)
    parts = np.linalg.solve(there, np.stack([x[seen], y[seen], np.ones(len(mine))], 1)[..., None])[..., 0]
    parts /= parts.sum(1, keepdims=True)
    out = np.zeros((*owner.shape, 3), np.uint8)
    faces = mesh.faces[mine]
    if mesh.texture is not None and mesh.uv is not None:
        h, w = mesh.texture.pixels.shape[:2]
        at = (parts[..., None] * mesh.uv[faces]).sum(1) * [w, h] - 0.5
        # remap takes no more than 32767 in one direction
        rows = np.array_split(at.astype(np.float32), max(1, len(at) // 30000 + 1))
        looked = [cv2.remap(np.asarray(mesh.texture.pixels), r[:, None, 0], r[:, None, 1], cv2.INTER_LINEAR,
                            borderMode=cv2.BORDER_REPLICATE) for r in rows if len(r)]  # fmt: skip
        out[seen] = np.concatenate(looked)[:, 0] if looked else out[seen]
    elif mesh.colors is not None:
        out[seen] = np.rint((parts[..., None] * mesh.colors[faces]).sum(1)).astype(np.uint8)
    return out, seen


def psnr(one: U8, other: U8, where: Bool) -> float:
    """Peak signal to noise in decibels, over some pixels."""
    if not where.any():
        return float("nan")
    error = ((one[where].astype(np.float64) - other[where]) ** 2).mean()
    return float(10 * np.log10(255**2 / max(error, 1e-9)))


def ssim(one: U8, other: U8, where: Bool) -> float:
    """Structural similarity (Wang et al., 2004) of the grey pictures, its mean over some pixels."""
    from skimage.metrics import structural_similarity

    a, b = (cv2.cvtColor(np.where(where[..., None], p, 0).astype(np.uint8), cv2.COLOR_RGB2GRAY) for p in (one, other))
    each = structural_similarity(a, b, full=True, gaussian_weights=True, sigma=1.5, data_range=255)[1]
    return float(each[where].mean()) if where.any() else float("nan")


def overlap(found: NDArray[np.bool_], true: NDArray[np.bool_]) -> float:
    """Intersection over union of two sets of cells."""
    return float((found & true).sum() / max(int((found | true).sum()), 1))
