"""What outlines tell: the hull of a ball is a ball, nothing true is carved away, and mirrors count as cameras."""

from __future__ import annotations

import numpy as np
import pytest

from unflat.errors import InputError
from unflat.geometry.carve import carve
from unflat.geometry.closed_surface import is_closed, volume_of
from unflat.stages.hull import hull, matrix_of
from unflat.types.camera import Camera, Intrinsics, Pose
from unflat.types.depth import DepthKind, DepthMap
from unflat.types.image import Image, Size
from unflat.types.sight import Sight

SIDE = 160
LENS = Intrinsics.from_fov(20, Size(SIDE, SIDE))


def looking(yaw_deg: float, pitch_deg: float, distance: float = 4.0, at: tuple[float, ...] = (0, 0, 0)) -> Pose:
    """A camera that looks at a point, from above by ``pitch_deg``; y is down."""
    a, b = np.deg2rad(yaw_deg), np.deg2rad(pitch_deg)
    turn = np.array([[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]])
    tilt = np.array([[1, 0, 0], [0, np.cos(b), np.sin(b)], [0, -np.sin(b), np.cos(b)]])
    world = np.eye(4)
    world[:3, :3] = turn @ tilt
    world[:3, 3] = np.array(at) - world[:3, :3] @ (0, 0, distance)
    return Pose(world)


def ball_seen(pose: Pose, centre: tuple[float, ...], radius: float) -> Sight:
    """A ball as a camera sees it: inside where the ray passes the centre by less than the radius."""
    y, x = np.mgrid[: 4 * SIDE, : 4 * SIDE] / 4 + 0.125
    rays = np.stack([(x - LENS.cx) / LENS.fx, (y - LENS.cy) / LENS.fy, np.ones_like(x)], axis=-1)
    rays = rays @ pose.world_from_camera[:3, :3].T
    rays /= np.linalg.norm(rays, axis=-1, keepdims=True)
    to = np.array(centre) - pose.centre
    off = np.sqrt(np.maximum((to @ to) - (rays @ to) ** 2, 0))
    cover = (off < radius).reshape(SIDE, 4, SIDE, 4).mean(axis=(1, 3))
    alpha = np.rint(255 * cover).astype(np.uint8)
    return Sight(Image(np.zeros((SIDE, SIDE, 3), np.uint8), alpha), Camera(LENS, pose))


def test_the_hull_of_a_ball_is_the_ball() -> None:
    centre = (0.05, -0.1, 0.08)
    around = [(30.0 * k, (0.0, 35.0, -35.0)[k % 3]) for k in range(12)]
    closed = hull([ball_seen(looking(*way), centre, 0.5) for way in around], 96)
    assert is_closed(closed.faces)
    assert volume_of(closed) == pytest.approx(4 / 3 * np.pi * 0.125, rel=0.03)
    off = np.linalg.norm(closed.vertices - centre, axis=1)
    assert off.min() > 0.5 - 0.006  # a hull is never smaller than the thing
    assert off.max() < 0.57


def test_more_outlines_only_carve() -> None:
    ways = [(0, 0), (90, 0), (45, 20), (200, -30)]
    volumes = [volume_of(hull([ball_seen(looking(*w), (0, 0, 0), 0.4) for w in ways[:n]], 64)) for n in (2, 3, 4)]
    assert volumes[0] > volumes[1] > volumes[2] > 4 / 3 * np.pi * 0.4**3


def test_a_mirrored_outline_is_one_from_the_other_side() -> None:
    left = np.diag([-1.0, 1, 1, 1])
    off = (0.2, 0.0, 0.0)
    front, side = (ball_seen(looking(*way), off, 0.3) for way in ((0, 0), (70, 10)))
    seen = ball_seen(looking(-70, 10), (-0.2, 0, 0), 0.3)
    as_mirrored = Sight(side.image, side.camera, left)
    points = np.array([[0.1, 0.2, -0.3, 1.0], [-0.4, 0.1, 0.2, 1.0]])
    one, other = (p[:, :2] / p[:, 2:] for p in (points @ matrix_of(as_mirrored).T, points @ matrix_of(seen).T))
    np.testing.assert_allclose(one[:, 1], other[:, 1], atol=1e-9)
    np.testing.assert_allclose(one[:, 0], SIDE - other[:, 0], atol=1e-9)
    with pytest.raises(InputError, match="no place"):
        hull([front, side, as_mirrored, ball_seen(looking(0, 80), (-0.4, 0, 0), 0.1)], 48)


