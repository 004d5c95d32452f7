"""Views through bent lenses become views through pinholes."""

from __future__ import annotations

import gc
import weakref
from dataclasses import replace

import cv2
import numpy as np
import pytest

from unflat.errors import InputError
from unflat.geometry.distort import pixels_of
from unflat.geometry.projection import project
from unflat.stages import undistort_views as undistort_module
from unflat.stages.undistort_views import undistort_views
from unflat.types.camera import Intrinsics, Pose
from unflat.types.image import Size
from unflat.types.views import Lens, Reconstruction, SparsePoints, Still, View

SIZE = Size(320, 240)
CAMERA = Intrinsics(250.0, 252.0, 163.0, 117.0, SIZE)
BARREL = Lens(CAMERA, -0.28, 0.07, 0.002, -0.001)
CUSHION = Lens(CAMERA, 0.2, -0.05, -0.001, 0.002)
LINES = ((0.1, -0.35, 0.1, 0.3), (-0.5, 0.3, 0.45, 0.2), (-0.5, -0.3, -0.35, 0.35))
"""Segments on the plane z = 1, far from the middle, where a lens bends most."""


def drawn(lens: Lens) -> np.ndarray:
    """White segments on grey, thick and smooth, as a lens shows them; every pixel is set."""
    out = np.full((*lens.intrinsics.size.shape, 3), 90, np.uint8)
    for x0, y0, x1, y1 in LINES:
        t = np.linspace(0, 1, 200)
        at = pixels_of(np.stack([x0 + (x1 - x0) * t, y0 + (y1 - y0) * t, np.ones_like(t)], -1), lens) - 0.5
        cv2.polylines(out, [np.rint(at * 16).astype(np.int32)], False, (250, 250, 250), 3, cv2.LINE_AA, 4)
    return out


def made(lens: Lens, mask: bool = False) -> Reconstruction:
    rng = np.random.default_rng(2)
    xyz = np.column_stack([rng.uniform(-2, 2, 200), rng.uniform(-1.5, 1.5, 200), rng.uniform(2, 4, 200)])
    pixel = pixels_of(xyz, lens)
    shown = ((pixel > 0) & (pixel < (SIZE.width, SIZE.height))).all(1)
    picture = drawn(lens)
    left = np.zeros(SIZE.shape, bool)
    left[:, :100] = True
    still = Still("a", SIZE, lambda: picture, lens=lens, mask=(lambda: left) if mask else None)
    n = int(shown.sum())
    points = SparsePoints(
        xyz[shown],
        np.zeros((n, 3), np.uint8),
        np.ones(n, np.float32),
        np.zeros(n, np.int32),
        np.arange(n),
        pixel[shown],
    )
    return Reconstruction((View(still, lens, Pose.identity(), error_px=0.8),), points)


@pytest.mark.parametrize("lens", [BARREL, CUSHION], ids=["barrel", "cushion"])
def test_straight_lines_are_straight_and_lie_where_the_pinhole_says(lens: Lens) -> None:
    (view,) = undistort_views(made(lens), 1000).views
    assert view.lens.pinhole and view.still.lens == view.lens
    pixels = view.still.read()
    assert pixels.shape == (*view.still.size.shape, 3)
    assert pixels.min() > 60  # no black border: what was drawn is grey or white
    grey = pixels[..., 0].astype(np.float64) - 90
    for x0, y0, x1, y1 in LINES:
        t = np.linspace(0.1, 0.9, 40)
        at = project(np.stack([x0 + (x1 - x0) * t, y0 + (y1 - y0) * t, np.ones_like(t)], -1), view.lens.intrinsics)
        across = np.array([-(y1 - y0), x1 - x0]) / np.hypot(x1 - x0, y1 - y0)
        offsets = np.linspace(-4, 4, 33)
        places = at[:, None] + offsets[None, :, None] * across - 0.5
        seen = cv2.remap(grey, places.astype(np.float32), None, cv2.INTER_LINEAR)  # type: ignore[call-overload]
        off = (seen * offsets).sum(1) / seen.sum(1)
        assert np.quantile(np.abs(off), 0.9) < 0.2 and seen.max(1).min() > 100


