"""Known films and photographs of known places: exact cameras, depth and surface (see ``scan_draw`` for the pictures).

A place stands in the axes that a finished scan has: y down along gravity, the floor at y = 0, metres.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray
from tests.scan_draw import MOVER, STATIC, SUBJECT, Array, Light, Solid, bent, covered, drawn, rays_of

from unflat.types.camera import Intrinsics, Pose
from unflat.types.depth import DepthKind, DepthMap
from unflat.types.image import Size
from unflat.types.views import Lens, Reconstruction, SparsePoints, Still, Stills, View, ViewDepth

Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Trouble:
    """What a real camera does to a film.

    noise: standard deviation of a mid grey, in codes of 255. shutter: share of the time between two frames in which it
    is open. exposure: stops by which the automatic swings up and down. focus: the largest blur of a pumping autofocus,
    standard deviation in pixels. jpeg: quality, 0 for none.
    """

    noise: float = 0.0
    shutter: float = 0.0
    exposure: float = 0.0
    focus: float = 0.0
    jpeg: int = 0


@dataclass(frozen=True)
class KnownFilm:
    """A place, and a camera that moves through it.

    path: the camera's pose at a time counted in frames. figure: what moves there by itself, at that time.
    """

    name: str
    solid: Solid
    light: Light
    lens: Lens
    count: int
    path: Callable[[float], Pose]
    fps: float = 15.0
    figure: Callable[[float], Solid] | None = None
    trouble: Trouble = field(default_factory=Trouble)
    ordered: bool = True
    seed: int = 0

    @cached_property
    def poses(self) -> tuple[Pose, ...]:
        return tuple(self.path(float(i)) for i in range(self.count))

    def _at(self, time: float) -> Solid:
        return self.solid if self.figure is None else Solid.of(self.solid, self.figure(time).owned(MOVER))

    def _nudged(self, k: int) -> Lens:
        inside = self.lens.intrinsics
        dx, dy = ((0.25, -0.25)[k // j % 2] for j in (1, 2))
        return replace(self.lens, intrinsics=replace(inside, cx=inside.cx + dx, cy=inside.cy + dy))

    def frame(self, i: int) -> NDArray[np.uint8]:
        """(h, w, 3) sRGB."""
        t, trouble = float(i), self.trouble
        if trouble.shutter > 0:  # each moment's rays pass another spot of the pixel
            moments = t + trouble.shutter * ((np.arange(8) + 0.5) / 8 - 0.5)
            light = np.mean([drawn(self._at(s), self.path(s), self._nudged(k), self.light, 1)
                             for k, s in enumerate(moments)], 0)  # fmt: skip
        else:
            light = drawn(self._at(t), self.path(t), self.lens, self.light)
        rng = np.random.default_rng([self.seed, i])
        light *= 2 ** (trouble.exposure * np.sin(0.11 * t + self.seed))
        sigma = trouble.focus * max(0.0, np.sin(0.23 * t + 1 + self.seed)) ** 4
        if sigma > 0.1:
            light = cv2.GaussianBlur(light, (0, 0), sigma)
        light = light / (1 + 0.25 * light)
        code = 255 * np.where(light < 0.0031308, 12.92 * light, 1.055 * np.maximum(light, 1e-6) ** (1 / 2.4) - 0.055)
        code += trouble.noise * np.sqrt(np.maximum(code, 10) / 118) * rng.standard_normal(code.shape)
        picture = np.clip(np.rint(code), 0, 255).astype(np.uint8)
        if trouble.jpeg:
            packed = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, trouble.jpeg])[1]
            picture = np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8)[..., ::-1].copy()
        return picture

    def seen(self, i: int) -> tuple[Array, NDArray[np.int32]]:
        """(h, w) z of what is seen through each pixel's centre, inf for the sky; and whose it is, -1 for the sky."""
        solid = self._at(float(i))
        inverse, owner = covered(solid, self.poses[i], self.lens)
        with np.errstate(divide="ignore"):
            return 1 / inverse, np.where(owner >= 0, solid.whose[owner], -1)

    def depth(self, i: int) -> DepthMap:
        """METRIC; without what moves by itself, and the sky as sky. The lens must be a pinhole."""
        z, whose = self.seen(i)
        sky = whose < 0
        still = whose != MOVER
        return DepthMap(
            z.astype(np.float32), DepthKind.METRIC, valid=still, sky=sky if sky.any() else None,
            intrinsics=self.lens.intrinsics, origin=f"world {self.name}",
        )  # fmt: skip

    def subject(self, i: int) -> Bools:
        """(h, w) where the object stands that the film is about."""
        return self.seen(i)[1] == SUBJECT

    def still(self, i: int, told: bool = False, cut_out: bool = False) -> Still:
        """One frame as a still; ``told``: its lens is known; ``cut_out``: its mask is the subject."""
        return Still(
            f"{i:06d}",
            self.lens.intrinsics.size,
            read=lambda: self.frame(i),
            lens=self.lens if told else None,
            seconds=i / self.fps if self.ordered else None,
            mask=(lambda: self.subject(i)) if cut_out else None,
        )

    def stills(self, step: int = 1, told: bool = False, cut_out: bool = False) -> Stills:
        return Stills(tuple(self.still(i, told, cut_out) for i in range(0, self.count, step)), self.ordered)

    def view(self, i: int, cut_out: bool = False) -> View:
        return View(self.still(i, True, cut_out), self.lens, self.poses[i], error_px=0.0)

    def view_depth(self, i: int) -> ViewDepth:
        """What a perfect dense stage would say of a frame."""
        depth = self.depth(i)
        sure = np.where(depth.surface, np.float32(1), np.float32(0))
        return ViewDepth(self.view(i), replace(depth, confidence=sure))

    def surface(self, spacing: float, step: int = 1, whose: tuple[int, ...] = (STATIC, SUBJECT)) -> Array:
        """(n, 3) points of the surface that the frames saw, one in each cube of ``spacing`` metres."""
        cubes: dict[tuple[int, int, int], Array] = {}
        for i in range(0, self.count, step):
            z, owner = self.seen(i)
            keep = np.isin(owner, whose)
            xyz = lifted(z, self.lens, self.poses[i])[keep]
            keys, first = np.unique(np.floor(xyz / spacing).astype(np.int64), axis=0, return_index=True)
            for key, at in zip(map(tuple, keys.tolist()), first, strict=True):
                cubes.setdefault(key, xyz[at])
        return np.array(list(cubes.values())).reshape(-1, 3)

    def reconstruction(self, step: int = 1, points: int = 400, noise_px: float = 0.0) -> Reconstruction:
        """The true cameras, and points of the surface as they are seen, their pixels off by ``noise_px``."""
        rng = np.random.default_rng(self.seed)
        numbers = range(0, self.count, step)
        cloud, seen = [], []
        each = max(1, points // len(numbers))
        for i in numbers:
            z, owner = self.seen(i)
            rows, columns = np.nonzero((owner >= 0) & (owner != MOVER))
            some = rng.choice(len(rows), min(each, len(rows)), replace=False)
            cloud.append(lifted(z, self.lens, self.poses[i])[rows[some], columns[some]])
        xyz = np.concatenate(cloud)
        for k, i in enumerate(numbers):
            pixel, z = projected(xyz, self.lens, self.poses[i])
            size = self.lens.intrinsics.size
            inside = (z > 0.05) & (pixel >= 0).all(1) & (pixel < [size.width, size.height]).all(1)
            at = np.where(inside[:, None], pixel, 0).astype(int)
            front = inside & (np.abs(self.seen(i)[0][at[:, 1], at[:, 0]] / z - 1) < 0.02)
            which = np.flatnonzero(front)
            wrong = noise_px * rng.standard_normal((len(which), 2))
            seen.append((np.full(len(which), k), which, pixel[which] + wrong))
        view, point, pixel = (np.concatenate(s) for s in zip(*seen, strict=True))
        sparse = SparsePoints(
            xyz, np.full((len(xyz), 3), 128, np.uint8), np.full(len(xyz), noise_px, np.float32),
            view.astype(np.int32), point.astype(np.int32), pixel.astype(np.float32),
        )  # fmt: skip
        views = tuple(replace(self.view(i), error_px=noise_px) for i in numbers)
        return Reconstruction(views, sparse, level=True)


def lifted(z: Array, lens: Lens, pose: Pose) -> Array:
    """(h, w, 3) points of the world that are seen through the pixels' centres at z (h, w)."""
    ray = np.stack([*rays_of(lens), np.ones(z.shape)], -1)
    with np.errstate(invalid="ignore"):
        return (ray * z[..., None]) @ pose.world_from_camera[:3, :3].T + pose.centre


def projected(xyz: Array, lens: Lens, pose: Pose) -> tuple[Array, Array]:
    """(n, 2) pixels of points of the world, and their z."""
    seen = (xyz - pose.centre) @ pose.world_from_camera[:3, :3]
    z = seen[:, 2]
    safe = np.where(z > 1e-6, z, 1.0)
    x, y = bent(lens, seen[:, 0] / safe, seen[:, 1] / safe)
    k = lens.intrinsics
    return np.stack([x * k.fx + k.cx, y * k.fy + k.cy], 1), z


def looking(eye: Array, target: Array, roll: float = 0.0) -> Pose:
    """A camera at ``eye`` that has ``target`` in its middle, its x axis level but for ``roll`` radians."""
    z = np.asarray(target, np.float64) - eye
    z = z / np.linalg.norm(z)
    x = np.cross([0.0, 1.0, 0.0], z)
    x /= np.linalg.norm(x)
    y = np.cross(z, x)
    c, s = np.cos(roll), np.sin(roll)
    pose = np.eye(4)
    pose[:3] = np.stack([c * x + s * y, c * y - s * x, z, np.asarray(eye, np.float64)], 1)
    return Pose(pose)


def lens_of(size: Size, fov_deg: float, k1: float = 0.0, k2: float = 0.0) -> Lens:
    """A lens of that angle across the width."""
    return Lens(Intrinsics.from_fov(fov_deg, size), k1, k2)
