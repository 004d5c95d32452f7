"""Depth of views of places of known shape."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.view_worlds import Place, boxes, statue

from unflat.errors import InputError
from unflat.stages.dense_depth import DenseOptions, dense_depth
from unflat.types.depth import DepthKind, DepthMap
from unflat.types.image import Size
from unflat.types.views import Reconstruction, SparsePoints, ViewDepth

SMALL = Size(160, 120)


@pytest.fixture(scope="module")
def place() -> Place:
    return boxes(SMALL, count=5)


@pytest.fixture(scope="module")
def seen(place: Place) -> list[ViewDepth]:
    return list(dense_depth(place.reconstruction))


def errors(found: ViewDepth, exact: np.ndarray) -> np.ndarray:
    """Relative error; NaN where nothing was found or there is nothing."""
    there = np.asarray(found.depth.valid) & np.isfinite(exact)
    return np.where(there, np.abs(found.depth.values / np.where(there, exact, 1) - 1), np.nan)


def test_every_view_gets_depth_that_is_right(place: Place, seen: list[ViewDepth]) -> None:
    assert [f.view for f in seen] == list(place.reconstruction.views)
    for found, exact in zip(seen, place.depths, strict=True):
        assert found.depth.kind is DepthKind.SCALE
        off = errors(found, exact)
        assert np.isfinite(off).mean() > 0.5
        assert np.nanmedian(off) < 0.004 and (off[np.isfinite(off)] < 0.02).mean() > 0.95
        assert not (np.asarray(found.depth.valid) & ~np.isfinite(exact)).any()


def test_high_confidence_is_right_more_often(place: Place, seen: list[ViewDepth]) -> None:
    off = np.stack([errors(f, e) for f, e in zip(seen, place.depths, strict=True)])
    sure = np.stack([np.asarray(f.depth.confidence) for f in seen])
    known = np.isfinite(off)
    low, high = np.quantile(sure[known], (0.25, 0.75))
    assert (off[known & (sure >= high)] < 0.01).mean() > (off[known & (sure <= low)] < 0.01).mean() + 0.03
    assert abs((off[known] < 0.01).mean() - sure[known].mean()) < 0.08  # it is the probability that it says it is
    assert sure.max() <= 1 and not sure[~np.stack([np.asarray(f.depth.valid) for f in seen])].any()


def test_normals_look_at_the_camera_and_lie_across_the_surface(place: Place, seen: list[ViewDepth]) -> None:
    found = seen[2]
    assert found.normals is not None
    valid = np.asarray(found.depth.valid)
    np.testing.assert_allclose(np.linalg.norm(found.normals[valid], axis=-1), 1, atol=1e-4)
    assert np.isnan(found.normals[~valid]).all()
    wall = valid & (place.depths[2] > 4.4)
    normal = found.view.pose.world_from_camera[:3, :3] @ np.nanmedian(found.normals[wall], axis=0)
    assert normal @ (0, 0, -1) > 0.97


def test_without_points_the_cameras_tell_where_to_look(place: Place) -> None:
    bare = replace(place.reconstruction, points=SparsePoints.none())
    found = next(iter(dense_depth(bare)))
    off = errors(found, place.depths[0])
    assert np.isfinite(off).mean() > 0.35 and (off[np.isfinite(off)] < 0.02).mean() > 0.9


def test_a_view_without_company_is_left_empty(place: Place) -> None:
    alone = Reconstruction(place.reconstruction.views[:1], SparsePoints.none())
    (found,) = dense_depth(alone)
    assert not np.asarray(found.depth.valid).any()


def test_nothing_is_found_outside_the_mask() -> None:
    world = statue(Size(120, 120), count=16)
    for number, (found, exact) in enumerate(zip(dense_depth(world.reconstruction), world.depths, strict=True)):
        mask = np.isfinite(exact)
        valid = np.asarray(found.depth.valid)
        assert not (valid & ~mask).any() and valid[mask].mean() > 0.2
        off = errors(found, exact)
        assert (off[np.isfinite(off)] < 0.02).mean() > 0.97
        if number == 2:
            break


def test_the_network_fills_what_nobody_matched(place: Place, seen: list[ViewDepth]) -> None:
    exact = place.depths[0]

    def guess(pixels: np.ndarray) -> DepthMap:
        """The exact inverse depth in units of its own, infinite where nothing is."""
        assert pixels.shape == (*SMALL.shape, 3)
        inverse = np.where(np.isfinite(exact), 0.3 / exact + 0.05, 0.05).astype(np.float32)
        return DepthMap(inverse, DepthKind.DISPARITY, sky=~np.isfinite(exact), origin="exact")

    found = next(iter(dense_depth(place.reconstruction, guess=guess)))
    alone, learned = np.asarray(seen[0].depth.valid), found.learned
    assert learned is not None and not (learned & alone).any()
    np.testing.assert_array_equal(found.depth.values[alone], seen[0].depth.values[alone])
    assert learned[np.isfinite(exact) & ~alone].mean() > 0.95 and not learned[~np.isfinite(exact)].any()
    assert np.nanmedian(errors(found, exact)[learned]) < 0.02
    assert found.depth.confidence is not None and found.depth.confidence[learned].max() < 0.1
    upside_down = next(
        iter(dense_depth(place.reconstruction, guess=lambda p: DepthMap(1 / guess(p).values, DepthKind.DISPARITY)))
    )
    assert upside_down.learned is not None and not upside_down.learned.any()


def test_what_the_network_takes_for_sky_is_no_surface(place: Place, seen: list[ViewDepth]) -> None:
    exact, alone = place.depths[0], np.asarray(seen[0].depth.valid)
    sky = np.zeros(exact.shape, bool)
    sky[:, : exact.shape[1] // 2] = True

    def guess(_pixels: np.ndarray) -> DepthMap:
        inverse = np.where(np.isfinite(exact) & ~sky, 1 / exact, 0).astype(np.float32)
        return DepthMap(inverse, DepthKind.DISPARITY, sky=sky, origin="half of it is sky")

    found = next(iter(dense_depth(place.reconstruction, guess=guess)))
    assert alone[sky].any()
    assert not found.depth.surface[sky].any() and found.depth.sky is not None and found.depth.sky[sky].mean() > 0.95
    assert np.asarray(found.depth.valid)[alone & ~sky].all()


def test_options_out_of_range_are_refused() -> None:
    with pytest.raises(InputError):
        DenseOptions(depth_size=8)
    with pytest.raises(InputError):
        DenseOptions(sources=0)
