"""Triangles into pixels against a slow definition: coverage, depth, texture coordinates, the near plane, bands."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import worlds
from unflat.geometry.projection import rays
from unflat.geometry.raster import NEAREST, Canvas, Placed, placed
from unflat.types.camera import Camera, Pose

Array = NDArray[np.float64]
DOUBTFUL = 1e-6
"""Of twice a triangle's area: pixel centres this near to an edge may be told either way."""


def flat(corners: object, faces: object) -> Placed:
    """Triangles in pixels whose texture coordinates are their pixel coordinates over 100."""
    at = np.asarray(corners, np.float32)
    return Placed(at, np.asarray(faces, np.uint32), at[:, :2] / np.float32(100))


def uv_of(canvas: Canvas, number: int, uv: NDArray[np.float32]) -> NDArray[np.float32]:
    """(h, w, 2) texture coordinates as the canvas carries them from the vertices to the pixels; 0 elsewhere."""
    found = np.zeros((2, *canvas.face.shape), np.float32)
    for channel in range(2):
        canvas.values(number, np.ascontiguousarray(uv[:, channel]), found[channel])
    return np.moveaxis(found, 0, -1)


def shares(triangle: Array, height: int, width: int) -> tuple[Array, float]:
    """(h, w, 3) barycentric coordinates of the pixel centres, by areas, and twice the triangle's area."""
    y, x = np.mgrid[:height, :width] + 0.5
    (ax, ay), (bx, by), (cx, cy) = triangle[:, :2]
    area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
    a = (bx - x) * (cy - y) - (by - y) * (cx - x)
    b = (cx - x) * (ay - y) - (cy - y) * (ax - x)
    c = (ax - x) * (by - y) - (ay - y) * (bx - x)
    return np.stack([a, b, c], axis=-1) / (area if area else np.nan), float(area)


def drawn(mesh: Placed, height: int, width: int) -> tuple[Array, NDArray[np.int64], NDArray[np.bool_]]:
    """The definition: inverse depth, triangle (-1 none), and where neither is certain."""
    best, which = np.zeros((height, width)), np.full((height, width), -1)
    doubt = np.zeros((height, width), bool)
    for f, face in enumerate(mesh.faces.astype(int)):
        corners = mesh.corners[face].astype(np.float64)
        share, area = shares(corners, height, width)
        if area == 0:
            continue
        inside = (share >= 0).all(axis=-1)
        doubt |= (np.abs(share) < DOUBTFUL).any(axis=-1) & (share > -DOUBTFUL).all(axis=-1)
        z = share @ corners[:, 2]
        doubt |= inside & (which >= 0) & (np.abs(z - best) < 1e-5 * (np.abs(z) + best))
        nearer = inside & (z > best)
        best[nearer], which[nearer] = z[nearer], f
    return best, which, doubt


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_random_triangles_equal_the_definition(seed: int) -> None:
    rng = np.random.default_rng(seed)
    height, width, n = int(rng.integers(1, 40)), int(rng.integers(1, 40)), int(rng.integers(1, 9))
    corners = np.column_stack([rng.uniform(-30, 60, (3 * n, 2)), rng.uniform(0.1, 2, 3 * n)])
    mesh = flat(corners, np.arange(3 * n).reshape(n, 3))
    canvas = Canvas(height, width)
    canvas.draw(mesh)
    best, which, doubt = drawn(mesh, height, width)
    np.testing.assert_array_equal(canvas.face[~doubt], which[~doubt])
    np.testing.assert_allclose(canvas.inverse[~doubt], best[~doubt], rtol=2e-5, atol=1e-6)
    np.testing.assert_array_equal(canvas.inverse > 0, canvas.face >= 0)


def edge_through(rng: np.random.Generator, kind: str, side: int) -> tuple[Array, Array]:
    """Two ends of an edge that pixel centres may lie on exactly."""
    if kind == "anywhere":
        return rng.uniform(0, side, 2), rng.uniform(0, side, 2)
    a, b = rng.integers(0, side, (2, 2)) + 0.5
    if kind == "between centres":
        return a, b
    return a - (b - a) * rng.uniform(0, 3), b + (b - a) * rng.uniform(0, 2)


