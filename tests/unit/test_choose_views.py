"""Which views depth is looked for in."""

from __future__ import annotations

import numpy as np

from unflat.stages.choose_views import ViewOptions, choose_views, only
from unflat.types.camera import Intrinsics, Pose
from unflat.types.image import Size
from unflat.types.views import Lens, Reconstruction, SparsePoints, Still, View


def _walk(count: int, step: float, sharp: list[float] | None = None) -> Reconstruction:
    """A camera that goes to the right past a wall 2 m away."""
    lens = Lens(Intrinsics.from_fov(60, Size(64, 48)))
    views: list[View] = []
    rng = np.random.default_rng(0)
    xyz = np.column_stack([rng.uniform(-2, count * step + 2, 400), rng.uniform(-1, 1, 400), np.full(400, 2.0)])
    rows: list[tuple[int, int]] = []
    for number in range(count):
        pose = np.eye(4)
        pose[0, 3] = number * step
        still = Still(f"{number:03d}", Size(64, 48), lambda: np.zeros((48, 64, 3), np.uint8))
        views.append(View(still, lens, Pose(pose)))
        if sharp is not None:
            views[-1] = View(Still(still.name, still.size, still.read, sharpness=sharp[number]), lens, Pose(pose))
        near = np.abs(xyz[:, 0] - number * step) < 1.1
        rows += [(number, int(p)) for p in np.flatnonzero(near)]
    view, point = np.array(rows, np.int32).T
    zero = np.zeros(400, np.float32)
    points = SparsePoints(xyz, np.zeros((400, 3), np.uint8), zero, view, point, np.zeros((len(view), 2), np.float32))
    return Reconstruction(tuple(views), points)


def test_few_views_are_all_taken() -> None:
    made = _walk(8, 0.001)
    assert choose_views(made, ViewOptions()) is made


def test_views_that_see_the_same_are_taken_once_and_cover_the_whole_way() -> None:
    made = _walk(200, 0.01)
    chosen = choose_views(made, ViewOptions())
    at = np.array([view.pose.centre[0] for view in chosen.views])
    assert len(at) < 60
    assert at.min() == 0
    assert np.isclose(at.max(), 1.99)
    assert np.diff(at).max() < 0.2
    assert (np.diff(at) > 0).all()


def test_at_most_so_many() -> None:
    assert len(choose_views(_walk(60, 0.5), ViewOptions(most_views=20)).views) == 20


def test_of_two_that_see_the_same_the_sharper_one_is_taken() -> None:
    sharp = [0.7 if number % 2 else 0.3 for number in range(100)]
    chosen = choose_views(_walk(100, 0.02, sharp), ViewOptions(most_views=20))
    odd = [int(view.still.name) % 2 for view in chosen.views]
    assert np.mean(odd) > 0.8


def test_observations_go_with_their_views() -> None:
    made = _walk(6, 0.3)
    some = only(made, [4, 1])
    assert [view.still.name for view in some.views] == ["004", "001"]
    old = {
        (made.views[v].still.name, *made.points.xyz[p])
        for v, p in zip(made.points.view, made.points.point, strict=True)
    }
    new = {
        (some.views[v].still.name, *some.points.xyz[p])
        for v, p in zip(some.points.view, some.points.point, strict=True)
    }
    both = {row for row in old if row[0] in ("001", "004")}
    twice = {row[1:] for row in both if ("001", *row[1:]) in both and ("004", *row[1:]) in both}
    assert new == {row for row in both if row[1:] in twice}
    assert len(new) > 20
