"""Two rooms with a doorway between them, known exactly: pictures, views, sparse points, and the scene they should give.

The floor is y = 0 and y points down (``Frame.LEVEL_RDF``). The outer walls stand at x = 0 and 6, z = 0 and 4, the
ceiling at y = -2.6; a wall at x = 3.5 leaves a doorway from z = 1.5 to 2.5, 2 m high. A table of 1.2 m × 0.7 m stands
in the first room. One piece of the floor is missing, where nobody looked.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from unflat.types import (
    Camera,
    Frame,
    Image,
    Intrinsics,
    Lens,
    Mesh,
    Node,
    Pose,
    Provenance,
    Reconstruction,
    Scale,
    Scene,
    Size,
    Source,
    SparsePoints,
    Step,
    Still,
    Track,
    View,
)
from unflat.types.arrays import F64, U8

WIDE, DEEP, HIGH = 6.0, 4.0, 2.6
DIVIDER, DOOR = 3.5, (1.5, 2.5)
TABLE = ((1.0, 2.6), (2.2, 3.3), 0.75)
"""The corners (x, z) of the table and its height."""
HOLE = ((4.5, 0.5), (5.25, 1.0))
"""The corners (x, z) of the missing piece of the floor."""
EYE = 1.5
SIZE = Size(160, 120)
_TILE = 128


@dataclass(frozen=True, slots=True, eq=False)
class Rectangle:
    """A piece of the world: ``corner + u · across + v · along``, seen from where ``across`` × ``along`` points."""

    corner: F64
    across: F64
    along: F64
    hue: int


Vector = tuple[float, float, float]


@cache
def rectangles() -> tuple[Rectangle, ...]:
    """Floor, ceiling, walls, the wall with the doorway, and the table."""
    found: list[Rectangle] = []

    def add(corner: Vector, across: Vector, along: Vector, front: F64) -> None:
        if front @ np.cross(across, along) < 0:
            across, along = along, across
        found.append(Rectangle(*(np.array(v, np.float64) for v in (corner, across, along)), hue=len(found)))

    x, y, z = np.eye(3)
    up: Vector = (0, -HIGH, 0)
    (left, near), (right, far) = HOLE
    pieces = ((0.0, 0.0, left, DEEP), (right, 0.0, WIDE, DEEP), (left, 0.0, right, near), (left, far, right, DEEP))
    for x0, z0, x1, z1 in pieces:
        add((x0, 0, z0), (x1 - x0, 0, 0), (0, 0, z1 - z0), -y)
    add((0, -HIGH, 0), (WIDE, 0, 0), (0, 0, DEEP), y)
    add((0, 0, DEEP), (WIDE, 0, 0), up, -z)
    add((WIDE, 0, 0), (-WIDE, 0, 0), up, z)
    add((0, 0, 0), (0, 0, DEEP), up, x)
    add((WIDE, 0, DEEP), (0, 0, -DEEP), up, -x)
    for z0, z1, top, bottom in ((0.0, DOOR[0], -HIGH, 0.0), (DOOR[1], DEEP, -HIGH, 0.0), (*DOOR, -HIGH, -2.0)):
        add((DIVIDER, bottom, z1), (0, 0, z0 - z1), (0, top - bottom, 0), -x)
        add((DIVIDER + 0.1, bottom, z0), (0, 0, z1 - z0), (0, top - bottom, 0), x)
    (x0, z0), (x1, z1), top = TABLE
    tall: Vector = (0, -top, 0)
    add((x0, -top, z0), (0, 0, z1 - z0), (x1 - x0, 0, 0), -y)
    add((x1, 0, z0), (x0 - x1, 0, 0), tall, -z)
    add((x0, 0, z1), (x1 - x0, 0, 0), tall, z)
    add((x0, 0, z0), (0, 0, z1 - z0), tall, -x)
    add((x1, 0, z1), (0, 0, z0 - z1), tall, x)
    return tuple(found)


@cache
def tiles() -> U8:
    """(n, 128, 128, 3) one picture for each rectangle: soft blots on a colour of its own, with a frame."""
    rng = np.random.default_rng(5)
    made: list[U8] = []
    ramp = (np.arange(_TILE) + 0.5) / _TILE
    for rectangle in rectangles():
        turn = rectangle.hue * 2.399
        tile = np.full((_TILE, _TILE, 3), [140 + 60 * np.cos(turn + k * 2.1) for k in range(3)])
        for _ in range(14):
            u, v, r = rng.random(), rng.random(), 0.04 + 0.12 * rng.random()
            blot = np.exp(-((ramp[None] - u) ** 2 + (ramp[:, None] - v) ** 2) / r**2)
            tile += blot[..., None] * rng.uniform(-90, 90, 3)
        tile[:4], tile[-4:], tile[:, :4], tile[:, -4:] = 60, 60, 60, 60
        made.append(tile.clip(0, 255).astype(np.uint8))
    return np.stack(made)


def hits(origin: F64, rays: F64) -> tuple[F64, np.ndarray, F64]:
    """How far rays go (multiples of their length; infinite where they hit nothing), which rectangle, and where on it.

    Args:
        origin: (3,).
        rays: (n, 3).
    """
    best, which, where = np.full(len(rays), np.inf), np.full(len(rays), -1), np.zeros((len(rays), 2))
    for at, each in enumerate(rectangles()):
        normal = np.cross(each.across, each.along)
        with np.errstate(divide="ignore", invalid="ignore"):
            t = normal @ (each.corner - origin) / (rays @ normal)
            p = origin + t[:, None] * rays - each.corner
            uv = np.stack(
                [p @ each.across / (each.across @ each.across), p @ each.along / (each.along @ each.along)], 1
            )
            good = (t > 1e-6) & (t < best) & ((uv >= 0) & (uv <= 1)).all(1)
        best[good], which[good], where[good] = t[good], at, uv[good]
    return best, which, where


def pose(x: float, z: float, yaw_deg: float, pitch_deg: float = 0.0, height: float = EYE) -> Pose:
    """Level cameras: yaw 0 looks along +z, positive yaw to the right, positive pitch up."""
    a, b = np.radians(yaw_deg), np.radians(pitch_deg)
    yaw = np.array([[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]])
    pitch = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    world_from_camera = np.eye(4)
    world_from_camera[:3, :3] = yaw @ pitch
    world_from_camera[:3, 3] = x, -height, z
    return Pose(world_from_camera)


def photograph(camera: Camera, finer: int = 1) -> U8:
    """What a camera sees, (h, w, 3) sRGB; black where there is nothing. Each pixel is the mean of ``finer``² rays."""
    if finer > 1:
        size = camera.intrinsics.size
        large = camera.intrinsics.resized(Size(size.width * finer, size.height * finer))
        fine = photograph(Camera(large, camera.pose)).reshape(size.height, finer, size.width, finer, 3)
        return fine.mean(axis=(1, 3)).round().astype(np.uint8)
    seen = camera.intrinsics
    u, v = np.meshgrid(np.arange(seen.size.width) + 0.5, np.arange(seen.size.height) + 0.5)
    rays = np.stack([(u - seen.cx) / seen.fx, (v - seen.cy) / seen.fy, np.ones_like(u)], -1).reshape(-1, 3)
    world = camera.pose.world_from_camera
    distance, which, where = hits(world[:3, 3], rays @ world[:3, :3].T)
    colors = _looked_up(which, where)
    colors[~np.isfinite(distance)] = 0
    return colors.reshape(*seen.size.shape, 3).round().astype(np.uint8)


def _looked_up(which: np.ndarray, where: F64) -> F64:
    """Colours between the centres of the texels of a tile; the outermost lie on its rim, as in :func:`mesh`."""
    place = (where * (_TILE - 1)).clip(0, _TILE - 1.001)
    x, y = place.astype(int).T
    fx, fy = (place - place.astype(int)).T[..., None]
    t = tiles().astype(np.float64)
    above = t[which, y, x] * (1 - fx) + t[which, y, x + 1] * fx
    below = t[which, y + 1, x] * (1 - fx) + t[which, y + 1, x + 1] * fx
    return above * (1 - fy) + below * fy


SPOTS = (
    (0.8, 0.8, 40), (1.6, 0.8, 10), (2.6, 0.9, -30), (2.8, 1.8, 250), (2.7, 2.0, 90), (3.2, 2.0, 80),
    (4.2, 2.0, 60), (4.8, 2.6, 20), (5.2, 3.2, 180), (5.0, 3.0, 230), (4.3, 2.4, 270), (2.2, 1.6, 200),
)  # fmt: skip
"""Where the pictures are taken: x, z, yaw in degrees; through the doorway and back."""


def cameras(size: Size = SIZE) -> tuple[Camera, ...]:
    """A dozen, on a walk through both rooms."""
    lens = Intrinsics(size.width * 0.8, size.width * 0.81, size.width * 0.51, size.height * 0.48, size)
    return tuple(Camera(lens, pose(x, z, yaw, -5), f"{at:06d}") for at, (x, z, yaw) in enumerate(SPOTS))


def mesh(split: int = 1) -> Mesh:
    """The rectangles with one picture for all, each of them ``split`` × ``split`` squares of two triangles."""
    columns = int(np.ceil(np.sqrt(len(rectangles()))))
    rows = -(-len(rectangles()) // columns)
    atlas = np.zeros((rows * _TILE, columns * _TILE, 3), np.uint8)
    vertices: list[F64] = []
    faces: list[np.ndarray] = []
    uv: list[F64] = []
    ramp = np.linspace(0, 1, split + 1)
    u, v = (grid.reshape(-1, 1) for grid in np.meshgrid(ramp, ramp))
    at = np.arange(split * (split + 1)).reshape(split, split + 1)[:, :-1].reshape(-1)
    squares = np.stack([at, at + 1, at + split + 2, at, at + split + 2, at + split + 1], 1).reshape(-1, 3)
    inset = 0.5 / _TILE
    for number, (each, tile) in enumerate(zip(rectangles(), tiles(), strict=True)):
        row, column = divmod(number, columns)
        atlas[row * _TILE : (row + 1) * _TILE, column * _TILE : (column + 1) * _TILE] = tile
        faces.append(squares + number * len(u))
        vertices.append(each.corner + u * each.across + v * each.along)
        within = np.hstack([u, v]).clip(inset, 1 - inset)
        uv.append((within + np.array([column, row])) / [columns, rows])
    texture = Image(atlas, source=Source.array("atlas"))
    return Mesh(
        np.concatenate(vertices).astype(np.float32),
        np.concatenate(faces).astype(np.uint32),
        uv=np.concatenate(uv).astype(np.float32),
        confidence=np.full(sum(map(len, vertices)), 0.9, np.float32),
        texture=texture,
    )


def scene(scale: Scale | None = None) -> Scene:
    """The walkable scene of the rooms, with the walk as its track."""
    taken = cameras()
    story = Provenance(
        tuple(Source(f"{c.name}.jpg", "ab" * 32, "jpeg") for c in taken), (Step("track_cameras"),), "0.1.0", False
    )
    walk = Track.of(taken, [0.5 * at for at in range(len(taken))], "walk")
    known = scale or Scale("known-length", 0.99, 1.01, detail="a door, 2.0 m")
    return Scene((Node("surface", mesh()),), taken, Frame.LEVEL_RDF, known, story, tracks=(walk,))


@cache
def reconstruction() -> Reconstruction:
    """The same as views with their pictures and sparse points; the last view is one of a second camera."""
    views: list[View] = []
    for at, camera in enumerate(cameras()):
        size = SIZE if at < len(SPOTS) - 1 else Size(120, 90)
        lens = camera.intrinsics.resized(size)
        placed = Camera(lens, camera.pose, camera.name)
        still = Still(
            camera.name,
            size,
            lambda placed=placed: photograph(placed),
            camera="one" if size == SIZE else "two",
            seconds=at / 10,
            source=Source(f"{camera.name}.jpg", "ab" * 32, "jpeg"),
        )
        views.append(View(still, Lens(lens), camera.pose, 0.3))
    scale = Scale("known-length", 0.99, 1.01, detail="a door, 2.0 m")
    return Reconstruction(tuple(views), _sparse(views), scale=scale, level=True, notes=("a room of our own",))


def _sparse(views: list[View]) -> SparsePoints:
    """Points on the rectangles that two views at least can see."""
    rng = np.random.default_rng(7)
    xyz, colors = [], []
    for number, each in enumerate(rectangles()):
        uv = rng.random((12, 2))
        xyz.append(each.corner + uv[:, :1] * each.across + uv[:, 1:] * each.along)
        colors.append(_looked_up(np.full(12, number), uv).astype(np.uint8))
    points = np.concatenate(xyz)
    seen: list[tuple[int, int, float, float]] = []
    for at, view in enumerate(views):
        world, lens = view.pose.world_from_camera, view.lens.intrinsics
        rays = points - world[:3, 3]
        local = rays @ world[:3, :3]
        pixel = local[:, :2] / local[:, 2:] * [lens.fx, lens.fy] + [lens.cx, lens.cy]
        free = hits(world[:3, 3], rays)[0] > 0.999
        inside = (local[:, 2] > 0.1) & (pixel > 0).all(1) & (pixel < [lens.size.width, lens.size.height]).all(1)
        seen += [(at, int(p), float(pixel[p, 0]), float(pixel[p, 1])) for p in np.flatnonzero(free & inside)]
    counts = np.bincount([point for _, point, *_ in seen], minlength=len(points))
    number = np.where(counts > 1, np.cumsum(counts > 1) - 1, -1)
    rows = [row for row in seen if counts[row[1]] > 1]
    return SparsePoints(
        points[counts > 1],
        np.concatenate(colors)[counts > 1],
        np.full(np.count_nonzero(counts > 1), 0.3, np.float32),
        np.array([view for view, *_ in rows], np.int32),
        np.array([number[point] for _, point, *_ in rows], np.int32),
        np.array([pixel for *_, u, v in rows for pixel in [(u, v)]], np.float32),
    )