@given(seed=st.integers(0, 2**32 - 1), kind=st.sampled_from(["anywhere", "between centres", "beyond centres"]))
@settings(max_examples=150, deadline=None, derandomize=True)
def test_nothing_opens_between_two_triangles_with_a_common_edge(seed: int, kind: str) -> None:
    rng = np.random.default_rng(seed)
    side = 64
    a, b = edge_through(rng, kind, side)
    if np.hypot(*(b - a)) < 1:
        return
    across = np.array([a[1] - b[1], b[0] - a[0]])
    c, d = (a + b) / 2 + across * rng.uniform(0.5, 3), (a + b) / 2 - across * rng.uniform(0.5, 3)
    faces = [[0, 1, 2], [1, 0, 3]] if rng.random() < 0.5 else [[1, 2, 0], [0, 3, 1]]
    mesh = flat(np.column_stack([[a, b, c, d], np.ones(4)]), faces)
    canvas = Canvas(side, side)
    canvas.draw(mesh)
    exact = [shares(mesh.corners[face].astype(np.float64), side, side)[0] for face in faces]
    within = np.logical_or(*[(share >= 0).all(axis=-1) for share in exact])
    assert not (within & (canvas.face < 0)).any()


@pytest.mark.parametrize("corner_at", [0.0, 0.5, 1 / 3])
@pytest.mark.parametrize("step", [1.0, 2.0, 3.7])
def test_a_tessellated_square_covers_all_its_pixels(corner_at: float, step: float) -> None:
    n = 20
    rng = np.random.default_rng(0)
    y, x = (grid.ravel() for grid in np.mgrid[: n + 1, : n + 1] * step + corner_at)
    inside = (x > corner_at) & (x < x.max()) & (y > corner_at) & (y < y.max())
    if corner_at != 0.5:
        x, y = x + inside * rng.uniform(-0.3, 0.3, x.shape), y + inside * rng.uniform(-0.3, 0.3, y.shape)
    i = np.arange((n + 1) * n).reshape(n, n + 1)[:, :-1].ravel()
    faces = np.concatenate([np.stack([i, i + 1, i + n + 1], 1), np.stack([i + 1, i + n + 2, i + n + 1], 1)])
    canvas = Canvas(80, 80)
    canvas.draw(flat(np.column_stack([x, y, np.ones_like(x)]), rng.permutation(faces)))
    centres = np.arange(80) + 0.5
    held = (centres >= corner_at) & (centres <= corner_at + n * step)
    np.testing.assert_array_equal(canvas.face >= 0, held[:, None] & held)


def slanted_square(camera: Camera, normal: tuple[float, float, float], offset: float) -> tuple[Array, Array, Array]:
    """A square on the plane normal · X = offset in the camera's view: its corners in the world, origin and axes."""
    n = np.array(normal) / np.linalg.norm(normal)
    u = np.cross(n, [0.0, 1.0, 0.0])
    u /= np.linalg.norm(u)
    frame = np.stack([u, np.cross(n, u)])
    middle = np.array([0, 0, offset / n[2]])
    corners = middle + 0.8 * np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) @ frame
    pose = camera.pose.world_from_camera
    return corners @ pose[:3, :3].T + pose[:3, 3], middle, frame


