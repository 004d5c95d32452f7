"""Clouds made even, and discs laid over them."""

from __future__ import annotations

import numpy as np
import pytest

import fused_worlds as fw
from unflat.errors import InputError
from unflat.geometry.thin import thinned, thinned_to
from unflat.stages.fuse_frames import FuseOptions, fuse_points
from unflat.stages.splats_of_cloud import FLAT, SPREAD, splats_of_cloud
from unflat.types.points import PointCloud


def test_a_cell_of_the_grid_has_one_point_which_is_the_mean() -> None:
    xyz = np.array([[0.1, 0.1, 0.1], [0.3, 0.1, 0.1], [-0.1, 0.1, 0.1], [5, 5, 5]], np.float32)
    colors = np.array([[0, 0, 0], [90, 60, 30], [7, 7, 7], [9, 9, 9]], np.uint8)
    normals = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, -1]], np.float32)
    cloud = PointCloud(xyz, colors, normals, np.array([0.2, 0.4, 0.5, 1], np.float32), np.array([1, 0, 0, 1], bool))
    made = thinned(cloud, 0.5)
    assert made.colors is not None and made.confidence is not None and made.invented is not None
    np.testing.assert_allclose(made.xyz, [[-0.1, 0.1, 0.1], [0.7 / 3, 0.1, 0.1], [5, 5, 5]], atol=1e-5)
    assert made.colors.tolist() == [[7, 7, 7], [60, 40, 20], [9, 9, 9]]
    np.testing.assert_allclose(made.confidence, [0.5, 0.4, 1])
    assert made.invented.tolist() == [False, False, True]
    assert made.normals is not None
    np.testing.assert_allclose(made.normals[1], np.array([1, 2, 0]) / 5**0.5, atol=1e-5)


def test_opposed_normals_still_have_length_one_and_an_empty_cloud_stays_empty() -> None:
    both = PointCloud(np.zeros((2, 3), np.float32), normals=np.array([[1, 0, 0], [-1, 0, 0]], np.float32))
    made = thinned(both, 1.0).normals
    assert made is not None and np.linalg.norm(made[0]) == pytest.approx(1)
    assert len(thinned(PointCloud(np.zeros((0, 3), np.float32)), 1.0).xyz) == 0


def test_no_more_points_than_asked_for() -> None:
    xyz = np.random.default_rng(0).uniform(0, 1, (20_000, 3)).astype(np.float32)
    xyz[:, 2] = 0
    made = thinned_to(PointCloud(xyz), 900, 0.001)
    assert 600 < len(made.xyz) <= 900


def test_fused_points_lie_on_the_ball_and_become_discs_that_lie_on_it() -> None:
    frames = fw.frames_of(fw.ball(), fw.around(14, 3.0), fw.lens_of(96, 72, 50), noise=0.002, outliers=0.02)
    cloud = fuse_points(frames, FuseOptions(points=4000))
    assert 2500 < len(cloud.xyz) <= 4000
    off = np.abs(np.linalg.norm(cloud.xyz, axis=1) - 1)
    assert off.mean() < 0.005 and (off < 0.02).mean() > 0.99
    assert cloud.normals is not None and cloud.confidence is not None and cloud.colors is not None
    splats = splats_of_cloud(cloud)
    w, x, y, z = splats.quaternions.astype(float).T
    third = np.stack([2 * (x * z + w * y), 2 * (y * z - w * x), 1 - 2 * (x * x + y * y)], axis=1)
    np.testing.assert_allclose((third * cloud.normals).sum(axis=1), 1, atol=1e-4)
    np.testing.assert_allclose(splats.scales[:, 2], FLAT * splats.scales[:, 0], rtol=1e-5)
    spacing = np.sqrt(4 * np.pi / len(cloud.xyz))
    assert np.median(splats.scales[:, 0]) == pytest.approx(SPREAD * spacing, rel=0.25)
    np.testing.assert_allclose(splats.opacities, np.clip(np.sqrt(cloud.confidence), 0.1, 0.99), rtol=1e-5)
    np.testing.assert_allclose(splats.colors, cloud.colors / 255, atol=1e-6)


def test_without_normals_balls_and_with_too_few_points_a_word() -> None:
    grid = np.stack(np.meshgrid(*[np.arange(4.0)] * 3), -1).reshape(-1, 3).astype(np.float32)
    splats = splats_of_cloud(PointCloud(grid))
    assert (splats.scales == splats.scales[:, :1]).all() and splats.scales[0, 0] > 0.5
    with pytest.raises(InputError, match="more than 4 points"):
        splats_of_cloud(PointCloud(grid[:3]))