def test_a_kernel_carves_as_the_slow_way_does() -> None:
    rng = np.random.default_rng(5)
    outline = rng.normal(size=(20, 30)).astype(np.float32) * 3
    pose = looking(25, 15)
    sight = Sight(
        Image(np.zeros((20, 30, 3), np.uint8), np.full((20, 30), 255, np.uint8)),
        Camera(Intrinsics.from_fov(20, Size(30, 20)), pose),
    )
    matrix = matrix_of(sight)
    for open_border in (True, False):
        field = np.full((5, 6, 7), -1.0, np.float32)
        corner, step = np.array([-0.6, -0.5, -0.4]), 0.2
        carve(field, corner, step, matrix, outline, open_border)
        for k, j, i in np.ndindex(5, 6, 7):
            u, v, depth = matrix @ [*(corner + step * np.array([i, j, k])), 1]
            u, v = u / depth - 0.5, v / depth - 0.5
            a, b = np.clip(u, 0, 28.999), np.clip(v, 0, 18.999)
            beyond = np.hypot(u - a, v - b)
            p, q = int(a), int(b)
            s, t = a - p, b - q
            value = (outline[q, p] * (1 - s) + outline[q, p + 1] * s) * (1 - t)
            value += (outline[q + 1, p] * (1 - s) + outline[q + 1, p + 1] * s) * t
            away = (value + beyond) * depth / sight.camera.intrinsics.fx
            want = -1.0 if beyond > 1 and open_border else max(-1.0, away)
            assert field[k, j, i] == pytest.approx(want, rel=1e-5, abs=1e-6)


def test_depth_carves_the_hollow_that_outlines_do_not_show() -> None:
    """A ball with a flat cut towards the first camera: outlines give the ball, its depth takes the cap away."""
    ways = [(0, 0), (90, 0), (180, 0), (270, 0), (0, 80)]
    sights = [ball_seen(looking(*way), (0, 0, 0), 0.5) for way in ways]
    cut = 0.42
    depth = np.where(np.asarray(sights[0].alpha) > 128, np.float32(4 - cut), np.float32(0))
    told = DepthMap(depth, DepthKind.METRIC, depth > 0, intrinsics=LENS)
    whole, hollow = hull(sights, 80), hull(sights, 80, [told])
    assert is_closed(hollow.faces)
    off = hollow.vertices
    assert off[:, 2].min() == pytest.approx(-cut, abs=0.02) and whole.vertices[:, 2].min() < -0.48
    behind = off[off[:, 2] > 0.05]
    assert behind[:, 2].max() == pytest.approx(whole.vertices[:, 2].max(), abs=1e-6)
    doubtful = DepthMap(depth, DepthKind.METRIC, depth > 0, confidence=np.full_like(depth, 0.1), intrinsics=LENS)
    assert hull(sights, 80, [doubtful]).vertices[:, 2].min() < -0.48
    wrong = DepthMap(depth * 2, DepthKind.METRIC, depth > 0, intrinsics=LENS)  # far behind all of it
    assert volume_of(hull(sights, 80, [wrong])) > 0.3 * volume_of(whole)


def test_depth_of_many_views_is_averaged() -> None:
    """Noise of one view alone must neither dig holes nor leave hills: a ball comes back as depth is on average."""
    ways = [(30.0 * k, (0.0, 35.0, -35.0)[k % 3]) for k in range(12)]
    sights = [ball_seen(looking(*way), (0.0, 0.0, 0.0), 0.5) for way in ways]
    rng = np.random.default_rng(4)
    y, x = np.mgrid[:SIDE, :SIDE] + 0.5
    rays = np.stack([(x - LENS.cx) / LENS.fx, (y - LENS.cy) / LENS.fy, np.ones_like(x)], axis=-1)
    squared = (rays**2).sum(axis=-1)
    root = 16 - squared * (16 - 0.5**2)
    inner = root > 2  # not at the rim, where depth is steep
    z = (4 - np.sqrt(np.maximum(root, 0))) / squared
    told = [
        DepthMap(np.where(inner, z + rng.normal(0, 0.02, z.shape), 0).astype(np.float32), DepthKind.METRIC, inner,
                 intrinsics=LENS)
        for _ in sights
    ]  # fmt: skip
    off = np.linalg.norm(hull(sights, 96, told).vertices, axis=1) - 0.5
    assert abs(float(np.median(off))) < 0.005
    assert np.percentile(np.abs(off), 90) < 0.02