def turned(degrees: float, at: tuple[float, float, float]) -> Pose:
    """A pose turned about y."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    pose = np.eye(4)
    pose[:3, :3] = [[c, 0, s], [0, 1, 0], [-s, 0, c]]
    pose[:3, 3] = at
    return Pose(pose)


@pytest.mark.parametrize("pose", [Pose.identity(), turned(70, (3, -1, 2)), turned(-160, (0, 5, 0))])
def test_texture_and_depth_are_where_the_ray_meets_the_plane(pose: Pose) -> None:
    camera = Camera(worlds.camera(120, 90), pose)
    normal, offset = (0.8, 0.2, 1.0), 2.0
    corners, middle, frame = slanted_square(camera, normal, offset)
    uv = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)
    faces = np.array([[0, 1, 2], [0, 2, 3]], np.uint32)
    canvas = Canvas(90, 120)
    number = canvas.draw(placed(corners.astype(np.float32), faces, uv, camera))
    shown = canvas.shown(number)
    assert 500 < shown.sum() < 10_000
    y, x = np.mgrid[:90, :120] + 0.5
    ray = rays(np.stack([x, y], axis=-1), camera.intrinsics)
    n = np.array(normal) / np.linalg.norm(normal)
    met = ray * (offset / (ray @ n))[..., None]
    there = (met - middle) @ frame.T / 0.8 / 2 + 0.5
    found = uv_of(canvas, number, uv)
    np.testing.assert_allclose(found[shown], there[shown], atol=2e-5)
    np.testing.assert_allclose(1 / canvas.inverse[shown], met[shown][:, 2], rtol=1e-5)
    sure = (there > 1e-4).all(axis=-1) & (there < 1 - 1e-4).all(axis=-1) & (met[..., 2] > 0)
    assert shown[sure].all()
    assert not found[~shown].any()


def test_a_floor_under_the_eye_is_cut_at_the_near_plane() -> None:
    camera = Camera(worlds.camera(80, 60), Pose.identity())
    floor = np.array([[-500, 1, -300], [500, 1, -300], [500, 1, 500], [-500, 1, 500]], np.float32)
    uv = (floor[:, [0, 2]] / 1000).astype(np.float32)
    mesh = placed(floor, np.array([[0, 1, 2], [0, 2, 3]], np.uint32), uv, camera)
    assert (mesh.corners[mesh.faces.astype(int)][..., 2] <= 1 / (NEAREST * 500) * 1.001).all()
    canvas = Canvas(60, 80)
    number = canvas.draw(mesh)
    y, x = np.mgrid[:60, :80] + 0.5
    ray = rays(np.stack([x, y], axis=-1), camera.intrinsics)
    with np.errstate(divide="ignore"):
        z = np.where(ray[..., 1] > 0, 1 / ray[..., 1], np.inf)
    np.testing.assert_array_equal(canvas.shown(number), z < 500)
    shown = canvas.shown(number)
    np.testing.assert_allclose(canvas.inverse[shown], 1 / z[shown], rtol=2e-3)
    met = np.stack([ray[..., 0] * z, z], axis=-1) / 1000
    ramp = np.round(np.linspace(0, 255, 256)).astype(np.uint8)
    texture = np.stack(np.broadcast_arrays(ramp, ramp[:, None], np.uint8(0)), axis=-1)
    colour = np.zeros((60, 80, 3), np.float32)
    canvas.shade(number, np.ascontiguousarray(texture), colour, sharp=False)
    near = shown & (z < 100) & (met > 0.002).all(axis=-1)
    assert near.sum() > 300
    np.testing.assert_allclose(colour[near][:, :2], met[near] * 256 - 0.5, atol=0.05)
    assert (uv_of(canvas, number, uv)[shown] >= uv.min()).all() and (uv_of(canvas, number, uv)[shown] <= uv.max()).all()


@pytest.mark.parametrize("behind", [(0,), (1,), (2,), (0, 1), (1, 2), (0, 2)])
def test_a_triangle_that_crosses_the_near_plane_keeps_what_is_beyond_it(behind: tuple[int, ...]) -> None:
    camera = Camera(worlds.camera(64, 64), Pose.identity())
    corners = np.array([[-1, -0.6, 2.0], [1, -0.4, 2.5], [0.1, 0.9, 3.0]], np.float32)
    corners[list(behind)] *= [1, 1, -0.5]
    face = np.array([[0, 1, 2]], np.uint32)
    mesh = placed(corners, face, np.eye(3, 2, dtype=np.float32), camera)
    assert len(mesh.faces) == (2 if len(behind) == 1 else 1)
    canvas = Canvas(64, 64)
    number = canvas.draw(mesh)
    y, x = np.mgrid[:64, :64] + 0.5
    ray = rays(np.stack([x, y], axis=-1), camera.intrinsics).reshape(-1, 3)
    share = np.linalg.solve(np.broadcast_to(corners.T.astype(np.float64), (len(ray), 3, 3)), ray[..., None])[..., 0]
    hit = (share > 1e-4 * share.sum(1, keepdims=True)).all(axis=1).reshape(64, 64)
    miss = (share < -1e-4 * np.abs(share).sum(1, keepdims=True)).any(axis=1).reshape(64, 64)
    assert hit.sum() > 20
    assert canvas.shown(number)[hit].all() and not canvas.shown(number)[miss].any()
    z = (1 / share.sum(1)).reshape(64, 64)
    far = hit & (z > 0.1)
    np.testing.assert_allclose(canvas.inverse[far], 1 / z[far], rtol=2e-3)


def test_what_is_behind_the_eye_is_gone() -> None:
    camera = Camera(worlds.camera(40, 30), Pose.identity())
    corners = np.array([[-1, -1, -2], [1, -1, -2], [0, 1, -2], [-1, -1, 2], [1, -1, 2], [0, 1, 2]], np.float32)
    uv = np.zeros((6, 2), np.float32)
    both = placed(corners, np.array([[0, 1, 2], [3, 4, 5]], np.uint32), uv, camera)
    np.testing.assert_array_equal(both.faces, [[3, 4, 5]])
    none = placed(corners[:3], np.array([[0, 1, 2]], np.uint32), uv[:3], camera)
    assert len(none.faces) == 0
    canvas = Canvas(30, 40)
    assert not canvas.shown(canvas.draw(none)).any()


@pytest.mark.parametrize("bands", [2, 3, 5])
def test_the_picture_does_not_depend_on_the_bands(bands: int) -> None:
    rng = np.random.default_rng(bands)
    corners = np.column_stack([rng.uniform(-20, 90, (150, 1)), rng.uniform(-40, 360, (150, 1)), rng.random((150, 1))])
    mesh = flat(corners, rng.integers(0, 150, (120, 3)))

    texture = rng.integers(0, 256, (40, 50, 3), np.uint8)

    def seen(cores: int) -> tuple[NDArray[np.generic], ...]:
        canvas, colour = Canvas(320, 70, cores), np.zeros((320, 70, 3), np.float32)
        number = canvas.draw(mesh)
        canvas.shade(number, texture, colour, sharp=True)
        return canvas.face, canvas.inverse, uv_of(canvas, number, mesh.uv), colour

    for one, many in zip(seen(1), seen(bands), strict=True):
        np.testing.assert_array_equal(one, many)


def test_meshes_share_a_canvas_and_the_nearer_one_is_shown() -> None:
    canvas = Canvas(40, 40)
    square = np.array([[2, 2], [30, 2], [30, 30], [2, 30]])
    faces = [[0, 1, 2], [0, 2, 3]]
    far = canvas.draw(flat(np.column_stack([square, np.full(4, 0.5)]), faces))
    empty = canvas.draw(flat(np.zeros((0, 3)), np.zeros((0, 3))))
    near = canvas.draw(flat(np.column_stack([square + 8, np.full(4, 0.9)]), faces))
    hidden = canvas.draw(flat(np.column_stack([square, np.full(4, 0.3)]), faces))
    centres = np.arange(40) + 0.5
    over = (centres > 10) & (centres < 38)
    under = (centres > 2) & (centres < 30)
    np.testing.assert_array_equal(canvas.shown(near), over[:, None] & over)
    np.testing.assert_array_equal(canvas.shown(far), (under[:, None] & under) & ~(over[:, None] & over))
    assert not canvas.shown(empty).any() and not canvas.shown(hidden).any()
    other = Canvas(40, 40)
    other.draw(flat(np.column_stack([square + 4, np.full(4, 0.7)]), faces))
    other.cover(canvas)
    assert (other.face[canvas.shown(near)] == -1).all()
    between = (centres > 6) & (centres < 34)
    np.testing.assert_array_equal(other.face >= 0, (between[:, None] & between) & ~canvas.shown(near))


def weights(t: float, sharp: bool) -> Array:
    """Of the four neighbours of a place t between the middle two: straight, or Catmull and Rom's cubic."""
    if not sharp:
        return np.array([0, 1 - t, t, 0])
    half = np.array([[-1, 2, -1, 0], [3, -5, 0, 2], [-3, 4, 1, 0], [1, -1, 0, 0]]) / 2
    return half @ [t**3, t**2, t, 1]


