"""What was cut out: where a picture shows nothing there is nothing, in front, behind, or seen from aside."""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest

import worlds
from unflat.errors import InputError
from unflat.geometry.hidden import Seam, nothing_nearer
from unflat.stages.build_layered import build_layered
from unflat.stages.build_layers import LayerOptions, build_layers
from unflat.stages.build_surface import Surface, build_surface
from unflat.stages.estimate_depth import Estimate, refine_to
from unflat.stages.render_view import render_view
from unflat.types.arrays import Bool
from unflat.types.camera import Camera, Pose
from unflat.types.depth import DepthKind, DepthMap
from unflat.types.image import Image, Size
from unflat.types.layers import Layers

sys.path.insert(0, str(Path(__file__).parents[2]))
from benchmarks.layers import told_apart

ROD, BOARD = (1.5, -0.06, 0.06, -0.6, 0.6), (3.0, -0.8, 0.8, -0.5, 0.4)
"""z, left, right, top, bottom in metres: a rod that stands out over a board on both ends."""
AROUND = range(0, 360, 30)


def world(x: float = 0.0, y: float = 0.0) -> worlds.World:
    """The rod before the board, and nothing else, seen from (x, y)."""
    panels = [worlds.panel(z, a - x, b - x, c - y, d - y) for z, a, b, c, d in (ROD, BOARD)]
    return worlds.render("rod", tuple(panels), worlds.camera())


def something(of: worlds.World) -> Bool:
    return of.labels >= 0


@cache
def built() -> tuple[Layers, Surface, Surface]:
    """Layers of the cut-out, their triangles, and those without layers."""
    seen, there = world(), something(world())
    picture = Image(seen.picture().pixels, np.where(there, np.uint8(255), np.uint8(0)))
    depth = DepthMap(seen.depth.values, DepthKind.METRIC, there, intrinsics=seen.depth.intrinsics)
    layers = build_layers(depth, picture, LayerOptions(reach=0.15, seam=1))
    return layers, build_layered(layers), build_surface(depth, picture)


def grown(mask: Bool, pixels: int) -> Bool:
    return np.asarray(cv2.dilate(mask.astype(np.uint8), np.ones((2 * pixels + 1,) * 2, np.uint8))) > 0


def eye(x: float, y: float) -> Camera:
    pose = np.eye(4)
    pose[:2, 3] = x, y
    return Camera(worlds.camera(), Pose(pose))


def test_behind_a_rod_is_the_board_as_far_as_it_goes_and_nothing_beyond() -> None:
    layers, _, _ = built()
    rows, _ = np.nonzero(world().labels == 1)
    wide = int((world().labels == 0).sum(axis=1).max())
    hidden = np.flatnonzero(layers.hidden.invented.any(axis=1))
    assert hidden[0] >= rows.min() - wide / 2 - 1 and hidden[-1] <= rows.max() + wide / 2 + 1
    assert layers.hidden.invented[rows.min() : rows.max() + 1].any(axis=1).all()
    assert not (layers.hidden.on & ~something(world())).any()
    assert not (layers.soft.on & ~something(world())).any()


def test_from_its_own_place_a_cut_out_shows_nothing_beside_it() -> None:
    view = render_view(built()[1].nodes, eye(0, 0))
    assert not (~view.open & ~grown(something(world()), 1)).any()


def test_from_aside_the_board_closes_behind_the_rod_and_nothing_sticks_out() -> None:
    layers, surface, _ = built()
    uncovered = 0
    for degrees in AROUND:
        angle, far = np.radians(degrees), 0.98 * layers.reach
        x, y = far * np.cos(angle), far * np.sin(angle)
        there = something(world(x, y))
        view = render_view(surface.nodes, eye(x, y))
        uncovered += int(view.invented.sum())
        assert (view.open & ~grown(~there, 1)).sum() <= 1
        sticks_out = ~view.open & ~grown(there, 2)
        assert sticks_out.sum() <= 10, "half the rod's width at most, and not all of that"
    assert uncovered > 500


def test_open_pixels_are_cracks_only_where_something_ought_to_go_on() -> None:
    layers, _, sheet = built()
    x = 0.98 * layers.reach
    truth = something(world(x, 0))
    view = render_view(sheet.nodes, eye(x, 0))
    cracks = told_apart(view.open, eye(x, 0), layers.depth)
    ought = view.open & ~grown(~truth, 1)
    assert ought.sum() > 300 and cracks[ought].all()
    assert not (cracks & ~grown(truth, 1)).any()
    assert (view.open & ~cracks).sum() > 1000