@pytest.mark.parametrize("longest", [1000, 150])
def test_points_are_seen_where_the_new_pixels_say(longest: int) -> None:
    before = made(BARREL)
    after = undistort_views(before, longest)
    (view,) = after.views
    assert view.still.size.long_side <= longest
    expected = project(after.points.xyz[after.points.point], view.lens.intrinsics)
    np.testing.assert_allclose(after.points.pixel, expected, atol=2e-3)
    inside = (after.points.pixel > 0) & (after.points.pixel < (view.still.size.width, view.still.size.height))
    assert inside.all() and 0.7 * len(before.points.view) < len(after.points.view) < len(before.points.view)
    assert view.error_px == pytest.approx(0.8 * view.lens.intrinsics.fx / CAMERA.fx)


def test_hardly_more_is_lost_than_the_border_asks() -> None:
    (view,) = undistort_views(made(BARREL), 1000).views
    corners = np.array([[0.0, 0.0], [1, 0], [0, 1], [1, 1]]) * (view.still.size.width, view.still.size.height)
    camera = view.lens.intrinsics
    rays = np.column_stack([(corners - (camera.cx, camera.cy)) / (camera.fx, camera.fy), np.ones(4)])
    edges = np.array([[0.5, 0], [0.5, 1], [0, 0.5], [1, 0.5]]) * (view.still.size.width, view.still.size.height)
    middles = np.column_stack([(edges - (camera.cx, camera.cy)) / (camera.fx, camera.fy), np.ones(4)])
    seen, touched = pixels_of(rays, BARREL), pixels_of(middles, BARREL)
    assert (seen > -0.01).all() and (seen < (320.01, 240.01)).all()
    room = np.minimum(touched, (320, 240) - touched).min(1)
    assert (room < 3).all() and (room > -0.01).all()


def test_masks_move_with_their_pictures() -> None:
    (view,) = undistort_views(made(BARREL, mask=True), 1000).views
    assert view.still.mask is not None
    mask = view.still.mask()
    assert mask.dtype == bool and mask.shape == view.still.size.shape
    edge = mask.sum(1)  # the straight edge of the mask bends
    assert mask[:, 0].all() and not mask[:, -1].any() and np.ptp(edge) > 2


def test_a_pinhole_is_left_alone_or_made_smaller() -> None:
    plain = made(Lens(CAMERA))
    assert undistort_views(plain, 320).views[0] is plain.views[0]
    (small,) = undistort_views(plain, 160).views
    assert small.still.size == Size(160, 120) and small.still.read().shape == (120, 160, 3)
    assert small.lens.intrinsics == CAMERA.resized(Size(160, 120))


def test_a_lens_that_folds_is_used_within_its_fold_or_refused() -> None:
    folding = Lens(replace(CAMERA, fx=150.0, fy=150.0), -0.3)
    (view,) = undistort_views(made(folding), 1000).views
    far = np.array([0.0, 0.0])
    camera = view.lens.intrinsics
    reach = np.hypot((far[0] - camera.cx) / camera.fx, (far[1] - camera.cy) / camera.fy)
    assert 1 + 3 * -0.3 * reach**2 > 0  # still rising at the corner
    with pytest.raises(InputError):
        undistort_views(made(Lens(replace(CAMERA, fx=90.0, fy=90.0), -3.0)), 1000)
    with pytest.raises(InputError):
        undistort_views(made(BARREL), 0)


def test_pictures_of_many_lenses_are_read_without_holding_a_way_for_each(monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[weakref.ref[np.ndarray]] = []
    worked_out = undistort_module._places

    def noted(camera: Intrinsics, lens: Lens) -> np.ndarray:
        found = worked_out(camera, lens)
        kept.append(weakref.ref(found))
        return found

    monkeypatch.setattr(undistort_module, "_places", noted)
    base = made(BARREL)
    lenses = [replace(BARREL, k1=-0.2 - 0.005 * n) for n in range(12)]
    views = tuple(replace(base.views[0], still=replace(base.views[0].still, lens=lens), lens=lens) for lens in lenses)
    for view in undistort_views(replace(base, views=views, points=SparsePoints.none()), 200).views:
        view.still.read()
    gc.collect()
    assert len(kept) == 12 and sum(way() is not None for way in kept) <= undistort_module._HELD