@pytest.mark.parametrize("sharp", [False, True])
def test_a_texture_is_sampled_as_its_definition_says(sharp: bool) -> None:
    rng = np.random.default_rng(1)
    texture = rng.integers(0, 256, (9, 11, 3), np.uint8)
    mesh = flat([[0, 0, 1], [30, 0, 1], [30, 24, 1], [0, 24, 1]], [[0, 1, 2], [0, 2, 3]])
    mesh = mesh._replace(uv=np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32))
    canvas, colour = Canvas(24, 30), np.zeros((24, 30, 3), np.float32)
    canvas.shade(canvas.draw(mesh), texture, colour, sharp=sharp)
    for y, x in np.ndindex(24, 30):
        tx, ty = (x + 0.5) / 30 * 11 - 0.5, (y + 0.5) / 24 * 9 - 0.5
        columns = np.clip(np.arange(-1, 3) + int(np.floor(tx)), 0, 10)
        rows = np.clip(np.arange(-1, 3) + int(np.floor(ty)), 0, 8)
        across, down = weights(tx % 1, sharp), weights(ty % 1, sharp)
        expected = np.einsum("r,c,rck->k", down, across, texture[np.ix_(rows, columns)].astype(np.float64))
        np.testing.assert_allclose(colour[y, x], np.clip(expected, 0, 255), atol=0.01)


