"""A made place to walk through: a corner of a room with a box in it, photographed by cameras that are known exactly.

The walls carry noise of several finenesses. A picture is made by meeting each ray with each rectangle; ``Lens`` may
distort. World axes: x right, y down, z forward; metres.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from unflat.types.camera import Intrinsics, Pose
from unflat.types.image import Size
from unflat.types.views import Lens, Still, Stills

Array = NDArray[np.float64]
SIZE = Size(320, 240)
_TEXTURE_PX = 512


@dataclass(frozen=True, eq=False)
class Sheet:
    """A textured rectangle: corner + s · across + t · along, s and t in 0..1."""

    corner: Array
    across: Array
    along: Array
    texture: NDArray[np.uint8]


def noise(seed: int) -> NDArray[np.uint8]:
    """(512, 512, 3) blobs of several sizes in many colours."""
    draw = np.random.default_rng(seed)
    total = np.zeros((_TEXTURE_PX, _TEXTURE_PX, 3))
    for cells in (8, 16, 32, 64, 128):
        coarse = draw.normal(size=(cells, cells, 3)).astype(np.float32)
        total += cv2.resize(coarse, (_TEXTURE_PX, _TEXTURE_PX), interpolation=cv2.INTER_CUBIC)
    return np.clip(128 + 28 * total, 0, 255).astype(np.uint8)


def place(seed: int = 0) -> tuple[Sheet, ...]:
    """Floor, back wall, side wall, and a box that stands in front."""
    sheets: list[Sheet] = []

    def add(corner: Sequence[float], across: Sequence[float], along: Sequence[float]) -> None:
        texture = noise(100 * seed + len(sheets))
        sheets.append(Sheet(np.array(corner, float), np.array(across, float), np.array(along, float), texture))

    add((-3, 1.5, 1), (6, 0, 0), (0, 0, 5))
    add((-3, -2, 6), (6, 0, 0), (0, 3.5, 0))
    add((-3, -2, 1), (0, 0, 5), (0, 3.5, 0))
    add((0, 0.3, 3.5), (1.2, 0, 0.3), (0, 1.2, 0))
    add((0, 0.3, 3.5), (-0.3, 0, 1.2), (0, 1.2, 0))
    add((0, 0.3, 3.5), (1.2, 0, 0.3), (-0.3, 0, 1.2))
    return tuple(sheets)


def directions(lens: Lens) -> Array:
    """(h, w, 3) of each pixel's centre, z = 1; distortion is undone by fixed-point steps."""
    pin = lens.intrinsics
    column, row = np.meshgrid(np.arange(pin.size.width) + 0.5, np.arange(pin.size.height) + 0.5)
    seen = np.stack([(column - pin.cx) / pin.fx, (row - pin.cy) / pin.fy])
    x, y = seen
    for _ in range(30):
        rr = x * x + y * y
        radial = 1 + lens.k1 * rr + lens.k2 * rr * rr
        aside = np.stack(
            [2 * lens.p1 * x * y + lens.p2 * (rr + 2 * x * x), lens.p1 * (rr + 2 * y * y) + 2 * lens.p2 * x * y]
        )
        x, y = (seen - aside) / radial
    return np.stack([x, y, np.ones_like(x)], axis=-1)


def photograph(sheets: Sequence[Sheet], lens: Lens, pose: Pose) -> NDArray[np.uint8]:
    """The picture that a camera takes; grey where nothing is."""
    rays = directions(lens) @ pose.world_from_camera[:3, :3].T
    nearest = np.full(rays.shape[:2], np.inf)
    picture = np.full(rays.shape, 128, np.uint8)
    for sheet in sheets:
        normal = np.cross(sheet.across, sheet.along)
        with np.errstate(divide="ignore", invalid="ignore"):
            far = ((sheet.corner - pose.centre) @ normal) / (rays @ normal)
            at = pose.centre + far[..., None] * rays - sheet.corner
            s, t = (at @ axis / (axis @ axis) for axis in (sheet.across, sheet.along))
            hit = (far > 0) & (far < nearest) & (s >= 0) & (s <= 1) & (t >= 0) & (t <= 1)
        nearest[hit] = far[hit]
        where = [np.where(hit, axis, 0).astype(np.float32) * _TEXTURE_PX - 0.5 for axis in (s, t)]
        painted = cv2.remap(sheet.texture, *where, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        picture[hit] = painted[hit]
    return picture


def looking(eye: Sequence[float], at: Sequence[float]) -> Pose:
    """A camera that stands upright at ``eye`` and looks at a point."""
    place, forward = np.asarray(eye, float), np.asarray(at, float) - np.asarray(eye, float)
    forward /= np.linalg.norm(forward)
    right = np.cross([0, 1, 0], forward)
    right /= np.linalg.norm(right)
    pose = np.eye(4)
    pose[:3, :3] = np.stack([right, np.cross(forward, right), forward], axis=1)
    pose[:3, 3] = place
    return Pose(pose)


def walk(count: int) -> list[Pose]:
    """Cameras along an arc, all looking at the box."""
    return [
        looking((2.2 * np.sin(a), -0.3 + 0.15 * np.cos(3 * a), 2.6 - 2.4 * np.cos(a)), (0.1, 0.5, 4.2))
        for a in np.linspace(-0.55, 0.55, count)
    ]


def lens(focal: float = 300.0, size: Size = SIZE, k1: float = 0.0) -> Lens:
    """Square pixels, the principal point in the middle."""
    return Lens(Intrinsics.from_focal(focal, size), k1)


def stills(
    poses: Sequence[Pose], optics: Lens, sheets: Sequence[Sheet], *, known: Lens | None = None, prefix: str = ""
) -> Stills:
    """Photographs of a place, taken by one camera.

    Args:
        poses: Where it stood.
        optics: Its true lens.
        sheets: The place.
        known: What the stills tell of their lens.
        prefix: Of their names.
    """
    size = optics.intrinsics.size
    items: list[Still] = []
    for number, pose in enumerate(poses):
        taken = photograph(sheets, optics, pose)
        items.append(
            Still(f"{prefix}{number:02d}.png", size, lambda taken=taken: taken, camera=prefix or "camera", lens=known)
        )
    return Stills(tuple(items), ordered=False)


def path_error(found: Sequence[Array], true: Sequence[Array]) -> float:
    """Root mean square distance after the best similarity (Umeyama 1991), over the length of the true path."""
    a, b = (np.array(p) - np.mean(p, axis=0) for p in (found, true))
    u, spread, vt = np.linalg.svd(b.T @ a)
    flip = np.diag([1, 1, np.linalg.det(u @ vt)])
    factor = np.trace(np.diag(spread) @ flip) / (a**2).sum()
    left = b - factor * a @ (u @ flip @ vt).T
    return float(np.sqrt((left**2).sum(1).mean()) / np.linalg.norm(np.diff(b, axis=0), axis=1).sum())
