"""Known worlds: small scenes whose depth is exact, for the laws.

Every world is rendered by intersecting the ray of each pixel centre with its surfaces, the nearest one winning.
Camera axes are x right, y down, z forward; lengths are metres.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unflat.geometry.projection import rays
from unflat.types.camera import Intrinsics
from unflat.types.depth import DepthKind, DepthMap
from unflat.types.image import Image, Size

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Shape:
    """One surface: where a ray (z = 1) meets it as z (inf: never), and how far points are from it (metres)."""

    z_of: Callable[[Array], Array]
    distance: Callable[[Array], Array]


def plane(normal: tuple[float, float, float], offset: float) -> Shape:
    """All X with normal · X = offset."""
    n = np.asarray(normal, dtype=np.float64) / np.linalg.norm(normal)

    def z_of(ray: Array) -> Array:
        with np.errstate(divide="ignore"):
            z = offset / (ray @ n)
        return np.where(z > 0, z, np.inf)

    return Shape(z_of, lambda xyz: np.abs(xyz @ n - offset))


def sphere(centre: tuple[float, float, float], radius: float) -> Shape:
    """The front side of a sphere."""
    c = np.asarray(centre, dtype=np.float64)

    def z_of(ray: Array) -> Array:
        a = (ray**2).sum(-1)
        b = ray @ c
        root = b**2 - a * (c @ c - radius**2)
        return np.where(root > 0, (b - np.sqrt(np.maximum(root, 0))) / a, np.inf)

    return Shape(z_of, lambda xyz: np.abs(np.linalg.norm(xyz - c, axis=-1) - radius))


def panel(z: float, left: float, right: float, top: float, bottom: float) -> Shape:
    """A rectangle facing the camera at depth ``z``; the bounds are metres in x and y."""

    def z_of(ray: Array) -> Array:
        x, y = ray[..., 0] * z, ray[..., 1] * z
        return np.where((x >= left) & (x < right) & (y >= top) & (y < bottom), z, np.inf)

    return Shape(z_of, lambda xyz: np.abs(xyz[..., 2] - z))


@dataclass(frozen=True)
class World:
    """A rendered world.

    Attributes:
        name: What it is called.
        depth: METRIC, with intrinsics; sky where no surface is hit.
        labels: (h, w) int: which shape each pixel shows, -1 for sky.
        shapes: The surfaces.
    """

    name: str
    depth: DepthMap
    labels: NDArray[np.int64]
    shapes: tuple[Shape, ...]

    def distances(self, xyz: NDArray[np.floating]) -> Array:
        """(n, 3) points -> (n, shapes) metres to every surface."""
        return np.stack([shape.distance(np.asarray(xyz, dtype=np.float64)) for shape in self.shapes], axis=-1)

    def picture(self, size: Size | None = None) -> Image:
        """A picture of the world: one colour per surface (blue sky) times a fine gradient."""
        size = size or self.depth.size
        h, w = size.shape
        rows = (np.arange(h) * self.depth.size.height) // h
        columns = (np.arange(w) * self.depth.size.width) // w
        table = np.array([[200, 90, 60], [90, 170, 80], [190, 180, 90], [150, 90, 170], [90, 90, 90], [80, 140, 230]])
        colours = table[self.labels[np.ix_(rows, columns)]].astype(np.float64)
        shade = 0.8 + 0.2 * (np.arange(w) / w)[None, :, None] * (np.arange(h) / h)[:, None, None]
        return Image(np.round(colours * shade).astype(np.uint8))


def render(name: str, shapes: tuple[Shape, ...], camera: Intrinsics) -> World:
    """Intersect every pixel centre's ray with all surfaces."""
    h, w = camera.size.shape
    x, y = np.meshgrid(np.arange(w) + 0.5, np.arange(h) + 0.5)
    ray = rays(np.stack([x, y], axis=-1), camera)
    z = np.stack([shape.z_of(ray) for shape in shapes])
    nearest = z.min(axis=0)
    labels = np.where(np.isfinite(nearest), z.argmin(axis=0), -1)
    sky = labels < 0
    depth = DepthMap(
        nearest.astype(np.float32),
        DepthKind.METRIC,
        sky=sky if sky.any() else None,
        intrinsics=camera,
        origin=f"world {name}",
    )
    return World(name, depth, labels, shapes)


def camera(width: int = 160, height: int = 120, fov_deg: float = 60.0) -> Intrinsics:
    """A plain camera."""
    return Intrinsics.from_fov(fov_deg, Size(width, height))


def wall(cam: Intrinsics | None = None) -> World:
    """A plane straight ahead at 2 m."""
    return render("wall", (plane((0, 0, 1), 2.0),), cam or camera())


def slanted(cam: Intrinsics | None = None) -> World:
    """A plane turned 55 degrees away: z runs from 2 m to about 20 m."""
    turn = np.radians(55.0)
    return render("slanted", (plane((np.sin(turn), 0.1, np.cos(turn)), 2.0),), cam or camera())


def ground(cam: Intrinsics | None = None) -> World:
    """A floor 1.5 m below the eye up to the horizon in the middle of the picture, sky above."""
    return render("ground", (plane((0, 1, 0), 1.5),), cam or camera())


def ball(cam: Intrinsics | None = None) -> World:
    """A sphere of 0.5 m at 2.5 m before a wall at 4 m."""
    return render("ball", (sphere((0.1, -0.1, 2.5), 0.5), plane((0, 0, 1), 4.0)), cam or camera())


def room(cam: Intrinsics | None = None) -> World:
    """Floor, back wall and a side wall meeting in creases: nothing to cut."""
    return render("room", (plane((0, 1, 0), 1.2), plane((0, 0, 1), 4.0), plane((1, 0, 0), 1.6)), cam or camera())


def stairs(cam: Intrinsics | None = None) -> World:
    """Five panels, each 0.5 m behind the one before it and sticking out above it, before a wall."""
    steps = tuple(panel(2.0 + 0.5 * i, -1.0, 1.0, 0.6 - 0.35 * i, 3.0) for i in range(4))
    return render("stairs", (*steps, plane((0, 0, 1), 6.0)), cam or camera())


def pole(cam: Intrinsics | None = None, pixels: float = 2.0) -> World:
    """A pole ``pixels`` wide at 2 m before a wall at 5 m."""
    cam = cam or camera()
    half = pixels / 2 / cam.fx * 2.0
    shapes = (panel(2.0, 0.02 - half, 0.02 + half, -0.7, 3.0), plane((0, 0, 1), 5.0))
    return render("pole", shapes, cam)


def landscape(cam: Intrinsics | None = None) -> World:
    """Ground to the horizon, a ball standing on it, and a far hill; sky above."""
    shapes = (plane((0, 1, 0), 1.5), sphere((0.6, 0.9, 5.0), 0.6), sphere((-30.0, 12.0, 90.0), 25.0))
    return render("landscape", shapes, cam or camera())


WORLDS: dict[str, Callable[[], World]] = {
    "wall": wall,
    "slanted": slanted,
    "ground": ground,
    "ball": ball,
    "room": room,
    "stairs": stairs,
    "pole": pole,
    "landscape": landscape,
}
