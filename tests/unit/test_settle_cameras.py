"""Cameras of one lens, brought into agreement to the end; and a film held by comparing some of its frames."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from unflat.errors import InputError
from unflat.geometry.distort import pixels_of
from unflat.geometry.turns import turn
from unflat.stages.settle_cameras import settle_cameras
from unflat.stages.track_compared import held_by_comparing
from unflat.types.arrays import F64
from unflat.types.camera import Intrinsics, Pose
from unflat.types.image import Size
from unflat.types.views import Lens, Reconstruction, SparsePoints, Still, Stills, View

SIZE = Size(640, 480)
TRUE = Lens(Intrinsics(440.0, 440.0, 320.0, 240.0, SIZE, "views"), 0.02, -0.01)


def _still(number: int) -> Still:
    return Still(f"{number:03d}", SIZE, lambda: np.zeros((480, 640, 3), np.uint8), seconds=number / 10)


def _pose(t: float, rng: np.random.Generator | None = None) -> Pose:
    """A camera that walks past a room's wall and looks about; shaken, if asked."""
    world = np.eye(4)
    world[:3, :3] = turn(np.array([0.1 * np.sin(4 * t), 0.5 * np.sin(2 * t), 0.05 * t]))
    world[:3, 3] = 2 * t, 0.2 * np.sin(5 * t), 0.8 * np.sin(3 * t)
    if rng is not None:
        world[:3, :3] = turn(rng.normal(0, 0.004, 3)) @ world[:3, :3]
        world[:3, 3] += rng.normal(0, 0.01, 3)
    return Pose(world)


def _seen(count: int, *, noise: float = 0.0, wrong: float = 0.0) -> Reconstruction:
    """Cameras in their true places, and what they see."""
    rng = np.random.default_rng(3)
    xyz = np.column_stack([rng.uniform(-3, 5, 500), rng.uniform(-2, 2, 500), rng.uniform(3, 7, 500)])
    views = tuple(View(_still(n), TRUE, _pose(n / count)) for n in range(count))
    view, point, pixel = [], [], []
    for n, one in enumerate(views):
        world = one.pose.world_from_camera
        local = (xyz - world[:3, 3]) @ world[:3, :3]
        at = pixels_of(local, TRUE)
        here = np.flatnonzero((local[:, 2] > 0) & (at > 0).all(1) & (at < [640, 480]).all(1))
        view.append(np.full(len(here), n))
        point.append(here)
        pixel.append(at[here] + rng.normal(0, noise, (len(here), 2)) if noise else at[here])
    at = np.concatenate(pixel)
    off = rng.random(len(at)) < wrong
    at[off] += rng.uniform(-40, 40, (int(off.sum()), 2))
    points = SparsePoints(
        xyz,
        np.zeros((500, 3), np.uint8),
        np.full(500, 0.5, np.float32),
        np.concatenate(view).astype(np.int32),
        np.concatenate(point).astype(np.int32),
        at.astype(np.float32),
    )
    return Reconstruction(views, points)


def _shaken(made: Reconstruction, lens: Lens) -> Reconstruction:
    rng = np.random.default_rng(5)
    count = len(made.views)
    views = tuple(
        replace(one, lens=lens, pose=_pose(n / count, rng if n else None)) for n, one in enumerate(made.views)
    )
    return replace(made, views=views, points=replace(made.points, xyz=made.points.xyz + rng.normal(0, 0.05, (500, 3))))


def _off(found: Reconstruction, true: Reconstruction) -> float:
    """Root mean square distance of the cameras by the length of the path, after both are brought together."""
    a, b = (np.stack([v.pose.centre for v in r.views]) for r in (found, true))
    a, b = a - a.mean(0), b - b.mean(0)
    u, s, vt = np.linalg.svd(b.T @ a)
    fitted = s.sum() / (a**2).sum() * a @ (u @ vt).T
    return float(np.sqrt(((fitted - b) ** 2).sum(1).mean()) / np.linalg.norm(np.diff(b, axis=0), axis=1).sum())