def test_a_texture_with_alpha_is_laid_over_what_is_there() -> None:
    mesh = flat([[2, 2, 1], [18, 2, 1], [18, 18, 1], [2, 18, 1]], [[0, 1, 2], [0, 2, 3]])
    canvas = Canvas(20, 20)
    number = canvas.draw(mesh)
    for alpha in (0, 51, 255):
        colour = np.full((20, 20, 3), 100, np.float32)
        canvas.shade(number, np.full((3, 3, 4), (200, 0, 50, alpha), np.uint8), colour, sharp=True)
        shown = canvas.shown(number)
        expected = 100 + alpha / 255 * (np.array([200, 0, 50]) - 100)
        np.testing.assert_allclose(colour[shown], expected * np.ones((shown.sum(), 1)), atol=0.01)
        assert (colour[~shown] == 100).all()


def test_values_of_vertices_stay_within_their_range_where_triangles_are_cut() -> None:
    camera = Camera(worlds.camera(80, 60), Pose.identity())
    floor = np.array([[-50, 1, -30], [50, 1, -30], [50, 1, 50], [-50, 1, 50]], np.float32)
    canvas, out = Canvas(60, 80), np.zeros((60, 80), np.float32)
    mesh = placed(floor, np.array([[0, 1, 2], [0, 2, 3]], np.uint32), floor[:, :2], camera)
    assert len(mesh.corners) > 4
    number = canvas.draw(mesh)
    canvas.values(number, np.array([0, 0, 1, 1], np.float32), out)
    shown = canvas.shown(number)
    assert (out[shown] >= -1e-6).all() and (out[shown] <= 1 + 1e-6).all()
    canvas.values(number, np.full(4, 0.5, np.float32), out)
    np.testing.assert_allclose(out[shown], 0.5, rtol=1e-6)
