"""Bent lenses: OpenCV is the oracle, and there and back is the identity."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from unflat.geometry.distort import pixels_of, rays_through
from unflat.types.camera import Intrinsics
from unflat.types.image import Size
from unflat.types.views import Lens

SIZE = Size(640, 480)
PHONE = Lens(Intrinsics(520, 515, 318, 242, SIZE), -0.21, 0.06, 0.002, -0.001)
BARREL = Lens(Intrinsics.from_fov(75, SIZE), 0.12)
PINHOLE = Lens(Intrinsics.from_fov(60, SIZE))


def corners(lens: Lens) -> np.ndarray:
    x, y = np.meshgrid(np.linspace(0, 640, 17), np.linspace(0, 480, 13))
    return np.stack([x, y], -1)


@pytest.mark.parametrize("lens", [PHONE, BARREL, PINHOLE])
def test_there_and_back(lens: Lens) -> None:
    pixels = corners(lens)
    rays = rays_through(pixels, lens)
    assert rays.shape == (13, 17, 3) and (rays[..., 2] == 1).all()
    assert np.abs(pixels_of(3.7 * rays, lens) - pixels).max() < 1e-8


@pytest.mark.parametrize("lens", [PHONE, BARREL, PINHOLE])
def test_opencv_sees_points_at_the_same_pixels(lens: Lens) -> None:
    xyz = np.random.default_rng(0).uniform([-1, -0.8, 2], [1, 0.8, 4], (50, 3))
    ours = pixels_of(xyz, lens)
    more = np.array([lens.k1, lens.k2, lens.p1, lens.p2])
    theirs = cv2.projectPoints(xyz, np.zeros(3), np.zeros(3), lens.intrinsics.matrix, more)[0][:, 0]
    assert np.abs(ours - theirs).max() < 1e-9


def test_what_is_behind_is_seen_nowhere() -> None:
    seen = pixels_of(np.array([[0.1, 0.2, -1.0], [0.0, 0.0, 0.0], [0.1, 0.2, 1.0]]), PHONE)
    assert np.isnan(seen[:2]).all() and np.isfinite(seen[2]).all()


def test_beyond_the_fold_a_ray_is_still_finite() -> None:
    folding = Lens(Intrinsics.from_fov(90, SIZE), -0.45)
    assert np.isfinite(rays_through(corners(folding), folding)).all()
