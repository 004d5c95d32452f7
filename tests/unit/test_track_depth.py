"""Depth of a frame from the landmarks that it sees."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from unflat.stages.track_depth import Sight, guessed_around
from unflat.types.camera import Intrinsics
from unflat.types.depth import DepthKind, DepthMap
from unflat.types.image import Size

SIZE = Size(640, 480)
CAMERA = Intrinsics.from_fov(63, SIZE)
PICTURE = np.zeros((480, 640, 3), np.uint8)


def slanted(pixel: np.ndarray) -> np.ndarray:
    """z of a slanted plane: its inverse is linear in the pixels."""
    return 1 / (0.2 + 0.0004 * pixel[..., 0] + 0.0002 * pixel[..., 1])


def sight(count: int = 300, spread: float = 0.02) -> Sight:
    pixel = np.random.default_rng(3).uniform([8, 8], [632, 472], (count, 2))
    return Sight(pixel, slanted(pixel), np.full(count, spread), CAMERA, PICTURE)


def centres(size: Size) -> np.ndarray:
    x, y = np.meshgrid((np.arange(size.width) + 0.5) / size.width, (np.arange(size.height) + 0.5) / size.height)
    return np.stack([x * 640, y * 480], -1)


def test_between_landmarks_of_a_plane_is_the_plane() -> None:
    depth = sight().depth()
    assert depth is not None and depth.valid is not None and depth.confidence is not None
    assert depth.kind is DepthKind.SCALE and depth.intrinsics == CAMERA.resized(depth.size)
    off = np.abs(depth.values / slanted(centres(depth.size)) - 1)
    assert np.median(off) < 0.02 and (off[depth.valid] < 0.25).all()
    assert depth.valid.mean() > 0.95 and depth.confidence[depth.valid].mean() > 0.8


def test_the_unit_is_that_of_the_landmarks() -> None:
    one, two = sight(), replace(sight(), z=3 * sight().z)
    a, b = one.depth(), two.depth()
    assert a is not None and b is not None
    np.testing.assert_allclose(3 * a.values, b.values, rtol=1e-5)


def test_where_landmarks_do_not_agree_nothing_is_claimed() -> None:
    here = sight()
    step = replace(here, z=np.where(here.pixel[:, 0] < 320, 1.0, 4.0))
    depth = step.depth()
    assert depth is not None and depth.valid is not None
    x = centres(depth.size)[..., 0]
    assert depth.valid[np.abs(x - 320) < 8].mean() < 0.2
    far = np.abs(x - 320) > 100
    np.testing.assert_allclose(
        depth.values[far & depth.valid], np.where(x < 320, 1.0, 4.0)[far & depth.valid], rtol=0.1
    )


def test_far_from_all_landmarks_confidence_falls() -> None:
    here = sight(600)
    left = here.pixel[:, 0] < 200
    depth = replace(here, pixel=here.pixel[left], z=here.z[left], spread=here.spread[left]).depth()
    assert depth is not None and depth.confidence is not None and depth.valid is not None
    assert depth.confidence[:, :20].mean() > depth.confidence[:, -20:].mean() + 0.3
    assert not depth.valid[:, -10:].any()


def test_without_landmarks_there_is_no_depth() -> None:
    assert sight(5).depth() is None
    assert sight(spread=0.9).depth() is None


def network(pixels: np.ndarray) -> DepthMap:
    """Knows the plane, but for its size."""
    return DepthMap((7 * slanted(centres(Size(160, 120)))).astype(np.float32), DepthKind.SCALE, origin="network")


def test_a_network_is_brought_to_the_landmarks_and_goes_on_where_there_are_none() -> None:
    here = sight()
    left = here.pixel[:, 0] < 320
    depth = replace(
        here, pixel=here.pixel[left], z=here.z[left], spread=here.spread[left], guess=network
    ).depth()  # fmt: skip
    assert depth is not None and depth.size == Size(160, 120) and depth.surface.all()
    assert np.median(np.abs(depth.values / slanted(centres(depth.size)) - 1)) < 0.02


def test_a_network_that_sees_the_contrary_is_not_believed() -> None:
    def contrary(pixels: np.ndarray) -> DepthMap:
        return DepthMap((1 / slanted(centres(Size(160, 120)))).astype(np.float32), DepthKind.SCALE)

    here = sight()
    at = np.array([[100.0, 100], [500, 300]])
    told = guessed_around(network(PICTURE), here.pixel, here.z, here.spread, at, SIZE)
    assert told == pytest.approx(slanted(at), rel=0.05)
    assert guessed_around(network(PICTURE), here.pixel[:3], here.z[:3], here.spread[:3], at, SIZE) is None
    steep = replace(here, z=here.z**6)
    assert guessed_around(contrary(PICTURE), steep.pixel, steep.z, steep.spread, at, SIZE) is None