def test_what_is_nearer_to_nothing_is_nothing() -> None:
    rng = np.random.default_rng(3)
    nothing, near = rng.random((2, 18, 23)) < 0.03
    got = nothing_nearer(nothing, Seam(near, np.zeros_like(near)))
    y, x = np.mgrid[:18, :23]
    none, some = (
        np.hypot(y[..., None] - rows, x[..., None] - columns).min(-1)
        for rows, columns in (np.nonzero(nothing), np.nonzero(near))
    )
    sure = abs(none - some) > 1e-3
    np.testing.assert_array_equal(got[sure], (none < some)[sure])
    assert not nothing_nearer(np.zeros_like(nothing), Seam(near, near)).any()
    assert not nothing_nearer(nothing, Seam(np.zeros_like(near), near)).any()


def test_depth_that_runs_over_into_what_is_not_there_is_not_believed() -> None:
    """A ball on a stick that is a little farther, as a network sees them before grey: blurred, far ground beside."""
    y, x = np.mgrid[:240, :320] + 0.5
    ball, stick = np.hypot(x - 160, y - 90) < 60, (abs(x - 160) < 4) & (y > 90) & (y < 220)
    there = ball | stick
    sharp = np.where(ball, np.float32(1), np.where(stick, np.float32(0.75), np.float32(0.4)))
    small = np.asarray(cv2.resize(cv2.GaussianBlur(sharp, (0, 0), 3), (160, 120), interpolation=cv2.INTER_AREA))
    alpha = np.where(there, np.uint8(255), np.uint8(0))
    picture = Image(np.where(there[..., None], np.uint8(200), np.uint8(60)).repeat(3, 2), alpha)
    seen = DepthMap((1 / small).astype(np.float32), DepthKind.SCALE)
    refined = refine_to(Estimate(seen), picture, Size(320, 240))
    np.testing.assert_array_equal(refined.valid, there)
    assert refined.z[ball & (y < 140)].max() < 1.1
    row = refined.z[200][there[200]]
    assert np.ptp(row) < 0.02 * row.max(), "one depth across it"
    assert 1.25 < row.max() < 1.8, "its own, of its middle, and not that of the ball"


def test_exact_depth_of_a_cut_out_is_believed_to_its_rim() -> None:
    there = np.zeros((40, 60), bool)
    there[10:30, 15:45] = True
    values = np.linspace(1, 2, 60, dtype=np.float32)[None].repeat(40, 0)
    picture = Image(np.zeros((40, 60, 3), np.uint8), np.where(there, np.uint8(255), np.uint8(0)))
    refined = refine_to(Estimate(DepthMap(values, DepthKind.METRIC)), picture, Size(60, 40), exact=True)
    np.testing.assert_array_equal(refined.valid, there)
    np.testing.assert_array_equal(refined.values[there], values[there])
    with pytest.raises(InputError, match="transparent everywhere"):
        refine_to(
            Estimate(DepthMap(values, DepthKind.METRIC)),
            Image(picture.pixels, np.zeros((40, 60), np.uint8)),
            Size(60, 40),
        )


@pytest.mark.parametrize("thick", [True, False])
def test_wires_thinner_than_the_networks_pixels_keep_their_own_depth(thick: bool) -> None:
    alpha = np.zeros((240, 320), np.uint8)
    alpha[40:200, 240] = 255
    values = np.ones((30, 40), np.float32)
    values[:, :20] = 2
    if thick:
        alpha[60:180, 20:100] = 255
    picture = Image(np.full((240, 320, 3), 90, np.uint8), alpha)
    refined = refine_to(Estimate(DepthMap(values, DepthKind.METRIC)), picture, Size(320, 240))
    np.testing.assert_array_equal(refined.valid, alpha > 0)
    assert refined.values[40:200, 240] == pytest.approx(1, rel=0.02)


def test_sky_that_is_seen_in_the_ground_that_is_not_there_does_not_come_in() -> None:
    alpha = np.zeros((240, 320), np.uint8)
    alpha[63:181, 103:221] = 255  # a quarter of a coarse pixel beyond its last whole one
    share = np.asarray(cv2.resize(alpha, (80, 60), interpolation=cv2.INTER_AREA))
    sky = np.where(share < 255, np.float32(1), np.float32(0))
    assert ((share > 0) & (share < 128)).any()
    picture = Image(np.full((240, 320, 3), 128, np.uint8), alpha)
    seen = Estimate(DepthMap(np.ones((60, 80), np.float32), DepthKind.METRIC), sky_probability=sky)
    refined = refine_to(seen, picture, Size(320, 240))
    assert refined.sky is not None and not refined.sky.any()