def test_shaken_cameras_and_a_lens_that_is_wrong_and_bent_find_back() -> None:
    true = _seen(24)
    pin = replace(TRUE.intrinsics, fx=455.0, fy=457.0)
    found = settle_cameras(_shaken(true, Lens(pin, 0.0, 0.0, 0.001, -0.001)))
    lens = found.views[0].lens
    assert lens.intrinsics.fx == lens.intrinsics.fy == pytest.approx(440.0, abs=0.2)
    assert (lens.k1, lens.p1, lens.p2) == (pytest.approx(0.02, abs=0.002), 0.0, 0.0)
    assert _off(found, true) < 1e-4


def test_wrong_matches_are_left_out_and_do_not_bend_the_path() -> None:
    true = _seen(24, noise=0.4, wrong=0.1)
    found = settle_cameras(_shaken(true, TRUE))
    assert _off(found, true) < 5e-4
    left = len(found.points.view) / len(true.points.view)
    assert 0.85 < left < 0.93
    errors = np.array([view.error_px for view in found.views])
    assert (errors < 1.0).all()


def test_a_lens_that_is_known_stays() -> None:
    true = _seen(12)
    lens = replace(TRUE, p1=0.0003)
    found = settle_cameras(_shaken(true, lens), measure_lens=False)
    assert found.views[0].lens == lens


def _drifted(count: int) -> tuple[Reconstruction, Reconstruction]:
    """A followed path that turns and grows as it goes, and the true one."""
    true = _seen(count)
    moved: list[View] = []
    at: F64 = true.views[0].pose.centre.copy()
    for n, view in enumerate(true.views):
        world = view.pose.world_from_camera.copy()
        slow = turn(np.array([0.0, 0.003 * n, 0.0]))
        at = at + (1 + 0.005 * n) * slow @ (view.pose.centre - true.views[max(n - 1, 0)].pose.centre)
        world[:3, :3] = slow @ world[:3, :3]
        world[:3, 3] = at
        moved.append(replace(view, pose=Pose(world)))
    return replace(true, views=tuple(moved)), true


def test_frames_between_compared_ones_are_taken_along() -> None:
    followed, true = _drifted(60)
    asked: list[int] = []

    def compare(stills: Stills) -> Reconstruction:
        assert stills.ordered
        names = [still.name for still in stills.items]
        asked.extend(int(name) for name in names)
        views = tuple(view for view in true.views if view.still.name in names)
        new = np.full(60, -1)
        new[[int(name) for name in names]] = np.arange(len(names))
        rows = new[true.points.view] >= 0
        points = replace(
            true.points,
            view=new[true.points.view[rows]].astype(np.int32),
            point=true.points.point[rows],
            pixel=true.points.pixel[rows],
        )
        return Reconstruction(views, points, notes=("what comparing said",))

    held = held_by_comparing(followed, compare)
    assert len(asked) < 60
    assert [view.still.name for view in held.views] == [view.still.name for view in true.views]
    assert np.allclose(held.views[0].pose.world_from_camera, np.eye(4), atol=1e-9)
    assert set(np.unique(held.points.view)) <= set(asked)
    assert _off(followed, true) > 0.01
    assert _off(held, true) < 0.001
    assert held.notes == ("what comparing said",)


@pytest.mark.parametrize("placed", [0, 10])
def test_a_path_stays_as_followed_where_comparing_places_too_few(placed: int) -> None:
    followed, true = _drifted(30)

    def compare(_: Stills) -> Reconstruction:
        if not placed:
            raise InputError("nothing fits together")
        return replace(true, views=true.views[:placed], points=SparsePoints.none())

    held = held_by_comparing(followed, compare)
    assert held.views is followed.views and held.points is followed.points
    assert "as it was followed" in held.notes[-1]
